# SPDX-License-Identifier: Apache-2.0
"""Row 37: one phone is shown another config, index or RSA key than all others."""

import dataclasses
import hashlib

import pytest
from tests.builders.handset import city_with_phones, publish_reports
from tests.builders.liar import Liar

from bluezone.handset.city.config import InvalidTrust
from bluezone.handset.city.publiclog import WeekKeyUntrusted
from bluezone.protocol.blindrsa import generate
from bluezone.protocol.intervals import week_name
from bluezone.protocol.signed.config import ConfigGap, ConfigHistoryDiffers, ConfigRolledBack, encode_config
from bluezone.protocol.signed.index import IndexHistoryDiffers


def state(phone) -> tuple:
    return phone.city.current_sha256, phone.downloads.position


def test_row_37_a_config_of_another_history_is_refused_and_the_state_stays(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, _):
        phone, liar = phones.new("phone"), Liar(server)
        phone.check()
        before, config = state(phone), liar.config()
        other = dataclasses.replace(config, number=2, history=("0" * 64,), hotline="0900 000 000")
        liar.show("/v1/config", liar.sign(other))
        with pytest.raises(ConfigHistoryDiffers):
            phone.check()
        assert state(phone) == before


def test_row_37_another_config_under_the_same_number_is_refused(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, _):
        phone, liar = phones.new("phone"), Liar(server)
        phone.check()
        before = state(phone)
        liar.show("/v1/config", liar.sign(dataclasses.replace(liar.config(), hotline="0900 000 000")))
        with pytest.raises(ConfigHistoryDiffers):
            phone.check()
        assert state(phone) == before


def test_row_37_an_index_that_names_a_config_the_phone_has_not_seen_is_refused(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, _):
        phone, liar = phones.new("phone"), Liar(server)
        liar.server.tamper = lambda path, body: (
            liar.changed_index(body, config_sha256="ab" * 32) if path.endswith("index.json") else body
        )
        with pytest.raises(Exception) as refused:
            phone.check()
        assert refused.value.code == "config_mismatch"


