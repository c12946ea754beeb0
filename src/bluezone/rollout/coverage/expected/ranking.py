# SPDX-License-Identifier: Apache-2.0
"""How units are ranked by what an hour of a team brings: a pure function, with a floor for the least covered."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# One floor place for each so many units, within so many first places.
UNITS_A_FLOOR, FLOOR_PLACE = 10, 3


@dataclass(frozen=True)
class Signals:
    """What one unit is ranked by.

    key:      any stable key. expected: newly running phones in an hour of a team.
    high:     upper end of the 95 % interval of the share running, 0..1, None where the gates say nothing.
    """

    key: int
    expected: float
    high: float | None = None


@dataclass(frozen=True)
class Ranked:
    """One unit in its place. is_floor: among the least covered, kept within the first places."""

    signals: Signals
    is_floor: bool


def rank(units: Iterable[Signals]) -> list[Ranked]:
    """Units in order of priority, the first first; equal ones in the order of their keys."""
    listed = list(units)
    floor = _least_covered(listed)
    listed.sort(key=lambda one: (-one.expected, one.key))
    return _with_floor([Ranked(one, one.key in floor) for one in listed])


def _least_covered(units: Sequence[Signals]) -> set[int]:
    """Keys of the units of the floor: those whose share is surely low, first."""
    known = sorted((one.high, one.key) for one in units if one.high is not None)
    return {key for _high, key in known[: math.ceil(len(units) / UNITS_A_FLOOR)]}


def _with_floor(scored: list[Ranked]) -> list[Ranked]:
    """Move units of the floor up into the first places where they are not there; nobody else changes order."""
    within = FLOOR_PLACE * sum(one.is_floor for one in scored)
    late = [one for one in scored[within:] if one.is_floor]
    head, tail = scored[:within], [one for one in scored[within:] if not one.is_floor]
    for one in late:
        # The last of those that have no right to a place make room.
        place = max(number for number, other in enumerate(head) if not other.is_floor)
        tail.insert(0, head.pop(place))
        head.append(one)
    return head + tail
