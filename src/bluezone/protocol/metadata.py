# SPDX-License-Identifier: Apache-2.0
"""The four metadata bytes that travel encrypted beside an identifier, and the attenuation read from them.

Byte 0 holds the version (bits 7-6 major, 5-4 minor) and the calibration confidence (bits 3-2), byte 1 the
effective transmit power as a signed dBm figure, bytes 2-3 are zero.

Source: protocol.md sections 1 and 2; specs/exposure-notification.md section 2.
"""

import struct
from dataclasses import dataclass

from bluezone.refusal import Refused

METADATA_LENGTH = 4
MAJOR_VERSION = 1
WEAKEST_TRANSMIT_POWER_DBM = -50
STRONGEST_TRANSMIT_POWER_DBM = 20


class InvalidMetadata(Refused):
    """Not four metadata bytes, or values they cannot carry."""

    code = "metadata_invalid"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a phone says about its radio.

    transmit_power_dbm: effective power, -128..127; beyond -50..20 receivers make no attenuation of it.
    confidence:         calibration confidence 0 (none) .. 3 (high).
    major, minor:       version, 0..3 each; 1.0 is sent.
    Raises InvalidMetadata when a value does not fit its field.
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
        """Read 4 decrypted bytes of any version; reserved bits are not looked at. Raises InvalidMetadata."""
        if len(metadata) != METADATA_LENGTH:
            raise InvalidMetadata(f"metadata is {len(metadata)} bytes, expected {METADATA_LENGTH}")
        first, transmit_power_dbm = struct.unpack_from(">Bb", metadata)
        return cls(transmit_power_dbm, confidence=first >> 2 & 3, major=first >> 6, minor=first >> 4 & 3)


def attenuation_db(metadata: bytes, rssi_dbm: int) -> int | None:
    """Return how much weaker a frame arrived than it was sent, in whole dB >= 0.

    metadata: decrypted, 4 bytes, or empty when the frame carried none.
    rssi_dbm: received strength, corrected for the receiver.
    Returns None where none can be told: empty, a major version other than 1 (also what a wrong key makes of the
    bytes three times in four), or a transmit power outside -50..20 dBm. Raises InvalidMetadata for another length.
    """
    if not metadata:
        return None
    read = Metadata.from_bytes(metadata)
    if read.major != MAJOR_VERSION:
        return None
    if not WEAKEST_TRANSMIT_POWER_DBM <= read.transmit_power_dbm <= STRONGEST_TRANSMIT_POWER_DBM:
        return None
    return max(read.transmit_power_dbm - rssi_dbm, 0)
