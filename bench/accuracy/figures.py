# SPDX-License-Identifier: Apache-2.0
"""Figures of a judgement: area under the curve, rates, calibration; and their spread over phones drawn anew."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

RESAMPLES = 200
BINS = 10


def auc(scores: Floats, near: Bools, weights: Floats) -> float:
    """Chance that something near scores above something far, ties halved; NaN where either is missing."""
    order = np.argsort(scores, kind="stable")
    scores, near, weights = scores[order], near[order], weights[order]
    _, first = np.unique(scores, return_index=True)
    ours, theirs = (np.add.reduceat(np.where(mask, weights, 0.0), first) for mask in (near, ~near))
    below = np.cumsum(theirs) - theirs
    total = ours.sum() * theirs.sum()
    return float(ours @ (below + theirs / 2) / total) if total else float("nan")


def found_at(scores: Floats, near: Bools, weights: Floats, false_rate: float) -> float:
    """Share of what is near that is found where `false_rate` of what is far is taken for near as well."""
    if not weights[near].sum() or not weights[~near].sum():
        return float("nan")
    order = np.argsort(-scores, kind="stable")
    far, close = np.where(near, 0.0, weights)[order], np.where(near, weights, 0.0)[order]
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))
    false, found = np.cumsum(far)[last] / far.sum(), np.cumsum(close)[last] / close.sum()
    return float(np.interp(false_rate, np.insert(false, 0, 0.0), np.insert(found, 0, 0.0)))


def share(mask: Bools, among: Bools, weights: Floats) -> float:
    """Share of `among` for which `mask` holds."""
    total = weights[among].sum()
    return float(weights[mask & among].sum() / total) if total else float("nan")


def calibration_error(chances: Floats, true: Bools, weights: Floats) -> float:
    """Mean distance between the chance stated and the share that came true, over ten equal bins."""
    bins = np.minimum((chances * BINS).astype(int), BINS - 1)
    error, total = 0.0, weights.sum()
    for number in range(BINS):
        inside = bins == number
        weight = weights[inside].sum()
        if weight:
            stated = float(weights[inside] @ chances[inside]) / weight
            came_true = float(weights[inside] @ true[inside].astype(float)) / weight
            error += weight / total * abs(stated - came_true)
    return error if total else float("nan")


def with_interval(
    figure: Callable[[Floats], float], ones: Sequence[str], others: Sequence[str], rng: np.random.Generator
) -> tuple[float, float, float]:
    """A figure with its 95 % interval. figure: takes a weight for each row.

    ones, others: the two phones of each row. Phones, not rows, are drawn anew with replacement, because rows of one
    phone have its body, pocket and radio in common.
    """
    names = sorted({*ones, *others})
    place = {name: number for number, name in enumerate(names)}
    first, second = (np.array([place[name] for name in side], dtype=int) for side in (ones, others))
    value = figure(np.ones(len(first)))
    drawn = []
    for _ in range(RESAMPLES):
        counts = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names)).astype(np.float64)
        drawn.append(figure(counts[first] * counts[second]))
    kept = [one for one in drawn if not np.isnan(one)]
    low, high = np.percentile(kept, [2.5, 97.5]) if kept else (float("nan"), float("nan"))
    return value, float(low), float(high)
