# SPDX-License-Identifier: Apache-2.0
"""The reciprocity frame: a phone tells its neighbours how it heard them, readable later with a published key only.

Until the sender's key is published, no one can read, link or forge an entry, not even the neighbour it is addressed to.
Then anyone who recorded the frame and the neighbour's identifier can read how the sender heard that neighbour.
Source: docs/protocol.md section 2, "Reciprocity frame".
"""

import hmac
import struct
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from bluezone.protocol.identifiers import IDENTIFIER_LENGTH, derive_key

TYPE = 0x03
BINDING_LENGTH = 4  # the first bytes of the sender's identifier
NONCE_LENGTH = 2
ENTRIES = 4
MASKED_LENGTH = 1
MAC_LENGTH = 3
ENTRY_LENGTH = MASKED_LENGTH + MAC_LENGTH
ENTRIES_AT = 1 + BINDING_LENGTH + NONCE_LENGTH
FRAME_LENGTH = ENTRIES_AT + ENTRIES * ENTRY_LENGTH
WEAKEST_DBM = -128
STRONGEST_DBM = 127

NeighbourLevel = tuple[bytes, int]
"""A neighbour's identifier, 16 bytes, and how strongly it was heard in dBm, the receiver's correction included."""


@lru_cache(maxsize=64)
def reciprocity_key(key: bytes) -> bytes:
    """Derive the 16-byte key for the frames of a phone with this temporary exposure key. Raises InvalidKey."""
    return derive_key(key, b"BZ-RECIP")


def encode_reciprocity_frame(
    key: bytes, identifier: bytes, nonce: bytes, heard: Sequence[NeighbourLevel], random_bytes: Callable[[int], bytes]
) -> bytes:
    """Write one frame, 23 bytes.

    key:         as `reciprocity_key` derives it. identifier: the sender's current identifier, 16 bytes.
    nonce:       2 bytes; reuse it with the same identifier only for the same levels.
    heard:       at most four neighbours; levels outside -128..127 dBm are clamped. Unused entries are random.
    Raises ValueError, not a refusal, for other lengths: only a mistake in the caller's code can cause them.
    """
    if len(identifier) != IDENTIFIER_LENGTH or len(nonce) != NONCE_LENGTH or len(heard) > ENTRIES:
        raise ValueError(f"identifier {len(identifier)}, nonce {len(nonce)} bytes, {len(heard)} neighbours")
    entries = [_entry(key, identifier, nonce, neighbour, level_dbm) for neighbour, level_dbm in heard]
    filler = random_bytes((ENTRIES - len(entries)) * ENTRY_LENGTH)
    return bytes([TYPE]) + identifier[:BINDING_LENGTH] + nonce + b"".join(entries) + filler


def is_reciprocity_frame(data: bytes) -> bool:
    """Whether this can be a reciprocity frame; nothing else in it can be checked before its key is known."""
    return len(data) == FRAME_LENGTH and data[0] == TYPE


def identifier_prefix(frame: bytes) -> bytes:
    """Return the first 4 bytes of the sender's identifier."""
    return frame[1 : 1 + BINDING_LENGTH]


def open_reciprocity_frame(key: bytes, identifier: bytes, frame: bytes, own: Iterable[bytes]) -> int | None:
    """Return how strongly the sender heard this phone, -128..127 dBm, or None if no entry is for this phone.

    key:        `reciprocity_key` of the sender's published key. identifier: the sender's, 16 bytes.
    own:        identifiers that this phone may have broadcast at that time, 16 bytes each.
    """
    if not is_reciprocity_frame(frame) or identifier_prefix(frame) != identifier[:BINDING_LENGTH]:
        return None
    nonce = frame[1 + BINDING_LENGTH : ENTRIES_AT]
    for mine in own:
        mask = _mask(key, identifier, nonce, mine)
        for at in range(ENTRIES_AT, FRAME_LENGTH, ENTRY_LENGTH):
            value = bytes([frame[at] ^ mask])
            tag = frame[at + MASKED_LENGTH : at + ENTRY_LENGTH]
            if hmac.compare_digest(_mac(key, identifier, nonce, mine, value), tag):
                (level_dbm,) = struct.unpack("b", value)
                return int(level_dbm)
    return None


def _entry(key: bytes, identifier: bytes, nonce: bytes, neighbour: bytes, level_dbm: int) -> bytes:
    value = struct.pack("b", min(max(level_dbm, WEAKEST_DBM), STRONGEST_DBM))
    masked = value[0] ^ _mask(key, identifier, nonce, neighbour)
    return bytes([masked]) + _mac(key, identifier, nonce, neighbour, value)


def _mask(key: bytes, identifier: bytes, nonce: bytes, neighbour: bytes) -> int:
    return hmac.digest(key, b"m" + identifier + nonce + neighbour, "sha256")[0]


def _mac(key: bytes, identifier: bytes, nonce: bytes, neighbour: bytes, value: bytes) -> bytes:
    return hmac.digest(key, b"t" + identifier + nonce + neighbour + value, "sha256")[:MAC_LENGTH]
