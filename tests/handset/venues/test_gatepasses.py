# SPDX-License-Identifier: Apache-2.0
import pytest
from tests.builders.handset import PhoneClock, World

from bluezone.handset.encounters.radiostate import RadioState
from bluezone.handset.venues.gatepasses import GatePasses
from bluezone.protocol.gate.passes import BluetoothState, PassA, read_pass


@pytest.fixture
def world():
    return World(now=1_795_608_000.0)


@pytest.fixture
def passes(world):
    clock = PhoneClock(world, booted_at=world.now - 100)
    made = GatePasses(clock, lambda: RadioState("boot-1", sent=95.0))
    made.told = []
    made.on_session = made.told.append
    return made


def test_a_pass_says_the_state_and_is_answered_for_while_it_is_shown(passes, world):
    shown = passes.show()
    read = read_pass(shown.text)

    assert isinstance(read, PassA)
    assert (read.state, read.step, shown.until) == (
        BluetoothState.BLUETOOTH_ON | BluetoothState.ADVERTISING,
        1_795_608_000 // 15,
        160.0,
    )
    assert passes.told == [read.session]
    passes.hide()
    assert passes.told == [read.session, None]


def test_no_two_passes_share_a_session(passes, world):
    sessions = set()
    for _ in range(50):
        sessions.add(read_pass(passes.show().text).session)
        world.now += 60

    assert len(sessions) == 50


def test_an_older_pass_does_not_take_away_the_newer(passes, world):
    first = read_pass(passes.show().text).session
    passes.show()
    passes.hide(first)

    assert None not in passes.told
    passes.hide()
    passes.hide()
    assert passes.told.count(None) == 1
