# SPDX-License-Identifier: Apache-2.0
"""A gate with its page: real book, check and server; Bluetooth answers are put directly into the check."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluezone.edge.gate import page
from bluezone.edge.gate.book import GateBook
from bluezone.edge.gate.check import GateCheck
from bluezone.edge.gate.city import GateCity
from bluezone.edge.gate.desk import GateDesk
from bluezone.edge.gate.page import gate_files
from bluezone.localpage import LocalPage, draw_key
from bluezone.protocol import blindrsa
from bluezone.protocol.gate.passes import BluetoothState, PassA, compute_response, pass_text, sign_pass_b, token_message
from bluezone.protocol.signed.config import WeekKey
from bluezone.rollout.gates.registry import pin_hash

BADGE = "a1" * 8
PIN = "402817"
WEEK = 7 * 86_400
PRIVATE = blindrsa.generate()
RUNNING = BluetoothState.BLUETOOTH_ON | BluetoothState.ADVERTISING | BluetoothState.HEARD


def week_key() -> WeekKey:
    """The week key for `browser_pass`, valid now."""
    now = int(time.time())
    return WeekKey(7, "gate", 0, "test", now - WEEK, now + WEEK, now - WEEK, PRIVATE.n, PRIVATE.e)


def browser_pass(screen: bytes, kid: int = 7) -> str:
    """The pass of a web edition for a challenge, with a token signed by PRIVATE."""
    key = Ed25519PrivateKey.generate()
    message = token_message(key.public_key().public_bytes_raw())
    blinded = blindrsa.blind(PRIVATE.public, message)
    signed = blindrsa.blind_sign(PRIVATE, blinded.message)
    token = blindrsa.finalize(PRIVATE.public, message, signed, blinded.inverse)
    return pass_text(sign_pass_b(BluetoothState(0), 1, os.urandom(16), screen, key, kid, token))


SALT = bytes(16)


@cache
def _hash_of_pin() -> str:
    """Computed once for all gates, because it is slow on purpose."""
    return pin_hash(PIN, SALT).hex()


class PagedGate:
    """One gate. ahead: seconds to add to its clock, to let challenges expire."""

    def __init__(self, folder: Path, name: str = "Cổng chính") -> None:
        self.ahead = 0.0
        self.radio_off: str | None = None
        self.book = GateBook(folder / f"{os.urandom(4).hex()}.sqlite3", self.unix)
        self.book.put("gate", json.dumps({"name": name, "agency": "Trụ sở UBND thành phố", "closed": False}))
        entry = {"badge": BADGE, "name": "Hà Thị Lan", "salt": SALT.hex(), "hash": _hash_of_pin()}
        self.book.put("roster", json.dumps([{**entry, "since": "2020-01-01", "until": ""}]))
        start = int(self.unix() - WEEK / 2)
        self.keys = (
            WeekKey(7, "gate", 0, "2026-W48", start, start + WEEK, start - WEEK, PRIVATE.n, PRIVATE.e),
            WeekKey(6, "gate", 0, "2026-W46", start - 2 * WEEK, start - WEEK, start - 3 * WEEK, PRIVATE.n, PRIVATE.e),
        )
        self.check = GateCheck(b"gate", lambda: self.keys, lambda: time.monotonic() + self.ahead, self.unix)
        city = GateCity(self.book, time.time)
        self.desk = GateDesk(self.book, city, self.check, lambda: self.radio_off)
        self.sent = 0
        self._key = draw_key()
        self._open(0)

    def _open(self, port: int) -> None:
        changing = page.changing(self.desk, self._send, lambda contact: "K7M-2QX")
        self.page = LocalPage(gate_files(), page.reading(self.desk), changing, port, key=self._key)
        self.page.start()

    def stop_page(self) -> None:
        """Stop answering the tablet, as when the program is killed."""
        self.page.stop()

    def start_page_again(self) -> None:
        """Answer again at the same address, as the program does after its start."""
        self._open(self.page.port)

    def unix(self) -> float:
        return time.time()

    def _send(self) -> None:
        self.sent += 1

    def phone(self, heard: bool = True, state: BluetoothState = RUNNING) -> str:
        """The pass of a phone. heard: whether the phone answered this gate over Bluetooth."""
        session = os.urandom(16)
        if heard:
            self.check.heard(compute_response(session, self.check.challenges().air.value), -55)
        return pass_text(PassA(state, 1, session))

    def browser(self, kid: int = 7, screen: bytes | None = None) -> str:
        """The pass of a web edition that scanned this gate's screen."""
        return browser_pass(screen or self.check.challenges().screen.value, kid)

    def totals(self) -> dict[str, int]:
        """The counts by verdict."""
        return {passage.verdict: count for passage, count in self.book.totals(0).items()}

    def close(self) -> None:
        self.page.stop()
        self.book.close()


@contextmanager
def paged_gate(folder: Path) -> Iterator[PagedGate]:
    """A gate for a test."""
    gate = PagedGate(folder)
    try:
        yield gate
    finally:
        gate.close()
