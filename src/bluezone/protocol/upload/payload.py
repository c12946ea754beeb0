# SPDX-License-Identifier: Apache-2.0
"""The content of an upload: keys and venue slots, the commitment to both, and their limits."""

import hashlib
import itertools
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bluezone.protocol.intervals import INTERVALS_PER_DAY, day_of
from bluezone.protocol.keys import KEY_LENGTH
from bluezone.refusal import Refused

MAX_KEYS = 15
MAX_HIGH_KEYS = 6
# How many days old a key in an upload may be. Servers retain published keys, and phones encounters, for the same time.
MAX_KEY_AGE_DAYS = 14
MAX_SLOTS = 80
MAX_SLOTS_PER_HOUR = 3
SLOT_KEY_LENGTH = 32
SALT_LENGTH = 32

STANDARD = 1
HIGH = 2

# Exports contain these values instead of the true days, so that they do not reveal the day of onset (docs/protocol.md
# section 5).
_DAYS_SINCE_ONSET = {HIGH: 0, STANDARD: 7}

_KEY = struct.Struct(f">{KEY_LENGTH}sIHB")
_SLOT = struct.Struct(f">I{SLOT_KEY_LENGTH}sBB")
_COUNT = struct.Struct(">H")
KEY_SIZE = _KEY.size
SLOT_SIZE = _SLOT.size


class KeysRefused(Refused):
    """Keys or slots exceed the limits of docs/protocol.md section 4; nothing of the upload is accepted."""

    code = "keys_refused"


@dataclass(frozen=True)
class UploadKey:
    """A temporary exposure key with the infectiousness that its owner computed.

    key:    16 bytes.
    start:  first interval, a multiple of 144.
    period: intervals, always 144.
    level:  1 standard, 2 high.
    Raises KeysRefused for values that cannot be encoded; `check_keys` decides what a server accepts.
    """

    key: bytes = field(repr=False)
    start: int
    period: int
    level: int

    def __post_init__(self) -> None:
        if len(self.key) != KEY_LENGTH:
            raise KeysRefused(f"a key is {len(self.key)} bytes, expected {KEY_LENGTH}")
        if not (0 <= self.start < 2**32 and 0 <= self.period < 2**16 and 0 <= self.level < 2**8):
            raise KeysRefused("a key's start, period or level does not fit its field")

    def to_bytes(self) -> bytes:
        """Return the 23 bytes of this key in an upload and in the input of the commitment."""
        return _KEY.pack(self.key, self.start, self.period, self.level)


@dataclass(frozen=True)
class Slot:
    """One venue in one hour.

    hour:         Unix seconds // 3600.
    slot_key:     32 bytes, K_h of docs/protocol.md section 6.
    start_minute: 0..59; end_minute: 1..60, exclusive.
    Raises KeysRefused for values that cannot be encoded; `check_slots` decides what a server accepts.
    """

    hour: int
    slot_key: bytes = field(repr=False)
    start_minute: int
    end_minute: int

    def __post_init__(self) -> None:
        if len(self.slot_key) != SLOT_KEY_LENGTH:
            raise KeysRefused(f"a slot key is {len(self.slot_key)} bytes, expected {SLOT_KEY_LENGTH}")
        if not (0 <= self.hour < 2**32 and 0 <= self.start_minute < 2**8 and 0 <= self.end_minute < 2**8):
            raise KeysRefused("a slot's hour or minutes do not fit their fields")

    def to_bytes(self) -> bytes:
        """Return the 38 bytes of this slot in an upload and in the input of the commitment."""
        return _SLOT.pack(self.hour, self.slot_key, self.start_minute, self.end_minute)

    @property
    def end_unix_seconds(self) -> int:
        """The end of the slot, exclusive, in Unix seconds."""
        return self.hour * 3600 + self.end_minute * 60


def key_order(key: UploadKey) -> tuple[int, bytes]:
    """Return the sort key for the order of keys in an upload: first interval, then key."""
    return key.start, key.key


def encode_keys(keys: Iterable[UploadKey]) -> bytes:
    """Return `u16 count || keys`, sorted, so that the order reveals nothing about the phone."""
    encoded = [key.to_bytes() for key in sorted(keys, key=key_order)]
    return _COUNT.pack(len(encoded)) + b"".join(encoded)


def encode_slots(slots: Iterable[Slot]) -> bytes:
    """Return `u16 count || slots`, sorted by their bytes, of which the first are the hour."""
    encoded = sorted(slot.to_bytes() for slot in slots)
    return _COUNT.pack(len(encoded)) + b"".join(encoded)


