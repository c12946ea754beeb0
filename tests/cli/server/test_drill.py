# SPDX-License-Identifier: Apache-2.0
"""`bluezone drill`: a backup that would not help is found before it is needed, and the city is left as it was."""

import hashlib
import json
import os
import shutil
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.builders.keyserver import DAY, Clock, postgresql_database, postgresql_server
from tests.builders.serving import BLUEZONE
from tests.builders.signer import signing
from tests.builders.stores import HOTLINE, prepared_store

from bluezone.backup.creation import STAGING
from bluezone.backup.drill import _LocalClient, _ManualClock
from bluezone.backup.drill_results import last_drill
from bluezone.canary.phone import CanaryPhone, MemoryValues
from bluezone.city_settings import write_default
from bluezone.keyserver.service import KeyServer
from bluezone.protocol.signed.index import EXPORTS
from bluezone.refusal import Refused


def bluezone(*arguments, **environment):
    done = subprocess.run(
        [BLUEZONE, *map(str, arguments), "--json"], capture_output=True, text=True, env={**os.environ, **environment}
    )
    return done.returncode, json.loads(done.stdout)


def published_until(folder, now):
    """Publish what is due at a time; number of the newest export file."""
    server = KeyServer.open(folder, lambda: now)
    try:
        server.tick(now)
        return server.indexes.read_index().number
    finally:
        server.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A city with a backup, which has published two more files since."""
    folder = tmp_path_factory.mktemp("drill") / "data"
    prepared_store(folder)
    write_default(folder, name_vi="Bắc Kạn", name_en="Bac Kan", hotline=HOTLINE)
    now, period = time.time(), 4 * 3600
    published_until(folder, now - 4 * period)
    published_until(folder, now - 3 * period)
    assert bluezone("backup", "--data", folder)[0] == 0
    assert published_until(folder, now - period) > 1
    return folder


@pytest.fixture
def city(made, tmp_path):
    return Path(shutil.copytree(made, tmp_path / "data"))


def stores_of(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).digest() for path in folder.glob("*.sqlite3")}


def test_a_phone_that_followed_the_city_follows_what_the_backup_restores(city):
    before, index = stores_of(city), (city / "exports" / "index.json").read_bytes()
    code, said = bluezone("drill", "--data", city)
    assert (code, said["ok"], said["problem"]) == (0, True, ""), said
    held, then = said["followed"]["exports"]
    assert held >= 2
    assert then > held
    assert last_drill(city).ok
    assert stores_of(city) == before
    assert (city / "exports" / "index.json").read_bytes() == index
    assert not list(city.glob(f"{STAGING}*"))


def test_a_restored_signer_that_would_sign_nothing_more_fails_the_drill(city):
    (city / "signer").mkdir(exist_ok=True)
    (city / "signer" / "signer.toml").write_text("most_keys_a_file = 1\n")
    assert bluezone("backup", "--data", city)[0] == 0
    code, said = bluezone("drill", "--data", city)
    assert (code, said["ok"]) == (1, False)
    assert "at most 1 are plausible" in said["message"]


def test_a_backup_from_before_many_files_that_a_signer_signed_restores_with_a_signer(tmp_path):
    folder = tmp_path / "data"
    prepared_store(folder)
    write_default(folder, name_vi="Bắc Kạn", name_en="Bac Kan", hotline=HOTLINE)
    now = time.time()
    for days in (20.5, 20):
        signed_at(folder, now - days * DAY)
    assert bluezone("backup", "--data", folder)[0] == 0
    for days in (15, 10, 5, 1):
        signed_at(folder, now - days * DAY)
    code, said = bluezone("drill", "--data", folder)
    assert (code, said["ok"]) == (0, True), said
    held, then = said["followed"]["exports"]
    assert then == held + 1


@pytest.mark.parametrize("padding_mean", [0, 5])
def test_a_city_that_publishes_at_once_is_tried_with_a_new_file_too(tmp_path, padding_mean):
    folder = tmp_path / "data"
    prepared_store(folder)
    write_default(folder, name_vi="Bắc Kạn", name_en="Bac Kan", hotline=HOTLINE, publish_period_seconds=0,
                  padding_mean=padding_mean)  # fmt: skip
    signed_at(folder, time.time())
    assert bluezone("backup", "--data", folder)[0] == 0
    code, said = bluezone("drill", "--data", folder)
    assert (code, said["ok"]) == (0, True), said
    held, then = said["followed"]["exports"]
    assert then == held + 1


def signed_at(folder, moment):
    """Publish what is due at a time, under a signer that keeps its record in the folder."""
    clock = Clock(moment)
    with signing(folder, clock), closing(KeyServer.open(folder, clock)) as server:
        server.tick(moment)


def test_a_backup_that_was_cut_fails_the_drill_and_nothing_is_left_of_it(city):
    (backup,) = (city / "backups").iterdir()
    backup.write_bytes(backup.read_bytes()[:-100])
    code, said = bluezone("drill", "--data", city)
    assert (code, said["ok"], said["problem"]) == (1, False, "drill_failed")
    assert "backup_damaged" in said["message"]
    assert not last_drill(city).ok
    assert not list(city.glob(f"{STAGING}*"))


def test_without_a_backup_or_its_key_the_drill_fails(city, tmp_path):
    (tmp_path / "no-keys").mkdir()
    code, said = bluezone("drill", "--data", city, "--day-keys", tmp_path / "no-keys")
    assert code == 1
    assert "backup_expired" in said["message"]
    shutil.rmtree(city / "backups")
    code, said = bluezone("drill", "--data", city)
    assert (code, said["problem"]) == (1, "drill_backup_missing")


def test_the_phone_of_the_drill_does_not_follow_a_city_that_has_published_otherwise(tmp_path, monkeypatch):
    now = time.time()
    original = tmp_path / "one" / "data"
    original.mkdir(parents=True)
    prepared_store(original)
    write_default(original, name_vi="Bắc Kạn", name_en="Bac Kan", hotline=HOTLINE)
    published_until(original, now)
    fork = Path(shutil.copytree(original, tmp_path / "two" / "data"))
    period = 4 * 3600
    servers = []
    for folder in (original, fork):
        # Neither knows of the other.
        monkeypatch.setenv("BLUEZONE_HEADS", str(folder.parent / "heads"))
        published_until(folder, now + 2 * period)
        servers.append(KeyServer.open(folder, lambda: now + 2 * period))
    phone = CanaryPhone(MemoryValues(), servers[0].secrets.city_key, _ManualClock(now))
    try:
        assert phone.follow(_LocalClient(servers[0].downloads))[EXPORTS] >= 1
        with pytest.raises(Refused):
            phone.follow(_LocalClient(servers[1].downloads))
    finally:
        for server in servers:
            server.close()


@pytest.mark.postgres
def test_a_city_on_postgresql_is_tried_in_a_database_of_its_own_which_is_emptied(city):
    server = postgresql_server()
    with postgresql_database(server) as address, postgresql_database(server) as scratch:
        assert bluezone("move", "--data", city, "--to", address)[0] == 0
        on = {"BLUEZONE_DATABASE_URL": address}
        assert bluezone("backup", "--data", city, **on)[0] == 0
        assert bluezone("drill", "--data", city, **on)[1]["problem"] == "drill_database_missing"
        # The city's own database is never dropped, even if somebody names it.
        code, said = bluezone("drill", "--data", city, "--scratch-database", address, **on)
        assert (code, said["problem"]) == (1, "restore_database_used")
        for _ in range(2):
            code, said = bluezone("drill", "--data", city, "--scratch-database", scratch, **on)
            assert (code, said["problem"]) == (0, ""), said
        code, said = bluezone("manage", "--data", city, "verify_audit", **on)
        assert code == 0, said
