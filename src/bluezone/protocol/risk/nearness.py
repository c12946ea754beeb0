# SPDX-License-Identifier: Apache-2.0
"""How many minutes of a meeting were within two metres, as a distribution: what strength can tell, and no more.

The model, in one page (docs/risk.md has it with its figures):

- Attenuation grows with distance along two straight lines over log distance, the second one nearly flat.
- Bodies, pockets and calibration shift a whole meeting by some dB. The shift is unknown, so every value of it is
  tried, weighed by a normal distribution. Each direction has a part of its own, so hearing both halves that part.
- A meeting is cut into equal segments of at most five minutes. The mean of a segment scatters by fading, the less the
  more bursts were heard.
- From one segment to the next two people stay at their distance with a certain chance, else they take a new one.
  That chance differs between people who sit and people who walk; each value of the profile is tried.

What is left is a sum over distances, shifts and chances: no random numbers, no fitting on the phone.
"""

import math
import operator
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from statistics import pstdev

from bluezone.protocol.kernel import library
from bluezone.protocol.risk.profile import Nearness
from bluezone.protocol.risk.windows import ExposureWindow, ScanInstance

_DISTANCES = 25
_SHIFTS = 17
_LARGEST_SHIFT = 2.6  # standard deviations
_STEP_MINUTES = 0.5  # of a day's distribution
_ROUNDING = 1e-9


@dataclass(frozen=True)
class NearMinutes:
    """Chances of having been near for 0, 1, 2 .. steps of half a minute.

    chances: adding to 1. heard: minutes in which the other phone was heard at all.
    resolution: the longest time that one burst stands for, minutes.
    """

    chances: Sequence[float]
    heard: float
    resolution: float

    @property
    def expected(self) -> float:
        """Mean, minutes."""
        return math.fsum(steps * chance for steps, chance in enumerate(self.chances)) * _STEP_MINUTES

    def chance_of(self, minutes: float) -> float:
        """Chance of at least so many minutes, 0..1."""
        return math.fsum(self.chances[math.ceil(minutes / _STEP_MINUTES - _ROUNDING) :])

    def interval(self, share: float) -> tuple[float, float]:
        """The minutes between which the truth lies with a chance of at least `share`, as much left out at each end.

        A burst stands for a stretch of time, so each end may be off by one; the upper one is never more than that
        above the minutes heard.
        """
        below = list(accumulate(self.chances))
        low, high = (bisect_left(below, chance) for chance in ((1 - share) / 2, (1 + share) / 2 - _ROUNDING))
        return (
            max(low * _STEP_MINUTES - self.resolution, 0.0),
            min(high * _STEP_MINUTES, self.heard) + self.resolution,
        )


NOTHING = NearMinutes((1.0,), 0.0, 0.0)


def add(parts: Iterable[NearMinutes]) -> NearMinutes:
    """Minutes near over several meetings, whose chances do not depend on each other."""
    total = NOTHING
    for part in parts:
        total = NearMinutes(
            _convolved(total.chances, part.chances),
            total.heard + part.heard,
            max(total.resolution, part.resolution),
        )
    return total


def _convolved(left: Sequence[float], right: Sequence[float]) -> Sequence[float]:
    """The chances of a sum. Most of a meeting's steps have none, and are passed over."""
    chances = [0.0] * (len(left) + len(right) - 1)
    some = [(steps, chance) for steps, chance in enumerate(right) if chance]
    for first, chance in enumerate(left):
        if chance:
            for steps, other in some:
                chances[first + steps] += chance * other
    return chances


