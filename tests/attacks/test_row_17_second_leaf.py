# SPDX-License-Identifier: Apache-2.0
"""Rows 17 and 37: a week key made for one phone is refused, because the log has another or none under its name."""

import dataclasses
import hashlib
from contextlib import contextmanager

import pytest
from tests.builders.handset import city_with_phones
from tests.builders.liar import Liar
from tests.builders.witnesses import watched_city

from bluezone.handset.city.config import CityConfig
from bluezone.handset.city.publiclog import PATIENCE_SECONDS, READING_PAUSE_SECONDS, WeekKeyUntrusted
from bluezone.handset.overview import build_overview
from bluezone.protocol.blindrsa import generate
from bluezone.protocol.intervals import SECONDS_PER_WEEK, week_name
from bluezone.protocol.signed.config import ConfigLogMissing, InvalidConfig, encode_config
from bluezone.transparency.leaves import config_leaf, week_key_leaf

pytestmark = pytest.mark.long


@contextmanager
def a_city(folder, *, watched: bool):
    """A city with or without witnesses: its server, phones, time, and a round of everything."""
    if watched:
        with watched_city(folder) as (watchmen, phones, world):
            yield watchmen.server, phones, world, watchmen.go_round
    else:
        with city_with_phones(folder, publish_period_seconds=7200) as (server, phones, world):
            yield server, phones, world, server.key_server.tick


def notice(phone) -> str | None:
    return build_overview(phone).notice


def own_key(config, klass=1):
    """A week key that the operator makes for one phone: of the name of the newest honest one."""
    honest = max(
        (key for key in config.week_keys if key.purpose == "upload" and key.klass == klass),
        key=lambda key: key.use_from,
    )
    return dataclasses.replace(honest, kid=honest.kid + 500, n=generate().n)


def with_key(config, key):
    """The config with this key in place of the honest one of its name."""
    names = (key.purpose, key.klass, key.week)
    others = tuple(one for one in config.week_keys if (one.purpose, one.klass, one.week) != names)
    return dataclasses.replace(config, week_keys=(*others, key))


def log_leaves(server, *contents: bytes) -> None:
    for content in contents:
        server.key_server.public_log.request_leaf(content)
    server.key_server.public_log.renew_log()


def show(liar, config) -> None:
    """Show this config, and indexes that name it."""
    signed, sha256 = liar.sign(config), sha256_of(config)

    def tamper(path: str, body: bytes) -> bytes:
        if path == "/v1/config":
            return signed
        return liar.changed_index(body, config_sha256=sha256) if path.endswith("/index.json") else body

    liar.server.tamper = tamper


def sha256_of(config) -> str:
    return hashlib.sha256(encode_config(config)).hexdigest()


def require(phone, key) -> None:
    phone.city.require_trusted(key.kid, key.klass, key.use_from + 60)


@pytest.mark.parametrize("watched", [True, False])
@pytest.mark.parametrize("logged", [True, False])
def test_row_17_a_second_config_of_one_number_with_a_key_for_one_phone_gives_that_phone_no_key(
    tmp_path, watched, logged
):
    with a_city(tmp_path, watched=watched) as (server, phones, world, go_round):
        victim, other = phones.new("victim"), phones.new("other")
        for phone in (victim, other):
            phone.check()
        world.pass_by(SECONDS_PER_WEEK)
        go_round()
        liar = Liar(server)
        key = own_key(liar.config())
        config = with_key(liar.config(), key)
        if logged:
            log_leaves(server, config_leaf(config.number, sha256_of(config)), week_key_leaf(key, 0))
            go_round()
        other.check()
        show(liar, config)
        victim.check()
        world.pass_by(2 * SECONDS_PER_WEEK)
        server.tamper = lambda path, body: body

        assert victim.city.current == config
        with pytest.raises(WeekKeyUntrusted):
            require(victim, key)
        assert notice(victim) == "log_second_leaf"
        # All others report with the honest key, and have the second leaf as evidence.
        honest = next(one for one in other.city.current.week_keys if one.week == key.week and one.klass == 1)
        require(other, honest)
        go_round()
        other.check()
        assert notice(other) is None
        assert len(other.city.public_log.second_leaves) == 2 * logged


@pytest.mark.parametrize("watched", [True, False])
def test_row_17_a_key_that_is_not_in_the_log_is_not_used_and_the_owner_learns_of_it(tmp_path, watched):
    with a_city(tmp_path, watched=watched) as (server, phones, world, go_round):
        phone = phones.new("phone")
        phone.check()
        liar = Liar(server)
        honest = own_key(liar.config())
        start = honest.use_from + SECONDS_PER_WEEK
        key = dataclasses.replace(
            honest, week=week_name(start), use_from=start, accept_until=honest.accept_until + SECONDS_PER_WEEK
        )
        current = liar.config()
        history = (*current.history, hashlib.sha256(liar.payload()).hexdigest())
        config = dataclasses.replace(with_key(current, key), number=current.number + 1, history=history)
        show(liar, config)
        phone.check()
        world.pass_by(READING_PAUSE_SECONDS)
        go_round()
        phone.check()
        world.pass_by(PATIENCE_SECONDS)
        go_round()
        phone.check()
        assert notice(phone) == "log_missing"
        world.pass_by(3 * SECONDS_PER_WEEK)
        with pytest.raises(WeekKeyUntrusted):
            require(phone, key)


