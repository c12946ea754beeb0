# SPDX-License-Identifier: Apache-2.0
"""Who plays first where airings of one outlet would overlap; pure.

Circular 39/2020/TT-BTTTT names three classes: an emergency bulletin is aired at once; a priority bulletin comes first
in the programme, and of several the commune decides the order; an ordinary one takes the slot that the commune chose.
So: classes in that order, within one class the rank the commune gave, then what falls due first. What finds its time
taken waits, at most a quarter of an hour; then it is not aired, and the log says why.
"""

import bisect
import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MOST_DELAY_SECONDS = 900.0
# Between two bulletins, so that one does not run into the next.
GAP_SECONDS = 2.0
_LONGEST_SECONDS = 3600.0


class Importance(enum.IntEnum):
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
    """An airing that wants a time. due: Unix seconds. rank: the commune's order within a class, lower first.

    key: unique on its outlet; decides last, so that the same plan always comes out.
    """

    key: str
    due: float
    seconds: float
    importance: Importance
    rank: int = 0


@dataclass(frozen=True)
class Place:
    """What became of a slot: start in Unix seconds, None when displaced, and why."""

    start: float | None
    why: Displaced = Displaced.NOT


Span = tuple[float, float]


def arrange(
    slots: Iterable[Slot], quiet: Sequence[Span] = (), taken: Iterable[tuple[Span, Importance]] = ()
) -> dict[str, Place]:
    """Give each slot of one outlet a time at which nothing else plays.

    quiet: [from, to) in which only emergencies play. taken: what is playing already, with its class; it stays, and only
    an emergency does not wait for it unless it is one itself.
    """
    playing = list(taken)
    urgent = sorted(span for span, importance in playing if importance == Importance.EMERGENCY)
    busy = sorted(span for span, _importance in playing)
    places: dict[str, Place] = {}
    for slot in sorted(slots, key=lambda one: (one.importance, one.rank, one.due, one.key)):
        is_urgent = slot.importance == Importance.EMERGENCY
        place = _placed(slot, urgent if is_urgent else busy, quiet)
        places[slot.key] = place
        if place.start is not None:
            span = (place.start, place.start + slot.seconds + GAP_SECONDS)
            bisect.insort(busy, span)
            if is_urgent:
                bisect.insort(urgent, span)
    return places


def _placed(slot: Slot, busy: list[Span], quiet: Sequence[Span]) -> Place:
    emergency = slot.importance == Importance.EMERGENCY
    if not emergency and _within(slot.due, slot.seconds, quiet):
        return Place(None, Displaced.QUIET)
    start = _free(slot.due, slot.seconds, busy)
    if emergency:
        return Place(start)
    if start - slot.due > MOST_DELAY_SECONDS:
        return Place(None, Displaced.CLASH)
    if _within(start, slot.seconds, quiet):
        return Place(None, Displaced.QUIET)
    return Place(start)


def _free(due: float, seconds: float, busy: list[Span]) -> float:
    """The first moment from `due` on at which `seconds` and the gap fit."""
    start = due
    # An emergency may lie over what it interrupts, so a span further back can end later; none lasts an hour.
    at = bisect.bisect_left(busy, (due - _LONGEST_SECONDS, 0.0))
    for begins, ends in busy[at:]:
        if start + seconds + GAP_SECONDS <= begins:
            break
        start = max(start, ends)
    return start


def _within(start: float, seconds: float, spans: Sequence[Span]) -> bool:
    return any(start < ends and begins < start + seconds for begins, ends in spans)
