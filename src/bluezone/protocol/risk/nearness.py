# SPDX-License-Identifier: Apache-2.0
"""Estimates the minutes of an encounter within two metres from signal strength, as a distribution.

The model (docs/risk.md explains it with figures):

- Attenuation grows with the logarithm of distance along two straight lines; the second line is nearly flat.
- Bodies, pockets and calibration shift all levels of an encounter by some dB. The shift is unknown, so the model tries
  17 values, weighted by a normal distribution. A part of the shift is separate for each direction; levels of both
  directions halve the variance of this part.
- An encounter is cut into equal segments of at most five minutes. The mean level of a segment varies by fading, less
  with more bursts.
- From one segment to the next, two people stay at their distance with a certain chance; otherwise, every distance is
  equally likely. People who sit stay more often than people who walk, so every chance in the profile is tried.

The result is a sum over distances, shifts and chances to stay, without random numbers and without fitting.
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
_STEP_MINUTES = 0.5  # resolution of a distribution
_ROUNDING = 1e-9


@dataclass(frozen=True)
class NearMinutes:
    """The distribution of the minutes near a case.

    chances:    of 0, 1, 2 .. half minutes near; their sum is 1.
    heard:      minutes in which the case's phone was heard at any distance.
    resolution: the longest time that one burst represents, in minutes.
    """

    chances: Sequence[float]
    heard: float
    resolution: float

    @property
    def expected(self) -> float:
        """The mean of the minutes near."""
        return math.fsum(steps * chance for steps, chance in enumerate(self.chances)) * _STEP_MINUTES

    def chance_at_least(self, minutes: float) -> float:
        """Chance of at least this many minutes, 0..1."""
        return math.fsum(self.chances[math.ceil(minutes / _STEP_MINUTES - _ROUNDING) :])

    def credible_interval(self, share: float) -> tuple[float, float]:
        """Return the bounds, in minutes, between which the true minutes are with a chance of at least `share`.

        The tails outside the bounds have equal chances. Both bounds are widened by the time of one burst; the upper
        bound is at most the minutes heard plus this time.
        """
        cumulative = list(accumulate(self.chances))
        low = bisect_left(cumulative, (1 - share) / 2)
        high = bisect_left(cumulative, (1 + share) / 2 - _ROUNDING)
        return (
            max(low * _STEP_MINUTES - self.resolution, 0.0),
            min(high * _STEP_MINUTES, self.heard) + self.resolution,
        )


NO_NEAR_MINUTES = NearMinutes((1.0,), 0.0, 0.0)


def add_near_minutes(parts: Iterable[NearMinutes]) -> NearMinutes:
    """Return the distribution of the sum over several independent encounters."""
    total = NO_NEAR_MINUTES
    for part in parts:
        total = NearMinutes(
            _convolve(total.chances, part.chances),
            total.heard + part.heard,
            max(total.resolution, part.resolution),
        )
    return total


def _convolve(left: Sequence[float], right: Sequence[float]) -> Sequence[float]:
    """Return the chances of a sum. The steps with chance 0, which are most, are skipped."""
    chances = [0.0] * (len(left) + len(right) - 1)
    nonzero_right = [(steps, chance) for steps, chance in enumerate(right) if chance]
    for left_steps, left_chance in enumerate(left):
        if left_chance:
            for right_steps, right_chance in nonzero_right:
                chances[left_steps + right_steps] += left_chance * right_chance
    return chances


class SegmentedEncounter:
    """One encounter, cut into segments, and what a model of nearness concludes from it."""

    def __init__(self, window: ExposureWindow, model: Nearness) -> None:
        self._window = window
        self._model = model
        self._segments = _segments(window.scan_instances, model)

    def near_minutes(self) -> NearMinutes:
        """Return the distribution of the minutes near, NOTHING for an encounter without duration."""
        segments = self._segments
        instances = self._window.scan_instances
        if not segments:
            return NO_NEAR_MINUTES
        segment_chances = _near_segment_chances(_likelihoods(segments, self._window, self._model), self._model)
        heard = math.fsum(instance.seconds_since_last_scan for instance in instances) / 60
        steps = [round(count * heard / len(segments) / _STEP_MINUTES) for count in range(len(segment_chances))]
        longest = max(instance.seconds_since_last_scan for instance in instances)
        chances = [0.0] * (steps[-1] + 1)
        for step, chance in zip(steps, segment_chances, strict=True):
            chances[step] += chance
        return NearMinutes(chances, heard, longest / 60)

    def directions_disagree(self) -> bool:
        """Whether the levels of the two directions disagree in most segments with both, so that they say little."""
        two_way = [segment for segment in self._segments if segment.reciprocal_db is not None]
        return bool(two_way) and sum(not segment.agrees(self._model) for segment in two_way) * 2 > len(two_way)

    def is_crowded_and_flat(self) -> bool:
        """Whether all other phones had similar levels and the case's phone an almost constant one, as in a tram."""
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
    """Mean attenuations over the bursts of one segment, in dB.

    typical_db:    of the case's phone, as this phone heard it, over `bursts` bursts.
    reciprocal_db: of this phone, as the case's phone heard it, over `reciprocal_bursts` bursts; None if unknown.
    """

    typical_db: float
    bursts: int
    reciprocal_db: float | None
    reciprocal_bursts: int

    def both_db(self, model: Nearness) -> float:
        """Return the mean of both directions, at most half of `directions_within_db` away from `typical_db`.

        The limit is for false levels from a case's phone.
        """
        if self.reciprocal_db is None:
            return self.typical_db
        half = (self.reciprocal_db - self.typical_db) / 2
        limit = model.directions_within_db / 2
        return self.typical_db + min(max(half, -limit), limit)

    def agrees(self, model: Nearness) -> bool:
        return (
            self.reciprocal_db is not None and abs(self.typical_db - self.reciprocal_db) <= model.directions_within_db
        )


