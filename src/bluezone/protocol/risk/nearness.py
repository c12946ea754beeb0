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
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bluezone.protocol.risk.profile import Nearness
from bluezone.protocol.risk.windows import ExposureWindow, ScanInstance

Floats = NDArray[np.float64]

_DISTANCES = 25
_SHIFTS = 17
_LARGEST_SHIFT = 2.6  # standard deviations
_STEP_MINUTES = 0.5  # of a day's distribution
_ROUNDING = 1e-9


@dataclass(frozen=True)
class NearMinutes:
    """Chances of having been near for 0, 1, 2 .. steps of half a minute.

    chances: shape (steps,), adding to 1. heard: minutes in which the other phone was heard at all.
    resolution: the longest time that one burst stands for, minutes.
    """

    chances: Floats
    heard: float
    resolution: float

    @property
    def expected(self) -> float:
        """Mean, minutes."""
        return float(self.chances @ np.arange(len(self.chances))) * _STEP_MINUTES

    def chance_of(self, minutes: float) -> float:
        """Chance of at least so many minutes, 0..1."""
        return float(self.chances[math.ceil(minutes / _STEP_MINUTES - _ROUNDING) :].sum())

    def interval(self, share: float) -> tuple[float, float]:
        """The minutes between which the truth lies with a chance of at least `share`, as much left out at each end.

        A burst stands for a stretch of time, so each end may be off by one; the upper one is never more than that
        above the minutes heard.
        """
        below = np.cumsum(self.chances)
        low, high = (int(np.searchsorted(below, chance)) for chance in ((1 - share) / 2, (1 + share) / 2 - _ROUNDING))
        return (
            max(low * _STEP_MINUTES - self.resolution, 0.0),
            min(high * _STEP_MINUTES, self.heard) + self.resolution,
        )


NOTHING = NearMinutes(np.ones(1), 0.0, 0.0)


def add(parts: Iterable[NearMinutes]) -> NearMinutes:
    """Minutes near over several meetings, whose chances do not depend on each other."""
    total = NOTHING
    for part in parts:
        total = NearMinutes(
            np.convolve(total.chances, part.chances),
            total.heard + part.heard,
            max(total.resolution, part.resolution),
        )
    return total


def near_minutes(window: ExposureWindow, model: Nearness) -> NearMinutes:
    """The minutes near in one meeting."""
    segments = _segments(window.scan_instances, model)
    if not segments:
        return NOTHING
    like = _likelihoods(segments, window, model)
    counts = _counts(like, model)
    heard = math.fsum(instance.seconds_since_last_scan for instance in window.scan_instances) / 60
    steps = np.rint(np.arange(len(counts)) * heard / len(segments) / _STEP_MINUTES).astype(int)
    longest = max(instance.seconds_since_last_scan for instance in window.scan_instances)
    chances: Floats = np.bincount(steps, counts).astype(np.float64)
    return NearMinutes(chances, heard, longest / 60)


def directions_disagree(window: ExposureWindow, model: Nearness) -> bool:
    """Whether the two phones heard each other so differently, in most of what both know, that strength says little."""
    both = [segment for segment in _segments(window.scan_instances, model) if segment.reciprocal_db is not None]
    return bool(both) and sum(not segment.agrees(model) for segment in both) * 2 > len(both)


def is_crowded_and_flat(window: ExposureWindow, model: Nearness) -> bool:
    """Whether all around were heard alike, and this phone alike all the time, as in a tram."""
    instances = window.scan_instances
    spreads = [
        one.others_spread_db for one in instances if one.others >= model.crowd and one.others_spread_db is not None
    ]
    if len(spreads) * 2 <= len(instances) or sum(spreads) / len(spreads) > model.crowd_spread_db:
        return False
    return float(np.std([segment.typical_db for segment in _segments(instances, model)])) <= model.change_db


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


def _likelihoods(segments: Sequence[_Segment], window: ExposureWindow, model: Nearness) -> Floats:
    """How well each shift and distance explain each segment, shape (segments, shifts, distances), largest 1."""
    _, curve = _distances(model)
    shifts, _ = _shifts()
    calibration = model.calibration_db[window.confidence] ** 2 + model.calibration_db[window.own_confidence] ** 2
    own_part = model.direction_db**2 + calibration
    logarithms = np.empty((len(segments), _SHIFTS, _DISTANCES))
    for place, segment in enumerate(segments):
        level, bursts, part = segment.both_db(model), segment.bursts, own_part
        if segment.agrees(model):
            bursts, part = bursts + segment.reciprocal_bursts, own_part / 2
        shift = math.sqrt(model.pair_db**2 + part)
        spread = math.sqrt(model.drift_db**2 + model.burst_db**2 / bursts)
        logarithms[place] = -0.5 * ((level - curve[None, :] - shift * shifts[:, None]) / spread) ** 2
    logarithms -= logarithms.max(axis=(1, 2), keepdims=True)
    likelihoods: Floats = np.exp(logarithms)
    return likelihoods


def _counts(like: Floats, model: Nearness) -> Floats:
    """Chances of 0 .. all segments near, shape (segments + 1,).

    For each chance to stay, forward over the segments: `states` holds the weight of each number of near segments so
    far, shift and distance. How well a chance to stay explains the whole meeting decides how much it says.
    """
    near, _ = _distances(model)
    _, weights = _shifts()
    prior = 1.0 / _DISTANCES
    evidence, counts = [], []
    for stay in model.stays:
        states = _count_near((like[0] * prior * weights[:, None])[None], near)
        logarithm = 0.0
        for one in like[1:]:
            moved = states.sum(axis=2, keepdims=True) * ((1 - stay) * prior)
            states = _count_near((stay * states + moved) * one, near)
            total = states.sum()
            states /= total
            logarithm += math.log(total)
        total = states.sum()
        evidence.append(logarithm + math.log(total))
        counts.append(states.sum(axis=(1, 2)) / total)
    shares = np.exp(np.array(evidence) - max(evidence))
    mixed: Floats = shares @ np.array(counts) / shares.sum()
    return mixed


def _count_near(states: Floats, near: int) -> Floats:
    """Move what is near to the next number of near segments; the first `near` distances are."""
    counted = np.zeros((len(states) + 1, *states.shape[1:]))
    counted[:-1, :, near:], counted[1:, :, :near] = states[:, :, near:], states[:, :, :near]
    return counted


@lru_cache(maxsize=8)
def _distances(model: Nearness) -> tuple[int, Floats]:
    """How many of the distances tried are near, and the attenuation (dB) at each, nearest first; all weigh the same."""
    metres = np.exp(np.linspace(math.log(model.nearest_m), math.log(model.farthest_m), _DISTANCES))
    decades, bend = np.log10(metres), math.log10(model.bend_m)
    curve = (
        model.at_1m_db
        + model.slope_db * np.minimum(decades, bend)
        + model.far_slope_db * np.maximum(decades - bend, 0.0)
    )
    return int(np.count_nonzero(metres <= model.near_m)), curve


@lru_cache(maxsize=1)
def _shifts() -> tuple[Floats, Floats]:
    """The shifts tried, in standard deviations, and their weights."""
    shifts = np.linspace(-_LARGEST_SHIFT, _LARGEST_SHIFT, _SHIFTS)
    weights = np.exp(-0.5 * shifts**2)
    return shifts, weights / weights.sum()
