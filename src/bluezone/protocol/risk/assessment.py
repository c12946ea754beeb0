# SPDX-License-Identifier: Apache-2.0
"""From exposure windows to a warning: for each day a score, a level, minutes and a certainty.

Source: docs/protocol.md section 3; docs/contracts.md, `exposure score`.

Also the daily summaries of Exposure Notification v2, for information only: no level depends on them.

Source: docs/exposure-notification.md section 6, DailySummary.
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
    "assess",
    "load_profile",
    "minutes_band",
    "parse_profile",
    "profile_document",
]

Certainty = Literal["sure", "likely", "unlikely", "unclear"]
Band = Literal["<10", "10-15", "15-30", ">30"]

_LEVELS: tuple[Level, ...] = ("none", "low", "high")

# Share of a day's distribution within the minutes that are shown.
_SHOWN_SHARE = 0.8

# Without a model of nearness: confidence from which both radios count as measured, and other bounds of a sure warning.
_SURE_CONFIDENCE = 2
_SURE_BELOW_DB = 63
_SURE_ABOVE_MINUTES = 15

# Binary fractions miss a bound such as 9.0 by far less than the last of these decimals.
_SCORE_DECIMALS = 6
_DOSE_DECIMALS = 2
_ROUNDING = 1e-9


@dataclass(frozen=True)
class DailySummary:
    """Sums over a day's windows, in weighted seconds (15 minutes at weight 1 are 900).

    weighted_duration_sum is weighted by attenuation only; score_sum and maximum_score (the largest window) also by
    report type and infectiousness.
    """

    score_sum: float
    maximum_score: float
    weighted_duration_sum: float


def summarise(windows: Iterable[ExposureWindow], weights: SummaryWeights) -> DailySummary:
    """Summarise the windows of one day without those that have no score, like Exposure Notification."""
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
    minutes:   minutes in which cases were heard (counted minutes without the model), to the nearest 5; band: the same
               for display.
    certainty: how sure it is that the owner was near for at least the profile's minutes: "sure", "likely", "unlikely",
               or "unclear" if the evidence allows no answer.
    summary:   that of Exposure Notification v2, or None if the profile has no weights for it.
    near:      minutes likely near, from .. to, which include the truth with a chance of 80 %; None without the model.
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

    today: local date; windows of later days, or days older than the profile's bound, are left out.

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
        summary=None if profile.summary is None else summarise(windows, profile.summary),
    )


def _assess_by_nearness(
    day: date, windows: Sequence[ExposureWindow], profile: Profile, model: Nearness
) -> DayExposure:  # fmt: skip
    meetings = []
    for window in windows:
        factor = profile.factor(window.report_type, window.infectiousness)
        if factor > 0:
            meetings.append(_meeting(window, model, factor))
    everything = add_near_minutes(meeting.near for meeting in meetings)
    firm = add_near_minutes(meeting.near for meeting in meetings if not meeting.is_weak)
    dose = round(math.fsum(meeting.dose for meeting in meetings), _DOSE_DECIMALS)
    firm_dose = math.fsum(meeting.dose for meeting in meetings if not meeting.is_weak)
    chance = everything.chance_at_least(model.high_minutes)

    level: Level = "none"
    if profile.minimum_minutes is None or everything.heard > profile.minimum_minutes + _ROUNDING:
        if firm_dose >= model.high_dose and firm.chance_at_least(model.high_minutes) >= model.high_chance:
            level = "high"
        elif dose >= model.low_dose:
            level = "low"
    certainty: Certainty = "unlikely"
    if level != "high" and 2 * firm_dose < dose:
        certainty = "unclear"
    elif chance >= model.sure_chance:
        certainty = "sure"
    elif chance >= model.high_chance:
        certainty = "likely"
    low, high = everything.credible_interval(_SHOWN_SHARE)
    return DayExposure(
        day=day,
        score=dose,
        level=level,
        minutes=5 * math.floor(everything.heard / 5 + 0.5),
        band=minutes_band(round(everything.heard, _SCORE_DECIMALS)),
        certainty=certainty,
        summary=None if profile.summary is None else summarise(windows, profile.summary),
        near=(round(low, 1), round(high, 1)),
        chance=round(chance, 3),
    )


@dataclass(frozen=True, slots=True)
class _Meeting:
    """One window under the model. is_weak: signal strength says too little to ask anybody to stay at home."""

    near: NearMinutes
    dose: float
    is_weak: bool


def _meeting(window: ExposureWindow, model: Nearness, factor: float) -> _Meeting:
    """Apply the model to a window. factor: what a minute near counts.

    The evidence is weak with few bursts, with directions that disagree, and, if the profile checks it, in a crowd that
    is all heard alike. Radios without calibration are treated like others, with the wider spread of the profile.
    """
    meeting = SegmentedEncounter(window, model)
    is_weak = (
        len(window.scan_instances) < model.fewest_bursts
        or meeting.is_crowded_and_flat()
        or meeting.directions_disagree()
    )
    near = meeting.near_minutes()
    return _Meeting(near, near.expected * factor, is_weak)


def minutes_band(minutes: float) -> Band:
    """The band in which minutes are displayed."""
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
