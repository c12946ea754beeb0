# SPDX-License-Identifier: Apache-2.0
"""How the other processes ask the signer: keys that look like private ones and hold nothing; and what it can be asked.

The first byte of a message names what is asked, that of an answer is 0 for done or 1 for refused. Source:
docs/contracts.md, "Signer".
"""

import json
import os
import struct
import time
from collections.abc import Iterable, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bluezone.keyserver.keyfolder import (
    SIGNER_FOLDER,
    ApprovalMissing,
    SignerAway,
    SigningKeys,
    SigningRefused,
    WeekKeyRing,
)
from bluezone.keyserver.signer.channel import PATIENCE_SECONDS, Caller
from bluezone.keyserver.storage.store import StoreRefused
from bluezone.protocol import blindrsa
from bluezone.protocol.exports.files import MAX_EXPORT_BYTES
from bluezone.protocol.gate.tokens import BATCH
from bluezone.protocol.signed.envelope import MAX_SIGNED_BYTES

VARIABLE = "BLUEZONE_SIGNER"
# In the data folder, where a `serve` has a signer of its own.
FOLDER_NAME = SIGNER_FOLDER
SUFFIX = ".sock"
# What a signer's folder has of the keys of a data folder.
SIGNING_FILES = ("signing-ed25519.pem", "export-p256.pem", "week-keys.json", "week-[0-9]*.json")
KID = struct.Struct(">H")
BLINDED_BYTES = blindrsa.MODULUS_BITS // 8
MOST_ANSWER_BYTES = 2 * MAX_SIGNED_BYTES


class Ask(IntEnum):
    """What a signer can be asked."""

    OPEN = 1
    BLIND = 2
    SIGN = 3
    EXPORT = 4
    ROTATE = 5
    KIDS = 6
    CATCH_UP = 7
    WAITING = 8
    APPROVE = 9


# The longest body of each.
MOST_BYTES = {
    Ask.OPEN: 0,
    Ask.BLIND: KID.size + BATCH * BLINDED_BYTES,
    Ask.SIGN: MAX_SIGNED_BYTES,
    Ask.EXPORT: MAX_EXPORT_BYTES,
    Ask.ROTATE: 0,
    Ask.KIDS: 16 * 1024,
    Ask.CATCH_UP: MAX_EXPORT_BYTES,
    Ask.WAITING: 0,
    Ask.APPROVE: 4096,
}


# A batch takes a second of a busy core. Whoever waits for one holds others up, who may ask for something else.
BLIND_SECONDS = 10.0
# Whether it answers at all.
LOOK_SECONDS = 5.0
# What its answer is raised as; all else is SigningRefused.
_REFUSALS: dict[str, type[StoreRefused]] = {each.code: each for each in (ApprovalMissing, SignerAway)}
# One that hung is let alone so long: what needs it is refused at once meanwhile.
PAUSE_SECONDS = 10.0


class Connection:
    """One signer, asked from any thread: each thread has a connection of its own. path: of its socket.

    blind_seconds, look_seconds: how long a blind signature, and the answer to `answers`, may take.
    """

    def __init__(self, path: Path, blind_seconds: float = BLIND_SECONDS, look_seconds: float = LOOK_SECONDS) -> None:
        self.path = path
        self._caller = Caller(path, MOST_ANSWER_BYTES)
        self._blind_seconds, self._look_seconds = blind_seconds, look_seconds
        self._hung_until = 0.0

    def ask(self, what: Ask, body: bytes = b"") -> bytes:
        """The answer. Raises SignerAway, SigningRefused, ApprovalMissing."""
        if what is not Ask.BLIND:
            return self._asked(what, body)
        self._require_alive()
        return self._asked(what, body, self._blind_seconds)

    def require_answer(self) -> None:
        """Return if it answers, soon. Raises SignerAway."""
        self._require_alive()
        self._asked(Ask.WAITING, b"", self._look_seconds)

    def _require_alive(self) -> None:
        """Return unless it hung a moment ago; after that moment it is asked for its word first. Raises SignerAway."""
        if not self._hung_until:
            return
        if time.monotonic() < self._hung_until:
            raise SignerAway("the signer hangs; it is asked again in some seconds")
        self._asked(Ask.WAITING, b"", self._look_seconds)
        self._hung_until = 0.0

    def _asked(self, what: Ask, body: bytes, seconds: float = PATIENCE_SECONDS) -> bytes:
        try:
            refused, answer = self._caller.exchange(what, body, seconds=seconds)
        except TimeoutError as error:
            self._hung_until = time.monotonic() + PAUSE_SECONDS
            raise SignerAway(f"the signer does not answer in time: {error.strerror}") from None
        except OSError as error:
            raise SignerAway(f"the signer does not answer: {error.strerror or type(error).__name__}") from None
        if refused:
            told = json.loads(answer)
            raise _REFUSALS.get(told["code"], SigningRefused)(told["message"])
        return answer