class HeardMeeting:
    """One meeting as a model of nearness sees it, cut into segments once."""

    def __init__(self, window: ExposureWindow, model: Nearness) -> None:
        self._window = window
        self._model = model
        self._segments = _segments(window.scan_instances, model)

    def near_minutes(self) -> NearMinutes:
        """The minutes near."""
        segments, instances = self._segments, self._window.scan_instances
        if not segments:
            return NOTHING
        like = _likelihoods(segments, self._window, self._model)
        counts = _counts(like, self._model)
        heard = math.fsum(instance.seconds_since_last_scan for instance in instances) / 60
        steps = [round(count * heard / len(segments) / _STEP_MINUTES) for count in range(len(counts))]
        longest = max(instance.seconds_since_last_scan for instance in instances)
        chances = [0.0] * (steps[-1] + 1)
        for step, chance in zip(steps, counts, strict=True):
            chances[step] += chance
        return NearMinutes(chances, heard, longest / 60)

    def directions_disagree(self) -> bool:
        """Whether the two phones heard each other so differently, in most of what both know, that strength says
        little."""
        both = [segment for segment in self._segments if segment.reciprocal_db is not None]
        return bool(both) and sum(not segment.agrees(self._model) for segment in both) * 2 > len(both)

    def is_crowded_and_flat(self) -> bool:
        """Whether all around were heard alike, and this phone alike all the time, as in a tram."""
        instances, model = self._window.scan_instances, self._model
        spreads = [
            one.others_spread_db for one in instances if one.others >= model.crowd and one.others_spread_db is not None
        ]
        if len(spreads) * 2 <= len(instances) or sum(spreads) / len(spreads) > model.crowd_spread_db:
            return False
        levels = [segment.typical_db for segment in self._segments]
        return bool(levels) and pstdev(levels) <= model.change_db


@dataclass(frozen=True)
class _Segment:
    """Means over the bursts of one segment, dB; reciprocal_db is None where the other direction is not known."""

    typical_db: float
    bursts: int
    reciprocal_db: float | None
    reciprocal_bursts: int

    def both_db(self, model: Nearness) -> float:
        """The mean of both directions, never farther from our own than half of what they may differ by.

        So a case's phone that lies moves a pair by 6 dB at most, however great its lie.
        """
        if self.reciprocal_db is None:
            return self.typical_db
        half, most = (self.reciprocal_db - self.typical_db) / 2, model.directions_within_db / 2
        return self.typical_db + min(max(half, -most), most)

    def agrees(self, model: Nearness) -> bool:
        return (
            self.reciprocal_db is not None and abs(self.typical_db - self.reciprocal_db) <= model.directions_within_db
        )


def _segments(instances: Sequence[ScanInstance], model: Nearness) -> list[_Segment]:
    """Cut a meeting into equal segments; one in which no burst lies is left out by joining its time to the others."""
    seconds = math.fsum(instance.seconds_since_last_scan for instance in instances)
    if seconds <= 0:
        return []
    count = max(1, math.ceil(seconds / model.segment_seconds - _ROUNDING))
    parts: list[list[ScanInstance]] = [[] for _ in range(count)]
    passed = 0.0
    for instance in instances:
        middle = passed + instance.seconds_since_last_scan / 2
        parts[min(int(middle / seconds * count), count - 1)].append(instance)
        passed += instance.seconds_since_last_scan
    return [_segment(part) for part in parts if part]


def _segment(instances: Sequence[ScanInstance]) -> _Segment:
    reciprocal = [one.reciprocal_attenuation_db for one in instances if one.reciprocal_attenuation_db is not None]
    return _Segment(
        sum(instance.typical_attenuation_db for instance in instances) / len(instances),
        len(instances),
        sum(reciprocal) / len(reciprocal) if reciprocal else None,
        len(reciprocal),
    )


