# SPDX-License-Identifier: Apache-2.0
"""Row 37: one phone is shown another config, index or RSA key than all others."""

import dataclasses
import hashlib

import pytest
from tests.builders.handset import a_city, published
from tests.builders.liar import Liar

from bluezone.handset.city.config import WeekKeyUntrusted
from bluezone.protocol.blindrsa import generate
from bluezone.protocol.signed.config import ConfigHistoryDiffers
from bluezone.protocol.signed.index import IndexHistoryDiffers


def state(phone) -> tuple:
    return phone.city.current_sha256, phone.downloads.position


def test_row_37_a_config_of_another_history_is_refused_and_the_state_stays(tmp_path):
    with a_city(tmp_path) as (server, phones, _):
        phone, liar = phones.new("phone"), Liar(server)
        phone.check()
        before, config = state(phone), liar.config()
        other = dataclasses.replace(config, number=2, history=("0" * 64,), hotline="0900 000 000")
        liar.show("/v1/config", liar.sign(other))
        with pytest.raises(ConfigHistoryDiffers):
            phone.check()
        assert state(phone) == before


def test_row_37_another_config_under_the_same_number_is_refused(tmp_path):
    with a_city(tmp_path) as (server, phones, _):
        phone, liar = phones.new("phone"), Liar(server)
        phone.check()
        before = state(phone)
        liar.show("/v1/config", liar.sign(dataclasses.replace(liar.config(), hotline="0900 000 000")))
        with pytest.raises(ConfigHistoryDiffers):
            phone.check()
        assert state(phone) == before


def test_row_37_an_index_that_names_a_config_the_phone_has_not_seen_is_refused(tmp_path):
    with a_city(tmp_path) as (server, phones, _):
        phone, liar = phones.new("phone"), Liar(server)
        liar.server.tamper = lambda path, body: (
            liar.changed_index(body, config_sha256="ab" * 32) if path.endswith("index.json") else body
        )
        with pytest.raises(Exception) as refused:
            phone.check()
        assert refused.value.code == "config_mismatch"


def test_row_37_an_index_with_other_files_under_known_numbers_is_refused(tmp_path):
    with a_city(tmp_path) as (server, phones, world):
        phone, liar = phones.new("phone"), Liar(server)
        published(server, world)
        phone.check()
        before = state(phone)
        assert before[1].number >= 1
        server.tamper = lambda path, body: liar.with_other_first_file(body) if path.endswith("index.json") else body
        with pytest.raises(IndexHistoryDiffers):
            phone.check()
        assert state(phone) == before


@pytest.mark.parametrize(("days_before", "accepted"), [(0, False), (6, False), (8, True)])
def test_row_37_a_week_key_not_announced_seven_days_ahead_aborts_the_report(tmp_path, days_before, accepted):
    with a_city(tmp_path) as (server, phones, world):
        phone, liar = phones.new("phone"), Liar(server)
        phone.check()
        config, modulus = liar.config(), generate().n
        genuine = next(key for key in config.week_keys if key.purpose == "upload" and key.klass == 1)
        use_from = int(world.now) + days_before * 86_400
        tagging = dataclasses.replace(
            genuine, kid=4242, n=modulus, use_from=use_from, accept_until=use_from + 14 * 86_400, announced_at=0
        )
        told = dataclasses.replace(
            config, number=2, generated_at=int(world.now), week_keys=(*config.week_keys, tagging),
            history=(*config.history, hashlib.sha256(liar.payload()).hexdigest()),
        )  # fmt: skip
        liar.show("/v1/config", liar.sign(told))
        phone.city.update()
        assert phone.city.current.number == 2
        if accepted:
            assert phone.city.require_trusted(4242, 1, use_from + 1) == tagging
        else:
            with pytest.raises(WeekKeyUntrusted):
                phone.city.require_trusted(4242, 1, use_from + 1)


@pytest.mark.long
def test_row_37_a_phone_that_missed_configs_learns_from_them_when_a_key_was_announced(tmp_path):
    with a_city(tmp_path) as (server, phones, world):
        phone = phones.new("phone")
        phone.check()
        world.pass_by(15 * 86_400)
        for day in range(15, 0, -1):
            server.key_server.tick(world.now - day * 86_400)
        server.key_server.tick()
        phone.check()
        assert any("/v1/config/" in path for path, _ in server.requests)
        current = server.key_server.secrets.week_keys.current(1, world.now)
        assert phone.city.require_trusted(current.kid, 1, world.now).n == current.n
