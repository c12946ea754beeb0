# SPDX-License-Identifier: Apache-2.0
"""A disease profile: how nearness, duration and infectiousness become a level of exposure risk.

Values only: profilefiles.py reads them from a file, assessment.py and windows.py apply them. Source: docs/protocol.md
section 3.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Level = Literal["none", "low", "high"]
AttenuationKind = Literal["typical", "minimum"]

# Infectiousness as Exposure Notification numbers it; None (0) is never the infectiousness of a published key.
STANDARD = 1
HIGH = 2


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, each bound included unless it is exclusive."""

    low: float
    high: float = math.inf
    low_exclusive: bool = False
    high_exclusive: bool = False

    def __contains__(self, number: float) -> bool:
        above = number > self.low if self.low_exclusive else number >= self.low
        below = number < self.high if self.high_exclusive else number <= self.high
        return above and below


@dataclass(frozen=True)
class MinutesFilter:
    """Drops a window whose minutes at an attenuation (dB) lie in a range."""

    attenuation_db: Range
    dropped_minutes: Range


@dataclass(frozen=True)
class SummaryWeights:
    """Weights of an Exposure Notification v2 daily summary, computed beside our score for comparison.

    thresholds_db: three bounds of the typical attenuation, each belonging to the nearer bucket.
    attenuation:   four bucket weights; report_type, infectiousness: weights by number, 0 where absent.
    """

    thresholds_db: tuple[int, int, int]
    attenuation: tuple[float, float, float, float]
    report_type: Mapping[int, float]
    infectiousness: Mapping[int, float]

    def attenuation_weight(self, typical_attenuation_db: int) -> float:
        """Return the weight of the bucket that holds an attenuation."""
        return self.attenuation[sum(typical_attenuation_db > bound for bound in self.thresholds_db)]


@dataclass(frozen=True)
class Profile:
    """The decisions of a city's health authority about one disease.

    attenuation:          which attenuation of a scan instance is weighed.
    weights:              weight of a minute by attenuation (dB), the first range that fits; 0 where none does.
    factors:              what a minute counts by (report type, infectiousness); 0 where absent.
    levels:               level of a day by its score, the first range that fits; "none" where none does.
    minimum_minutes:      a day with so many counted minutes or fewer has no level; None: its score alone decides.
    max_age_days:         days older than this are not assessed; None: all are.
    high_days_since_onset: `days_since_onset` of a published key that mean high infectiousness; others standard.
    minutes_filters, dropped_factors: windows left out whole (only CWA's older configurations have them).
    """

    name: str
    attenuation: AttenuationKind
    weights: tuple[tuple[Range, float], ...]
    factors: Mapping[tuple[int, int], float]
    levels: tuple[tuple[Range, Level], ...]
    minimum_minutes: float | None = None
    max_age_days: int | None = None
    high_days_since_onset: frozenset[int] = frozenset({0})
    minutes_filters: tuple[MinutesFilter, ...] = ()
    dropped_factors: frozenset[tuple[int, int]] = frozenset()
    summary: SummaryWeights | None = None

    def weight(self, attenuation_db: float) -> float:
        """Return what a minute at this attenuation counts, 0 if nothing."""
        return next((weight for within, weight in self.weights if attenuation_db in within), 0.0)

    def factor(self, report_type: int, infectiousness: int) -> float:
        """Return what a minute near such a case counts, 0 if nothing."""
        return self.factors.get((report_type, infectiousness), 0.0)

    def level(self, score: float) -> Level:
        """Return the level of a day with this score."""
        return next((level for within, level in self.levels if score in within), "none")

    def infectiousness(self, days_since_onset: int | None) -> int:
        """Return the infectiousness of a published key: 2 high, 1 standard."""
        return HIGH if days_since_onset in self.high_days_since_onset else STANDARD
