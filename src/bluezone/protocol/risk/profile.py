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
class Nearness:
    """What a phone needs to know to say how long two people were near each other (nearness.py).

    near_m:               up to where a minute counts as near, metres.
    nearest_m, farthest_m: distances of people who meet, before anything was heard: all decades alike likely.
    at_1m_db, slope_db, bend_m, far_slope_db: attenuation at 1 m, what a decade of distance adds up to the bend, and
                          beyond it.
    pair_db, direction_db: standard deviation of a meeting's shift: the part both directions share, and each one's own.
    calibration_db:       standard deviation of one radio's calibration, by its confidence 0..3.
    drift_db, burst_db:   scatter of a segment's mean that does not average out, and that of one burst.
    segment_seconds:      longest segment. stays: chances that a distance lasts from one segment to the next.
    directions_within_db: by how much the two directions may differ: the mean of both lies at most half of it from what
                          this phone heard itself, and beyond it they disagree.
    low_dose, high_dose:  dose of a day from which its level is low, and high: expected minutes near x factor.
    high_minutes, high_chance: a high level also needs at least this chance of at least so many minutes near.
    sure_chance:          chance from which the words say that it is sure.
    crowd, crowd_spread_db, change_db: so many others in sight, whose levels scatter no more than this (standard
                          deviation), and a level of the pair that changes no more than this from segment to segment,
                          make a place in which strength says nothing about distance. A crowd of 1000 is off.
    fewest_bursts:        with fewer bursts heard nothing can be told.
    """

    near_m: float
    nearest_m: float
    farthest_m: float
    at_1m_db: float
    slope_db: float
    bend_m: float
    far_slope_db: float
    pair_db: float
    direction_db: float
    calibration_db: tuple[float, float, float, float]
    drift_db: float
    burst_db: float
    segment_seconds: float
    stays: tuple[float, ...]
    directions_within_db: float
    low_dose: float
    high_dose: float
    high_minutes: float
    high_chance: float
    sure_chance: float
    crowd: int
    crowd_spread_db: float
    change_db: float
    fewest_bursts: int

    def attenuation_db(self, metres: float) -> float:
        """The mean attenuation at a distance, metres above 0."""
        decades, bend = math.log10(metres), math.log10(self.bend_m)
        return self.at_1m_db + self.slope_db * min(decades, bend) + self.far_slope_db * max(decades - bend, 0.0)


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
    nearness:             how distance is judged; None: by `weights` alone, as the profile "cwa" does.
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
    nearness: Nearness | None = None

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
