# SPDX-License-Identifier: Apache-2.0
"""Other ways to judge five minutes of attenuation, for comparison only: nothing on a phone uses them.

Sources: docs/risk.md (mean attenuation, Exposure Notification); the smoother is the published method of the app of
England and Wales (version 3): distance over a grid of seconds by an unscented Kalman filter and smoother.
"""

import math

import numpy as np
from bench.accuracy.phones import Slice
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Corona-Warn-App 1.15 and later: weight of a minute by the smallest attenuation of an instance (docs/risk.md).
_WEIGHTS = ((63, 0.8), (73, 1.0), (79, 0.1))

_SIGHT_SPREAD, _MOVE_SPREAD = 0.49476144, 0.1
_SLOPE, _LEVEL = 0.12705475, 4.23093337
_FIRST_MEAN, _FIRST_VARIANCE = 2.0, 10.0
_NEVER = 1e-3


def mean_attenuation(part: Slice) -> float:
    """Mean over all frames, dB; the smaller the nearer."""
    return float(np.mean([db for burst in part.attenuations_db for db in burst]))


def weighted_minutes(part: Slice) -> float:
    """Minutes weighed by the smallest attenuation of each burst."""
    return sum(
        seconds / 60 * next((weight for below, weight in _WEIGHTS if min(burst) < below), 0.0)
        for burst, seconds in zip(part.attenuations_db, part.seconds, strict=True)
    )


def smoothed_risk(part: Slice) -> float:
    """The sum over seconds of min(1, 1 / d^2), d smoothed from the logarithm of attenuation."""
    ends = np.cumsum(np.maximum(np.rint(part.seconds), 1).astype(int))
    grid = np.full(int(ends[-1]), np.nan)
    for end, burst in zip(ends, part.attenuations_db, strict=True):
        grid[end - 1] = math.log(max(float(np.mean(burst)), 1.0))
    means, variances = _smooth(grid)
    with np.errstate(divide="ignore", invalid="ignore"):
        shape, scale = means**2 / variances, variances / means
        # Median of a gamma distribution (Wilson and Hilferty), close enough for a baseline.
        median = np.where(shape > 0, shape * scale * (1 - 1 / (9 * shape)) ** 3, _NEVER)
    median = np.where(np.isfinite(median) & (median > 0), median, _NEVER)
    return float(np.minimum(1.0, 1.0 / median**2).sum() / 60)


def _points(mean: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """Sigma points of a state augmented by two noises (alpha 1, kappa 0) and their weights."""
    size = len(mean)
    root = np.sqrt(float(size)) * np.diag(spread)
    points = np.vstack([mean, mean + root, mean - root])
    weights = np.full(2 * size + 1, 1 / (2 * size))
    weights[0] = 0.0
    return points, weights


def _smooth(grid: Floats) -> tuple[Floats, Floats]:
    means, variances = np.empty(len(grid)), np.empty(len(grid))
    ahead_means, ahead_variances, crosses = (np.empty(len(grid)) for _ in range(3))
    mean, variance = _FIRST_MEAN, _FIRST_VARIANCE
    for place, seen in enumerate(grid):
        if place:
            points, weights = _points(np.array([mean, 0.0, 0.0]), np.array([math.sqrt(variance), _MOVE_SPREAD, 0.0]))
            moved = np.abs(points[:, 0] + points[:, 1])
            ahead = float(weights @ moved)
            spread = float(weights @ (moved - ahead) ** 2)
            crosses[place] = float(weights @ ((points[:, 0] - mean) * (moved - ahead)))
            mean, variance = ahead, max(spread, 1e-9)
        ahead_means[place], ahead_variances[place] = mean, variance
        if not math.isnan(seen):
            points, weights = _points(np.array([mean, 0.0, 0.0]), np.array([math.sqrt(variance), 0.0, _SIGHT_SPREAD]))
            told = _SLOPE * np.log(np.maximum(np.abs(points[:, 0]), 1e-6)) + _LEVEL + points[:, 2]
            centre = float(weights @ told)
            total = float(weights @ (told - centre) ** 2)
            cross = float(weights @ ((points[:, 0] - mean) * (told - centre)))
            gain = cross / total
            mean, variance = mean + gain * (seen - centre), max(variance - gain * cross, 1e-9)
        means[place], variances[place] = mean, variance
    for place in range(len(grid) - 2, -1, -1):
        gain = crosses[place + 1] / ahead_variances[place + 1]
        means[place] += gain * (means[place + 1] - ahead_means[place + 1])
        variances[place] = max(variances[place] + gain**2 * (variances[place + 1] - ahead_variances[place + 1]), 1e-9)
    return means, variances
