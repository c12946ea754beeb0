# SPDX-License-Identifier: Apache-2.0
import pytest
from tests.builders.keyserver import NOON, Clock, open_server

from bluezone.edge.gate.book import GateBook
from bluezone.edge.gate.city import GateCity, GateTrustInvalid
from bluezone.protocol.signed.config import ConfigRolledBack
from bluezone.protocol.signed.envelope import UntrustedSignature

DAY = 86_400


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    clock = Clock()
    server = open_server(tmp_path_factory.mktemp("city"), clock)
    server.test_clock = clock
    yield server
    server.close()


@pytest.fixture
def fetch(served):
    return lambda path: served.downloads.config(None).content


@pytest.fixture
def trust(served):
    return served.secrets.signing_key.public_key().public_bytes_raw().hex()


@pytest.fixture
def wall():
    return Clock()


@pytest.fixture
def book(tmp_path, wall):
    opened_book = GateBook(tmp_path / "gate.sqlite3", wall)
    yield opened_book
    opened_book.close()


def test_a_gate_keeps_the_config_for_the_days_without_network(book, wall, fetch, trust):
    city = GateCity(book, wall)
    city.pin(trust)
    city.update(fetch)

    again = GateCity(book, wall)
    again.pin(None)
    assert again.current == city.current
    assert sum(key.purpose == "gate" for key in again.week_keys()) == 4


def test_another_citys_config_changes_nothing(book, wall, fetch):
    city = GateCity(book, wall)
    city.pin("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    with pytest.raises(UntrustedSignature):
        city.update(fetch)

    assert city.current is None


def test_an_older_config_is_refused_and_the_held_one_stays(book, wall, served, fetch, trust):
    city = GateCity(book, wall)
    city.pin(trust)
    older = fetch("/v1/config")
    served.test_clock.pass_by(8 * DAY)
    served.tick()
    city.update(fetch)
    number = city.current.number

    with pytest.raises(ConfigRolledBack):
        city.update(lambda path: older)
    assert city.current.number == number


@pytest.mark.parametrize("text", ["", "00", "zz" * 32, "d75a"])
def test_what_is_no_key_is_refused(book, wall, text):
    with pytest.raises(GateTrustInvalid):
        GateCity(book, wall).pin(text)


def test_a_gate_without_a_key_or_with_another_says_so(book, wall, trust):
    city = GateCity(book, wall)
    with pytest.raises(GateTrustInvalid):
        city.pin(None)
    city.pin(trust)
    with pytest.raises(GateTrustInvalid):
        city.pin("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")


def test_a_clock_that_is_days_behind_is_put_right_and_stays_so(book, wall):
    wall.now = NOON - 3 * DAY
    city = GateCity(book, wall)

    assert city.take_server_time(NOON) == 3 * DAY
    assert (city.now(), city.clock_is_wrong) == (NOON, True)
    assert GateCity(book, wall).now() == NOON
    wall.now = NOON + 60
    assert GateCity(book, wall).take_server_time(NOON + 60) == -3 * DAY
    assert not GateCity(book, wall).clock_is_wrong


def test_a_few_minutes_are_nobodys_business(book, wall):
    city = GateCity(book, wall)

    assert city.take_server_time(NOON + 299) == 0
    assert (city.now(), city.clock_is_wrong) == (NOON, False)


def test_a_clock_before_the_config_was_made_is_wrong(book, wall, fetch, trust):
    city = GateCity(book, wall)
    city.pin(trust)
    city.update(fetch)
    wall.now = NOON - 30 * DAY

    assert city.clock_is_wrong
