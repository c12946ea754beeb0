# SPDX-License-Identifier: Apache-2.0
"""A gate for practice: the same page and the same checks, with codes made on the spot; nothing is reported to anybody.

Its folder is its own; what was counted in it is forgotten after seven days. The codes are made with a key of this run
that no other gate knows, so a practice code is worth nothing at a real gate.
Source: docs/design.md, "training".
"""

import json
import os
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bluezone.edge.gate.book import GateBook
from bluezone.edge.gate.check import GateCheck
from bluezone.edge.gate.shifts import pin_digest
from bluezone.protocol import blindrsa
from bluezone.protocol.gate.passes import BluetoothState, PassA, compute_response, pass_text, sign_pass_b, token_message
from bluezone.protocol.signed.config import WeekKey
from bluezone.refusal import Refused

KEPT_DAYS = 7
BADGE, PIN = "7" * 16, "123456"
TICKET = "TAP-HUAN"
NEAR_DBM = -50
_RUNNING = BluetoothState.BLUETOOTH_ON | BluetoothState.ADVERTISING | BluetoothState.HEARD
_KID = 1
_ALWAYS = 2**31

Kind = Literal["running", "browser", "screenshot", "off", "foreign"]
KINDS: tuple[Kind, ...] = ("running", "browser", "screenshot", "off", "foreign")


class PracticeFolderUsed(Refused):
    """A folder for practice holds the book of a real gate, or the other way round; nothing was changed."""

    code = "practice_folder_used"


class Practice:
    """Codes to practise with, and the key that signs those of browsers."""

    def __init__(self) -> None:
        self._private = blindrsa.generate()

    def week_keys(self) -> tuple[WeekKey, ...]:
        """The one key of this run, valid as long as it runs."""
        public = self._private.public
        return (WeekKey(_KID, "gate", 0, "practice", 0, _ALWAYS, 0, public.n, public.e),)

    def code(self, kind: Kind, check: GateCheck) -> str:
        """The text of a code as somebody would hold it before the gate now."""
        session, now = os.urandom(16), check.challenges()
        if kind == "running":
            check.heard(compute_response(session, now.air.value), NEAR_DBM)
        if kind in ("running", "screenshot"):
            return pass_text(PassA(_RUNNING, 1, session))
        if kind == "off":
            return pass_text(PassA(BluetoothState(0), 1, session))
        if kind == "browser":
            key = Ed25519PrivateKey.generate()
            return pass_text(sign_pass_b(BluetoothState(0), 1, session, now.screen.value, key, _KID, self._token(key)))
        return "https://example.org/"

    def _token(self, key: Ed25519PrivateKey) -> bytes:
        message = token_message(key.public_key().public_bytes_raw())
        blinded = blindrsa.blind(self._private.public, message)
        signed = blindrsa.blind_sign(self._private, blinded.message)
        return blindrsa.finalize(self._private.public, message, signed, blinded.inverse)


def furnish(book: GateBook) -> None:
    """Write a practice gate and one badge into the book. Raises PracticeFolderUsed for the book of a real gate."""
    if book.get("token") is not None or book.get("trust") is not None:
        raise PracticeFolderUsed("this folder belongs to a real gate; give another with --data")
    salt = bytes(16)
    entry = {"badge": BADGE, "name": "Người tập", "salt": salt.hex(), "hash": pin_digest(PIN, salt).hex()}
    book.put("roster", json.dumps([{**entry, "since": "2020-01-01", "until": ""}]))
    book.put("gate", json.dumps({"name": "Cổng tập huấn", "agency": "không gửi số đi", "closed": False}))
    book.put("shifts", None)
    book.purge()


def folder_of(data: Path) -> Path:
    """Where a practice gate keeps its book, apart from that of a real gate in the same data folder."""
    return data / "gate-training"
