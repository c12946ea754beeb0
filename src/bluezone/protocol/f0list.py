# SPDX-License-Identifier: Apache-2.0
"""The list of confirmed cases (F0) of the Bluezone app of 2020, and matching it with a phone's log of sightings."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from operator import itemgetter

from bluezone.protocol.bluezone2020 import (
    KEY_LENGTH,
    MILLISECONDS_PER_DAY,
    MOST_SLOTS_PER_DAY,
    check_slots,
    day_identifiers,
)
from bluezone.protocol.intervals import SECONDS_PER_DAY
from bluezone.protocol.signed.members import JsonMembers
from bluezone.refusal import Refused

# With the app in the foreground, a phone sent each identifier for up to 150 s, even if its slot ended in the meantime.
LATE_FRAME_MS = 150_000
# Days of all cases together; each day takes a hundred hashes or more.
MOST_CASE_DAYS = 100_000
# Android phones logged milliseconds and iPhones seconds in the same column. In milliseconds, this is March 1973.
_FIRST_MILLISECONDS = 10**11


class InvalidF0List(Refused):
    """Not a list of cases, or one that would take hours to match."""

    code = "f0_list_invalid"


@dataclass(frozen=True, slots=True)
class F0Case:
    """One confirmed case: the key of its first day, from which all later days follow.

    daily_key:  32 bytes; a case with a key of another length matches nothing.
    start_seconds: start of the UTC day of daily_key, in Unix seconds.
    end_seconds: a moment in the last slot to search, in Unix seconds.
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

    Raises InvalidF0List if it has another shape, or if its cases together last more than 100,000 days.
    """
    cases = tuple(
        F0Case(
            daily_key=bytes.fromhex(entry.text("daily_key", r"([0-9A-Fa-f]{2})*")),
            start_seconds=entry.integer("time_start"),
            end_seconds=entry.integer("time_end"),
            slots=entry.integer("max", 2, MOST_SLOTS_PER_DAY),
        )
        for entry in JsonMembers.parse(text, InvalidF0List).nested_list("data")
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

    sightings: (identifier of 12 bytes, Unix milliseconds) for each row of a log.
    tolerant:  False for exactly the matches of the original: sightings within the slot, both ends included.
               True to match also frames up to 150 s after their slot, which phones did send, and to accept times that
               iPhones logged in seconds.
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
