# SPDX-License-Identifier: Apache-2.0
"""The Bluezone app of 2020: its identifiers and frames, and its list of confirmed cases (F0) with the match to a log.

This code exists so that the logs and phones of that time can still be read.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from operator import itemgetter

from bluezone.protocol.intervals import SECONDS_PER_DAY
from bluezone.protocol.signed.members import JsonMembers
from bluezone.refusal import Refused

KEY_LENGTH = 32
IDENTIFIER_LENGTH = 12
MILLISECONDS_PER_DAY = 86_400_000
SLOTS_PER_DAY = 96
MOST_SLOTS_PER_DAY = 1440
# A century: the chain is computed day by day, and a hostile date must not cost minutes.
MOST_DAYS = 36_525

SERVICE_UUID = 0x4E56
IPHONE_SERVICE_UUID = "00004E56-73F5-4BC4-A12F-17D1AD07A667"
IPHONE_CHARACTERISTIC_UUID = "00004E56-73F5-4BC4-A12F-17D1AD07A689"
COMPANY_ID = 0x22B5

_SUB_KEY_TEXT = b"bluzonesubkey"  # the original's spelling
_IDENTIFIER_PLACES = (0, 4, 8, 12, 16, 18, 20, 22, 24, 26, 28, 30)
# Types of advertising data (Bluetooth Assigned Numbers).
_FLAGS = 0x01
_SOME_UUIDS16 = 0x02
_ALL_UUIDS16 = 0x03
_SOME_UUIDS128 = 0x06
_ALL_UUIDS128 = 0x07
_MANUFACTURER = 0xFF
_SERVICE_BYTES = SERVICE_UUID.to_bytes(2, "little")
_IPHONE_SERVICE_BYTES = bytes.fromhex(IPHONE_SERVICE_UUID.replace("-", ""))[::-1]
_COMPANY_BYTES = COMPANY_ID.to_bytes(2, "little")


class InvalidBluezone2020(Refused):
    """The original app has no identifier for this key, slot count or moment."""

    code = "bluezone2020_invalid"


@dataclass(frozen=True, slots=True)
class BluezoneDay:
    """What the original app derives for the UTC day of one moment.

    daily_key, sub_key_0: 32 bytes each.
    identifiers:          12 bytes each, one per slot.
    starts_ms:            Unix milliseconds at which each slot begins.
    index:                slot of the moment. If the slot count does not divide the day, it is one too high in the
                          last milliseconds of the day.
    """

    daily_key: bytes
    sub_key_0: bytes
    identifiers: tuple[bytes, ...]
    starts_ms: tuple[int, ...]
    index: int

    @property
    def identifier(self) -> bytes:
        """The identifier sent at the moment. Raises InvalidBluezone2020 where the original fails as well."""
        if self.index >= len(self.identifiers):
            raise InvalidBluezone2020(f"slot {self.index} is past the day's {len(self.identifiers)} slots")
        return self.identifiers[self.index]


def bluezone_day(base: bytes, created_ms: int, at_ms: int, slots: int = SLOTS_PER_DAY) -> BluezoneDay:
    """Derive the identifiers of the UTC day of `at_ms`.

    base:       32 random bytes, made at created_ms (Unix milliseconds).
    slots:      identifiers a day, 2..1440; the app used 96, its first version with rotation 144.
    Raises InvalidBluezone2020.
    """
    check_slots(slots)
    key = daily_key(base, at_ms // MILLISECONDS_PER_DAY - created_ms // MILLISECONDS_PER_DAY)
    start_ms = at_ms // MILLISECONDS_PER_DAY * MILLISECONDS_PER_DAY
    step_ms = MILLISECONDS_PER_DAY // slots
    return BluezoneDay(
        daily_key=key,
        sub_key_0=first_sub_key(key),
        identifiers=tuple(day_identifiers(key, slots)),
        starts_ms=tuple(start_ms + slot * step_ms for slot in range(slots)),
        index=slot_at(at_ms, slots),
    )


def daily_key(base: bytes, days: int) -> bytes:
    """Return the key `days` UTC days after the day of `base`; for earlier days, like the original, `base` itself."""
    if len(base) != KEY_LENGTH:
        raise InvalidBluezone2020(f"base key is {len(base)} bytes, expected {KEY_LENGTH}")
    if days > MOST_DAYS:
        raise InvalidBluezone2020(f"{days} days after the base key, expected at most {MOST_DAYS}")
    for _ in range(days):
        base = sha256(base).digest()
    return base


def first_sub_key(daily: bytes) -> bytes:
    """Return the key of the first slot of a day."""
    return sha256(daily + _SUB_KEY_TEXT).digest()


def day_identifiers(daily: bytes, slots: int = SLOTS_PER_DAY) -> list[bytes]:
    """Return the identifiers of one day, 12 bytes each."""
    check_slots(slots)
    sub_key = first_sub_key(daily)
    identifiers = [identifier_of(sub_key)]
    for _ in range(slots - 1):
        sub_key = sha256(sub_key).digest()
        identifiers.append(identifier_of(sub_key))
    return identifiers


def identifier_of(sub_key: bytes) -> bytes:
    """Return 12 of a sub key's 32 bytes; for any other length, like the original, 12 zero bytes."""
    if len(sub_key) != KEY_LENGTH:
        return bytes(IDENTIFIER_LENGTH)
    return bytes(sub_key[place] for place in _IDENTIFIER_PLACES)


