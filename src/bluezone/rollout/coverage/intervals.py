# SPDX-License-Identifier: Apache-2.0
"""The 95 % interval of a share: Wilson's for counted people, the bootstrap over gate-days for passages."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bluezone.refusal import Refused

Z_95 = 1.959963984540054
DRAWS = 2000
# Fixed, so that the same gate-days give the same interval on every page and in every report.
_SEED = 458
# Largest number of gate-days in one draw; their two arrays take about 16 MB.
_MOST_AT_ONCE = 1_000_000
_CACHED_INTERVALS = 512


class ShareImpossible(Refused):
    """The count is larger than its base, or a number is negative."""

    code = "share_impossible"


@dataclass(frozen=True)
class Interval:
    """A 95 % interval of a share. low, high: 0..1, low <= high."""

    low: float
    high: float


def wilson_interval(count: int, base: int) -> Interval | None:
    """Wilson's score interval of count out of base; None for a base of 0.

    Raises ShareImpossible unless 0 <= count <= base.
    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    """
    if not 0 <= count <= base:
        raise ShareImpossible(f"{count} of {base} is not a share")
    if base == 0:
        return None
    share = count / base
    weight = Z_95**2 / base
    middle = (share + weight / 2) / (1 + weight)
    half = Z_95 / (1 + weight) * (share * (1 - share) / base + weight / (4 * base)) ** 0.5
    return Interval(max(0.0, middle - half), min(1.0, middle + half))


def bootstrap_interval(
    gate_days: Sequence[tuple[int, int]], *, draws: int = DRAWS, seed: int = _SEED
) -> Interval | None:
    """The interval of a share of passages by percentile bootstrap: whole gate-days are drawn with replacement.

    gate_days: for one gate on one day, passages with a phone that provably runs the app, and passages with a
        smartphone. Mostly the same people pass, so a gate-day is one observation, however many passages it has.
    draws: how many samples are drawn, 1 or more. seed: of the random numbers.
    Returns None for fewer than two gate-days with a smartphone: one observation gives no spread.
    Raises ShareImpossible unless 0 <= running <= phones on every gate-day.

    Source: docs/design.md, "share running"; B. Efron, "Bootstrap methods: another look at the jackknife" (1979).
    """
    for running, phones in gate_days:
        if not 0 <= running <= phones:
            raise ShareImpossible(f"{running} of {phones} passages is not a share")
    counted = tuple((running, phones) for running, phones in gate_days if phones > 0)
    return _percentiles(counted, draws, seed) if len(counted) > 1 else None


@lru_cache(maxsize=_CACHED_INTERVALS)
def _percentiles(counted: tuple[tuple[int, int], ...], draws: int, seed: int) -> Interval:
    """The 2.5 % and 97.5 % percentiles; cached, since drawing takes most of the time of a page."""
    running, phones = np.array(counted, dtype=np.float64).T
    rng = np.random.default_rng(seed)
    shares = []
    at_once = max(1, _MOST_AT_ONCE // len(counted))
    for start in range(0, draws, at_once):
        chosen = rng.integers(len(counted), size=(min(at_once, draws - start), len(counted)))
        shares.append(running[chosen].sum(axis=1) / phones[chosen].sum(axis=1))
    low, high = np.quantile(np.concatenate(shares), [0.025, 0.975])
    return Interval(float(low), float(high))
