# SPDX-License-Identifier: Apache-2.0
"""How many minutes of a meeting were within two metres, as a distribution: all that signal strength can tell.

The model, in one page (docs/risk.md has it with its figures):

- Attenuation grows with distance along two straight lines over log distance, the second one nearly flat.
- Bodies, pockets and calibration shift a whole meeting by some dB. The shift is unknown, so every value is tried,
  weighted by a normal distribution. Part of it is separate for each direction, so hearing both halves that part.
- A meeting is cut into equal segments of at most five minutes. The mean of a segment varies by fading; more bursts
  make it vary less.
- From one segment to the next two people stay at their distance with a certain chance, else they take a new one.
  That chance differs between people who sit and people who walk; each value of the profile is tried.

The result is a sum over distances, shifts and chances: no random numbers, no fitting on the phone.
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

from bluezone.protocol.kernel import native_library
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

    chances: their sum is 1. heard: minutes in which the other phone was heard at all.
    resolution: the longest time that one burst represents, minutes.
    """

    chances: Sequence[float]
    heard: float
    resolution: float

    @property
    def expected(self) -> float:
        """Mean, minutes."""
        return math.fsum(steps * chance for steps, chance in enumerate(self.chances)) * _STEP_MINUTES

    def chance_at_least(self, minutes: float) -> float:
        """Chance of at least this many minutes, 0..1."""
        return math.fsum(self.chances[math.ceil(minutes / _STEP_MINUTES - _ROUNDING) :])

    def credible_interval(self, share: float) -> tuple[float, float]:
        """The minutes from .. to that include the truth with a chance of at least `share`, with equal tails.

        A burst represents a stretch of time, so each end may be off by one burst; the upper end is at most that much
        above the minutes heard.
        """
        cumulative = list(accumulate(self.chances))
        low = bisect_left(cumulative, (1 - share) / 2)
        high = bisect_left(cumulative, (1 + share) / 2 - _ROUNDING)
        return (
            max(low * _STEP_MINUTES - self.resolution, 0.0),
            min(high * _STEP_MINUTES, self.heard) + self.resolution,
        )


NOTHING = NearMinutes((1.0,), 0.0, 0.0)


def add_near_minutes(parts: Iterable[NearMinutes]) -> NearMinutes:
    """Minutes near over several meetings with independent chances."""
    total = NOTHING
    for part in parts:
        total = NearMinutes(
            _convolve(total.chances, part.chances),
            total.heard + part.heard,
            max(total.resolution, part.resolution),
        )
    return total


def _convolve(left: Sequence[float], right: Sequence[float]) -> Sequence[float]:
    """The chances of a sum. Most steps of a meeting have no chance and are skipped."""
    chances = [0.0] * (len(left) + len(right) - 1)
    nonzero = [(steps, chance) for steps, chance in enumerate(right) if chance]
    for first, chance in enumerate(left):
        if chance:
            for steps, other in nonzero:
                chances[first + steps] += chance * other
    return chances


class SegmentedEncounter:
    """One meeting under a model of nearness, cut into segments once."""

    def __init__(self, window: ExposureWindow, model: Nearness) -> None:
        self._window = window
        self._model = model
        self._segments = _segments(window.scan_instances, model)

    def near_minutes(self) -> NearMinutes:
        """The minutes near."""
        segments = self._segments
        instances = self._window.scan_instances
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
        """Whether the two phones heard each other so differently, in most segments that both heard, that strength says
        little."""
        two_way = [segment for segment in self._segments if segment.reciprocal_db is not None]
        return bool(two_way) and sum(not segment.agrees(self._model) for segment in two_way) * 2 > len(two_way)

    def is_crowded_and_flat(self) -> bool:
        """Whether all phones around were heard alike, and the case's phone at one level all the time, as in a tram."""
        instances = self._window.scan_instances
        model = self._model
        spreads = [
            instance.others_spread_db
            for instance in instances
            if instance.others >= model.crowd and instance.others_spread_db is not None
        ]
        if len(spreads) * 2 <= len(instances) or sum(spreads) / len(spreads) > model.crowd_spread_db:
            return False
        levels = [segment.typical_db for segment in self._segments]
        return bool(levels) and pstdev(levels) <= model.change_db


@dataclass(frozen=True)
class _Segment:
    """Means over the bursts of one segment, dB; reciprocal_db is None if the other direction is unknown."""

    typical_db: float
    bursts: int
    reciprocal_db: float | None
    reciprocal_bursts: int

    def both_db(self, model: Nearness) -> float:
        """The mean of both directions, at most half the allowed difference away from our own direction.

        So false levels from a case's phone move a pair by at most 6 dB.
        """
        if self.reciprocal_db is None:
            return self.typical_db
        half = (self.reciprocal_db - self.typical_db) / 2
        most = model.directions_within_db / 2
        return self.typical_db + min(max(half, -most), most)

    def agrees(self, model: Nearness) -> bool:
        return (
            self.reciprocal_db is not None and abs(self.typical_db - self.reciprocal_db) <= model.directions_within_db
        )


