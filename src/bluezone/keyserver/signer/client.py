# SPDX-License-Identifier: Apache-2.0
"""How other processes call the signer: key objects with the interface of private keys but no secret in them.

The first byte of a request is its `Operation`. The first byte of an answer is 0 if it was done, 1 if refused.
Source: docs/contracts.md, "Signer".
"""

import json
import os
import struct
import time
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bluezone.keyserver.keys.keyfolder import SIGNER_FOLDER, ApprovalMissing, SignerAway, SigningKeys, SigningRefused
from bluezone.keyserver.keys.weekkeys import WeekKeyRing
from bluezone.keyserver.signer.channel import PATIENCE_SECONDS, Caller
from bluezone.keyserver.storage.store import StoreRefused
from bluezone.protocol import blindrsa
from bluezone.protocol.exports.files import MAX_EXPORT_BYTES
from bluezone.protocol.gate.tokens import BATCH
from bluezone.protocol.primitives import Ed25519Signer
from bluezone.protocol.signed.envelope import MAX_SIGNED_BYTES
from bluezone.protocol.upload import Status
from bluezone.protocol.upload.books import MOST_LIST_BYTES
from bluezone.protocol.upload.slips import USE_LENGTH, SlipUse
from bluezone.transparency.notes import hash_lines

VARIABLE = "BLUEZONE_SIGNER"
# The folder in the data folder for the socket, if `serve` has its own signer.
FOLDER_NAME = SIGNER_FOLDER
SUFFIX = ".sock"
# The key files of a data folder that belong to its signer.
SIGNING_FILES = ("signing-ed25519.pem", "export-p256.pem", "week-keys.json", "week-[0-9]*.json")
KID = struct.Struct(">H")
BLINDED_BYTES = blindrsa.MODULUS_BITS // 8
MOST_ANSWER_BYTES = 2 * MAX_SIGNED_BYTES
# A batch takes a second of a busy core. A thread that waits longer blocks other requests.
BLIND_SECONDS = 10.0
# How long a call may take that only shows whether the signer answers at all.
ALIVE_CHECK_SECONDS = 5.0
# The exception for the code of a refusal; all other codes become SigningRefused.
_REFUSALS: dict[str, type[StoreRefused]] = {kind.code: kind for kind in (ApprovalMissing, SignerAway)}
# After the signer has hung: how long calls for blind signatures are refused without waiting for it.
PAUSE_SECONDS = 10.0


class Operation(IntEnum):
    """The operations of a signer."""

    OPEN = 1
    BLIND = 2
    SIGN = 3
    EXPORT = 4
    ROTATE = 5
    KIDS = 6
    CATCH_UP = 7
    WAITING = 8
    APPROVE = 9
    LOG_SIZE = 10
    LAST = 11
    SLIP = 12
    REGISTER_BOOK = 13
    REVOKE_SLIPS = 14
    SPENT = 15


# The longest body of each operation.
LONGEST_BODIES = {
    Operation.OPEN: 0,
    Operation.BLIND: KID.size + BATCH * BLINDED_BYTES,
    Operation.SIGN: MAX_SIGNED_BYTES,
    Operation.EXPORT: MAX_EXPORT_BYTES,
    Operation.ROTATE: 0,
    Operation.KIDS: 16 * 1024,
    Operation.CATCH_UP: MAX_EXPORT_BYTES,
    Operation.WAITING: 0,
    Operation.APPROVE: 4096,
    Operation.LOG_SIZE: 0,
    Operation.LAST: 0,
    Operation.SLIP: USE_LENGTH,
    Operation.REGISTER_BOOK: MOST_LIST_BYTES,
    Operation.REVOKE_SLIPS: MOST_LIST_BYTES,
    Operation.SPENT: 32,
}
# A patient's phone waits for these.
_QUICK = (Operation.BLIND, Operation.SLIP)


