# SPDX-License-Identifier: Apache-2.0
import hashlib
import shutil
from importlib.resources import files

import pytest
from tests.builders.keyserver import DAY, NOON, Clock, call, open_server

from bluezone.city_settings import CityInvalid
from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.storage.store import StoreDamaged
from bluezone.protocol.signed.config import decode_config, follow_config
from bluezone.protocol.signed.envelope import fingerprint, open_signed


def config(server, number=None):
    path = "/v1/config" if number is None else f"/v1/config/{number}"
    public = server.secrets.signing_key.public_key().public_bytes_raw()
    payload = open_signed("config", call(server, "GET", path).body, {fingerprint(public): public})
    return decode_config(payload), hashlib.sha256(payload).hexdigest()


@pytest.fixture
def sqlite_server(city_folder, clock):
    server = open_server(city_folder, clock)
    yield server
    server.close()


def test_the_first_config_says_what_the_city_set(sqlite_server):
    first, _ = config(sqlite_server)

    assert first.number == 1
    assert first.city == {"vi": "Bắc Kạn", "en": "Bac Kan"}
    assert first.hotline == "0209 3870 000"
    assert first.export_keys == (sqlite_server.secrets.export_public_pem,)
    assert first.waits == {"verify_to_upload_seconds": 3600, "web_minimum_seconds": 5}
    assert "{hotline}" in first.texts["vi"]["step_2"]
    assert "{hotline}" in first.texts["en"]["step_2"]
    assert first.profile


def test_it_lists_this_weeks_keys_the_next_three_weeks_and_the_chaff_key(sqlite_server):
    first, _ = config(sqlite_server)

    uploads = sorted((key.week, key.klass) for key in first.week_keys if key.purpose == "upload")
    assert uploads == [(f"2026-W{week}", klass) for week in (48, 49, 50, 51) for klass in (1, 2)]
    assert [key.klass for key in first.week_keys if key.purpose == "chaff"] == [0]
    gates = [key.week for key in first.week_keys if key.purpose == "gate"]
    assert sorted(gates) == [f"2026-W{week}" for week in (48, 49, 50, 51)]
    assert len({key.kid for key in first.week_keys}) == 13


@pytest.mark.long
def test_a_number_changes_only_with_the_content(sqlite_server, clock):
    for _ in range(5):
        clock.pass_by(3600)
        sqlite_server.tick()

    assert config(sqlite_server)[0].number == 1


def test_another_hotline_makes_a_new_number_that_continues_the_history(sqlite_server, clock, city_folder):
    first, first_sha256 = config(sqlite_server)
    settings = city_folder / "city.toml"
    settings.write_text(settings.read_text().replace("0209 3870 000", "0209 3870 115"))
    again = KeyServer.open(city_folder, clock)
    second, second_sha256 = config(again)
    again.close()

    assert (second.number, second.hotline) == (2, "0209 3870 115")
    assert second.history == (first_sha256,)
    follow_config(second, second_sha256, first.number, first_sha256, first.generated_at)
    assert config(again, 1) == (first, first_sha256)


def test_it_names_the_neighbours_of_the_city_and_refuses_a_key_that_no_phone_could_read(city_folder, clock):
    named = {"name_vi": "Bình An", "name_en": "Binh An", "address": "https://binhan.vn"}
    other = {**named, "index": "/x/index.txt", "export_key": "-----BEGIN PUBLIC KEY-----\nnone"}
    server = open_server(city_folder, clock, neighbours=[{**named, "key": "0f" * 32, "everybody": 1}])
    (neighbour,) = config(server)[0].neighbours
    server.close()
    assert (neighbour.name["en"], neighbour.key, neighbour.everybody) == ("Binh An", "0f" * 32, True)

    settings = city_folder / "city.toml"
    for wrong in ([other], [{**named, "key": "0f" * 32}] * 2):
        settings.unlink()
        with pytest.raises(CityInvalid, match="neighbours"):
            open_server(city_folder, clock, neighbours=wrong)


