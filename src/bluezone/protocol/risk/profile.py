# SPDX-License-Identifier: Apache-2.0
"""A disease profile: how nearness, duration and infectiousness determine a level of exposure risk.

profilefiles.py reads a profile from a file; assessment.py and windows.py apply it. Source: docs/protocol.md section 3.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Level = Literal["none", "low", "high"]
AttenuationKind = Literal["typical", "minimum"]

# Infectiousness with the numbers of Exposure Notification; a published key never has 0 (none).
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
    """Drops a window if its minutes at an attenuation (dB) are in a range."""

    attenuation_db: Range
    dropped_minutes: Range


@dataclass(frozen=True)
class SummaryWeights:
    """Weights of an Exposure Notification v2 daily summary, computed in addition to our score for comparison.

    thresholds_db: three bounds between buckets of typical attenuation; a value on a bound is in the nearer bucket.
    attenuation:   four bucket weights; report_type, infectiousness: weights by number, 0 where absent.
    """

    thresholds_db: tuple[int, int, int]
    attenuation: tuple[float, float, float, float]
    report_type: Mapping[int, float]
    infectiousness: Mapping[int, float]

    def attenuation_weight(self, typical_attenuation_db: int) -> float:
        """Return the weight of the bucket of an attenuation."""
        return self.attenuation[sum(typical_attenuation_db > bound for bound in self.thresholds_db)]


@dataclass(frozen=True)
class Nearness:
    """The model by which a phone estimates how long two people were near each other (nearness.py).

    near_m:               distance up to which a minute counts as near, metres.
    nearest_m, farthest_m: range of possible distances; the logarithms of all distances in it are equally likely.
    at_1m_db:             attenuation at 1 m.
    slope_db, far_slope_db: increase of attenuation per decade of distance, up to bend_m and beyond it.
    bend_m:               distance from which far_slope_db applies, metres.
    pair_db, direction_db: standard deviations of the shift of an encounter's levels: of the part common to both
                          directions, and of the part of each direction.
    calibration_db:       standard deviation of one radio's calibration, by its confidence 0..3.
    drift_db, burst_db:   spread of a segment's mean that more bursts do not reduce, and spread of one burst.
    segment_seconds:      longest segment.
    stays:                chances that a distance lasts from one segment to the next; the model tries each.
    directions_within_db: largest difference at which the two directions agree. The mean of both directions differs from
                          this phone's own direction by at most half of it.
    low_dose, high_dose:  doses from which a day's level is low or high; a dose is expected minutes near x factor.
    high_minutes, high_chance: a high level also needs at least this chance of at least this many minutes near.
    sure_chance:          chance of high_minutes near from which a warning is "sure".
    crowd, crowd_spread_db, change_db: the evidence is too weak for a high level if most bursts heard at least `crowd`
                          other phones, the standard deviation of their levels is at most crowd_spread_db, and that of
                          the case's level over the segments is at most change_db. A crowd of 1000 turns the check off.
    fewest_bursts:        with fewer bursts, the evidence is too weak for a high level.
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
        """Return the mean attenuation at a distance of more than 0 metres."""
        decades = math.log10(metres)
        bend = math.log10(self.bend_m)
        return self.at_1m_db + self.slope_db * min(decades, bend) + self.far_slope_db * max(decades - bend, 0.0)


@dataclass(frozen=True)
class Profile:
    """The decisions of a city's health authority about one disease.

    attenuation:          which attenuation of a scan instance is used.
    weights:              weight of a minute by attenuation (dB): of the first range that contains it, or else 0.
    factors:              value of a minute by (report type, infectiousness); 0 if absent.
    levels:               level of a day by its score: of the first range that contains it, or else "none".
    minimum_minutes:      a day with this many counted minutes or fewer has level "none"; None for no such limit.
    max_age_days:         days older than this are not assessed; None to assess all.
    high_days_since_onset: values of `days_since_onset` that mean high infectiousness; all others mean standard.
    minutes_filters:      windows to leave out; only in older configurations of the Corona-Warn-App.
    dropped_factors:      (report type, infectiousness) of windows to leave out, likewise.
    summary:              weights for the daily summaries; None for no summaries.
    nearness:             the model of distance; None to use `weights`, as in the profile "cwa".
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
        """Return the weight of a minute at this attenuation, 0 for none."""
        return next((weight for within, weight in self.weights if attenuation_db in within), 0.0)

    def factor(self, report_type: int, infectiousness: int) -> float:
        """Return the factor of a minute near such a case, 0 for none."""
        return self.factors.get((report_type, infectiousness), 0.0)

    def level(self, score: float) -> Level:
        """Return the level of a day with this score."""
        return next((level for within, level in self.levels if score in within), "none")

    def infectiousness(self, days_since_onset: int | None) -> int:
        """Return the infectiousness of a published key: 2 high, 1 standard."""
        return HIGH if days_since_onset in self.high_days_since_onset else STANDARD