@pytest.mark.long
def test_row_37_an_index_with_other_files_under_known_numbers_is_refused(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        phone, liar = phones.new("phone"), Liar(server)
        publish_reports(server, world)
        phone.check()
        before = state(phone)
        assert before[1].number >= 1
        server.tamper = lambda path, body: liar.with_other_first_file(body) if path.endswith("index.json") else body
        with pytest.raises(IndexHistoryDiffers):
            phone.check()
        assert state(phone) == before


def tagged(liar, world, days_before: float = 0, **changes: object):
    """A config of number 2 with a key that marks one phone, used from so many days after now; and that key."""
    config, use_from = liar.config(), int(world.now + days_before * 86_400)
    genuine = next(key for key in config.week_keys if key.purpose == "upload" and key.klass == 1)
    tagging = dataclasses.replace(
        genuine, kid=4242, n=generate().n, week=week_name(use_from), use_from=use_from,
        accept_until=use_from + 14 * 86_400, announced_at=0,
    )  # fmt: skip
    others = tuple(key for key in config.week_keys if (key.klass, key.week) != (1, tagging.week))
    told = {
        "number": 2, "generated_at": int(world.now), "week_keys": (*others, tagging),
        "history": (*config.history, hashlib.sha256(liar.payload()).hexdigest()),
    }  # fmt: skip
    return dataclasses.replace(config, **told | changes), tagging


def trusts(phone, key, now: float) -> bool:
    """Whether a phone would use a key, but for the log, which has none of these keys."""
    with pytest.raises(WeekKeyUntrusted) as refused:
        phone.city.require_trusted(key.kid, 1, now)
    return "in the log" in refused.value.message


@pytest.mark.long
@pytest.mark.parametrize(("days_before", "accepted"), [(0, False), (6, False), (8, True)])
def test_row_37_a_week_key_not_seen_seven_days_ahead_aborts_the_report(tmp_path, days_before, accepted):
    with city_with_phones(tmp_path) as (server, phones, world):
        phone, liar = phones.new("phone"), Liar(server)
        phone.check()
        told, tagging = tagged(liar, world, days_before)
        liar.show("/v1/config", liar.sign(told))
        phone.city.update()
        assert phone.city.current.number == 2
        world.pass_by(days_before * 86_400 + 1)
        phone.city.update()

        assert trusts(phone, tagging, world.now) == accepted


def test_row_37_a_number_far_ahead_makes_no_phone_begin_anew(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        phone, liar = phones.new("phone"), Liar(server)
        phone.check()
        world.pass_by(20 * 86_400)
        before = state(phone)
        history = tuple(hashlib.sha256(bytes([n])).hexdigest() for n in range(50))
        told, tagging = tagged(liar, world, number=61, history=history, generated_at=int(world.now))
        liar.show("/v1/config", liar.sign(told))
        with pytest.raises(ConfigGap):
            phone.city.update()

        assert state(phone) == before
        assert not trusts(phone, tagging, world.now)


def test_row_37_a_config_that_says_an_earlier_time_is_refused(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        phone, liar = phones.new("phone"), Liar(server)
        phone.check()
        before = state(phone)
        told, tagging = tagged(liar, world, generated_at=liar.config().generated_at - 8 * 86_400)
        liar.show("/v1/config", liar.sign(told))
        with pytest.raises(ConfigRolledBack):
            phone.city.update()

        assert state(phone) == before
        assert not trusts(phone, tagging, world.now)


@pytest.mark.long
@pytest.mark.parametrize("step", ["all on one day", "a day each"])
def test_row_37_an_unbroken_chain_that_says_it_is_old_makes_no_key_known_for_a_week(tmp_path, step):
    """Every config of it could have been made when it says; the phone has seen none of them then."""
    with city_with_phones(tmp_path) as (server, phones, world):
        phone, liar = phones.new("phone"), Liar(server)
        phone.check()
        world.pass_by(10 * 86_400)
        begun = liar.config().generated_at
        signed, history, newest, tagging = {}, [hashlib.sha256(liar.payload()).hexdigest()], None, None
        for number in range(2, 10):
            said = begun if step == "all on one day" else begun + (number - 1) * 86_400
            if newest is None:
                newest, tagging = tagged(liar, world, generated_at=said)
            else:
                newest = dataclasses.replace(newest, number=number, history=tuple(history), generated_at=said)
            signed[f"/v1/config/{number}"] = signed["/v1/config"] = liar.sign(newest)
            history.append(hashlib.sha256(encode_config(newest)).hexdigest())
        server.tamper = lambda path, real: signed.get(path, real)
        phone.city.update()
        assert phone.city.current.number == 9

        assert not trusts(phone, tagging, world.now)


def test_row_37_a_file_from_the_future_makes_no_key_known_for_a_week(tmp_path):
    """The operator leads the phone's trusted time ahead; a week has not passed on the clocks that no file moves."""
    with city_with_phones(tmp_path) as (server, phones, world):
        phone, liar = phones.new("phone"), Liar(server)
        phone.check()
        told, tagging = tagged(liar, world, days_before=7.5)
        liar.show("/v1/config", liar.sign(told))
        phone.city.update()
        phone.encounters.accept_signed_time(int(world.now + 8 * 86_400))
        assert phone.time.now() > tagging.use_from

        assert not trusts(phone, tagging, phone.time.now())


@pytest.mark.long
def test_row_37_a_phone_that_was_away_for_three_weeks_can_report_all_the_same(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        phone = phones.new("phone")
        phone.check()
        world.pass_by(21 * 86_400)
        for day in range(21, 0, -1):
            server.key_server.tick(world.now - day * 86_400)
        server.key_server.tick()
        phone.check()
        current = server.key_server.secrets.week_keys.current_key(1, world.now)

        assert phone.city.require_trusted(current.kid, 1, world.now).n == current.n


def test_row_37_an_owner_who_has_compared_the_key_begins_anew_and_keeps_what_was_heard(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        phone, liar = phones.new("phone"), Liar(server)
        phone.check()
        told, _ = tagged(liar, world, number=61, history=("0" * 64,) * 50)
        liar.show("/v1/config", liar.sign(told))
        (trusted,) = phone.city.trusted().values()
        with pytest.raises(InvalidTrust):
            phone.city.restart_history(bytes(32))
        assert phone.city.current.number == 1
        phone.city.restart_history(trusted)

        assert phone.city.current.number == 61
        assert phone.downloads.position.number == 0
