# SPDX-License-Identifier: Apache-2.0
"""Rank units by the result expected from a team-hour, with a floor for the least covered. No database, no clock."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# One of every UNITS_A_FLOOR units belongs to the floor. If n units do, all of them are within the first
# FLOOR_PLACE * n places.
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
class RankedUnit:
    """One unit of a ranking. is_floor: among the least covered, kept within the first places."""

    signals: Signals
    is_floor: bool


def rank_units(units: Iterable[Signals]) -> list[RankedUnit]:
    """The units in order of priority, highest first; units with equal expectations in the order of their keys."""
    listed = list(units)
    floor = _least_covered(listed)
    listed.sort(key=lambda unit: (-unit.expected, unit.key))
    return _with_floor([RankedUnit(unit, unit.key in floor) for unit in listed])


def _least_covered(units: Sequence[Signals]) -> set[int]:
    """Keys of the units of the floor: the tenth with the lowest upper ends; units without an interval never are."""
    known = sorted((unit.high, unit.key) for unit in units if unit.high is not None)
    return {key for _high, key in known[: math.ceil(len(units) / UNITS_A_FLOOR)]}


def _with_floor(ranked: list[RankedUnit]) -> list[RankedUnit]:
    """Move the units of the floor that rank too low into the first places; all other units keep their order."""
    first_places = FLOOR_PLACE * sum(unit.is_floor for unit in ranked)
    too_low = [unit for unit in ranked[first_places:] if unit.is_floor]
    head = ranked[:first_places]
    tail = [unit for unit in ranked[first_places:] if not unit.is_floor]
    for unit in too_low:
        # The lowest unit of the head that does not belong to the floor makes room.
        place = max(number for number, other in enumerate(head) if not other.is_floor)
        tail.insert(0, head.pop(place))
        head.append(unit)
    return head + tail
