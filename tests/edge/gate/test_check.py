# SPDX-License-Identifier: Apache-2.0
import os
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from bluezone.edge.gate.check import Finding, GateCheck
from bluezone.protocol import blindrsa
from bluezone.protocol.gate.passes import BluetoothState, PassA, compute_response, pass_text, sign_pass_b, token_message
from bluezone.protocol.signed.config import WeekKey

WEEK = 7 * 86_400
START = 1_795_392_000  # a Monday, 00:00 UTC
ALL = BluetoothState.BLUETOOTH_ON | BluetoothState.ADVERTISING | BluetoothState.HEARD
PRIVATE, OTHER = blindrsa.generate(), blindrsa.generate()


def gate_key(private=PRIVATE, kid=5, use_from=START, purpose="gate"):
    return WeekKey(
        kid, purpose, 0, "2026-W48", use_from, use_from + WEEK + 86_400, use_from - WEEK, private.n, private.e
    )


@dataclass
class Gate:
    """A gate with clocks of its own."""

    boot: float = 1_000.0
    unix: float = START + 3_600.0
    keys: tuple = (gate_key(),)

    def __post_init__(self):
        self.check = GateCheck(b"gate", lambda: self.keys, lambda: self.boot, lambda: self.unix)

    def passes(self, seconds):
        self.boot += seconds
        self.unix += seconds

    def answered(self, session, rssi_dbm=-55):
        self.check.heard(compute_response(session, self.check.challenges().air.value), rssi_dbm)

    def screen(self):
        return self.check.challenges().screen.value


@pytest.fixture
def gate():
    return Gate()


def pass_a(session, state=ALL):
    return pass_text(PassA(state, 1, session))


def pass_b(value, private=PRIVATE, kid=5, session=None, key=None):
    key = key or Ed25519PrivateKey.generate()
    message = token_message(key.public_key().public_bytes_raw())
    blinded = blindrsa.blind(private.public, message)
    token = blindrsa.finalize(private.public, message, blindrsa.blind_sign(private, blinded.message), blinded.inverse)
    return pass_text(sign_pass_b(BluetoothState(0), 1, session or os.urandom(16), value, key, kid, token))


def test_a_phone_that_answered_on_the_air_is_proven_once(gate):
    session = os.urandom(16)
    gate.answered(session)

    assert gate.check.judge(pass_a(session)) is Finding.PROVEN
    assert gate.check.judge(pass_a(session)) is Finding.USED


def test_an_answer_to_the_challenge_before_is_still_good(gate):
    session = os.urandom(16)
    gate.answered(session)
    gate.passes(30)

    assert gate.check.judge(pass_a(session)) is Finding.PROVEN


def test_an_answer_is_forgotten_after_40_seconds(gate):
    session = os.urandom(16)
    gate.passes(5)
    gate.answered(session)
    gate.passes(40)

    assert gate.check.judge(pass_a(session)) is Finding.NOT_HEARD


@pytest.mark.parametrize(("rssi_dbm", "finding"), [(-70, Finding.PROVEN), (-71, Finding.NOT_HEARD)])
def test_only_a_near_phone_is_heard(gate, rssi_dbm, finding):
    session = os.urandom(16)
    gate.answered(session, rssi_dbm)

    assert gate.check.judge(pass_a(session)) is finding


@pytest.mark.parametrize(("state", "finding"), [(ALL, Finding.NOT_HEARD), (BluetoothState(0), Finding.BLUETOOTH_OFF)])
def test_a_pass_whose_phone_is_silent_proves_nothing(gate, state, finding):
    assert gate.check.judge(pass_a(os.urandom(16), state)) is finding


def test_a_pass_that_was_not_heard_is_not_used_up(gate):
    session = os.urandom(16)

    assert gate.check.judge(pass_a(session)) is Finding.NOT_HEARD
    gate.answered(session)
    assert gate.check.judge(pass_a(session)) is Finding.PROVEN


def test_a_fresh_pass_of_a_browser_is_good_once(gate):
    shown = pass_b(gate.screen())

    assert gate.check.judge(shown) is Finding.FRESH
    assert gate.check.judge(shown) is Finding.USED


def test_the_same_one_time_key_is_not_taken_with_another_session(gate):
    key = Ed25519PrivateKey.generate()

    assert gate.check.judge(pass_b(gate.screen(), key=key)) is Finding.FRESH
    assert gate.check.judge(pass_b(gate.screen(), key=key)) is Finding.USED


def test_a_screenshot_is_worth_nothing_after_61_seconds(gate):
    shown = pass_b(gate.screen())
    gate.passes(61)

    assert gate.check.judge(shown) is Finding.EXPIRED


def test_the_screen_before_is_still_good_for_half_a_minute(gate):
    gate.passes(-gate.boot % 30)
    shown = pass_b(gate.screen())
    gate.passes(59)

    assert gate.check.judge(shown) is Finding.FRESH


def test_the_challenge_on_the_air_is_not_good_for_a_browser(gate):
    assert gate.check.judge(pass_b(gate.check.challenges().air.value)) is Finding.EXPIRED


def test_another_gates_screen_is_not_this_ones(gate):
    assert Gate().check.judge(pass_b(gate.screen())) is Finding.EXPIRED


@pytest.mark.parametrize(
    "keys",
    [
        (),
        (gate_key(use_from=START - 2 * WEEK),),
        (gate_key(use_from=START + WEEK),),
        (gate_key(purpose="upload"),),
        (gate_key(kid=6),),
    ],
)
def test_a_token_of_an_unknown_or_another_weeks_key_is_expired(keys):
    gate = Gate(keys=keys)

    assert gate.check.judge(pass_b(gate.screen())) is Finding.EXPIRED


def test_last_weeks_key_is_good_on_monday_morning_and_not_on_tuesday(gate):
    gate.unix = START + WEEK + 86_399
    assert gate.check.judge(pass_b(gate.screen())) is Finding.FRESH
    gate.unix += 1
    assert gate.check.judge(pass_b(gate.screen())) is Finding.EXPIRED


def test_a_token_that_another_key_signed_is_foreign(gate):
    assert gate.check.judge(pass_b(gate.screen(), private=OTHER)) is Finding.FOREIGN


@given(st.text(max_size=600))
def test_no_text_makes_the_gate_stumble(text):
    assert Gate().check.judge(text) is Finding.FOREIGN


def test_the_memory_holds_no_more_than_its_bounds(gate):
    for _ in range(5_000):
        gate.check.heard(os.urandom(16), -50)
    gate.passes(121)
    gate.check.challenges()

    assert len(gate.check._heard) == 0
    for _ in range(12_000):
        gate.check.heard(os.urandom(16), -50)
    assert len(gate.check._heard) == 10_000


def test_after_a_gap_no_old_challenge_is_accepted(gate):
    shown = pass_b(gate.screen())
    gate.passes(3_600)
    gate.check.challenges()

    assert gate.check.judge(shown) is Finding.EXPIRED
