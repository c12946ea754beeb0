# SPDX-License-Identifier: Apache-2.0
"""Temporary exposure keys, which a phone makes each day and keeps secret, and the diagnosis keys published from them.

Source: docs/protocol.md section 1; Exposure Notification Cryptography Specification v1.2.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

from bluezone.protocol.intervals import INTERVALS_PER_DAY, day_of, first_interval
from bluezone.refusal import Refused

KEY_LENGTH = 16
INTERVALS_PER_KEY = INTERVALS_PER_DAY


class InvalidKey(Refused):
    """Not a temporary exposure key, or a range of intervals that no key can have."""

    code = "key_invalid"


class ReportType(IntEnum):
    """The kind of diagnosis behind a published key (export.proto, field report_type)."""

    UNKNOWN = 0
    CONFIRMED_TEST = 1
    CONFIRMED_CLINICAL = 2
    SELF_REPORT = 3
    RECURSIVE = 4
    REVOKED = 5


def check_key(key: bytes, start: int, count: int) -> None:
    """Refuse a key that is not 16 bytes or does not cover 1..144 intervals within 32 bits, with InvalidKey."""
    if len(key) != KEY_LENGTH:
        raise InvalidKey(f"key is {len(key)} bytes, expected {KEY_LENGTH}")
    if not 1 <= count <= INTERVALS_PER_KEY:
        raise InvalidKey(f"count is {count} intervals, expected 1..{INTERVALS_PER_KEY}")
    if not 0 <= start < 2**32 - count:
        raise InvalidKey(f"start interval {start} does not fit in 32 bits")


@dataclass(frozen=True, slots=True)
class TemporaryExposureKey:
    """The key from which a phone derives its identifiers.

    key:     16 bytes; left out of repr, so that no log can contain it.
    start:   first interval number of the key; a phone's own keys start on a multiple of 144.
    period:  number of intervals for which it was current, 1..144.
    Raises InvalidKey if one of them is out of range.
    """

    key: bytes = field(repr=False)
    start: int
    period: int = INTERVALS_PER_KEY

    def __post_init__(self) -> None:
        check_key(self.key, self.start, self.period)

    @property
    def end(self) -> int:
        """First interval number after the key."""
        return self.start + self.period

    @property
    def day(self) -> int:
        """UTC day since 1970-01-01 of the key's start."""
        return day_of(self.start)


@dataclass(frozen=True, slots=True)
class DiagnosisKey:
    """A key as read from an export file, unchanged: files of other servers have odd starts and periods.

    key:     16 bytes (public once published).
    start, period: as in the file, not checked; matching derives identifiers only for values in range.
    report_type, days_since_onset, transmission_risk_level: None if absent from the file.
    """

    key: bytes
    start: int
    period: int = INTERVALS_PER_KEY
    report_type: int | None = None
    days_since_onset: int | None = None
    transmission_risk_level: int | None = None


def new_key(day: int, random_bytes: Callable[[int], bytes] = os.urandom) -> TemporaryExposureKey:
    """Make the key of UTC day `day`, independent of every other key."""
    return TemporaryExposureKey(random_bytes(KEY_LENGTH), first_interval(day))