class Connection:
    """A client of one signer, usable from any thread: each thread has its own connection.

    path: the signer's socket. blind_seconds: how long a blind signature may take. look_seconds: the same for a call
    that only shows whether the signer answers.
    """

    def __init__(
        self, path: Path, blind_seconds: float = BLIND_SECONDS, look_seconds: float = ALIVE_CHECK_SECONDS
    ) -> None:
        self.path = path
        self._caller = Caller(path, MOST_ANSWER_BYTES)
        self._blind_seconds = blind_seconds
        self._look_seconds = look_seconds
        self._hung_until = 0.0

    def request_operation(self, what: Operation, body: bytes = b"") -> bytes:
        """Request an operation; returns the answer. Raises SignerAway, SigningRefused, ApprovalMissing."""
        if what not in _QUICK:
            return self._call(what, body)
        self._require_alive()
        return self._call(what, body, self._blind_seconds)

    def show(self, kind: str, file: bytes) -> None:
        """Show the signer a signed config or index, or a packed export, so that it continues from there.

        Call it before each signature that continues the file: the signer may have lost its record since the last time.
        Raises like `request_operation`.
        """
        self.request_operation(Operation.CATCH_UP, kind.encode() + b"\0" + file)

    def require_answer(self) -> None:
        """Return if the signer answers within `look_seconds`. Raises SignerAway."""
        self._require_alive()
        self._call(Operation.WAITING, b"", self._look_seconds)

    def _require_alive(self) -> None:
        """Return unless the signer has just hung; after the pause, first check that it answers. Raises SignerAway."""
        if not self._hung_until:
            return
        if time.monotonic() < self._hung_until:
            raise SignerAway("the signer hangs; it will be called again in some seconds")
        self._call(Operation.WAITING, b"", self._look_seconds)
        self._hung_until = 0.0

    def _call(self, what: Operation, body: bytes, seconds: float = PATIENCE_SECONDS) -> bytes:
        try:
            refused, answer = self._caller.exchange(what, body, seconds=seconds)
        except TimeoutError as error:
            self._hung_until = time.monotonic() + PAUSE_SECONDS
            raise SignerAway(f"the signer does not answer in time: {error.strerror}") from None
        except OSError as error:
            raise SignerAway(f"the signer does not answer: {error.strerror or type(error).__name__}") from None
        if refused:
            refusal = json.loads(answer)
            raise _REFUSALS.get(refusal["code"], SigningRefused)(refusal["message"])
        return answer


class RemoteCityKey:
    """The city key of a signer."""

    def __init__(self, connection: Connection, public: bytes) -> None:
        self._connection = connection
        self._public = Ed25519PublicKey.from_public_bytes(public)

    def sign(self, data: bytes, /) -> bytes:
        """Sign data from `sign_payload`; raises like Connection.request_operation."""
        return self._connection.request_operation(Operation.SIGN, data)

    def log_size(self) -> int:
        """How many leaves the checkpoint signed last has; 0 before the first."""
        return int(self._connection.request_operation(Operation.LOG_SIZE))

    def last_signed(self) -> dict[str, Any]:
        """What was signed last: epoch, number and chain value (hex) of each index, by its kind."""
        return dict(json.loads(self._connection.request_operation(Operation.LAST)))

    def public_key(self) -> Ed25519PublicKey:
        """Its public half."""
        return self._public


