# SPDX-License-Identifier: Apache-2.0
"""From a stay at a venue to the slots that a case uploads: with time for the aerosol, by hour, within the limits.

Source: docs/protocol.md sections 4 (bounds) and 6; docs/venues.md, "What is reported", also for the Corona-Warn-App's
deriveTime.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from bluezone.protocol.intervals import SECONDS_PER_HOUR, hour_at
from bluezone.protocol.upload.payload import MAX_SLOTS, MAX_SLOTS_PER_HOUR, Slot

SHORTEST_STAY_MINUTES = 10
# How long after a stay its last slot may end: 30 minutes in which aerosol remains, and rounding to ten minutes.
TAIL_SECONDS = 40 * 60
_LONGEST_AEROSOL_SECONDS = 30 * 60
_STEP = 600


def infectious_time(start: int, end: int) -> tuple[int, int] | None:
    """Return the time in which a case's stay could infect others, while aerosol remains, in steps of ten minutes.

    start, end: of the stay, Unix seconds.
    Returns start and end in Unix seconds, or None for a stay under ten minutes.
    """
    duration = end - start
    minutes = duration // 60
    if minutes < SHORTEST_STAY_MINUTES:
        return None
    tail = duration if minutes <= _LONGEST_AEROSOL_SECONDS // 60 else _LONGEST_AEROSOL_SECONDS
    until = end + tail
    first = start // _STEP * _STEP
    last = until // _STEP * _STEP
    rounded = (duration + tail + _STEP // 2) // _STEP * _STEP
    if until - last > first + _STEP - start:
        return last + _STEP - rounded, last + _STEP
    return first, first + rounded


def hours_of_stay(start: float, end: float) -> range:
    """Return the hours in which the slots of a stay may be. start, end: of the stay, Unix seconds."""
    return range(hour_at(start), hour_at(end + TAIL_SECONDS) + 1)


def split_by_hour(start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield (hour, start minute, end minute) for each hour of a time. start, end: Unix seconds, end exclusive."""
    for hour in range(hour_at(start), hour_at(end) + 1):
        start_minute = max(start - hour * SECONDS_PER_HOUR, 0) // 60
        end_minute = min(end - hour * SECONDS_PER_HOUR, SECONDS_PER_HOUR) // 60
        if start_minute < end_minute:
            yield hour, start_minute, end_minute


def slots_of_stay(start: float, end: float, keys: Mapping[int, bytes], now: float) -> list[Slot]:
    """Return the slots with which one stay is reported, none of them after `now`.

    start, end, now: Unix seconds. keys: K_h by hour; hours without a key are left out.
    """
    infectious = infectious_time(int(start), int(end))
    if infectious is None:
        return []
    first, last = infectious
    until = min(last, int(now) // 60 * 60)
    return [Slot(hour, keys[hour], *minutes) for hour, *minutes in split_by_hour(first, until) if hour in keys]


def limit_to_upload(slots: Iterable[Slot]) -> tuple[Slot, ...]:
    """Return the slots for one upload, sorted: the 3 longest of each hour, and of these the 80 latest.

    Slots of one venue that touch are joined first. Source: docs/protocol.md section 4.
    """
    by_hour: dict[int, list[Slot]] = defaultdict(list)
    for slot in _joined(slots):
        by_hour[slot.hour].append(slot)
    latest: list[Slot] = []
    for hour in sorted(by_hour, reverse=True):
        longest = sorted(by_hour[hour], key=lambda slot: (slot.start_minute - slot.end_minute, slot.to_bytes()))
        latest += longest[:MAX_SLOTS_PER_HOUR]
    return tuple(sorted(latest[:MAX_SLOTS], key=Slot.to_bytes))


def _joined(slots: Iterable[Slot]) -> Iterator[Slot]:
    """Yield the slots, those of one venue and hour that touch or overlap joined into one."""
    ordered = sorted(slots, key=lambda slot: (slot.hour, slot.slot_key, slot.start_minute))
    current: Slot | None = None
    for slot in ordered:
        if current is None:
            current = slot
        elif (slot.hour, slot.slot_key) == (current.hour, current.slot_key) and slot.start_minute <= current.end_minute:
            end = max(slot.end_minute, current.end_minute)
            current = Slot(current.hour, current.slot_key, current.start_minute, end)
        else:
            yield current
            current = slot
    if current is not None:
        yield current