def _likelihoods(segments: Sequence[_Segment], window: ExposureWindow, model: Nearness) -> "array[float]":
    """How well each shift and distance explain each segment: segments x shifts x distances, largest of each 1."""
    _, curve = _distances(model)
    shifts, _ = _shifts()
    calibration = model.calibration_db[window.confidence] ** 2 + model.calibration_db[window.own_confidence] ** 2
    own_part = model.direction_db**2 + calibration
    likelihoods = array("d")
    for segment in segments:
        level, bursts, part = segment.both_db(model), segment.bursts, own_part
        if segment.agrees(model):
            bursts, part = bursts + segment.reciprocal_bursts, own_part / 2
        shift = math.sqrt(model.pair_db**2 + part)
        spread = math.sqrt(model.drift_db**2 + model.burst_db**2 / bursts)
        logarithms = [
            -0.5 * ((level - attenuation - shift * shifted) / spread) ** 2
            for shifted in shifts
            for attenuation in curve
        ]
        most = max(logarithms)
        likelihoods.extend([math.exp(logarithm - most) for logarithm in logarithms])
    return likelihoods


def _counts(like: "array[float]", model: Nearness) -> list[float]:
    """Chances of 0 .. all segments near.

    How well a chance to stay explains the whole meeting decides how much it says.
    """
    near, _ = _distances(model)
    _, weights = _shifts()
    kernel = library()
    evidence, counts = [], []
    for stay in model.stays:
        of_stay, totals = (kernel.near_counts if kernel else count_near)(like, weights, near, stay)
        evidence.append(math.fsum(map(math.log, totals)))
        counts.append(of_stay)
    best = max(evidence)
    shares = [math.exp(one - best) for one in evidence]
    whole = math.fsum(shares)
    return [math.fsum(map(operator.mul, shares, column)) / whole for column in zip(*counts, strict=True)]


def count_near(
    like: "array[float]", weights: "array[float]", is_near: bytes, stay: float
) -> tuple[list[float], list[float]]:
    """`Kernel.near_counts` in Python: seconds for a meeting of half a day, and the same chances.

    Forward over the segments, `rows` holds the weight of each number of near segments so far, shift and distance.
    """
    distances, width = len(is_near), len(weights) * len(is_near)
    nothing, prior, totals = [0.0] * width, 1 / len(is_near), []
    near = list(is_near) * len(weights)
    rows: list[list[float]] = []
    for start in range(0, len(like), width):
        one = like[start : start + width]
        after = [_moved(row, one, stay, prior, distances) for row in rows] or [
            [weights[at // distances] * prior * value for at, value in enumerate(one)]
        ]
        rows = [
            [under if is_so else same for under, same, is_so in zip(below, row, near, strict=True)]
            for below, row in zip([nothing, *after], [*after, nothing], strict=True)
        ]
        totals.append(math.fsum(map(sum, rows)))
        rows = [[value / totals[-1] for value in row] for row in rows]
    return [math.fsum(row) for row in rows], totals


def _moved(row: list[float], one: "array[float]", stay: float, prior: float, distances: int) -> list[float]:
    """Where people are one segment later, each shift by itself: at the same distance, or at any."""
    moved: list[float] = []
    for start in range(0, len(row), distances):
        here = row[start : start + distances]
        anew = sum(here) * (1 - stay) * prior
        moved += [stay * value + anew for value in here]
    return list(map(operator.mul, moved, one))


@lru_cache(maxsize=8)
def _distances(model: Nearness) -> tuple[bytes, list[float]]:
    """Which of the distances tried are near, a byte each, and the attenuation (dB) at each; all weigh the same."""
    nearest, farthest = math.log(model.nearest_m), math.log(model.farthest_m)
    metres = [math.exp(nearest + (farthest - nearest) * place / (_DISTANCES - 1)) for place in range(_DISTANCES)]
    return bytes(distance <= model.near_m for distance in metres), [model.attenuation_db(one) for one in metres]


@lru_cache(maxsize=1)
def _shifts() -> tuple["array[float]", "array[float]"]:
    """The shifts tried, in standard deviations, and their weights."""
    shifts = array("d", [_LARGEST_SHIFT * (2 * place / (_SHIFTS - 1) - 1) for place in range(_SHIFTS)])
    weights = [math.exp(-0.5 * shift**2) for shift in shifts]
    return shifts, array("d", [weight / math.fsum(weights) for weight in weights])
