# SPDX-License-Identifier: Apache-2.0
"""Row 28: a screenshot or an old recording at the gate. The gate's challenge changes, and what was used is known."""

import pytest
from tests.edge.gate.test_check import Gate, pass_a, pass_b

from bluezone.edge.gate.check import Finding


@pytest.fixture
def gate():
    return Gate()


def test_a_picture_of_a_browsers_code_is_refused_after_60_seconds(gate):
    picture = pass_b(gate.screen())
    gate.passes(60)

    assert gate.check.judge(picture) is Finding.EXPIRED


def test_the_same_code_twice_within_two_minutes_is_used(gate):
    session = bytes(range(16))
    gate.answered(session)

    assert gate.check.judge(pass_a(session)) is Finding.PROVEN
    gate.passes(29)
    gate.answered(session)
    assert gate.check.judge(pass_a(session)) is Finding.USED


def test_a_recording_of_the_answer_is_worth_nothing_under_another_challenge(gate):
    session = bytes(range(16))
    gate.answered(session)
    gate.passes(61)

    assert gate.check.judge(pass_a(session)) is Finding.NOT_HEARD
