# SPDX-License-Identifier: Apache-2.0
"""Hosts with nothing but the address of the database and the master key, which are one city all the same."""

import datetime
import json
import os
import subprocess
import time
from contextlib import nullcontext

import pytest
from tests.builders.keyserver import DAY, HOUR, call, open_server, postgresql_database, postgresql_server, report_of
from tests.builders.serving import BLUEZONE
from tests.builders.signer import signing

from bluezone.backup.daykeys import make_day_key
from bluezone.keyserver.configs.applied_settings import SettingsOutdated
from bluezone.keyserver.hosts.sealing import MasterKeyWrong, fetch_folder, open_sealed_folder, open_shared_secrets
from bluezone.keyserver.keys.masterkey import COMMAND_VARIABLE, FILE_VARIABLE, MasterKeyInvalid
from bluezone.keyserver.service import KeyServer
from bluezone.protocol.upload import Status

pytestmark = pytest.mark.postgres


def master_file(folder, name="master.key"):
    path = folder / name
    path.write_text(os.urandom(32).hex() + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def database(monkeypatch, tmp_path_factory):
    """A database and a master key, of which the environment tells."""
    with postgresql_database(postgresql_server()) as url:
        monkeypatch.setenv("BLUEZONE_DATABASE_URL", url)
        monkeypatch.setenv(FILE_VARIABLE, str(master_file(tmp_path_factory.mktemp("master"))))
        yield url


@pytest.fixture
def second(server, tmp_path_factory):
    """An empty folder but for published files, which in a real city lie in a bucket."""
    folder = tmp_path_factory.mktemp("second")
    for name in ("exports", "venues"):
        (server.data_dir / name).mkdir(exist_ok=True)
        (folder / name).symlink_to(server.data_dir / name)
    return folder


def secrets_in(folder):
    return {path.name: path.read_bytes() for path in (folder / "keys").iterdir() if path.is_file()}


@pytest.fixture
def machine_clock(clock):
    """The server's clock tells the machine's time, as that of `bluezone` commands does; asked for before `server`."""
    clock.now = time.time()
    return clock


def rows(server):
    return server.keys_store.read("SELECT name, sealed FROM sealed_file WHERE name <> ''")


def test_a_host_with_an_empty_folder_is_the_same_city_and_each_goes_on_where_the_other_was(server, second, clock):
    other = KeyServer.open(second, clock)
    assert secrets_in(second) == secrets_in(server.data_dir)
    assert {"office-audit", "office-django", "office-factors", "pepper"} <= secrets_in(second).keys()
    assert other.city == server.city
    assert [call(each, "GET", "/v1/config").body for each in (server, other)] == 2 * [
        other.configs.path(1).read_bytes()
    ]

    # A week on the second makes keys and a config, and the first follows.
    clock.pass_by(7 * DAY)
    other.tick()
    assert secrets_in(second).keys() != secrets_in(server.data_dir).keys()
    server.ticks.sync()
    assert secrets_in(second) == secrets_in(server.data_dir)
    assert server.configs.numbers() == other.configs.numbers() == [1, 2]
    assert report_of(server).upload().status is Status.OK

    # And two weeks on the first erases what has had its time, which is then erased on both.
    clock.pass_by(14 * DAY)
    server.tick()
    other.ticks.sync()
    gone = secrets_in(second)
    assert gone == secrets_in(server.data_dir)
    assert [name for name in ("week-2.json", "week-3.json") if name in gone] == []
    other.tick()
    assert server.configs.newest_number() == other.configs.newest_number()
    other.close()


def test_hosts_with_a_signer_each_are_one_city_and_one_goes_on_where_the_others_signer_was(
    tmp_path_factory, clock, database
):
    folders = [tmp_path_factory.mktemp(name) for name in ("first", "second")]
    for name in ("exports", "venues"):
        (folders[0] / name).mkdir()
        (folders[1] / name).symlink_to(folders[0] / name)
    with signing(folders[0], clock), signing(folders[1], clock):
        first = open_server(folders[0], clock)
        second = KeyServer.open(folders[1], clock)
        assert secrets_in(folders[0]) == secrets_in(folders[1])
        for leader, follower in ((first, second), (second, first), (first, second)):
            clock.pass_by(7 * DAY)
            leader.tick()
            follower.ticks.sync()
            reported = report_of(follower)
            assert reported.upload().status is Status.OK
            clock.pass_by(3 * HOUR)
            follower.tick()
            leader.ticks.sync()
        assert first.indexes.read_index().number == 6
        assert secrets_in(folders[0]) == secrets_in(folders[1])
        assert first.configs.newest_number() == second.configs.newest_number() > 3
        first.close()
        second.close()


def test_of_two_hosts_that_begin_at_once_one_makes_the_keys_and_the_other_has_them(
    city_folder, tmp_path_factory, clock, database
):
    second_folder = tmp_path_factory.mktemp("second")
    # This one has looked before the other had made any.
    fetch_folder(second_folder)
    first = open_server(city_folder, clock)
    shared = open_sealed_folder(first.keys_store, second_folder)
    open_shared_secrets(second_folder, shared, nullcontext)
    assert secrets_in(second_folder) == secrets_in(city_folder)
    first.close()


def test_what_is_sealed_shows_nothing_and_day_keys_of_backups_are_not_among_it(server, second, clock):
    make_day_key(server.data_dir, datetime.date(2026, 11, 25))
    server.tick()
    stored = rows(server)
    assert [name for name, _ in stored if "days" in name] == []
    everything = b"".join(sealed for _, sealed in stored)
    days = [path.read_bytes() for path in (server.data_dir / "keys" / "days").iterdir()]
    assert days
    for secret in (*days, *secrets_in(server.data_dir).values()):
        assert secret not in everything
    KeyServer.open(second, clock).close()
    assert not (second / "keys" / "days").exists()


def test_a_wrong_master_key_is_refused_at_the_start_and_leaves_the_folder_as_it_was(
    server, second, clock, monkeypatch, tmp_path
):
    monkeypatch.setenv(FILE_VARIABLE, str(master_file(tmp_path, "other.key")))
    before = sorted(path.name for path in second.iterdir())
    with pytest.raises(MasterKeyWrong):
        KeyServer.open(second, clock)
    assert sorted(path.name for path in second.iterdir() if path.suffix != ".lock") == before


def test_a_host_without_the_master_key_makes_no_keys_of_its_own(server, second, clock, monkeypatch):
    monkeypatch.delenv(FILE_VARIABLE)
    (second / "city.toml").write_bytes((server.data_dir / "city.toml").read_bytes())
    with pytest.raises(MasterKeyInvalid, match="sealed in its database"):
        KeyServer.open(second, clock)
    assert not (second / "keys").exists()


def test_a_row_that_was_put_in_the_place_of_another_is_not_taken(server, second, clock):
    server.keys_store.write(
        lambda t: t.execute(
            "UPDATE sealed_file SET sealed = (SELECT sealed FROM sealed_file WHERE name = 'keys/venue-ed25519.pem')"
            " WHERE name = 'keys/signing-ed25519.pem'"
        )
    )
    with pytest.raises(MasterKeyWrong):
        KeyServer.open(second, clock)


@pytest.mark.parametrize("text", ["", "ab" * 31, "z" * 64], ids=["nothing", "short", "no hex"])
def test_a_master_key_that_is_none_is_refused(city_folder, clock, database, monkeypatch, tmp_path, text):
    path = master_file(tmp_path, "bad.key")
    path.write_text(text)
    monkeypatch.setenv(FILE_VARIABLE, str(path))
    with pytest.raises(MasterKeyInvalid):
        open_server(city_folder, clock)


def test_the_master_key_may_come_from_a_command_such_as_a_key_service_has(server, second, clock, monkeypatch):
    key = os.environ[FILE_VARIABLE]
    monkeypatch.delenv(FILE_VARIABLE)
    monkeypatch.setenv(COMMAND_VARIABLE, f"cat {key}")
    KeyServer.open(second, clock).close()
    assert secrets_in(second) == secrets_in(server.data_dir)

    for command, said in (("false", "ended with 1"), ("/no/such/program", "failed: FileNotFoundError")):
        monkeypatch.setenv(COMMAND_VARIABLE, command)
        with pytest.raises(MasterKeyInvalid, match=said):
            KeyServer.open(second, clock)


def test_settings_that_are_changed_on_one_host_are_every_hosts_and_signed_once(server, second, clock):
    other = KeyServer.open(second, clock)
    path = server.data_dir / "city.toml"
    path.write_text(path.read_text().replace("0209 3870 000", "0209 3870 111"))
    restarted = KeyServer.open(server.data_dir, clock)
    other.ticks.sync()
    assert "0209 3870 111" in (second / "city.toml").read_text()
    with pytest.raises(SettingsOutdated):
        other.tick()
    again = KeyServer.open(second, clock)
    assert again.tick()
    assert restarted.tick()
    assert again.configs.newest_number() == 2
    for each in (other, again, restarted):
        each.close()


def test_of_settings_that_were_changed_on_two_hosts_the_first_hold_and_the_others_are_kept_aside(server, second, clock):
    KeyServer.open(second, clock).close()
    for folder, hotline in ((server.data_dir, "0209 3870 111"), (second, "0209 3870 222")):
        path = folder / "city.toml"
        path.write_text(path.read_text().replace("0209 3870 000", hotline))
        KeyServer.open(folder, clock).close()
    assert "0209 3870 111" in (second / "city.toml").read_text()
    assert "0209 3870 222" in (second / "city.toml.local").read_text()


def test_a_key_that_is_lost_here_is_fetched_again_and_not_erased_for_all(server, clock):
    pepper = server.data_dir / "keys" / "pepper"
    held = pepper.read_bytes()
    pepper.unlink()
    server.ticks.sync()
    KeyServer.open(server.data_dir, clock).close()
    assert pepper.read_bytes() == held


def bluezone(*arguments):
    done = subprocess.run([BLUEZONE, *map(str, arguments), "--json"], capture_output=True, text=True)
    return json.loads(done.stdout)


def test_keys_go_from_files_into_the_database_under_another_master_key_and_back_to_files(
    machine_clock, server, second, monkeypatch, tmp_path
):
    folder, secrets = server.data_dir, secrets_in(server.data_dir)
    server.close()
    sealed = bluezone("keys", "--data", folder)["files"]
    assert sealed > len(secrets)

    monkeypatch.setenv(FILE_VARIABLE, str(master_file(tmp_path, "new.key")))
    assert bluezone("keys", "--data", folder)["error"]["code"] == "master_key_wrong"
    assert bluezone("keys", "--data", folder, "--to", "database")["files"] == sealed
    KeyServer.open(second, machine_clock).close()
    assert secrets_in(second) == secrets

    assert bluezone("keys", "--data", folder, "--to", "files")["where"] == "files"
    monkeypatch.delenv(FILE_VARIABLE)
    back = KeyServer.open(folder, machine_clock)
    assert rows(back) == []
    assert secrets_in(folder) == secrets
    back.close()
