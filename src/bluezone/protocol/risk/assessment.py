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

from bluezone.protocol.risk.nearness import HeardMeeting, NearMinutes, add
from bluezone.protocol.risk.profile import Level, Nearness, Profile, SummaryWeights
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

Certainty = Literal["sure", "likely", "unlikely", "unclear"]
Band = Literal["<10", "10-15", "15-30", ">30"]

_LEVELS: tuple[Level, ...] = ("none", "low", "high")

# Share of a day's distribution that the minutes shown hold.
_SHOWN_SHARE = 0.8

# Without a model of nearness: confidence from which both radios count as measured, and what else a sure warning needs.
_SURE_CONFIDENCE = 2
_SURE_BELOW_DB = 63
_SURE_ABOVE_MINUTES = 15

# Binary fractions miss a bound such as 9.0 by far less than this many decimals can show.
_SCORE_DECIMALS = 6
_DOSE_DECIMALS = 2
_ROUNDING = 1e-9


@dataclass(frozen=True)
class DayExposure:
    """What one day amounts to.

    day:       local date.
    score:     the dose: sum over all cases met of expected minutes near x factor, or of minutes x weight x factor
               where the profile has no model of nearness.
    minutes:   minutes in which cases were heard (counted minutes without the model), to the nearest 5; band: the same
               as it is shown.
    certainty: how sure it is that the owner was near for at least the profile's minutes: "sure", "likely", "unlikely",
               or "unclear" where the evidence allows no answer.
    summary:   as Exposure Notification v2 would have it, or None where the profile gives no weights for it.
    near:      minutes likely near, from .. to, holding the truth with a chance of 80 %; None without the model.
    chance:    chance of at least the profile's minutes near, 0..1; None without the model.
    """

    day: date
    score: float
    level: Level
    minutes: int
    band: Band
    certainty: Certainty
    summary: DailySummary | None
    near: tuple[float, float] | None = None
    chance: float | None = None


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
    if profile.nearness is not None:
        return _assess_by_nearness(day, windows, profile, profile.nearness)
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


def _assess_by_nearness(
    day: date, windows: Sequence[ExposureWindow], profile: Profile, model: Nearness
) -> DayExposure:  # fmt: skip
    factors = [profile.factor(window.report_type, window.infectiousness) for window in windows]
    counted = [(window, factor) for window, factor in zip(windows, factors, strict=True) if factor > 0]
    judged = [_judged(window, model, factor) for window, factor in counted]
    everything = add(near for near, _, _ in judged)
    firm = add(near for near, _, weak in judged if not weak)
    doses = [near.expected * factor for near, factor, _ in judged]
    dose = round(math.fsum(doses), _DOSE_DECIMALS)
    firm_dose = math.fsum(one for one, (_, _, weak) in zip(doses, judged, strict=True) if not weak)
    chance = everything.chance_of(model.high_minutes)

    level: Level = "none"
    if profile.minimum_minutes is None or everything.heard > profile.minimum_minutes + _ROUNDING:
        if firm_dose >= model.high_dose and firm.chance_of(model.high_minutes) >= model.high_chance:
            level = "high"
        elif dose >= model.low_dose:
            level = "low"
    certainty: Certainty
    if level != "high" and 2 * firm_dose < dose:
        certainty = "unclear"
    elif chance >= model.sure_chance:
        certainty = "sure"
    else:
        certainty = "likely" if chance >= model.high_chance else "unlikely"
    low, high = everything.interval(_SHOWN_SHARE)
    return DayExposure(
        day=day,
        score=dose,
        level=level,
        minutes=5 * math.floor(everything.heard / 5 + 0.5),
        band=band_of(round(everything.heard, _SCORE_DECIMALS)),
        certainty=certainty,
        summary=None if profile.summary is None else summarise(windows, profile.summary),
        near=(round(low, 1), round(high, 1)),
        chance=round(chance, 3),
    )


def _judged(window: ExposureWindow, model: Nearness, factor: float) -> tuple[NearMinutes, float, bool]:
    """The minutes near, what they count by, and whether strength says too little to tell anybody to stay at home.

    That is so with few bursts; directions that disagree; and, where the profile knows it, a crowd all of which is
    heard alike. Radios without calibration are judged like others, with the wider spread that the profile has for them.
    """
    meeting = HeardMeeting(window, model)
    is_weak = (
        len(window.scan_instances) < model.fewest_bursts
        or meeting.is_crowded_and_flat()
        or meeting.directions_disagree()
    )
    return meeting.near_minutes(), factor, is_weak


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
        return "unclear"
    weighed = math.fsum(instance.typical_attenuation_db * instance.seconds_since_last_scan for instance in counted)
    if confidence >= _SURE_CONFIDENCE and minutes > _SURE_ABOVE_MINUTES and weighed < _SURE_BELOW_DB * minutes * 60:
        return "sure"
    return "likely"