def slot_at(at_ms: int, slots: int = SLOTS_PER_DAY) -> int:
    """Return the slot of `at_ms` in its UTC day."""
    return at_ms % MILLISECONDS_PER_DAY // (MILLISECONDS_PER_DAY // slots)


def identifier_changed(before_ms: int, after_ms: int, slots: int = SLOTS_PER_DAY) -> bool:
    """Return the answer of the original app, which compares slots but not days: whole days later is "the same"."""
    return slot_at(before_ms, slots) != slot_at(after_ms, slots)


def check_slots(slots: int) -> None:
    """Refuse a slot count for which the original makes no identifiers (1), or which no phone had."""
    if not 2 <= slots <= MOST_SLOTS_PER_DAY:
        raise InvalidBluezone2020(f"{slots} slots a day, expected 2..{MOST_SLOTS_PER_DAY}")


def advertisement(identifier: bytes) -> bytes:
    """Return the frame of an Android phone of 2020: flags, service 0x4E56, the identifier as manufacturer data."""
    if len(identifier) != IDENTIFIER_LENGTH:
        raise InvalidBluezone2020(f"identifier is {len(identifier)} bytes, expected {IDENTIFIER_LENGTH}")
    return (
        bytes((2, _FLAGS, 0x1A, 3, _ALL_UUIDS16))
        + _SERVICE_BYTES
        + bytes((3 + IDENTIFIER_LENGTH, _MANUFACTURER))
        + _COMPANY_BYTES
        + identifier
    )


def identifier_in(advertising_data: bytes, *, as_iphone: bool = False) -> bytes | None:
    """Return the identifier in a frame, or None if the original would read none.

    as_iphone: read like the iPhone version, which checks neither the service nor the company.
    """
    structures = _structures(advertising_data)
    manufacturer = [content for kind, content in structures if kind == _MANUFACTURER]
    if not as_iphone:
        if not _names_service(structures, (_SOME_UUIDS16, _ALL_UUIDS16), _SERVICE_BYTES):
            return None
        manufacturer = [content for content in manufacturer if content.startswith(_COMPANY_BYTES)]
    if not manufacturer or len(manufacturer[0]) != len(_COMPANY_BYTES) + IDENTIFIER_LENGTH:
        return None
    return manufacturer[0][len(_COMPANY_BYTES) :]


def is_iphone_advertisement(advertising_data: bytes) -> bool:
    """Whether the iPhone version sent a frame: its identifier is not in the frame but in IPHONE_CHARACTERISTIC_UUID."""
    return _names_service(_structures(advertising_data), (_SOME_UUIDS128, _ALL_UUIDS128), _IPHONE_SERVICE_BYTES)


def _names_service(structures: list[tuple[int, bytes]], kinds: tuple[int, int], uuid: bytes) -> bool:
    for kind, content in structures:
        if kind not in kinds:
            continue
        if any(uuid == content[at : at + len(uuid)] for at in range(0, len(content), len(uuid))):
            return True
    return False


def _structures(advertising_data: bytes) -> list[tuple[int, bytes]]:
    """Return (type, content) of each structure up to the first that is empty or cut off."""
    structures = []
    position = 0
    while position < len(advertising_data):
        length = advertising_data[position]
        content = advertising_data[position + 1 : position + 1 + length]
        if length == 0 or len(content) < length:
            break
        structures.append((content[0], content[1:]))
        position += 1 + length
    return structures


