# SPDX-License-Identifier: Apache-2.0
"""The rule by which units are put in the order in which help should go to them; pure, and small enough to argue over.

    need  = households not visited x (1 - lower end of the share running)
    speed = phones helped per helper hour there
    score = need x speed, halved where no team is free

In words: where many doors are left, where few phones may be running, where an hour of help has done most, and where
somebody can go. The lower end of the interval is taken, so that little knowledge counts for need and not against it.
What is not known stands at the middle of what is known elsewhere; a share that is not known counts as nobody running.
A floor: the least covered unit of each ten (by the upper end of its interval, so that it is surely low) comes within
the first three places of each ten, whatever its score.

Source: issue "5 of 8", 5; specs/risk.md, 5, 3. There are no data on movements, and none are claimed.
"""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# A place at which nobody was helped yet is not worthless, and one good afternoon is not ten times better.
SLOWEST, FASTEST = 0.25, 4.0
USUAL_SPEED = 1.0
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
    usual_doors = _middle([one.unvisited for one in listed if one.unvisited is not None], 0.0)
    usual_speed = _middle([_bounded(one.speed) for one in listed if one.speed is not None], USUAL_SPEED)
    floor = _least_covered(listed)
    scored = [Ranked(one, _score(one, usual_doors, usual_speed), one.key in floor) for one in listed]
    scored.sort(key=lambda one: (-one.score, one.signals.key))
    return _with_floor(scored)


def _score(one: Signals, usual_doors: float, usual_speed: float) -> float:
    doors = usual_doors if one.unvisited is None else one.unvisited
    speed = usual_speed if one.speed is None else _bounded(one.speed)
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


def _bounded(speed: float) -> float:
    return min(max(speed, SLOWEST), FASTEST)


def _middle(values: Sequence[float], otherwise: float) -> float:
    return statistics.median(values) if values else otherwise
