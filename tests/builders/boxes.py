# SPDX-License-Identifier: Apache-2.0
"""Boxes and tablets of a gate: a tablet that behaves like rollout/gates/phone/box.js, and a box that serves a port."""

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
from bluezone.protocol.gate.passes import BluetoothState, PassA, compute_response, pass_text, session_mark

RUNNING = BluetoothState.BLUETOOTH_ON | BluetoothState.ADVERTISING | BluetoothState.HEARD


class Tablet:
    """One tablet of a gate. key: the gate's sharing key. number: that of its device."""

    def __init__(self, box: Box, key: bytes, number: int = 1) -> None:
        self.box = box
        self.key = key
        self.number = number
        self.air: list[bytes] = []
        self.ask(self.question(None))

    def question(self, session: bytes | None, nonce: bytes | None = None) -> bytes:
        """The body of a query to the box; with a session, about the pass of this session."""
        query = {
            "tablet": self.number,
            "nonce": (nonce or os.urandom(16)).hex(),
            "answers": [compute_response(session, value).hex() for value in self.air] if session else [],
            "mark": session_mark(session).hex() if session else "",
        }
        content = json.dumps(query).encode()
        return mac(self.key, "BZ-BOX-ASK-v1", content).hex().encode() + content

    def ask(self, question: bytes) -> dict[str, Any]:
        """The box's answer; its MAC must be valid for this question."""
        answer = self.box.answer(question)
        received_mac = answer[: 2 * MAC_LENGTH]
        content = answer[2 * MAC_LENGTH :]
        question_mac = question[: 2 * MAC_LENGTH]
        assert hmac.compare_digest(
            received_mac, mac(self.key, "BZ-BOX-ANSWER-v1", question_mac + content).hex().encode()
        )
        reply: dict[str, Any] = json.loads(content)
        self.air = [bytes.fromhex(value) for value in reply["air"]]
        return reply

    def judge(self, session: bytes) -> str:
        """The finding of the box about a phone."""
        return str(self.ask(self.question(session))["finding"])


class RealBox:
    """A box that tablets on this machine can query; answers over Bluetooth are put directly into its check.

    gate: {number, sharing_key} as the office sends them to a tablet. text: of its QR code.
    """

    def __init__(self, gate: dict[str, str]) -> None:
        self.check = GateCheck(bytes.fromhex(gate["number"]), tuple, time.monotonic, time.time)
        self.off: str | None = None
        key = bytes.fromhex(gate["sharing_key"])
        # A separate loopback address, because every box has the same port.
        self.host = ".".join(["127", *(str(secrets.randbelow(250) + 1) for _ in range(3))])
        self.server = BoxServer(Box(self.check, lambda: key, lambda: self.off), self.host)
        self.text = box_text(key, gate["number"], self.host)

    def phone(self, heard: bool = True, state: BluetoothState = RUNNING) -> str:
        """The pass of a phone that answered this box, or did not."""
        session = os.urandom(16)
        if heard:
            self.check.heard(compute_response(session, self.check.challenges().air.value), -55)
        return pass_text(PassA(state, 1, session))


@contextmanager
def real_box(gate: dict[str, str]) -> Iterator[RealBox]:
    """A box for a test."""
    box = RealBox(gate)
    try:
        yield box
    finally:
        box.server.stop()
