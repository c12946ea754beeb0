# SPDX-License-Identifier: Apache-2.0
"""`bluezone backup` and `bluezone restore`: a copy that serves again, and that forgets when the city forgets."""

import datetime
import json
import os
import shutil
import signal
import stat
import struct
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from tests.builders import commands
from tests.builders.keyserver import postgresql_database, postgresql_server
from tests.builders.office import write_city
from tests.builders.serving import BLUEZONE, serving
from tests.builders.stores import HOTLINE, prepared_store

from bluezone.backup import creation, daykeys
from bluezone.backup.archive import BackupDamaged, backup_day, open_sealed
from bluezone.city_settings import write_default
from bluezone.keyserver.service import KeyServer

DAY = datetime.date(2020, 8, 10)
BUCKET = 1_597_023_600  # 08:40 of that day in Bắc Kạn
# How SQLite keeps a five-minute counter: in its row, and in the index that makes it one.
ROW = struct.pack(">i", BUCKET) + b"2020-08-10inrunning"
ENTRY = struct.pack(">i", BUCKET) + b"inrunning"

OFFICE = """
import datetime, sys
from pathlib import Path
from zoneinfo import ZoneInfo
from bluezone.server.preparation import prepare_office
folder, act, day = Path(sys.argv[1]), sys.argv[2], datetime.date.fromisoformat(sys.argv[3])
now = datetime.datetime.combine(day, datetime.time(3), datetime.UTC)
prepare_office(folder)
from bluezone.backup.purging import purge_backups
from bluezone.server.recurring_work import purge_office
if act == "count":
    from tests.builders.gates import gate
    from bluezone.rollout.gates.counters import store_counters
    made, _token = gate(now=now)
    rows = [[int(sys.argv[4]), "in", "running", 77]]
    store_counters(made.devices.get().device_id, made, rows, now.timestamp(), ZoneInfo("Asia/Ho_Chi_Minh"))
elif act == "purge":
    purge_office(now)
    purge_backups(now)
from bluezone.rollout.gates.models import GateCounter, GateDay
print(GateCounter.objects.count(), sum(GateDay.objects.values_list("count", flat=True)))
"""


def office(folder, act, day, **environment):
    """Do something in the office of a folder, in a process of its own; (counters, sum of the days)."""
    command = [sys.executable, "-c", OFFICE, folder, act, str(day), str(BUCKET)]
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}, cwd=Path(__file__).parents[3]
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return tuple(map(int, done.stdout.split()))


def bluezone(*arguments, **environment):
    done = commands.bluezone(*arguments, "--json", **environment)
    return done.returncode, json.loads(done.stdout)


def backed_up(folder, day, urls=None):
    """A backup that is made on a day."""
    now = datetime.datetime.combine(day, datetime.time(4), datetime.UTC)
    return creation.create_backup(folder, None, now, day, urls or {})


def holding(folder, pattern):
    """Files that hold the bytes."""
    return [path for path in folder.rglob("*") if path.is_file() and pattern in path.read_bytes()]


def half_written(folder):
    return [*folder.glob(".backup-*"), *folder.rglob("*.partial")]


@pytest.fixture(scope="module")
def counted_once(tmp_path_factory):
    """A data folder whose office has counted at a gate on DAY."""
    folder = tmp_path_factory.mktemp("counted") / "data"
    folder.mkdir()
    write_city(folder)
    assert office(folder, "count", DAY) == (1, 77)
    return folder


@pytest.fixture
def counted(counted_once, tmp_path):
    """A copy of it for one test."""
    return Path(shutil.copytree(counted_once, tmp_path / "data"))


def test_31_days_later_neither_the_store_nor_its_log_nor_any_backup_holds_what_was_purged(counted, tmp_path):
    first = backed_up(counted, DAY)
    shutil.copy(first, tmp_path / "taken away")
    later = backed_up(counted, DAY + datetime.timedelta(days=10))
    assert holding(counted, ROW)
    assert holding(counted, ENTRY)

    end = DAY + datetime.timedelta(days=32)
    assert office(counted, "purge", end) == (0, 77)

    assert holding(counted, ROW) == []
    assert holding(counted, ENTRY) == []
    assert not first.exists()
    with pytest.raises(daykeys.BackupExpired):
        daykeys.read_day_key(counted / daykeys.FOLDER, backup_day(tmp_path / "taken away"))
    # The younger backup opens still; of the days before its own it never had more than the sums.
    plain = tmp_path / "plain"
    with plain.open("wb") as file:
        open_sealed(later, daykeys.read_day_key(counted / daykeys.FOLDER, backup_day(later)), file)
    assert b"office.sqlite3" in plain.read_bytes()
    assert ROW not in plain.read_bytes()
    assert ENTRY not in plain.read_bytes()