def _segments(instances: Sequence[ScanInstance], model: Nearness) -> list[_Segment]:
    """Cut an encounter into equal segments and leave out those without bursts."""
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
    """Return how well each shift and distance explain each segment: segments x shifts x distances, each 0..1."""
    _, curve = _distances(model)
    shifts, _ = _shifts()
    calibration = model.calibration_db[window.confidence] ** 2 + model.calibration_db[window.own_confidence] ** 2
    direction_variance = model.direction_db**2 + calibration
    likelihoods = array("d")
    for segment in segments:
        level = segment.both_db(model)
        bursts = segment.bursts
        variance = direction_variance
        if segment.agrees(model):
            bursts += segment.reciprocal_bursts
            variance /= 2
        deviation = math.sqrt(model.pair_db**2 + variance)
        spread = math.sqrt(model.drift_db**2 + model.burst_db**2 / bursts)
        logarithms: list[float] = []
        for shift in shifts:
            shifted = deviation * shift
            logarithms += [-0.5 * ((level - attenuation - shifted) / spread) ** 2 for attenuation in curve]
        most = max(logarithms)
        likelihoods.extend([math.exp(logarithm - most) for logarithm in logarithms])
    return likelihoods


def _near_segment_chances(likelihoods: "array[float]", model: Nearness) -> list[float]:
    """Return the chances that 0, 1 .. all segments are near.

    Each chance to stay is weighted by how well it explains the whole encounter.
    """
    is_near, _ = _distances(model)
    _, weights = _shifts()
    kernel = native_library()
    compute = kernel.near_counts if kernel else near_counts
    log_evidence = []
    chances_by_stay = []
    for stay in model.stays:
        chances, divisors = compute(likelihoods, weights, is_near, stay)
        log_evidence.append(math.fsum(map(math.log, divisors)))
        chances_by_stay.append(chances)
    best = max(log_evidence)
    shares = [math.exp(logarithm - best) for logarithm in log_evidence]
    whole = math.fsum(shares)
    return [math.fsum(map(operator.mul, shares, column)) / whole for column in zip(*chances_by_stay, strict=True)]


def near_counts(
    likelihoods: "array[float]", weights: "array[float]", is_near: bytes, stay: float
) -> tuple[list[float], list[float]]:
    """Return the chances that 0, 1 .. all segments are near, and the normalising divisor of each segment.

    likelihoods: float64, segments x shifts x distances. weights: float64, one for each shift.
    is_near:     one byte for each distance. stay: chance of staying at a distance until the next segment.

    The same as `Kernel.near_counts`, but slower: an encounter of half a day takes seconds.
    """
    distances = len(is_near)
    width = len(weights) * distances
    nothing = [0.0] * width
    prior = 1 / distances
    divisors = []
    near = list(is_near) * len(weights)
    # Row n has the weight of every shift and distance if n segments so far were near.
    rows: list[list[float]] = []
    for start in range(0, len(likelihoods), width):
        segment = likelihoods[start : start + width]
        if rows:
            after = [_next_segment(row, segment, stay, prior, distances) for row in rows]
        else:
            after = [[weights[at // distances] * prior * value for at, value in enumerate(segment)]]
        # At a near distance this segment counts, so its weight comes from the row for one near segment less.
        rows = [
            [
                from_below if counts else from_same
                for from_below, from_same, counts in zip(below, row, near, strict=True)
            ]
            for below, row in zip([nothing, *after], [*after, nothing], strict=True)
        ]
        divisor = math.fsum(map(sum, rows))
        rows = [[value / divisor for value in row] for row in rows]
        divisors.append(divisor)
    return [math.fsum(row) for row in rows], divisors


def _next_segment(row: list[float], segment: "array[float]", stay: float, prior: float, distances: int) -> list[float]:
    """Return the weights one segment later: for each shift, at the same distance or redrawn over all distances.

    segment: likelihoods of the later segment, shifts x distances.
    """
    after: list[float] = []
    for start in range(0, len(row), distances):
        same_shift = row[start : start + distances]
        redrawn = sum(same_shift) * (1 - stay) * prior
        after += [stay * value + redrawn for value in same_shift]
    return list(map(operator.mul, after, segment))


@lru_cache(maxsize=8)
def _distances(model: Nearness) -> tuple[bytes, list[float]]:
    """Return whether each distance to try is near, one byte each, and its mean attenuation in dB."""
    nearest = math.log(model.nearest_m)
    farthest = math.log(model.farthest_m)
    metres = [math.exp(nearest + (farthest - nearest) * place / (_DISTANCES - 1)) for place in range(_DISTANCES)]
    is_near = bytes(distance <= model.near_m for distance in metres)
    return is_near, [model.attenuation_db(distance) for distance in metres]


@lru_cache(maxsize=1)
def _shifts() -> tuple["array[float]", "array[float]"]:
    """Return the shifts to try, in standard deviations, and their weights, with the sum 1."""
    shifts = array("d", [_LARGEST_SHIFT * (2 * place / (_SHIFTS - 1) - 1) for place in range(_SHIFTS)])
    weights = [math.exp(-0.5 * shift**2) for shift in shifts]
    return shifts, array("d", [weight / math.fsum(weights) for weight in weights])
