# SPDX-License-Identifier: Apache-2.0
"""Declarations that warned people chose to send. They are received sealed and retained sealed for 30 days.

Only the health authority can open them; it writes its public key where `published_key` reads it. A message may be
invalid, which shows only when it is opened, so every message counts toward the limits. Beyond the limits a message
needs a solved puzzle in a header, because the body has no room for it. About the sender only the hour is stored.
Source: docs/protocol.md section 8.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from bluezone.keyserver.limits.limits import Limits
from bluezone.keyserver.securefiles import write_atomically
from bluezone.keyserver.storage.store import Store, Transaction
from bluezone.protocol.declaration import DECLARATION_SIZE, read_public_key
from bluezone.protocol.intervals import hour_at
from bluezone.protocol.upload import Status, UploadAnswer
from bluezone.protocol.upload.puzzle import CHALLENGE_LENGTH
from bluezone.refusal import Refused

RETENTION_HOURS = 30 * 24
# 51 MB. Even a million people who are warned at once send fewer; more are an attempt to fill the disk.
MOST_DECLARATIONS = 50_000
KEY_FILE = "declaration-key.pem"

_POINT_LENGTH = 65
_HANDLE_LENGTH = 16
_NONCE_LENGTH = 8
_NO_PUZZLE = bytes(CHALLENGE_LENGTH + _NONCE_LENGTH)


class DeclarationsClosed(Refused):
    """The health authority has made no key for declarations, so phones cannot seal any."""

    code = "declarations_closed"


class DeclarationsFull(Refused):
    """The server stores as many declarations as it may; there is room again when old ones expire."""

    code = "declarations_full"


@dataclass(frozen=True)
class SealedDeclaration:
    """One message. handle: 32 hex digits; received_hour: Unix seconds // 3600; message: 1,024 bytes as received."""

    handle: str
    received_hour: int
    message: bytes


@dataclass(frozen=True)
class Declarations:
    """The declarations of one city. store: of keys; data_dir: contains the public key; clock: Unix seconds."""

    store: Store
    data_dir: Path
    limits: Limits
    clock: Callable[[], float]

    def accept_declaration(self, message: bytes, network: bytes, puzzle: str = "") -> UploadAnswer:
        """Store a message for the health authority; a repeated message is stored once and answered ok.

        message: 1,024 bytes. network: of the sender, from `networks.network_of`.
        puzzle: 80 hex digits, challenge[32] and nonce[8], or empty.
        Returns ok, bad_request (it could not be opened) or puzzle_required.
        Raises DeclarationsClosed, DeclarationsFull, StoreRefused.
        """
        if published_key(self.data_dir) is None:
            raise DeclarationsClosed("this city accepts no declarations; call the hotline")
        solved = _puzzle(puzzle)
        challenge = self.limits.challenge_for(network, solved[:CHALLENGE_LENGTH], solved[CHALLENGE_LENGTH:])
        if challenge is not None:
            return UploadAnswer(status=Status.PUZZLE_REQUIRED, challenge=challenge)
        self.limits.count_call(network, invalid=True)
        if not _begins_with_a_point(message):
            return UploadAnswer(status=Status.BAD_REQUEST)
        row = (hashlib.sha256(message).digest()[:_HANDLE_LENGTH], message, hour_at(self.clock()))
        if not self.store.write(lambda transaction: _insert(transaction, row)):
            raise DeclarationsFull(f"{MOST_DECLARATIONS} declarations are stored, which is the most; call the hotline")
        return UploadAnswer(status=Status.OK)

    def list_declarations(self) -> list[tuple[str, int]]:
        """Handle and hour of arrival (Unix seconds // 3600) of every stored message, newest first."""
        rows = self.store.read("SELECT handle, received_hour FROM declaration ORDER BY received_hour DESC, handle")
        return [(bytes(handle).hex(), hour) for handle, hour in rows]

    def read_declaration(self, handle: str) -> SealedDeclaration | None:
        """The message of a handle, None if it is deleted or was never here."""
        try:
            key = bytes.fromhex(handle)
        except ValueError:
            return None
        rows = self.store.read("SELECT received_hour, message FROM declaration WHERE handle = ?", (key,))
        return SealedDeclaration(handle, rows[0][0], bytes(rows[0][1])) if rows else None


def purge_declarations(keys_store: Store, now: float) -> None:
    """Delete declarations after 30 days, opened or not. Call it under the service's lock."""
    before = hour_at(now) - RETENTION_HOURS
    keys_store.write(
        lambda transaction: transaction.execute("DELETE FROM declaration WHERE received_hour <= ?", (before,))
    )


def published_key(data_dir: Path) -> str | None:
    """The PEM of the key for the config's `declaration_key`, None if there is none. Raises InvalidDeclarationKey."""
    try:
        pem = (data_dir / KEY_FILE).read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return None
    read_public_key(pem)
    return pem


def publish_declaration_key(data_dir: Path, pem: str) -> None:
    """Put a key (PEM) into the next config, for the health authority's office. Raises InvalidDeclarationKey."""
    read_public_key(pem)
    write_atomically(data_dir / KEY_FILE, pem.encode("ascii"))


def _insert(transaction: Transaction, row: tuple[bytes, bytes, int]) -> bool:
    """Insert a declaration unless it is stored already; False if there is no room."""
    if transaction.execute("SELECT 1 FROM declaration WHERE handle = ?", (row[0],)):
        return True
    if transaction.execute("SELECT COUNT(*) FROM declaration")[0][0] >= MOST_DECLARATIONS:
        return False
    transaction.execute("INSERT INTO declaration VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row)
    return True


def _begins_with_a_point(message: bytes) -> bool:
    """Whether a message begins with a point of P-256, as every sealed message does; all other bytes look random."""
    assert len(message) == DECLARATION_SIZE
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), message[:_POINT_LENGTH])
    except ValueError:
        return False
    return message[0] == 4


def _puzzle(text: str) -> bytes:
    try:
        solution = bytes.fromhex(text)
    except ValueError:
        return _NO_PUZZLE
    return solution if len(solution) == len(_NO_PUZZLE) else _NO_PUZZLE
