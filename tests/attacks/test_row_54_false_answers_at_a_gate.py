# SPDX-License-Identifier: Apache-2.0
"""Row 54: somebody near a gate floods it with answers of no phone, so that it hears nobody any more."""

import os

import pytest
from tests.edge.gate.test_check import Gate, pass_a

from bluezone.edge.gate.check import MOST_HEARD, Finding

# Bluetooth carries a few thousand advertisements a second at most, over its three channels.
FLOOD_A_SECOND = 5_000
# A phone that shows a pass advertises every 100 ms or oftener; of its packets most may be lost in such a flood.
HEARD_ONCE_IN_SECONDS = 1.5


@pytest.fixture
def gate():
    return Gate()


def flood(gate, seconds):
    for _ in range(int(seconds * 10)):
        gate.passes(0.1)
        for _ in range(FLOOD_A_SECOND // 10):
            gate.check.heard(os.urandom(16), -40)


def test_row_54_a_phone_that_is_there_is_proven_through_the_flood(gate):
    flood(gate, 3)
    session = os.urandom(16)
    for _ in range(2):
        gate.answered(session)
        flood(gate, HEARD_ONCE_IN_SECONDS)

    assert gate.check.judge(pass_a(session)) is Finding.PROVEN


def test_row_54_no_answer_of_the_flood_fits_a_code_that_was_not_heard(gate):
    flood(gate, 3)

    assert gate.check.judge(pass_a(os.urandom(16))) is Finding.NOT_HEARD


def test_row_54_the_gates_memory_is_bounded_and_empty_afterwards(gate):
    flood(gate, 3)
    assert len(gate.check._heard) == MOST_HEARD
    gate.passes(41)
    gate.check.challenges()

    assert len(gate.check._heard) == 0
