# SPDX-License-Identifier: Apache-2.0
"""Row 30: one phone handed along the queue. A session is good once, and a third pass within a minute is not offered."""

import os

import pytest
from tests.builders.handset import PhoneClock, World

from bluezone.edge.gate.check import Finding, GateCheck
from bluezone.handset.encounters.radiostate import RadioState
from bluezone.handset.venues.gatepasses import GatePasses, PassTooSoon
from bluezone.protocol.gate.passes import compute_response, read_pass


@pytest.fixture
def world():
    return World(now=1_795_608_000.0)


@pytest.fixture
def passes(world):
    return GatePasses(PhoneClock(world, booted_at=world.now - 100), RadioState)


def test_the_third_pass_within_a_minute_is_not_offered(passes, world):
    passes.show()
    world.now += 20
    passes.show()
    world.now += 39.9

    with pytest.raises(PassTooSoon) as refused:
        passes.show()
    assert refused.value.seconds == pytest.approx(0.1)
    world.now += 0.2
    passes.show()


def test_the_same_session_opens_the_gate_once(passes):
    check = GateCheck(os.urandom(4), tuple, lambda: 1_000.0, lambda: 0.0)
    shown = passes.show()
    check.heard(compute_response(read_pass(shown.text).session, check.challenges().air.value), -50)

    assert [check.judge(shown.text) for _ in range(2)] == [Finding.PROVEN, Finding.USED]