class RemoteCityKey:
    """The city key of a signer."""

    def __init__(self, connection: Connection, public: bytes) -> None:
        self._connection, self._public = connection, Ed25519PublicKey.from_public_bytes(public)

    def sign(self, data: bytes, /) -> bytes:
        """Sign what `sign_payload` makes; raises as Connection.ask."""
        return self._connection.ask(Ask.SIGN, data)

    def public_key(self) -> Ed25519PublicKey:
        """Its public half."""
        return self._public


class RemoteExportKey:
    """The export key of a signer."""

    def __init__(self, connection: Connection, public: ec.EllipticCurvePublicKey) -> None:
        self._connection, self._public = connection, public

    def sign(self, data: bytes, _algorithm: ec.ECDSA, /) -> bytes:
        """Sign the signed part of an export; raises as Connection.ask."""
        return self._connection.ask(Ask.EXPORT, data)

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Its public half."""
        return self._public


class RemoteWeekKeys(WeekKeyRing):
    """The week keys of a signer: public halves in a file beside its socket, whatever is done with them is asked for."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection.path.parent, connection.path.with_suffix(".json").name)
        self._connection = connection

    def _read_index(self) -> bytes:
        # Public halves alone.
        return Path(self._index_path).read_bytes()

    def private(self, kid: int) -> blindrsa.PrivateKey:
        """There is none here."""
        raise SigningRefused(f"the private half of week key {kid} is the signer's")

    def blind_sign(self, kid: int, blinded: Sequence[bytes]) -> list[bytes]:
        """Sign blinded messages of one modulus length each, at most as many as a batch of tokens has."""
        answer = self._connection.ask(Ask.BLIND, KID.pack(kid) + b"".join(blinded))
        return [answer[at : at + BLINDED_BYTES] for at in range(0, len(answer), BLINDED_BYTES)]

    def note_kids(self, kids: Iterable[int]) -> None:
        """Give no key a number again that stood in a config."""
        self._connection.ask(Ask.KIDS, json.dumps(list(kids)).encode())

    def rotate(self, now: float) -> None:
        """Have the keys made that are missing, by the signer's clock."""
        self._connection.ask(Ask.ROTATE)


class RemoteKeys(SigningKeys):
    """The keys of a signer, which makes them when it is asked for the first time."""

    def __init__(self, connection: Connection) -> None:
        told: dict[str, Any] = json.loads(connection.ask(Ask.OPEN))
        export = load_pem_public_key(told["export"].encode())
        assert isinstance(export, ec.EllipticCurvePublicKey)
        super().__init__(
            RemoteCityKey(connection, bytes.fromhex(told["signing"])),
            RemoteExportKey(connection, export),
            RemoteWeekKeys(connection),
        )


class Reminder:
    """Shows a signer what was signed elsewhere, so that it goes on from there; each thing once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._shown: dict[str, bytes] = {}

    def show(self, kind: str, file: bytes) -> None:
        """Show a signed config or index, or a packed export. Raises as Connection.ask."""
        if self._shown.get(kind) != file:
            self._connection.ask(Ask.CATCH_UP, kind.encode() + b"\0" + file)
            self._shown[kind] = file


def remote_keys(data_dir: Path) -> RemoteKeys | None:
    """The keys of the signer of a data folder; None where there is none, and the keys are in the folder."""
    signer = find_signer(data_dir)
    return RemoteKeys(signer) if signer else None


def find_signer(data_dir: Path) -> Connection | None:
    """The signer of a data folder: the one that BLUEZONE_SIGNER names, else one of a `serve` that runs on it."""
    named = os.environ.get(VARIABLE)
    if named:
        return Connection(Path(named))
    for path in sorted((data_dir / FOLDER_NAME).glob(f"*{SUFFIX}")):
        connection = Connection(path)
        try:
            connection.ask(Ask.WAITING)
        except SignerAway:
            continue
        return connection
    return None