def test_a_backup_of_today_has_today_s_counters_and_nobody_reads_it_without_the_key(counted, tmp_path):
    made = backed_up(counted, DAY)
    plain = tmp_path / "plain"
    with plain.open("wb") as file:
        open_sealed(made, daykeys.read_day_key(counted / daykeys.FOLDER, DAY), file)

    assert ROW in plain.read_bytes()
    assert ROW not in made.read_bytes()
    assert (counted / daykeys.FOLDER / str(DAY)).read_bytes() not in plain.read_bytes()
    with (tmp_path / "x").open("wb") as file, pytest.raises(BackupDamaged):
        open_sealed(made, bytes(32), file)


def test_keys_and_backups_are_the_owner_s_alone(counted):
    made = backed_up(counted, DAY)

    for path in (made, counted / daykeys.FOLDER / str(DAY)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((counted / daykeys.FOLDER).stat().st_mode) == 0o700


def test_a_folder_that_serves_is_backed_up_restored_and_serves_again(tmp_path):
    folder, new = tmp_path / "data", tmp_path / "new"
    with serving(folder):
        code, made = bluezone("backup", "--data", folder)
        assert code == 0, made
    keys = folder / daykeys.FOLDER
    assert made["heights"]["config"] == 1
    code, told = bluezone("restore", made["file"], "--data", new, "--day-keys", keys)
    assert (told["heights"], told["problem"], told["adopted"]["exports"]) == (made["heights"], None, [])

    assert (code, told.get("day")) == (0, made["day"]), told
    assert {path.name for path in (new / "keys").iterdir()} >= {path.name for path in (folder / "keys").iterdir()}
    with serving(new) as running, urllib.request.urlopen(running.public + "/v1/health", timeout=120) as answer:
        assert answer.status == 200
    code, again = bluezone("restore", made["file"], "--data", new, "--day-keys", keys)
    assert (code, again["error"]["code"]) == (1, "restore_folder_used")


def test_a_restore_takes_over_what_phones_have_or_ends_with_exit_1_and_the_way_on(tmp_path, monkeypatch):
    folder, now = tmp_path / "old" / "data", time.time()
    prepared_store(folder)
    write_default(folder, name_vi="Bắc Kạn", name_en="Bac Kan", hotline=HOTLINE)
    publish_at(folder, now - 5 * 7200)
    made = bluezone("backup", "--data", folder)[1]
    newest = publish_at(folder, now - 7200)
    keys = folder / daykeys.FOLDER
    restore = ("restore", made["file"], "--day-keys", keys, "--data")
    monkeypatch.setenv("BLUEZONE_HEADS", str(tmp_path / "another machine's"))

    code, told = bluezone(*restore, tmp_path / "one" / "data")
    assert (code, told["problem"], told["heights"]) == (1, "history_unknown", made["heights"])
    done = commands.bluezone(*restore, tmp_path / "two" / "data", "--seen", f"exports={newest}")
    assert done.returncode == 1
    assert f"exports up to {newest} were published, this store knows them up to {newest - 1}" in done.stdout
    assert "docs/playbooks/history-forked.md" in done.stdout
    code, told = bluezone(*restore, tmp_path / "three" / "data", "--published", folder, "--seen", f"exports={newest}")
    assert (code, told["problem"], told["adopted"]["exports"]) == (0, None, [newest])
    assert [place["heights"]["exports"] for place in told["places"]] == [newest]
    code, told = bluezone(*restore, tmp_path / "four" / "data", "--published", "ftp://mirror.example")
    assert (code, told["error"]["code"]) == (1, "exports_refused")
    assert not (tmp_path / "four").exists()


def publish_at(folder, moment):
    """Publish what is due at a time; number of the newest export file."""
    server = KeyServer.open(folder, lambda: moment)
    try:
        server.tick(moment)
        return server.indexes.read_index().number
    finally:
        server.close()


@pytest.mark.parametrize("spoil", ["cut", "altered", "no backup"])
def test_a_damaged_backup_restores_nothing(counted, tmp_path, spoil):
    made = backed_up(counted, datetime.datetime.now(datetime.UTC).date())
    data = made.read_bytes()
    spoiled = {"cut": data[:-20], "altered": data[:5000] + b"\0\1\2" + data[5003:], "no backup": b"hello"}[spoil]
    made.write_bytes(spoiled)
    before = set(tmp_path.iterdir())
    code, told = bluezone("restore", made, "--data", tmp_path / "new", "--day-keys", counted / daykeys.FOLDER)

    assert (code, told["error"]["code"]) == (1, "backup_damaged")
    assert set(tmp_path.iterdir()) == before


def test_a_backup_whose_day_is_over_is_refused_even_where_its_key_was_forgotten_to_be_destroyed(counted, tmp_path):
    made = backed_up(counted, DAY)
    code, told = bluezone("restore", made, "--data", tmp_path / "new", "--day-keys", counted / daykeys.FOLDER)

    assert (code, told["error"]["code"]) == (1, "backup_expired")


def test_a_full_disk_leaves_nothing_half_written(counted):
    (counted / "exports").mkdir(exist_ok=True)
    (counted / "exports" / "large").write_bytes(os.urandom(3_000_000))
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f 1500; exec {BLUEZONE} backup --data {counted} --json"],
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["error"]["code"] in {"system_error", "backup_failed"}
    assert half_written(counted) == []
    assert list((counted / "backups").glob("*")) == []


# On a busy machine the backup may be done before the signal comes.
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_backup_leaves_nothing_half_written(counted, number):
    (counted / "exports").mkdir(exist_ok=True)
    with (counted / "exports" / "large").open("wb") as file:
        file.truncate(400_000_000)
    running = subprocess.Popen([BLUEZONE, "backup", "--data", counted], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 600
    while not half_written(counted):
        assert running.poll() is None
        assert time.monotonic() < deadline
    running.send_signal(number)

    assert running.wait(120) != 0
    assert half_written(counted) == []


@pytest.mark.postgres
def test_on_postgresql_the_rows_go_and_the_backups_close(tmp_path):
    server = postgresql_server()
    folder = tmp_path / "data"
    folder.mkdir()
    write_city(folder)
    with postgresql_database(server) as address, postgresql_database(server) as empty:
        assert office(folder, "count", DAY, BLUEZONE_OFFICE_URL=address) == (1, 77)
        made = backed_up(folder, DAY, {"office": address})
        today = datetime.datetime.now(datetime.UTC).date()
        fresh = backed_up(folder, today, {"office": address})
        end = DAY + datetime.timedelta(days=32)
        assert office(folder, "purge", end, BLUEZONE_OFFICE_URL=address) == (0, 77)
        assert not made.exists()

        code, told = bluezone(
            "restore", fresh, "--data", tmp_path / "new", "--day-keys", folder / daykeys.FOLDER,
            BLUEZONE_OFFICE_URL=empty,
        )  # fmt: skip
        # Of its published files this backup says nothing, and no place was named.
        assert (code, told["problem"]) == (1, "history_unknown"), told
        assert office(tmp_path / "new", "look", today, BLUEZONE_OFFICE_URL=empty) == (0, 77)
        code, told = bluezone(
            "restore", fresh, "--data", tmp_path / "more", "--day-keys", folder / daykeys.FOLDER,
            BLUEZONE_OFFICE_URL=empty,
        )  # fmt: skip
        assert (code, told["error"]["code"]) == (1, "restore_database_used")


def schemas(address):
    """Names of the stores' schemas that are in a database."""
    import psycopg

    with psycopg.connect(address, autocommit=True) as connection:
        rows = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname IN ('office', 'codes', 'keys')")
        return {name for (name,) in rows}


@pytest.mark.postgres
def test_a_restore_into_postgresql_that_fails_leaves_nothing_there_and_can_be_tried_again(counted, tmp_path):
    server = postgresql_server()
    from bluezone.backup import postgresql, restoration

    today = datetime.datetime.now(datetime.UTC).date()
    with postgresql_database(server) as address, postgresql_database(server) as empty:
        assert office(counted, "count", DAY, BLUEZONE_OFFICE_URL=address) == (1, 77)
        (counted / "office.sqlite3").unlink()
        fresh = backed_up(counted, today, {"office": address})
        days, new = counted / daykeys.FOLDER, tmp_path / "new"

        def fail(_folder):
            assert schemas(empty) == {"office"}
            raise postgresql.BackupToolFailed("the machine is out of memory")

        with pytest.raises(postgresql.BackupToolFailed):
            restoration.restore_backup(fresh, new, days, today, {"office": empty}, fail)
        assert (schemas(empty), new.exists()) == (set(), False)
        assert [path for path in tmp_path.iterdir() if path.name.startswith(".restore-")] == []
        # Another's schema is never dropped, whatever fails.
        postgresql.claim_schema(empty, "office")
        with pytest.raises(postgresql.RestoreDatabaseUsed):
            restoration.restore_backup(fresh, new, days, today, {"office": empty}, fail)
        assert schemas(empty) == {"office"}
        postgresql.drop_schema(empty, "office")

        restoration.restore_backup(fresh, new, days, today, {"office": empty}, lambda _folder: None)
        assert office(new, "look", today, BLUEZONE_OFFICE_URL=empty) == (0, 77)


def test_a_store_that_was_on_sqlite_is_not_lost_because_an_address_is_set(counted, tmp_path):
    made = backed_up(counted, datetime.datetime.now(datetime.UTC).date())
    from bluezone.backup import postgresql, restoration

    with pytest.MonkeyPatch.context() as patch:
        # No PostgreSQL is needed to look into the file.
        patch.setattr(postgresql, "require_unused", lambda *_: None)
        with pytest.raises(BackupDamaged, match="unset its address"):
            restoration.restore_backup(
                made, tmp_path / "new", counted / daykeys.FOLDER, datetime.datetime.now(datetime.UTC).date(),
                {"office": "postgresql://nobody@127.0.0.1:1/none"}, lambda _folder: None,
            )  # fmt: skip
    assert not (tmp_path / "new").exists()