@pytest.mark.long
def test_every_week_key_was_announced_a_week_before_its_use(sqlite_server, clock):
    configs = [config(sqlite_server)[0]]
    for _ in range(12):
        clock.pass_by(3 * DAY)
        sqlite_server.tick()
        configs.append(config(sqlite_server)[0])

    first_seen = {}
    for one in configs:
        for key in one.week_keys:
            first_seen.setdefault(key, one.generated_at)
    later = [key for key in first_seen if key not in configs[0].week_keys]
    assert len([key for key in later if key.use_from <= clock.now]) >= 2
    assert all(first_seen[key] <= key.use_from - 7 * DAY for key in later)
    assert all(key.announced_at == first_seen[key] for key in later)


@pytest.mark.long
def test_the_history_holds_at_most_50_hashes_and_follows_without_a_gap(sqlite_server, clock, city_folder):
    held, settings = config(sqlite_server), city_folder / "city.toml"
    written = settings.read_text()
    for number in range(1, 53):
        clock.pass_by(3600)
        settings.write_text(written.replace("0209 3870 000", f"0209 3870 {number:03}"))
        again = KeyServer.open(city_folder, clock)
        now = config(again)
        again.close()
        follow_config(now[0], now[1], held[0].number, held[1], held[0].generated_at)
        held = now

    assert held[0].number == 53
    assert len(held[0].history) == 50


def test_a_config_that_was_altered_on_disk_and_is_in_no_journal_is_noticed(sqlite_server):
    sqlite_server.ticks.history.journal.path.write_bytes(b"")
    path = sqlite_server.configs.path(1)
    path.write_bytes(path.read_bytes().replace(b'"sig":"', b'"sig":"AAAA'))

    with pytest.raises(StoreDamaged):
        sqlite_server.tick()


def test_a_profile_that_cannot_be_read_is_refused(city_folder, clock):
    with pytest.raises(CityInvalid):
        open_server(city_folder, clock, profile="plague.toml")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[[weights]]", "[[weighs]]"),
        ("[nearness.levels]", "[nearness.level]"),
        ("[levels]", "[stages]"),
    ],
)
def test_a_profile_that_phones_would_refuse_is_refused_before_it_is_signed(city_folder, clock, before, after):
    shipped = (files("bluezone.protocol.risk") / "profiles" / "covid-19.toml").read_text()
    assert before in shipped
    (city_folder / "influenza.toml").write_text(shipped.replace(before, after))

    with pytest.raises(CityInvalid, match="influenza"):
        open_server(city_folder, clock, profile="influenza.toml")


def test_a_profile_of_the_citys_own_is_taken_from_the_data_folder(city_folder, clock):
    shutil.copy(str(files("bluezone.protocol.risk") / "profiles" / "covid-19.toml"), city_folder / "influenza.toml")
    server = open_server(city_folder, clock, profile="influenza.toml")

    assert config(server)[0].profile
    server.close()


@pytest.mark.long
def test_rsa_private_keys_are_erased_after_their_last_acceptance(sqlite_server, clock):
    kid = sqlite_server.secrets.week_keys.current_key(1, clock.now).kid
    path = sqlite_server.data_dir / "keys" / f"week-{kid}.json"
    clock.now = NOON - NOON % DAY + 12 * DAY - 1
    sqlite_server.tick()
    assert path.exists()

    clock.pass_by(1)
    sqlite_server.tick()
    assert not path.exists()
    assert sqlite_server.secrets.week_keys.find_key(kid) is None


@pytest.mark.long
def test_a_kid_is_never_given_again(sqlite_server, clock):
    seen = {}
    for _ in range(10):
        for key in sqlite_server.secrets.week_keys.all():
            assert seen.setdefault(key.kid, key) == key
        clock.pass_by(7 * DAY)
        sqlite_server.tick()

    assert len(seen) == 13 + 9 * 3


@pytest.mark.long
def test_another_process_sees_the_rotation(sqlite_server, clock, city_folder):
    sibling = KeyServer.open(city_folder, clock)
    before = sibling.secrets.week_keys.current_key(1, clock.now)
    clock.pass_by(28 * DAY)
    sqlite_server.tick()

    assert sibling.secrets.week_keys.current_key(1, clock.now) != before
    sibling.close()


def test_opening_twice_makes_the_secrets_once(tmp_path):
    first = open_server(tmp_path, Clock())
    second = KeyServer.open(tmp_path, Clock())

    assert first.secrets.export_public_pem == second.secrets.export_public_pem
    assert first.secrets.week_keys.all() == second.secrets.week_keys.all()
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()} == {0o600}
    first.close()
    second.close()