class RemoteExportKey:
    """The export key of a signer."""

    def __init__(self, connection: Connection, public: ec.EllipticCurvePublicKey) -> None:
        self._connection = connection
        self._public = public

    def sign(self, data: bytes, _algorithm: ec.ECDSA, /) -> bytes:
        """Sign the signed part of an export; raises like Connection.request_operation."""
        return self._connection.request_operation(Operation.EXPORT, data)

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Its public half."""
        return self._public


class RemoteWeekKeys(WeekKeyRing):
    """The week keys of a signer. Their public halves are in a file next to its socket; everything else is a call."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection.path.parent, connection.path.with_suffix(".json").name)
        self._connection = connection

    def _read_index(self) -> bytes:
        # Unlike the file of `WeekKeyRing`, this one is public.
        return Path(self._index_path).read_bytes()

    def private_key(self, kid: int) -> blindrsa.PrivateKey:
        """Always refused: the private half is not here."""
        raise SigningRefused(f"the private half of week key {kid} is the signer's")

    def blind_sign(self, kid: int, blinded: Sequence[bytes]) -> list[bytes]:
        """Sign blinded messages, each as long as the modulus, at most as many as a batch of tokens has."""
        answer = self._connection.request_operation(Operation.BLIND, KID.pack(kid) + b"".join(blinded))
        return [answer[start : start + BLINDED_BYTES] for start in range(0, len(answer), BLINDED_BYTES)]

    def use_slip(self, use: SlipUse) -> tuple[Status, bytes]:
        """Use a slip of a code book: the blind signature if the status is OK."""
        answer = self._connection.request_operation(Operation.SLIP, use.to_bytes())
        return Status(answer[0]), answer[1:]

    def note_kids(self, kids: Iterable[int]) -> None:
        """Reserve numbers from a config, so that no new key gets one of them."""
        self._connection.request_operation(Operation.KIDS, json.dumps(list(kids)).encode())

    def rotate_week_keys(self, now: float) -> None:
        """Have the signer make missing keys, by its own clock."""
        self._connection.request_operation(Operation.ROTATE)


class RemoteKeys(SigningKeys):
    """The keys of a signer, which makes missing ones at the first call."""

    def __init__(self, connection: Connection) -> None:
        public: dict[str, Any] = json.loads(connection.request_operation(Operation.OPEN))
        export = load_pem_public_key(public["export"].encode())
        assert isinstance(export, ec.EllipticCurvePublicKey)
        super().__init__(
            RemoteCityKey(connection, bytes.fromhex(public["signing"])),
            RemoteExportKey(connection, export),
            RemoteWeekKeys(connection),
        )


def sign_checkpoint_text(key: Ed25519Signer, text: bytes, prove: Callable[[int], Sequence[bytes]]) -> bytes:
    """The city's signature of the text of a checkpoint.

    prove: given the size of the log signed last, returns the hashes that prove that this one continues it; only a
    signer asks for them. Raises like Connection.request_operation.
    """
    if not isinstance(key, RemoteCityKey):
        return key.sign(text)
    return key.sign(text + hash_lines(list(prove(key.log_size()))))


def remote_keys(data_dir: Path) -> RemoteKeys | None:
    """The keys of the signer of a data folder; None if it has no signer and the keys are in the folder."""
    signer = find_signer(data_dir)
    return RemoteKeys(signer) if signer else None


def signed_heads(key: Ed25519Signer, kind: str) -> list[tuple[int, int, str]]:
    """Epoch, number and chain value (hex) of the index of a kind that a signer has signed last.

    Empty if there is no signer, if it is away, so that nothing is signed, or if it is of a version that does not know
    this call.
    """
    if not isinstance(key, RemoteCityKey):
        return []
    try:
        last = key.last_signed().get(kind)
    except SignerAway:
        return []
    return [(last["epoch"], last["number"], last["chain"])] if last else []


def find_signer(data_dir: Path) -> Connection | None:
    """The signer of a data folder: the one that BLUEZONE_SIGNER names, else that of a `serve` that runs on it."""
    configured = os.environ.get(VARIABLE)
    if configured:
        return Connection(Path(configured))
    for path in sorted((data_dir / FOLDER_NAME).glob(f"*{SUFFIX}")):
        connection = Connection(path)
        try:
            connection.request_operation(Operation.WAITING)
        except SignerAway:
            continue
        return connection
    return None


def require_signer(data_dir: Path) -> Connection:
    """The signer of a data folder, for a process that has no keys itself. Raises SignerAway."""
    signer = find_signer(data_dir)
    if signer is None:
        raise SignerAway("no signer answers this process")
    return signer
