# SPDX-License-Identifier: Apache-2.0
"""Pure functions that give each airing of an outlet a time at which nothing else plays, the most important first."""

import bisect
import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MOST_DELAY_SECONDS = 900.0
# Silence between two bulletins.
GAP_SECONDS = 2.0
_LONGEST_SECONDS = 3600.0


class Precedence(enum.IntEnum):
    """The classes of Circular 39/2020, strongest first."""

    EMERGENCY = 0
    PRIORITY = 1
    NORMAL = 2


class Displaced(enum.StrEnum):
    """Why an airing has no time."""

    NOT = ""
    CLASH = "clash"
    QUIET = "quiet"


@dataclass(frozen=True)
class Slot:
    """An airing that needs a time.

    key: unique at its outlet. It decides between airings that are otherwise equal, so that planning is deterministic.
    due: Unix seconds. rank: the commune's order within a class, lower first.
    """

    key: str
    due: float
    seconds: float
    importance: Precedence
    rank: int = 0


@dataclass(frozen=True)
class Placement:
    """The time of a slot. start: Unix seconds, None if the slot is displaced. why: the reason why it is."""

    start: float | None
    why: Displaced = Displaced.NOT


Span = tuple[float, float]


def assign_times(
    slots: Iterable[Slot], quiet: Sequence[Span] = (), taken: Iterable[tuple[Span, Precedence]] = ()
) -> dict[str, Placement]:
    """Give each slot of one outlet a time at which nothing else plays; returns the placements by key.

    A slot waits until the airings before it have ended; an emergency waits only for another emergency.
    quiet: spans [from, to) in which only emergencies play. taken: the spans of airings that are already playing, each
    with its class. All spans are in Unix seconds.
    """
    playing = list(taken)
    urgent = sorted(span for span, importance in playing if importance == Precedence.EMERGENCY)
    busy = sorted(span for span, _importance in playing)
    placements: dict[str, Placement] = {}
    for slot in sorted(slots, key=lambda slot: (slot.importance, slot.rank, slot.due, slot.key)):
        is_urgent = slot.importance == Precedence.EMERGENCY
        placement = _place(slot, urgent if is_urgent else busy, quiet)
        placements[slot.key] = placement
        if placement.start is not None:
            span = (placement.start, placement.start + slot.seconds + GAP_SECONDS)
            bisect.insort(busy, span)
            if is_urgent:
                bisect.insort(urgent, span)
    return placements


def _place(slot: Slot, busy: list[Span], quiet: Sequence[Span]) -> Placement:
    is_emergency = slot.importance == Precedence.EMERGENCY
    if not is_emergency and _overlaps(slot.due, slot.seconds, quiet):
        return Placement(None, Displaced.QUIET)
    start = _first_free_moment(slot.due, slot.seconds, busy)
    if is_emergency:
        return Placement(start)
    if start - slot.due > MOST_DELAY_SECONDS:
        return Placement(None, Displaced.CLASH)
    if _overlaps(start, slot.seconds, quiet):
        return Placement(None, Displaced.QUIET)
    return Placement(start)


def _first_free_moment(due: float, seconds: float, busy: list[Span]) -> float:
    """The first moment from `due` on, in Unix seconds, that leaves room for the sound and the gap after it."""
    start = due
    # An emergency overlaps the airing that it interrupts, so the span that begins first need not end first. As no span
    # is longer than an hour, those that began more than an hour before `due` are over.
    at = bisect.bisect_left(busy, (due - _LONGEST_SECONDS, 0.0))
    for begins, ends in busy[at:]:
        if start + seconds + GAP_SECONDS <= begins:
            break
        start = max(start, ends)
    return start


def _overlaps(start: float, seconds: float, spans: Sequence[Span]) -> bool:
    return any(start < ends and begins < start + seconds for begins, ends in spans)
