# SPDX-License-Identifier: Apache-2.0
"""A gate program as the Bluetooth box of the tablets beside it."""

import http.client
import json
import os
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.boxes import Tablet

from bluezone.edge.gate.box import MAX_BODY_BYTES, Box, BoxAskInvalid, BoxServer, box_text, mac
from bluezone.edge.gate.check import Finding, GateCheck
from bluezone.protocol.gate import base45
from bluezone.protocol.gate.passes import (
    BluetoothState,
    PassA,
    compute_response,
    pass_text,
)

KEY = bytes(range(32))
SESSION = b"sixteen letters!"


class Beside:
    """A box with clocks of its own, and two tablets of its gate."""

    def __init__(self):
        self.boot = 1_000.0
        self.check = GateCheck(b"gate", tuple, lambda: self.boot, lambda: 1_795_392_000.0 + self.boot)
        self.off = None
        self.box = Box(self.check, lambda: KEY, lambda: self.off)
        self.one, self.two = Tablet(self.box, KEY, 1), Tablet(self.box, KEY, 2)

    def phone_answers(self, session=SESSION):
        self.check.heard(compute_response(session, self.check.challenges().air.value), -50)


@pytest.fixture
def beside():
    return Beside()


def test_a_phone_that_answered_on_the_air_is_proven_at_one_tablet_and_used_at_the_other(beside):
    assert beside.one.judge(SESSION) == "not_heard"
    beside.phone_answers()

    assert beside.one.judge(SESSION) == "proven"
    assert beside.two.judge(SESSION) == "pass_used"
    assert beside.check.judge(pass_text(PassA(BluetoothState.BLUETOOTH_ON, 1, SESSION))) is Finding.USED


def test_a_tablet_whose_answer_was_lost_may_ask_again(beside):
    beside.phone_answers()

    assert [beside.one.judge(SESSION) for _ in range(2)] == ["proven", "proven"]


def test_what_the_gate_s_own_page_has_used_is_used_at_its_tablets(beside):
    beside.phone_answers()
    assert beside.check.judge(pass_text(PassA(BluetoothState.BLUETOOTH_ON, 1, SESSION))) is Finding.PROVEN

    assert beside.one.judge(SESSION) == "pass_used"


def test_a_tablet_learns_the_next_challenge_with_the_answer_and_an_old_pass_proves_nothing(beside):
    beside.phone_answers()
    beside.boot += 61

    assert beside.one.judge(SESSION) == "not_heard"
    beside.phone_answers()
    assert beside.one.judge(SESSION) == "proven"


def test_a_silent_radio_is_said(beside):
    beside.off = "no adapter"

    assert beside.one.ask(beside.one.question(None))["radio_off"] == "no adapter"


def test_whoever_has_not_the_gate_s_key_learns_nothing_and_uses_nothing_up(beside):
    beside.phone_answers()
    good = beside.one.question(SESSION)
    for other in (
        mac(bytes(32), "BZ-BOX-ASK-v1", good[32:]).hex().encode() + good[32:],
        good[:-3] + b"0" + good[-2:],
        good[32:],
        b"",
    ):
        with pytest.raises(BoxAskInvalid):
            beside.box.answer(other)
    before = Box(beside.check, lambda: None, lambda: None)
    with pytest.raises(BoxAskInvalid):
        before.answer(good)

    assert beside.one.judge(SESSION) == "proven"


def test_an_answer_is_to_its_own_question_alone(beside):
    beside.phone_answers()
    asked = [beside.one.question(SESSION) for _ in range(2)]
    beside.box.answer, answer = (lambda _: answer), beside.box.answer(asked[0])

    with pytest.raises(AssertionError):
        beside.one.ask(asked[1])


@given(st.binary(max_size=200) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(
    lambda value: json.dumps({"tablet": value, "answers": value, "mark": value}).encode()))  # fmt: skip
def test_whatever_a_device_of_the_gate_sends_is_answered_or_refused(content):
    asked = mac(KEY, "BZ-BOX-ASK-v1", content).hex().encode() + content

    with pytest.raises(BoxAskInvalid):
        Beside().box.answer(asked)


def test_the_code_of_a_box_names_its_gate_and_its_address():
    text = box_text(KEY, "0badcafe", "192.168.1.20")

    assert json.loads(base45.decode(text.removeprefix("BZGB:"))[:-8]) == {"gate": "0badcafe", "host": "192.168.1.20"}


def test_over_the_network_the_box_answers_questions_of_any_page_and_nothing_else(beside):
    # A loopback address of its own, because the port is the same at every box.
    host = f"127.{random.randint(1, 250)}.{random.randint(0, 250)}.{random.randint(1, 250)}"
    server = BoxServer(beside.box, host)
    try:
        beside.phone_answers()
        answers = [
            asked_of(host, *call)
            for call in (
                ("POST", "/box", beside.one.question(SESSION)),
                ("POST", "/box", os.urandom(60)),
                ("POST", "/", beside.one.question(SESSION)),
                ("POST", "/box", b"x" * (MAX_BODY_BYTES + 1)),
                ("GET", "/box", None),
            )
        ]
    finally:
        server.stop()

    assert [status for status, _, _ in answers] == [200, 403, 404, 404, 501]
    assert answers[0][1] == "*"
    assert b'"finding": "proven"' in answers[0][2]


def asked_of(host, method, path, body):
    connection = http.client.HTTPConnection(host, 8018, timeout=60)
    connection.request(method, path, body)
    answer = connection.getresponse()
    return answer.status, answer.getheader("Access-Control-Allow-Origin"), answer.read()
