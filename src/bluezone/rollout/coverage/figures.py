# SPDX-License-Identifier: Apache-2.0
"""The week, Monday to Sunday, of reports and of coverage; and the intervals of shares.

Wilson's interval is for counted people, the bootstrap over gate-days for passages.
"""

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from bluezone.refusal import Refused

_DAY = datetime.timedelta(days=1)
Z_95 = 1.959963984540054
DRAWS = 2000
# Fixed, so that the same gate-days give the same interval on every page and in every report.
_SEED = 458
# Gate-days that are drawn at once: 16 MB.
_MOST_AT_ONCE = 1_000_000
_CACHED_INTERVALS = 512


class WeekUnreadable(Refused):
    """The text names no week, or the day is not a Monday."""

    code = "week_unreadable"


@dataclass(frozen=True, order=True)
class Week:
    """One week, named by its Monday. Raises WeekUnreadable for another day."""

    first_day: datetime.date

    def __post_init__(self) -> None:
        if self.first_day.isoweekday() != 1:
            raise WeekUnreadable(f"a week begins on a Monday, {self.first_day} is none")

    @classmethod
    def of(cls, day: datetime.date) -> "Week":
        """The week of a day."""
        return cls(day - (day.isoweekday() - 1) * _DAY)

    @classmethod
    def parse(cls, text: str) -> "Week":
        """The week of "2020-W33" (ISO 8601). Raises WeekUnreadable."""
        match = re.fullmatch(r"([0-9]{4})-W([0-9]{2})", text)
        try:
            if match:
                return cls(datetime.date.fromisocalendar(int(match[1]), int(match[2]), 1))
        except ValueError:
            pass
        raise WeekUnreadable("expected a week such as 2020-W33")

    @property
    def last_day(self) -> datetime.date:
        """Its Sunday."""
        return self.first_day + 6 * _DAY

    @property
    def due(self) -> datetime.date:
        """The last day for its reports, the Monday after it."""
        return self.first_day + 7 * _DAY

    @property
    def locks_on(self) -> datetime.date:
        """The first day on which its reports are locked."""
        return self.first_day + 8 * _DAY

    @property
    def previous(self) -> "Week":
        """The week before."""
        return Week(self.first_day - 7 * _DAY)

    @property
    def following(self) -> "Week":
        """The week after."""
        return Week(self.first_day + 7 * _DAY)

    def __str__(self) -> str:
        year, number, _weekday = self.first_day.isocalendar()
        return f"{year:04d}-W{number:02d}"

    def in_vietnamese(self) -> str:
        """Its days as administrative texts write them: "10–16/8/2020", "27/7–2/8/2020"."""
        first = self.first_day
        last = self.last_day
        if first.month == last.month:
            return f"{first.day}–{last.day}/{last.month}/{last.year}"
        year = "" if first.year == last.year else f"/{first.year}"
        return f"{first.day}/{first.month}{year}–{last.day}/{last.month}/{last.year}"

    def in_english(self) -> str:
        """Its days in English: "10–16 August 2020", "27 July – 2 August 2020"."""
        first = self.first_day
        last = self.last_day
        if first.month == last.month:
            return f"{first.day}–{last.day} {last:%B} {last.year}"
        year = "" if first.year == last.year else f" {first.year}"
        return f"{first.day} {first:%B}{year} – {last.day} {last:%B} {last.year}"


def parse_week(text: str, otherwise: Week) -> Week:
    """The week that a text names, or `otherwise` if it names none."""
    try:
        return Week.parse(text)
    except WeekUnreadable:
        return otherwise


class ShareImpossible(Refused):
    """More phones run than there are, or a number is negative."""

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
    """Percentile bootstrap of a share of passages, whole gate-days drawn with replacement.

    gate_days: (running, with a smartphone) of one gate on one day. The passages of one gate and day are mostly the same
        people, so a gate-day is one observation, however many passages it has.
    draws: how many samples are drawn, 1 or more. seed: of the draws.
    Returns None for fewer than two gate-days with a smartphone: one observation gives no spread.
    Raises ShareImpossible unless 0 <= running <= with a smartphone on every gate-day.

    Source: docs/design.md, "share running"; B. Efron, "Bootstrap methods: another look at the jackknife" (1979).
    """
    for running, phones in gate_days:
        if not 0 <= running <= phones:
            raise ShareImpossible(f"{running} of {phones} passages is not a share")
    counted = tuple((running, phones) for running, phones in gate_days if phones > 0)
    return _percentiles(counted, draws, seed) if len(counted) > 1 else None


@lru_cache(maxsize=_CACHED_INTERVALS)
def _percentiles(counted: tuple[tuple[int, int], ...], draws: int, seed: int) -> Interval:
    """The percentiles; cached, since drawing takes most of the time of a page that shows the same gate-days again."""
    running, phones = np.array(counted, dtype=np.float64).T
    rng = np.random.default_rng(seed)
    shares = []
    at_once = max(1, _MOST_AT_ONCE // len(counted))
    for start in range(0, draws, at_once):
        chosen = rng.integers(len(counted), size=(min(at_once, draws - start), len(counted)))
        shares.append(running[chosen].sum(axis=1) / phones[chosen].sum(axis=1))
    low, high = np.quantile(np.concatenate(shares), [0.025, 0.975])
    return Interval(float(low), float(high))