def test_row_17_a_phone_that_is_new_reads_back_to_before_the_second_leaves(tmp_path):
    with a_city(tmp_path, watched=False) as (server, phones, world, go_round):
        for _ in range(6):
            world.pass_by(7200)
            go_round()
        liar = Liar(server)
        config = liar.config()
        made = [
            dataclasses.replace(key, kid=key.kid + 500, n=generate().n)
            for key in config.week_keys
            if key.purpose == "upload" and key.klass == 1
        ]
        for key in made:
            config = with_key(config, key)
        log_leaves(server, config_leaf(config.number, sha256_of(config)), *(week_key_leaf(key, 0) for key in made))
        show(liar, config)
        phone = phones.new("phone")
        phone.check()

        assert phone.city.current == config
        assert notice(phone) == "log_second_leaf"
        for key in made:
            with pytest.raises(WeekKeyUntrusted):
                require(phone, key)


def test_row_17_without_the_log_keys_that_were_read_stay_good_and_new_ones_wait(tmp_path):
    with a_city(tmp_path, watched=True) as (server, phones, world, go_round):
        phone = phones.new("phone")
        phone.check()
        known = phone.city.choose_upload_key(1, world.now)
        world.pass_by(SECONDS_PER_WEEK)
        go_round()
        server.tamper = lambda path, body: b"" if path.startswith("/v1/log/") else body
        phone.check()
        newest = max(phone.city.current.week_keys, key=lambda key: (key.purpose == "upload", key.use_from))
        world.pass_by(2 * SECONDS_PER_WEEK)

        require(phone, known) if known in phone.city.current.week_keys else None
        coming = phone.city.choose_upload_key(1, world.now - SECONDS_PER_WEEK)
        require(phone, coming)
        with pytest.raises(WeekKeyUntrusted):
            require(phone, newest)
        server.tamper = lambda path, body: body
        require(phone, newest)


def test_row_17_a_key_in_a_watched_city_waits_until_a_quorum_has_signed_for_its_leaf(tmp_path):
    with watched_city(tmp_path) as (watchmen, phones, world):
        phone = phones.new("phone")
        phone.check()
        world.pass_by(SECONDS_PER_WEEK)
        watchmen.server.key_server.tick()
        phone.check()
        newest = max(
            (key for key in phone.city.current.week_keys if key.purpose == "upload"), key=lambda key: key.use_from
        )
        world.pass_by(2 * SECONDS_PER_WEEK)
        with pytest.raises(WeekKeyUntrusted):
            require(phone, newest)
        watchmen.ask()
        require(phone, newest)


def test_row_17_no_config_leaves_the_log_out_once_one_has_named_it(tmp_path):
    with a_city(tmp_path, watched=False) as (server, phones, _world, _):
        phone, liar = phones.new("phone"), Liar(server)
        phone.check()
        current = liar.config()
        history = (*current.history, hashlib.sha256(liar.payload()).hexdigest())
        for log in (None, "bluezone/another"):
            config = dataclasses.replace(current, number=current.number + 1, history=history, log=log)
            signed = liar.sign(config)
            server.tamper = lambda path, body, signed=signed: signed if path == "/v1/config" else body
            with pytest.raises(ConfigLogMissing):
                phone.check()
        assert phone.city.current == current


def test_row_17_a_config_with_two_keys_of_one_purpose_class_and_week_is_none(tmp_path):
    with a_city(tmp_path, watched=False) as (server, phones, _world, _):
        phone, liar = phones.new("phone"), Liar(server)
        phone.check()
        config, key = liar.config(), own_key(liar.config())
        other_week = dataclasses.replace(key, week="2031-W07")
        for week_keys in ((*config.week_keys, key), (*config.week_keys, other_week)):
            signed = liar.sign(dataclasses.replace(config, week_keys=week_keys))
            server.tamper = lambda path, body, signed=signed: signed if path == "/v1/config" else body
            with pytest.raises(InvalidConfig):
                phone.check()
        assert isinstance(phone.city, CityConfig)


def test_row_37_reading_costs_under_6_kb_a_day_and_under_60_kb_after_13_days(tmp_path):
    with a_city(tmp_path, watched=True) as (server, phones, world, go_round):
        phone = phones.new("phone")
        phone.check()
        received: list[int] = []

        def count(path: str, body: bytes) -> bytes:
            if path.startswith("/v1/log/"):
                received.append(len(body))
            return body

        def check() -> None:
            # The witnesses read, too, while the phone does not.
            server.tamper = count
            phone.check()
            server.tamper = lambda _path, body: body

        for _ in range(12):
            world.pass_by(7200)
            go_round()
            check()
        assert 0 < sum(received) < 6000
        received.clear()
        for _ in range(13 * 24):
            world.pass_by(3600)
            server.key_server.tick()
        go_round()
        check()
        assert 30_000 < sum(received) < 60_000
        assert notice(phone) is None


def test_row_37_a_config_without_any_week_key_is_followed_and_the_log_read(tmp_path):
    """As after all were lost and made again: none is announced under a name that another key has taken."""
    with a_city(tmp_path, watched=False) as (server, phones, _world, _):
        liar = Liar(server)
        config = liar.config()
        config = dataclasses.replace(config, week_keys=tuple(key for key in config.week_keys if key.purpose == "chaff"))
        show(liar, config)
        phone = phones.new("phone")
        phone.check()
        assert phone.city.current == config
        assert notice(phone) == "log_second_leaf"
