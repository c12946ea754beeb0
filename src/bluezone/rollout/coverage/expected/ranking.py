# SPDX-License-Identifier: Apache-2.0
"""Rank units by what an hour of a team brings: a pure function, with a floor for the least covered."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# One of every UNITS_A_FLOOR units is of the floor; each of these is within FLOOR_PLACE times their number.
UNITS_A_FLOOR = 10
FLOOR_PLACE = 3


@dataclass(frozen=True)
class Signals:
    """The values by which a unit is ranked.

    key: any stable key. expected: newly running phones in an hour of a team.
    high: upper end of the 95 % interval of the share running, 0..1, None if no gate has counted.
    """

    key: int
    expected: float
    high: float | None = None


@dataclass(frozen=True)
class Ranked:
    """One unit of a ranking. is_floor: among the least covered, kept within the first places."""

    signals: Signals
    is_floor: bool


def rank_units(units: Iterable[Signals]) -> list[Ranked]:
    """Units in order of priority, highest first; equal ones in the order of their keys."""
    listed = list(units)
    floor = _least_covered(listed)
    listed.sort(key=lambda unit: (-unit.expected, unit.key))
    return _with_floor([Ranked(unit, unit.key in floor) for unit in listed])


def _least_covered(units: Sequence[Signals]) -> set[int]:
    """Keys of the units of the floor: the tenth of all units with the lowest upper end of the interval."""
    known = sorted((unit.high, unit.key) for unit in units if unit.high is not None)
    return {key for _high, key in known[: math.ceil(len(units) / UNITS_A_FLOOR)]}


def _with_floor(ranked: list[Ranked]) -> list[Ranked]:
    """Move units of the floor up into the first places if they are behind them; all others keep their order."""
    within = FLOOR_PLACE * sum(unit.is_floor for unit in ranked)
    late = [unit for unit in ranked[within:] if unit.is_floor]
    head = ranked[:within]
    tail = [unit for unit in ranked[within:] if not unit.is_floor]
    for unit in late:
        # The last unit that is not of the floor makes room.
        place = max(number for number, other in enumerate(head) if not other.is_floor)
        tail.insert(0, head.pop(place))
        head.append(unit)
    return head + tail
