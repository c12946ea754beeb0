# SPDX-License-Identifier: Apache-2.0
"""Assesses exposure windows: a score, a level, minutes and a certainty for each day.

It also computes the daily summaries of Exposure Notification v2, for information only: no level depends on them.

Source: docs/protocol.md section 3; docs/contracts.md, `exposure score`; docs/exposure-notification.md section 6,
DailySummary.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from bluezone.protocol.risk.nearness import NearMinutes, SegmentedEncounter, add_near_minutes
from bluezone.protocol.risk.profile import Level, Nearness, Profile, SummaryWeights
from bluezone.protocol.risk.profilefiles import load_profile, parse_profile, profile_document
from bluezone.protocol.risk.profiletables import InvalidProfile
from bluezone.protocol.risk.windows import ExposureWindow, ScanInstance

__all__ = [
    "Assessment",
    "DailySummary",
    "DayExposure",
    "ExposureWindow",
    "InvalidProfile",
    "Level",
    "Profile",
    "ScanInstance",
    "assess_exposure",
    "load_profile",
    "minutes_band",
    "parse_profile",
    "profile_document",
]

Certainty = Literal["sure", "likely", "unlikely", "unclear"]
Band = Literal["<10", "10-15", "15-30", ">30"]

_LEVELS: tuple[Level, ...] = ("none", "low", "high")

# Chance with which the displayed range of minutes includes the true minutes near.
_DISPLAYED_SHARE = 0.8

# Bounds of a sure warning without a model of nearness: calibration confidence of both radios, attenuation and minutes.
_SURE_CONFIDENCE = 2
_SURE_BELOW_DB = 63
_SURE_ABOVE_MINUTES = 15

# Scores are rounded, because sums of binary fractions may miss a bound such as 9.0 by a tiny amount.
_SCORE_DECIMALS = 6
_DOSE_DECIMALS = 2
_ROUNDING = 1e-9


@dataclass(frozen=True)
class DailySummary:
    """Sums over a day's windows, in weighted seconds (15 minutes at weight 1 are 900).

    weighted_duration_sum: weighted by attenuation only.
    score_sum:             weighted by attenuation, report type and infectiousness.
    maximum_score:         the score of the window with the highest score.
    """

    score_sum: float
    maximum_score: float
    weighted_duration_sum: float


def summarise_windows(windows: Iterable[ExposureWindow], weights: SummaryWeights) -> DailySummary:
    """Summarise the windows of one day like Exposure Notification, which ignores windows with score 0."""
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


@dataclass(frozen=True)
class DayExposure:
    """The exposure of one day.

    day:       local date.
    score:     the dose: sum over all cases of expected minutes near x factor, or of minutes x weight x factor if the
               profile has no model of nearness.
    minutes:   minutes in which cases were heard, to the nearest 5; without the model, only those with a weight.
    band:      the range of these minutes, for display.
    certainty: how sure it is that the owner was near a case for at least the model's `high_minutes`: "sure", "likely",
               "unlikely", or "unclear" if the evidence is too weak.
    summary:   the daily summary of Exposure Notification v2, or None if the profile has no weights for it.
    near:      lowest and highest probable number of minutes near a case; the true number is between them with a chance
               of 80 %. None without the model.
    chance:    chance, 0..1, that the owner was near a case for at least `high_minutes`; None without the model.
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


def assess_exposure(windows: Iterable[ExposureWindow], profile: Profile, today: date) -> Assessment:
    """Assess windows day by day.

    today: local date. Windows of later days, and of days that are too old for the profile, are left out.

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
    for rule in profile.minutes_filters:
        seconds = sum(
            instance.seconds_since_last_scan
            for instance in window.scan_instances
            if _attenuation(instance, profile) in rule.attenuation_db
        )
        if seconds / 60 in rule.dropped_minutes:
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
        band=minutes_band(minutes),
        certainty=_certainty(windows, counted, minutes),
        summary=None if profile.summary is None else summarise_windows(windows, profile.summary),
    )


def _assess_by_nearness(
    day: date, windows: Sequence[ExposureWindow], profile: Profile, model: Nearness
) -> DayExposure:  # fmt: skip
    encounters = []
    for window in windows:
        factor = profile.factor(window.report_type, window.infectiousness)
        if factor > 0:
            encounters.append(_assess_encounter(window, model, factor))
    total = add_near_minutes(encounter.near for encounter in encounters)
    strong = add_near_minutes(encounter.near for encounter in encounters if not encounter.is_weak)
    dose = round(math.fsum(encounter.dose for encounter in encounters), _DOSE_DECIMALS)
    strong_dose = math.fsum(encounter.dose for encounter in encounters if not encounter.is_weak)
    chance = total.chance_at_least(model.high_minutes)

    level: Level = "none"
    if profile.minimum_minutes is None or total.heard > profile.minimum_minutes + _ROUNDING:
        if strong_dose >= model.high_dose and strong.chance_at_least(model.high_minutes) >= model.high_chance:
            level = "high"
        elif dose >= model.low_dose:
            level = "low"
    certainty: Certainty = "unlikely"
    if level != "high" and 2 * strong_dose < dose:
        certainty = "unclear"
    elif chance >= model.sure_chance:
        certainty = "sure"
    elif chance >= model.high_chance:
        certainty = "likely"
    low, high = total.credible_interval(_DISPLAYED_SHARE)
    return DayExposure(
        day=day,
        score=dose,
        level=level,
        minutes=5 * math.floor(total.heard / 5 + 0.5),
        band=minutes_band(round(total.heard, _SCORE_DECIMALS)),
        certainty=certainty,
        summary=None if profile.summary is None else summarise_windows(windows, profile.summary),
        near=(round(low, 1), round(high, 1)),
        chance=round(chance, 3),
    )


@dataclass(frozen=True, slots=True)
class _AssessedEncounter:
    """The result of the model for one window. is_weak: the evidence is too weak for a high level."""

    near: NearMinutes
    dose: float
    is_weak: bool


def _assess_encounter(window: ExposureWindow, model: Nearness, factor: float) -> _AssessedEncounter:
    """Apply the model to a window. factor: the dose for each minute spent near the case.

    The evidence is weak if there are few bursts, if the directions disagree, or if the levels look like those in a
    crowded tram. Missing calibration does not make it weak: the model has a wider spread
    for such radios.
    """
    encounter = SegmentedEncounter(window, model)
    is_weak = (
        len(window.scan_instances) < model.fewest_bursts
        or encounter.is_crowded_and_flat()
        or encounter.directions_disagree()
    )
    near = encounter.near_minutes()
    return _AssessedEncounter(near, near.expected * factor, is_weak)


def minutes_band(minutes: float) -> Band:
    """Return the range of minutes that is displayed instead of the exact minutes."""
    if minutes < 10:
        return "<10"
    if minutes < 15:
        return "10-15"
    if minutes <= 30:
        return "15-30"
    return ">30"


def _certainty(windows: Sequence[ExposureWindow], counted: Sequence[ScanInstance], minutes: float) -> Certainty:
    confidence = min(min(window.confidence, window.own_confidence) for window in windows)
    if confidence == 0:
        return "unclear"
    weighted = math.fsum(instance.typical_attenuation_db * instance.seconds_since_last_scan for instance in counted)
    if confidence >= _SURE_CONFIDENCE and minutes > _SURE_ABOVE_MINUTES and weighted < _SURE_BELOW_DB * minutes * 60:
        return "sure"
    return "likely"