# In the foreground a phone sent one identifier for up to 150 s, also after its slot had ended.
LATE_FRAME_MS = 150_000
# Days of all cases together; each takes a hundred hashes.
MOST_CASE_DAYS = 100_000
# Android wrote milliseconds and the iPhone seconds into the same column; as milliseconds this is March 1973.
_FIRST_MILLISECONDS = 10**11


class InvalidF0List(Refused):
    """Not a list of cases, or one that would take hours to match."""

    code = "f0_list_invalid"


@dataclass(frozen=True, slots=True)
class F0Case:
    """One confirmed case: the key of its first day, from which all later days follow.

    daily_key:  32 bytes; of another length the case matches nothing.
    start_seconds: start of the UTC day of daily_key; end_seconds: the search ends with the slot of this moment.
    slots:      identifiers a day.
    """

    daily_key: bytes
    start_seconds: int
    end_seconds: int
    slots: int


@dataclass(frozen=True, slots=True)
class Slot:
    """One identifier of a case and when it was current, both ends included, in Unix milliseconds."""

    identifier: bytes
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class F0Match:
    """A sighting of a case. case_row: its row in the list. sighting_row: its row in the log."""

    case_row: int
    slot: Slot
    sighting_row: int


def read_f0_list(text: bytes) -> tuple[F0Case, ...]:
    """Read the InfoF text of a push: `{"data": [{"daily_key", "time_start", "time_end", "max"}]}`.

    Raises InvalidF0List if it has another shape, or if its cases last over 100,000 days together.
    """
    cases = tuple(
        F0Case(
            daily_key=bytes.fromhex(entry.text("daily_key", r"([0-9A-Fa-f]{2})*")),
            start_seconds=entry.integer("time_start"),
            end_seconds=entry.integer("time_end"),
            slots=entry.integer("max", 2, MOST_SLOTS_PER_DAY),
        )
        for entry in JsonMembers.parse(text, InvalidF0List).each("data")
    )
    days = sum(max(case.end_seconds - case.start_seconds, 0) // SECONDS_PER_DAY + 1 for case in cases)
    if days > MOST_CASE_DAYS:
        raise InvalidF0List(f"the cases last {days} days together, expected at most {MOST_CASE_DAYS}")
    return cases


def case_slots(case: F0Case) -> Iterator[Slot]:
    """Yield every slot that the original searches for, including the one that begins at end_seconds."""
    if len(case.daily_key) != KEY_LENGTH:
        return
    check_slots(case.slots)
    key = case.daily_key
    start_ms = case.start_seconds * 1000
    step_ms = MILLISECONDS_PER_DAY // case.slots
    while True:
        for identifier in day_identifiers(key, case.slots):
            if start_ms > case.end_seconds * 1000:
                return
            yield Slot(identifier, start_ms, start_ms + step_ms)
            start_ms += step_ms
        key = sha256(key).digest()


def find_cases(
    cases: Sequence[F0Case], sightings: Iterable[tuple[bytes, int]], *, tolerant: bool = False
) -> list[F0Match]:
    """Return every sighting of a case, ordered by case, slot and time.

    sightings: (identifier of 12 bytes, time) rows of a log; the time in Unix milliseconds.
    tolerant:  also accept frames up to 150 s after their slot, which phones did send and the original never matches,
               and read the times that iPhones logged in seconds.
    Otherwise exactly the sightings that the original counts: within the slot, both ends included.
    """
    late_ms = LATE_FRAME_MS if tolerant else 0
    log: dict[bytes, list[tuple[int, int]]] = {}
    for row, (identifier, time) in enumerate(sightings):
        log.setdefault(identifier, []).append((_milliseconds(time) if tolerant else time, row))
    for times in log.values():
        times.sort()
    matches = []
    for case_row, case in enumerate(cases):
        for slot in case_slots(case):
            times = log.get(slot.identifier, [])
            first = bisect_left(times, slot.start_ms, key=itemgetter(0))
            after = bisect_right(times, slot.end_ms + late_ms, lo=first, key=itemgetter(0))
            matches += [F0Match(case_row, slot, row) for _, row in times[first:after]]
    return matches


def _milliseconds(time: int) -> int:
    return time if time >= _FIRST_MILLISECONDS else time * 1000
