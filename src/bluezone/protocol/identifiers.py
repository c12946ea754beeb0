# SPDX-License-Identifier: Apache-2.0
"""Rolling proximity identifiers, and the metadata encrypted beside them.

Source: protocol.md section 1; Exposure Notification Cryptography Specification v1.2 (Apple/Google, April 2020),
sections "Rolling Proximity Identifier Key", "Rolling Proximity Identifier", "Associated Encrypted Metadata Key"
and "Associated Encrypted Metadata".
"""

from functools import lru_cache
from hashlib import sha256

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from bluezone.protocol.keys import INTERVALS_PER_KEY, KEY_LENGTH, InvalidKey, check_key
from bluezone.protocol.metadata import METADATA_LENGTH, InvalidMetadata

IDENTIFIER_LENGTH = 16

_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))
_NO_SALT = bytes(64)


def identifier_key(key: bytes) -> bytes:
    """Return the 16-byte rolling proximity identifier key (RPIK) of a temporary exposure key."""
    return _derive(key, b"EN-RPIK")


def metadata_key(key: bytes) -> bytes:
    """Return the 16-byte associated encrypted metadata key (AEMK) of a temporary exposure key."""
    return _derive(key, b"EN-AEMK")


def rolling_proximity_identifiers(key: bytes, start: int, count: int = INTERVALS_PER_KEY) -> NDArray[np.uint8]:
    """Derive the identifiers a handset broadcast while `key` was current.

    key:    temporary exposure key, 16 bytes.
    start:  first interval number (ENIN: Unix seconds // 600), 0 <= start < 2**32 - count.
    count:  intervals the key was current, 1..144 (10 minutes each).
    Returns an array of shape (count, 16), dtype uint8, row i for interval start + i.
    Raises InvalidKey when the key, start or count is out of range.
    """
    check_key(key, start, count)
    return np.frombuffer(identifier_bytes(key, start, count), dtype=np.uint8).reshape(count, IDENTIFIER_LENGTH)


def identifier_bytes(key: bytes, start: int, count: int) -> bytes:
    """Return the same identifiers one after another, for callers that have checked key, start and count."""
    encryptor = Cipher(algorithms.AES(identifier_key(key)), modes.ECB()).encryptor()  # noqa: S305  the spec's PRF
    return encryptor.update(_padded_intervals(start, count))


def rolling_proximity_identifier(key: bytes, interval: int) -> bytes:
    """Derive the one identifier of `key` for `interval`, 16 bytes. Raises InvalidKey."""
    return rolling_proximity_identifiers(key, interval, 1).tobytes()


def crypt_metadata(key: bytes, identifier: bytes, metadata: bytes) -> bytes:
    """Encrypt or decrypt the 4 metadata bytes sent beside `identifier` (AES-CTR: the same operation).

    key:        temporary exposure key, 16 bytes.
    identifier: the rolling proximity identifier it travelled with, 16 bytes, used as initial counter.
    Raises InvalidKey, InvalidMetadata.
    """
    if len(identifier) != IDENTIFIER_LENGTH:
        raise InvalidKey(f"identifier is {len(identifier)} bytes, expected {IDENTIFIER_LENGTH}")
    if len(metadata) != METADATA_LENGTH:
        raise InvalidMetadata(f"metadata is {len(metadata)} bytes, expected {METADATA_LENGTH}")
    encryptor = Cipher(algorithms.AES(metadata_key(key)), modes.CTR(identifier)).encryptor()
    return encryptor.update(metadata)


@lru_cache(maxsize=64)
def _padded_intervals(start: int, count: int) -> bytes:
    """Return the plaintext blocks of `count` intervals; keys of one day share them."""
    blocks = np.zeros((count, IDENTIFIER_LENGTH), dtype=np.uint8)
    blocks[:, :6] = np.frombuffer(b"EN-RPI", dtype=np.uint8)
    blocks[:, 12:] = np.arange(start, start + count, dtype="<u4")[:, None].view(np.uint8)
    return blocks.tobytes()


def _derive(key: bytes, info: bytes) -> bytes:
    """HKDF-SHA256 without salt, first 16 bytes: one extract and one expand block.

    HMAC is written out here because hmac.digest sets itself up anew each time, which is half the work of a match.
    """
    if len(key) != KEY_LENGTH:
        raise InvalidKey(f"key is {len(key)} bytes, expected {KEY_LENGTH}")
    extracted = _hmac(_NO_SALT, key).ljust(64, b"\0")
    return _hmac(extracted, info + b"\x01")[:KEY_LENGTH]


def _hmac(block: bytes, message: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104) under a key already padded to one block of 64 bytes."""
    inner = sha256(block.translate(_INNER_PAD) + message).digest()
    return sha256(block.translate(_OUTER_PAD) + inner).digest()
