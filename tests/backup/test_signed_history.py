# SPDX-License-Identifier: Apache-2.0
"""A backup that is restored and adopts what was published since, from any complete copy, with any record of the signer:
the city publishes, and a phone that was up to date gets the next file.
"""

import contextlib
import datetime
import json
import os
import shutil
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.builders.keyserver import DAY, HOUR, Clock, open_server, report_of, serve_application, set_city
from tests.builders.machines import wait_until
from tests.builders.objectserver import BUCKET, object_server
from tests.builders.serving import BLUEZONE, serving
from tests.builders.signer import signing
from tests.builders.stores import HOTLINE, prepared_store
from tests.keyserver.signer.test_outages import published_keys

from bluezone.backup.archive import newest_file_numbers
from bluezone.backup.creation import create_backup
from bluezone.backup.daykeys import FOLDER as DAY_KEYS
from bluezone.backup.drill import _ManualClock
from bluezone.backup.restoration import restore_backup
from bluezone.canary.phone import CanaryPhone, MemoryValues
from bluezone.city_settings import write_default
from bluezone.handset.client import Client
from bluezone.keyserver.http import Application
from bluezone.keyserver.keys.keyfolder import open_signing_keys
from bluezone.keyserver.publication.adoption import HistoryForked
from bluezone.keyserver.publication.bucket import ObjectFiles, open_named_place
from bluezone.keyserver.publication.folder import EXPORTS_URL_VARIABLE, LocalFiles
from bluezone.keyserver.publication.history import UNCHECKED_FILE
from bluezone.keyserver.publication.log.journal import FOLDER_VARIABLE
from bluezone.keyserver.publication.log.publiclog import answer_of_log
from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.signer.client import FOLDER_NAME as SIGNER
from bluezone.keyserver.signer.record import FILE_NAME as RECORD
from bluezone.transparency.notes import Checkpoint, read_checkpoint

PERIOD = 4 * HOUR
# How many files a backup lacks.
MISSING = (20, 4, 1)
SETTINGS = {"name_vi": "Bắc Kạn", "name_en": "Bac Kan", "padding_mean": 5, "verify_to_upload_seconds": 0}


