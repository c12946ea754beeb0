# SPDX-License-Identifier: Apache-2.0
"""The rule by which units are put in the order in which help should go to them; pure, and small enough to argue over.

    need  = households not visited x (1 - lower end of the share running)
    speed = phones helped per helper hour there
    score = need x speed, halved where no team is free

In words: where many doors are left, where few phones may be running, where an hour of help has done most, and where
somebody can go. The lower end of the interval is taken, so that little knowledge counts for need and not against it.
What is not known counts as 500 households and one phone an hour, and a share that is not known as nobody running.
A floor: the least covered unit of each ten (by the upper end of its interval, so that it is surely low) comes within
the first three places of each ten, whatever its score.

Source: docs/risk.md section 5. There are no data on movements, and none are claimed.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# A place at which nobody was helped yet is not worthless, and one good afternoon is not ten times better.
SLOWEST, FASTEST = 0.25, 4.0
# Where nothing is known. Fixed and not the middle of the others, so that no unit's place hangs on what another one has.
USUAL_SPEED, USUAL_HOUSEHOLDS = 1.0, 500
WITHOUT_A_TEAM = 0.5
# One floor place for each so many units, within so many first places.
UNITS_A_FLOOR, FLOOR_PLACE = 10, 3


@dataclass(frozen=True)
class Signals:
    """What a city really knows of one unit.

    key:       any stable key. unvisited: households nobody has been to, None where households are not known.
    low, high: ends of the 95 % interval of the share running, 0..1, None where the gates say nothing.
    speed:     phones helped per helper hour, None where too little was done to say.
    teams:     free teams.
    """

    key: int
    unvisited: int | None = None
    low: float | None = None
    high: float | None = None
    speed: float | None = None
    teams: int = 0


@dataclass(frozen=True)
class Ranked:
    """One unit in its place. is_floor: among the least covered, kept within the first places."""

    signals: Signals
    score: float
    is_floor: bool


def rank(units: Iterable[Signals]) -> list[Ranked]:
    """Units in order of priority, the first first; equal ones in the order of their keys."""
    listed = list(units)
    floor = _least_covered(listed)
    scored = [Ranked(one, _score(one), one.key in floor) for one in listed]
    scored.sort(key=lambda one: (-one.score, one.signals.key))
    return _with_floor(scored)


def _score(one: Signals) -> float:
    doors = USUAL_HOUSEHOLDS if one.unvisited is None else one.unvisited
    speed = USUAL_SPEED if one.speed is None else min(max(one.speed, SLOWEST), FASTEST)
    return doors * (1 - (one.low or 0.0)) * speed * (1 if one.teams else WITHOUT_A_TEAM)


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