def decode_keys(data: bytes) -> tuple[UploadKey, ...]:
    """Return the keys in a result of `encode_keys`, in the same order. data: the result without the count."""
    return tuple(UploadKey(*fields) for fields in _KEY.iter_unpack(data))


def decode_slots(data: bytes) -> tuple[Slot, ...]:
    """Return the slots in a result of `encode_slots`, in the same order. data: the result without the count."""
    return tuple(Slot(*fields) for fields in _SLOT.iter_unpack(data))


def commitment(salt: bytes, keys: Iterable[UploadKey], slots: Iterable[Slot]) -> bytes:
    """Return M, the 32 bytes that a certificate signs, so that it is valid only for an upload of these keys and slots.

    salt: 32 random bytes, so that no one can find out keys and slots from M by guessing.

    Source: docs/protocol.md section 4.
    """
    return hashlib.sha256(b"BZ-UP-v1" + salt + encode_keys(keys) + encode_slots(slots)).digest()


def infectious_level(day: int, onset_day: int) -> int | None:
    """Return how infectious a case was on a day: 2 high, 1 standard, None for days with no key to upload.

    Both days are UTC days since 1970-01-01. Source: docs/protocol.md section 4, Infectious window.
    """
    distance = day - onset_day
    if -2 <= distance <= 3:
        return HIGH
    if -4 <= distance <= 9:
        return STANDARD
    return None


def days_since_onset(level: int) -> int:
    """Return the `days_since_onset` with which a key of this level is published: 0 for high, 7 for standard."""
    return _DAYS_SINCE_ONSET[level]


def check_keys(keys: Sequence[UploadKey], today: int) -> None:
    """Raise KeysRefused unless the keys of one upload are valid, sorted and within the limits.

    today: UTC day since 1970-01-01 at the server. Whether a key is already stored or published, the caller checks.
    Source: docs/protocol.md section 4; docs/rules/key-validation.md.
    """
    if len(keys) > MAX_KEYS:
        raise KeysRefused(f"got {len(keys)} keys, expected at most {MAX_KEYS}")
    for key in keys:
        _check_key(key, today)
    high = sum(key.level == HIGH for key in keys)
    if high > MAX_HIGH_KEYS:
        raise KeysRefused(f"got {high} keys of high infectiousness, expected at most {MAX_HIGH_KEYS}")
    for earlier, later in itertools.pairwise(keys):
        if earlier.start == later.start:
            raise KeysRefused(f"got two keys that start at interval {later.start}, expected one key a day")
        if earlier.start > later.start:
            raise KeysRefused("keys are not sorted by start")
    if len({key.key for key in keys}) != len(keys):
        raise KeysRefused("got the same key for two days, expected independent keys")


def _check_key(key: UploadKey, today: int) -> None:
    if key.period != INTERVALS_PER_DAY:
        raise KeysRefused(f"a key has a period of {key.period} intervals, expected {INTERVALS_PER_DAY}")
    if key.start % INTERVALS_PER_DAY:
        raise KeysRefused(f"a key starts at interval {key.start}, expected a multiple of {INTERVALS_PER_DAY}")
    age = today - day_of(key.start)
    if not 0 <= age <= MAX_KEY_AGE_DAYS:
        raise KeysRefused(f"a key is {age} days old, expected 0..{MAX_KEY_AGE_DAYS}")
    if key.level not in _DAYS_SINCE_ONSET:
        raise KeysRefused(f"a key has level {key.level}, expected {STANDARD} or {HIGH}")


def check_slots(slots: Sequence[Slot], now: int) -> None:
    """Raise KeysRefused unless the venue slots of one upload are valid, sorted and within the limits.

    now: Unix seconds at the server. Source: docs/protocol.md section 4.
    """
    if len(slots) > MAX_SLOTS:
        raise KeysRefused(f"got {len(slots)} slots, expected at most {MAX_SLOTS}")
    per_hour: dict[int, int] = {}
    for slot in slots:
        if not 0 <= slot.start_minute < slot.end_minute <= 60:
            raise KeysRefused(f"a slot lasts from minute {slot.start_minute} to {slot.end_minute}, expected 0..60")
        if slot.end_unix_seconds > now:
            raise KeysRefused("a slot has not ended yet")
        per_hour[slot.hour] = per_hour.get(slot.hour, 0) + 1
        if per_hour[slot.hour] > MAX_SLOTS_PER_HOUR:
            raise KeysRefused(f"got more than {MAX_SLOTS_PER_HOUR} slots in one hour")
    encoded = [slot.to_bytes() for slot in slots]
    if any(earlier >= later for earlier, later in itertools.pairwise(encoded)):
        raise KeysRefused("slots are not sorted, or the same slot is there twice")