def bluezone(*arguments, **environment):
    done = subprocess.run(
        [BLUEZONE, *map(str, arguments), "--json"], capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def published_at(folder, moments):
    """Publish what is due at each moment, under the signer of this folder; number of the newest export file."""
    for moment in moments:
        clock = Clock(moment)
        with signing(folder, clock), contextlib.closing(KeyServer.open(folder, clock)) as server:
            server.tick(moment)
            number = server.indexes.read_index().number
    return number


def backed_up_and_gone_on(tmp_path, days):
    """A city with a backup that is so many days old, and files since; the folder and the backup."""
    folder = tmp_path / "one" / "data"
    folder.mkdir(parents=True, mode=0o700)
    prepared_store(folder)
    write_default(folder, name_vi="Bắc Kạn", name_en="Bac Kan", hotline=HOTLINE, publish_period_seconds=1,
                  padding_mean=5, verify_to_upload_seconds=0)  # fmt: skip
    now = time.time()
    published_at(folder, [now - days * DAY - PERIOD, now - days * DAY])
    backup = tmp_path / "backup"
    bluezone("backup", "--data", folder, "--out", backup)
    assert published_at(folder, [now - days * DAY * (left / 4) for left in (3, 2, 1)] + [now - PERIOD]) >= 4
    return folder, backup


def restored(tmp_path, folder, backup):
    """The city on another machine, which has the files of the first and nothing else of it."""
    again = tmp_path / "two" / "data"
    bluezone("restore", backup, "--data", again, "--day-keys", folder / "keys" / "days", "--published", folder)
    return again


def phone_at(phone, public, trust):
    """A phone that is always the same looks for new files; the number of the newest it has."""
    options = ["--data", phone, "--server", public, "--trust", trust, "--radio", "virtual:127.0.0.1:1"]
    bluezone("handset", "check", *options)
    return bluezone("handset", "status", "--data", phone)["lists"]["exports"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("days", [1, 20])
def test_a_restored_city_that_adopted_many_files_publishes_and_the_phone_follows(tmp_path, days):
    folder, backup = backed_up_and_gone_on(tmp_path, days)
    trust = open_signing_keys(folder / "keys").signing_key.public_key().public_bytes_raw().hex()
    with serving(folder) as served:
        before = phone_at(tmp_path / "phone", served.public, trust)
    assert before >= 6

    again = restored(tmp_path, folder, backup)
    # Not before: without a signer a key server signs by itself, and the signer would go on from there.
    with serving(again) as served, contextlib.closing(KeyServer.open(again)) as server:
        waiting = report_of(server)
        waiting.upload()
        wait_until(lambda: {key.key for key in waiting.keys} <= published_keys(server), 120)
        assert phone_at(tmp_path / "phone", served.public, trust) > before


@dataclass
class LostCity:
    """A city with a signer, a phone that is up to date, and a backup for each of MISSING.

    phone: what it has stored. heights: its newest file by kind. checkpoint: the last of its public log.
    now: Unix seconds.
    """

    folder: Path
    backups: dict[int, Path]
    trust: bytes
    phone: dict[str, Any]
    heights: dict[str, int]
    checkpoint: Checkpoint
    now: float


@pytest.fixture(scope="module")
def lost(tmp_path_factory):
    top = tmp_path_factory.mktemp("lost")
    folder = top / "data"
    folder.mkdir(mode=0o700)
    clock = Clock()
    backups = {}
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(FOLDER_VARIABLE, str(top / "heads"))
        open_server(folder, clock, **SETTINGS).close()
        with signing(folder, clock), contextlib.closing(KeyServer.open(folder, clock)) as server:
            for left in range(MISSING[0] + 2, -1, -1):
                if left in MISSING:
                    now = datetime.datetime.fromtimestamp(clock.now, datetime.UTC)
                    backups[left] = create_backup(folder, top / f"backup-{left}", now, now.date(), {})
                    # The backup lacks a config, too.
                    (folder / "city.toml").unlink()
                    write_default(folder, **SETTINGS, hotline=f"0209 3870 {left:03}")
                    set_city(server, hotline=f"0209 3870 {left:03}")
                if left:
                    report_of(server).upload()
                    clock.pass_by(2 * HOUR)
                    server.tick(clock.now)
            trust = server.secrets.city_key
            with serve_application(Application(server.parts)) as (host, port):
                values = MemoryValues()
                heights = CanaryPhone(values, trust, _ManualClock(clock.now)).follow(Client(f"http://{host}:{port}"))
            checkpoint = read_checkpoint(server.public_log.newest_checkpoint()[1].text)
    return LostCity(folder, backups, trust, values.all(), heights, checkpoint, clock.now)


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    with object_server(tmp_path_factory.mktemp("s3")) as server:
        yield server


@contextlib.contextmanager
def copy_at(kind, lost, tmp_path, monkeypatch, request):
    """A complete copy of what the lost city published; yields the places that an operator names."""
    if kind == "old folder":
        yield [str(lost.folder)]
    elif kind == "mirror folder":
        for name in ("exports", "venues", "configs"):
            shutil.copytree(lost.folder / name, tmp_path / "mirror" / "v1" / name)
        yield [str(tmp_path / "mirror")]
    elif kind == "mirror over HTTP":
        with (
            contextlib.closing(KeyServer.open(lost.folder, Clock(lost.now))) as server,
            serve_application(Application(server.parts)) as (host, port),
        ):
            yield [f"http://{host}:{port}"]
    else:
        for name, value in request.getfixturevalue("bucket").environment().items():
            monkeypatch.setenv(name, value)
        address = f"s3://{BUCKET}/{tmp_path.name}"
        for name in ("exports", "venues", "configs"):
            for path in (lost.folder / name).glob("[!.]*"):
                ObjectFiles(address, 120).put_if_absent(f"{name}/{path.name}", path.read_bytes())
        monkeypatch.setenv(EXPORTS_URL_VARIABLE, address)
        yield []


def age_record(folder, lost, record):
    """Put the signer's record in the state that a loss leaves it in."""
    path = folder / SIGNER / RECORD
    lines = path.read_bytes().splitlines(keepends=True)
    if record == "older":
        path.write_bytes(b"".join(lines[: len(lines) // 2]))
    elif record == "lost":
        path.unlink()
    elif record == "survived":
        shutil.copy(lost.folder / SIGNER / RECORD, path)


PLACES = ("old folder", "mirror folder", "mirror over HTTP", "bucket")
RECORDS = ("restored", "older", "lost", "survived")
# Every place with every number of missing files, and every record with both.
CASES = [
    (place, missing, RECORDS[(row + column) % len(RECORDS)])
    for row, place in enumerate(PLACES)
    for column, missing in enumerate(MISSING)
]


@pytest.mark.long
@pytest.mark.parametrize(("place", "missing", "record"), CASES)
def test_from_any_complete_copy_a_restored_city_publishes_and_the_phone_follows(
    place, missing, record, lost, tmp_path, monkeypatch, request
):
    # Nothing is left of the machine but what the place has.
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "heads"))
    clock = Clock(lost.now)
    folder = tmp_path / "restored" / "data"
    today = datetime.datetime.fromtimestamp(clock.now, datetime.UTC).date()
    restore_backup(lost.backups[missing], folder, lost.folder / DAY_KEYS, today, {}, lambda _: None)
    age_record(folder, lost, record)
    with (
        copy_at(place, lost, tmp_path, monkeypatch, request) as places,
        contextlib.closing(KeyServer.open(folder, clock)) as server,
    ):
        server.ticks.adopt_missing([open_named_place(text) for text in places])
        after = server.ticks.history.newest_numbers()
        if place == "mirror over HTTP":
            assert server.public_log.size() == lost.checkpoint.size
    before = newest_file_numbers(lost.backups[missing])
    assert {kind: after[kind] - before[kind] for kind in lost.heights} == dict.fromkeys(lost.heights, missing)
    assert after["config"] > before["config"]

    with signing(folder, clock), contextlib.closing(KeyServer.open(folder, clock)) as server:
        patient = report_of(server)
        patient.upload()
        clock.pass_by(2 * HOUR)
        server.tick(clock.now)
        with serve_application(Application(server.parts)) as (host, port):
            phone = CanaryPhone(MemoryValues(lost.phone), lost.trust, _ManualClock(clock.now))
            assert phone.follow(Client(f"http://{host}:{port}")) == {
                kind: number + 1 for kind, number in lost.heights.items()
            }
        if place == "mirror over HTTP":
            assert server.public_log.size() > lost.checkpoint.size
            assert server.public_log.root(lost.checkpoint.size) == lost.checkpoint.root
    assert not phone.started_over
    assert {key.key for key in patient.keys} <= {key.key for key in phone.newest.keys}


@pytest.mark.long
@pytest.mark.parametrize("damage", ["index older than log", "log of another", "leaves cut"])
def test_a_copy_of_the_public_log_shows_that_one_of_the_files_is_old(damage, lost, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "heads"))
    today = datetime.datetime.fromtimestamp(lost.now, datetime.UTC).date()
    folder = tmp_path / "restored" / "data"
    restore_backup(lost.backups[20], folder, lost.folder / DAY_KEYS, today, {}, lambda _: None)
    older = tmp_path / "older" / "data"
    restore_backup(lost.backups[4], older, lost.folder / DAY_KEYS, today, {}, lambda _: None)
    with contextlib.closing(KeyServer.open(lost.folder, Clock(lost.now))) as server:
        size = lost.checkpoint.size
        for name in ("checkpoint", f"tile/entries/000.p/{size}"):
            (older / "log" / name).parent.mkdir(parents=True, exist_ok=True)
            (older / "log" / name).write_bytes(answer_of_log(server.public_log, name)[0])
    if damage == "log of another":
        note = older / "log" / "checkpoint"
        note.write_text(note.read_text().replace(f"\n{lost.checkpoint.size}\n", f"\n{lost.checkpoint.size + 1}\n"))
    elif damage == "leaves cut":
        tile = older / "log" / "tile" / "entries" / f"000.p/{size}"
        tile.write_bytes(tile.read_bytes()[:-1])

    with contextlib.closing(KeyServer.open(folder, Clock(lost.now))) as server:
        if damage == "index older than log":
            # Also at a second try, when the leaves are here already.
            for _ in range(2):
                with pytest.raises(HistoryForked, match=f"up to {lost.heights['exports']} were published, .* up to"):
                    server.ticks.adopt_missing([LocalFiles(older)])
            assert (folder / UNCHECKED_FILE).exists()
            assert server.public_log.root(size) == lost.checkpoint.root
        else:
            # The log never delays the files that phones wait for.
            server.ticks.adopt_missing([LocalFiles(older)])
            assert "public log: " in caplog.text
            assert server.public_log.size() < size


@pytest.mark.long
def test_a_signer_that_has_signed_more_than_a_copy_has_shows_that_the_copy_is_old(lost, tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "heads"))
    today = datetime.datetime.fromtimestamp(lost.now, datetime.UTC).date()
    folder = tmp_path / "restored" / "data"
    older = tmp_path / "older" / "data"
    for missing, made in ((20, folder), (4, older)):
        restore_backup(lost.backups[missing], made, lost.folder / DAY_KEYS, today, {}, lambda _: None)
    age_record(folder, lost, "survived")
    clock = Clock(lost.now)
    with signing(folder, clock), contextlib.closing(KeyServer.open(folder, clock)) as server:
        with pytest.raises(HistoryForked, match=f"exports up to {lost.heights['exports']} were published"):
            server.ticks.adopt_missing([LocalFiles(older)])
        adopted = server.ticks.adopt_missing([LocalFiles(lost.folder)])
        assert adopted["exports"][-1] == lost.heights["exports"]


class CountedFiles(LocalFiles):
    """A place that counts how often each file is read."""

    def __init__(self, folder):
        super().__init__(folder)
        self.reads = Counter()

    def get(self, name):
        self.reads[name] += 1
        return super().get(name)


def trace(store, statements):
    """From now on, note the SQL of each write."""
    store.write(lambda transaction: transaction._connection.set_trace_callback(statements.append))


@pytest.mark.long
def test_what_a_restore_reads_and_writes_grows_with_the_missing_files_alone(lost, tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "heads"))
    today = datetime.datetime.fromtimestamp(lost.now, datetime.UTC).date()
    costs = {}
    for missing in MISSING:
        folder = tmp_path / str(missing) / "data"
        restore_backup(lost.backups[missing], folder, lost.folder / DAY_KEYS, today, {}, lambda _: None)
        place = CountedFiles(lost.folder)
        statements = []
        with contextlib.closing(KeyServer.open(folder, Clock(lost.now))) as server:
            trace(server.keys_store, statements)
            adopted = server.ticks.adopt_missing([place])
        assert len(adopted["exports"]) == len(adopted["venues"]) == missing
        files = [name for name in place.reads if name.startswith(("exports/", "venues/")) and "index" not in name]
        assert len(files) == 2 * missing
        assert {place.reads[name] for name in files} == {1}
        # Random keys make the number of keys differ from file to file.
        of_files = [sql for sql in statements if "known_key" not in sql and "waiting_" not in sql]
        costs[missing] = len(of_files), place.reads.total()
    for many, some, least in zip(costs[20], costs[4], costs[1], strict=True):
        assert many - some == pytest.approx(16 * (some - least) / 3, rel=0.2), costs
