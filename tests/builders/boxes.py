# SPDX-License-Identifier: Apache-2.0
"""Boxes and the tablets beside them: a tablet as rollout/gates/phone/box.js is one, and a box that browsers can ask."""

import hmac
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bluezone.edge.gate.box import MAC_LENGTH, Box, BoxServer, box_text, mac
from bluezone.edge.gate.check import GateCheck
from bluezone.protocol.gate.passes import PassA, State, mark_of, pass_text, response

RUNNING = State.BLUETOOTH_ON | State.ADVERTISING | State.HEARD


class Tablet:
    """One tablet of a gate. key: the gate's sharing key. number: of its device."""

    def __init__(self, box: Box, key: bytes, number: int = 1) -> None:
        self.box, self.key, self.number = box, key, number
        self.air: list[bytes] = []
        self.ask(self.question(None))

    def question(self, session: bytes | None, nonce: bytes | None = None) -> bytes:
        """What it sends to learn how things stand, or what a pass with this session shows."""
        given = {
            "tablet": self.number,
            "nonce": (nonce or os.urandom(16)).hex(),
            "answers": [response(session, value).hex() for value in self.air] if session else [],
            "mark": mark_of(session).hex() if session else "",
        }
        content = json.dumps(given).encode()
        return mac(self.key, "BZ-BOX-ASK-v1", content).hex().encode() + content

    def ask(self, question: bytes) -> dict[str, Any]:
        """The box's answer, which must be to this question."""
        answer = self.box.answer(question)
        said, content = answer[: 2 * MAC_LENGTH], answer[2 * MAC_LENGTH :]
        asked = question[: 2 * MAC_LENGTH]
        assert hmac.compare_digest(said, mac(self.key, "BZ-BOX-ANSWER-v1", asked + content).hex().encode())
        told: dict[str, Any] = json.loads(content)
        self.air = [bytes.fromhex(value) for value in told["air"]]
        return told

    def judge(self, session: bytes) -> str:
        """What the box says of a phone."""
        return str(self.ask(self.question(session))["finding"])


class RealBox:
    """A box that tablets of this machine can ask; answers on the air are put into its check.

    gate: {number, sharing_key} as the office told a tablet. text: its code.
    """

    def __init__(self, gate: dict[str, str]) -> None:
        self.check = GateCheck(bytes.fromhex(gate["number"]), tuple, time.monotonic, time.time)
        self.off: str | None = None
        key = bytes.fromhex(gate["sharing_key"])
        # A loopback address of its own, because the port is the same at every box.
        self.host = ".".join(["127", *(str(secrets.randbelow(250) + 1) for _ in range(3))])
        self.server = BoxServer(Box(self.check, lambda: key, lambda: self.off), self.host)
        self.text = box_text(key, gate["number"], self.host)

    def phone(self, heard: bool = True, state: State = RUNNING) -> str:
        """The pass of a phone that answered this box, or did not."""
        session = os.urandom(16)
        if heard:
            self.check.heard(response(session, self.check.challenges().air.value), -55)
        return pass_text(PassA(state, 1, session))


@contextmanager
def real_box(gate: dict[str, str]) -> Iterator[RealBox]:
    """A box for a test."""
    box = RealBox(gate)
    try:
        yield box
    finally:
        box.server.stop()
