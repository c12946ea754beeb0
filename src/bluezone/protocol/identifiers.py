# SPDX-License-Identifier: Apache-2.0
"""Rolling proximity identifiers, and the four encrypted metadata bytes that are sent with each.

Source: Exposure Notification Cryptography Specification v1.2 (Apple/Google, April 2020).
"""

import struct
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from bluezone.protocol.keys import INTERVALS_PER_KEY, KEY_LENGTH, InvalidKey, check_key
from bluezone.protocol.primitives import apply_counter, encrypt_blocks
from bluezone.refusal import Refused

METADATA_LENGTH = 4
MAJOR_VERSION = 1
WEAKEST_TRANSMIT_POWER_DBM = -50
STRONGEST_TRANSMIT_POWER_DBM = 20

IDENTIFIER_LENGTH = 16

_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))
_NO_SALT = bytes(64)


class InvalidMetadata(Refused):
    """Metadata that is not 4 bytes, or a value that does not fit in its field."""

    code = "metadata_invalid"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a phone sends about its radio.

    transmit_power_dbm: effective power, -128..127; outside -50..20 receivers compute no attenuation.
    confidence:         calibration confidence 0 (none) .. 3 (high).
    major, minor:       version, 0..3 each; phones send 1.0.
    Raises InvalidMetadata if a value does not fit its field.
    """

    transmit_power_dbm: int
    confidence: int = 0
    major: int = MAJOR_VERSION
    minor: int = 0

    def __post_init__(self) -> None:
        if not -128 <= self.transmit_power_dbm <= 127:
            raise InvalidMetadata(f"transmit power is {self.transmit_power_dbm} dBm, expected -128..127")
        for name in ("confidence", "major", "minor"):
            if not 0 <= getattr(self, name) <= 3:
                raise InvalidMetadata(f"{name} is {getattr(self, name)}, expected 0..3")

    def to_bytes(self) -> bytes:
        """Return the 4 bytes before encryption."""
        first = self.major << 6 | self.minor << 4 | self.confidence << 2
        return struct.pack(">Bb2x", first, self.transmit_power_dbm)

    @classmethod
    def from_bytes(cls, metadata: bytes) -> "Metadata":
        """Read 4 decrypted bytes of any version; reserved bits are ignored. Raises InvalidMetadata."""
        if len(metadata) != METADATA_LENGTH:
            raise InvalidMetadata(f"metadata is {len(metadata)} bytes, expected {METADATA_LENGTH}")
        first, transmit_power_dbm = struct.unpack_from(">Bb", metadata)
        return cls(transmit_power_dbm, confidence=first >> 2 & 3, major=first >> 6, minor=first >> 4 & 3)


def attenuation_db(metadata: bytes, rssi_dbm: int) -> int | None:
    """Return how much weaker a frame was received than sent, in whole dB >= 0.

    metadata: decrypted, 4 bytes, or empty if the frame carried none.
    rssi_dbm: received strength, corrected for the receiver.
    Returns None without metadata, for a major version other than 1 (decryption with a wrong key gives one in three
    cases out of four), and for a transmit power outside -50..20 dBm.
    Raises InvalidMetadata for metadata of another length.
    """
    if not metadata:
        return None
    radio = Metadata.from_bytes(metadata)
    if radio.major != MAJOR_VERSION:
        return None
    if not WEAKEST_TRANSMIT_POWER_DBM <= radio.transmit_power_dbm <= STRONGEST_TRANSMIT_POWER_DBM:
        return None
    return max(radio.transmit_power_dbm - rssi_dbm, 0)


def identifier_key(key: bytes) -> bytes:
    """Return the 16-byte rolling proximity identifier key (RPIK) of a temporary exposure key."""
    return derive_key(key, b"EN-RPIK")


def metadata_key(key: bytes) -> bytes:
    """Return the 16-byte associated encrypted metadata key (AEMK) of a temporary exposure key."""
    return derive_key(key, b"EN-AEMK")


def rolling_proximity_identifiers(key: bytes, start: int, count: int = INTERVALS_PER_KEY) -> list[bytes]:
    """Derive the identifiers that a phone broadcast while `key` was current.

    key:    temporary exposure key, 16 bytes.
    start:  first interval number (ENIN: Unix seconds // 600), 0 <= start < 2**32 - count.
    count:  number of intervals for which the key was current, 1..144 (10 minutes each).
    Returns `count` identifiers of 16 bytes, number i for interval start + i.
    Raises InvalidKey if the key, start or count is out of range.
    """
    check_key(key, start, count)
    joined = identifier_bytes(key, start, count)
    return [joined[at : at + IDENTIFIER_LENGTH] for at in range(0, len(joined), IDENTIFIER_LENGTH)]


def identifier_bytes(key: bytes, start: int, count: int) -> bytes:
    """Return the result of `rolling_proximity_identifiers` as one bytes object, without checking the arguments."""
    return encrypt_blocks(identifier_key(key), _padded_intervals(start, count))


def rolling_proximity_identifier(key: bytes, interval: int) -> bytes:
    """Derive the identifier of `key` for `interval`, 16 bytes. Raises InvalidKey."""
    return rolling_proximity_identifiers(key, interval, 1)[0]


def crypt_metadata(key: bytes, identifier: bytes, metadata: bytes) -> bytes:
    """Encrypt or decrypt the 4 metadata bytes sent with `identifier` (AES-CTR: the same operation).

    key:        temporary exposure key, 16 bytes.
    identifier: the rolling proximity identifier of the same frame, 16 bytes, used as initial counter.
    Raises InvalidKey, InvalidMetadata.
    """
    if len(identifier) != IDENTIFIER_LENGTH:
        raise InvalidKey(f"identifier is {len(identifier)} bytes, expected {IDENTIFIER_LENGTH}")
    if len(metadata) != METADATA_LENGTH:
        raise InvalidMetadata(f"metadata is {len(metadata)} bytes, expected {METADATA_LENGTH}")
    return apply_counter(metadata_key(key), identifier, metadata)


@lru_cache(maxsize=64)
def _padded_intervals(start: int, count: int) -> bytes:
    """Return the plaintext blocks of `count` intervals, cached because all keys of one day have the same."""
    return b"".join([struct.pack("<6s6xI", b"EN-RPI", interval) for interval in range(start, start + count)])


def derive_key(key: bytes, info: bytes) -> bytes:
    """Derive 16 bytes from a temporary exposure key for the purpose `info`: HKDF-SHA256 without salt.

    Raises InvalidKey.

    HMAC is computed with sha256 here, because the set-up in each call of hmac.digest would be half the work of a match.
    """
    if len(key) != KEY_LENGTH:
        raise InvalidKey(f"key is {len(key)} bytes, expected {KEY_LENGTH}")
    extracted = _hmac(_NO_SALT, key).ljust(64, b"\0")
    return _hmac(extracted, info + b"\x01")[:KEY_LENGTH]


def _hmac(block: bytes, message: bytes) -> bytes:
    """HMAC-SHA256 (RFC 2104) under a key already padded to one block of 64 bytes."""
    inner = sha256(block.translate(_INNER_PAD) + message).digest()
    return sha256(block.translate(_OUTER_PAD) + inner).digest()