def _segments(instances: Sequence[ScanInstance], model: Nearness) -> list[_Segment]:
    """Cut a meeting into equal segments; the time of a segment without bursts goes to the other segments."""
    seconds = math.fsum(instance.seconds_since_last_scan for instance in instances)
    if seconds <= 0:
        return []
    count = max(1, math.ceil(seconds / model.segment_seconds - _ROUNDING))
    parts: list[list[ScanInstance]] = [[] for _ in range(count)]
    elapsed = 0.0
    for instance in instances:
        middle = elapsed + instance.seconds_since_last_scan / 2
        parts[min(int(middle / seconds * count), count - 1)].append(instance)
        elapsed += instance.seconds_since_last_scan
    return [_segment(part) for part in parts if part]


def _segment(instances: Sequence[ScanInstance]) -> _Segment:
    reciprocal = [
        instance.reciprocal_attenuation_db for instance in instances if instance.reciprocal_attenuation_db is not None
    ]
    return _Segment(
        sum(instance.typical_attenuation_db for instance in instances) / len(instances),
        len(instances),
        sum(reciprocal) / len(reciprocal) if reciprocal else None,
        len(reciprocal),
    )


def _likelihoods(segments: Sequence[_Segment], window: ExposureWindow, model: Nearness) -> "array[float]":
    """How well each shift and distance explain each segment: segments x shifts x distances, at most 1 in each."""
    _, curve = _distances(model)
    shifts, _ = _shifts()
    calibration = model.calibration_db[window.confidence] ** 2 + model.calibration_db[window.own_confidence] ** 2
    own_part = model.direction_db**2 + calibration
    likelihoods = array("d")
    for segment in segments:
        level = segment.both_db(model)
        bursts = segment.bursts
        part = own_part
        if segment.agrees(model):
            bursts += segment.reciprocal_bursts
            part /= 2
        deviation = math.sqrt(model.pair_db**2 + part)
        spread = math.sqrt(model.drift_db**2 + model.burst_db**2 / bursts)
        logarithms: list[float] = []
        for shift in shifts:
            shifted = deviation * shift
            logarithms += [-0.5 * ((level - attenuation - shifted) / spread) ** 2 for attenuation in curve]
        most = max(logarithms)
        likelihoods.extend([math.exp(logarithm - most) for logarithm in logarithms])
    return likelihoods


def _counts(like: "array[float]", model: Nearness) -> list[float]:
    """Chances that 0 .. all segments are near.

    Each chance to stay is weighted by how well it explains the whole meeting.
    """
    near, _ = _distances(model)
    _, weights = _shifts()
    kernel = native_library()
    count = kernel.near_counts if kernel else near_counts
    evidence = []
    counts = []
    for stay in model.stays:
        of_stay, totals = count(like, weights, near, stay)
        evidence.append(math.fsum(map(math.log, totals)))
        counts.append(of_stay)
    best = max(evidence)
    shares = [math.exp(logarithm - best) for logarithm in evidence]
    whole = math.fsum(shares)
    return [math.fsum(map(operator.mul, shares, column)) / whole for column in zip(*counts, strict=True)]


def near_counts(
    like: "array[float]", weights: "array[float]", is_near: bytes, stay: float
) -> tuple[list[float], list[float]]:
    """`Kernel.near_counts` in Python, with the same result; a meeting of half a day takes seconds.

    Forward over the segments, `rows` has the weight of each number of near segments so far, shift and distance.
    """
    distances = len(is_near)
    width = len(weights) * distances
    nothing = [0.0] * width
    prior = 1 / distances
    totals = []
    near = list(is_near) * len(weights)
    rows: list[list[float]] = []
    for start in range(0, len(like), width):
        segment = like[start : start + width]
        if rows:
            after = [_step(row, segment, stay, prior, distances) for row in rows]
        else:
            after = [[weights[at // distances] * prior * value for at, value in enumerate(segment)]]
        rows = [
            [under if is_near_here else same for under, same, is_near_here in zip(below, row, near, strict=True)]
            for below, row in zip([nothing, *after], [*after, nothing], strict=True)
        ]
        totals.append(math.fsum(map(sum, rows)))
        rows = [[value / totals[-1] for value in row] for row in rows]
    return [math.fsum(row) for row in rows], totals


def _step(row: list[float], segment: "array[float]", stay: float, prior: float, distances: int) -> list[float]:
    """The weights one segment later, separately for each shift: people are at the same distance, or at any.

    segment: its likelihoods, shifts x distances.
    """
    after: list[float] = []
    for start in range(0, len(row), distances):
        here = row[start : start + distances]
        redrawn = sum(here) * (1 - stay) * prior
        after += [stay * value + redrawn for value in here]
    return list(map(operator.mul, after, segment))


@lru_cache(maxsize=8)
def _distances(model: Nearness) -> tuple[bytes, list[float]]:
    """Whether each distance is near, one byte each, and its attenuation (dB); all have the same weight."""
    nearest = math.log(model.nearest_m)
    farthest = math.log(model.farthest_m)
    metres = [math.exp(nearest + (farthest - nearest) * place / (_DISTANCES - 1)) for place in range(_DISTANCES)]
    is_near = bytes(distance <= model.near_m for distance in metres)
    return is_near, [model.attenuation_db(distance) for distance in metres]


@lru_cache(maxsize=1)
def _shifts() -> tuple["array[float]", "array[float]"]:
    """The shifts to try, in standard deviations, and their weights."""
    shifts = array("d", [_LARGEST_SHIFT * (2 * place / (_SHIFTS - 1) - 1) for place in range(_SHIFTS)])
    weights = [math.exp(-0.5 * shift**2) for shift in shifts]
    return shifts, array("d", [weight / math.fsum(weights) for weight in weights])
