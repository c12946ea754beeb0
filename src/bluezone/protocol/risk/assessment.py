# SPDX-License-Identifier: Apache-2.0
"""From exposure windows to a warning: for each day a score, a level, minutes and a certainty.

Source: docs/protocol.md section 3; docs/contracts.md, `exposure score`.

Daily summaries as Exposure Notification v2 computes them: informational, no level depends on them.

Source: docs/exposure-notification.md section 6, DailySummary.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from bluezone.protocol.risk.profile import Level, Profile, SummaryWeights
from bluezone.protocol.risk.profilefiles import load_profile, parse_profile, profile_document
from bluezone.protocol.risk.profiletables import InvalidProfile
from bluezone.protocol.risk.windows import ExposureWindow, ScanInstance


@dataclass(frozen=True)
class DailySummary:
    """Sums over a day's windows, in weighted seconds (15 minutes at weight 1 are 900).

    weighted_duration_sum counts attenuation alone; score_sum and maximum_score (the largest window) also
    report type and infectiousness.
    """

    score_sum: float
    maximum_score: float
    weighted_duration_sum: float


def summarise(windows: Iterable[ExposureWindow], weights: SummaryWeights) -> DailySummary:
    """Summarise the windows of one day; windows without a score are left out, as Exposure Notification does."""
    durations: list[float] = []
    scores: list[float] = []
    for window in windows:
        duration = math.fsum(
            instance.seconds_since_last_scan * weights.attenuation_weight(instance.typical_attenuation_db)
            for instance in window.scan_instances
        )
        factor = weights.report_type.get(window.report_type, 0.0) * weights.infectiousness.get(
            window.infectiousness, 0.0
        )
        if duration * factor > 0:
            durations.append(duration)
            scores.append(duration * factor)
    return DailySummary(math.fsum(scores), max(scores, default=0.0), math.fsum(durations))


__all__ = [
    "Assessment",
    "DailySummary",
    "DayExposure",
    "ExposureWindow",
    "InvalidProfile",
    "Level",
    "Profile",
    "ScanInstance",
    "assess",
    "band_of",
    "load_profile",
    "parse_profile",
    "profile_document",
]

Certainty = Literal["low", "medium", "high"]
Band = Literal["<10", "10-15", "15-30", ">30"]

_LEVELS: tuple[Level, ...] = ("none", "low", "high")

# Calibration confidence from which both radios count as measured, and what else a sure warning needs.
_SURE_CONFIDENCE = 2
_SURE_BELOW_DB = 63
_SURE_ABOVE_MINUTES = 15

# Binary fractions miss a bound such as 9.0 by far less than this many decimals can show.
_SCORE_DECIMALS = 6


@dataclass(frozen=True)
class DayExposure:
    """What one day amounts to.

    day:       local date.
    score:     sum of minutes x weight x factor over all cases met.
    minutes:   counted minutes, to the nearest 5; band: the same as it is shown.
    certainty: how far level and minutes can be trusted.
    summary:   as Exposure Notification v2 would have it, or None where the profile gives no weights for it.
    """

    day: date
    score: float
    level: Level
    minutes: int
    band: Band
    certainty: Certainty
    summary: DailySummary | None


@dataclass(frozen=True)
class Assessment:
    """The level of the worst day, and every assessed day, earliest first."""

    level: Level
    days: tuple[DayExposure, ...]


def assess(windows: Iterable[ExposureWindow], profile: Profile, today: date) -> Assessment:
    """Score windows day by day.

    today: local date; windows of later days and of days older than the profile's bound are left out.

    Source: docs/protocol.md section 3.
    """
    by_day: dict[date, list[ExposureWindow]] = defaultdict(list)
    for window in windows:
        if _is_assessed(window, profile, today):
            by_day[window.day].append(window)
    days = tuple(_assess_day(day, by_day[day], profile) for day in sorted(by_day))
    return Assessment(max((day.level for day in days), key=_LEVELS.index, default="none"), days)


def _is_assessed(window: ExposureWindow, profile: Profile, today: date) -> bool:
    age_days = (today - window.day).days
    if age_days < 0 or (profile.max_age_days is not None and age_days > profile.max_age_days):
        return False
    if (window.report_type, window.infectiousness) in profile.dropped_factors:
        return False
    for filtered in profile.minutes_filters:
        seconds = sum(
            instance.seconds_since_last_scan
            for instance in window.scan_instances
            if _attenuation(instance, profile) in filtered.attenuation_db
        )
        if seconds / 60 in filtered.dropped_minutes:
            return False
    return True


def _attenuation(instance: ScanInstance, profile: Profile) -> int:
    if profile.attenuation == "minimum":
        return instance.minimum_attenuation_db
    return instance.typical_attenuation_db


def _assess_day(day: date, windows: Sequence[ExposureWindow], profile: Profile) -> DayExposure:
    scores: list[float] = []
    counted: list[ScanInstance] = []
    for window in windows:
        factor = profile.factor(window.report_type, window.infectiousness)
        for instance in window.scan_instances:
            weight = profile.weight(_attenuation(instance, profile))
            if weight > 0:
                counted.append(instance)
                scores.append(instance.seconds_since_last_scan / 60 * weight * factor)
    score = round(math.fsum(scores), _SCORE_DECIMALS)
    minutes = round(math.fsum(instance.seconds_since_last_scan for instance in counted) / 60, _SCORE_DECIMALS)
    too_short = profile.minimum_minutes is not None and minutes <= profile.minimum_minutes
    return DayExposure(
        day=day,
        score=score,
        level="none" if too_short else profile.level(score),
        minutes=5 * math.floor(minutes / 5 + 0.5),
        band=band_of(minutes),
        certainty=_certainty(windows, counted, minutes),
        summary=None if profile.summary is None else summarise(windows, profile.summary),
    )


def band_of(minutes: float) -> Band:
    """The band in which minutes are shown."""
    if minutes < 10:
        return "<10"
    if minutes < 15:
        return "10-15"
    return "15-30" if minutes <= 30 else ">30"


def _certainty(windows: Sequence[ExposureWindow], counted: Sequence[ScanInstance], minutes: float) -> Certainty:
    confidence = min(min(window.confidence, window.own_confidence) for window in windows)
    if confidence == 0:
        return "low"
    weighed = math.fsum(instance.typical_attenuation_db * instance.seconds_since_last_scan for instance in counted)
    if confidence >= _SURE_CONFIDENCE and minutes > _SURE_ABOVE_MINUTES and weighed < _SURE_BELOW_DB * minutes * 60:
        return "high"
    return "medium"
