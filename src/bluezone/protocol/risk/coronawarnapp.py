# SPDX-License-Identifier: Apache-2.0
"""Formats of the Corona-Warn-App: its risk calculation configuration, and the exposure windows of its test cases."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import product
from typing import Any

from bluezone.protocol.keys import ReportType
from bluezone.protocol.risk.profile import HIGH, STANDARD, Level, MinutesFilter, Profile, Range
from bluezone.protocol.risk.profiletables import InvalidProfile, ProfileTable
from bluezone.protocol.risk.windows import ExposureWindow, ScanInstance
from bluezone.protocol.signed.members import LARGEST_INTEGER, JsonMembers
from bluezone.refusal import Refused

# An entry of every Corona-Warn-App configuration. Profiles in our own format do not have it.
CWA_PREFIX = "minutesAtAttenuationWeights"

_LEVELS: dict[int, Level] = {0: "none", 1: "low", 2: "high"}
_LARGEST = 1e6

_REPORT_OFFSETS = {
    ReportType.RECURSIVE: "reportTypeOffsetRecursive",
    ReportType.SELF_REPORT: "reportTypeOffsetSelfReport",
    ReportType.CONFIRMED_CLINICAL: "reportTypeOffsetConfirmedClinicalDiagnosis",
    ReportType.CONFIRMED_TEST: "reportTypeOffsetConfirmedTest",
}
_INFECTIOUSNESS_OFFSETS = {STANDARD: "infectiousnessOffsetStandard", HIGH: "infectiousnessOffsetHigh"}

_LARGEST_AGE_DAYS = 3650


def parse_cwa(table: ProfileTable) -> Profile:
    """Make a profile from a configuration object; raises InvalidProfile."""
    risk_levels = _risk_levels(table.table("trlEncoding"))
    values = _risk_values(table, sorted(set(risk_levels.values())))
    dropped_ranges = [entry.read_whole(_dropped_levels) for entry in table.tables("trlFilters")]
    days = [entry.read_whole(_level) for entry in table.tables("normalizedTimePerDayToRiskLevelMapping", least=1)]
    # The levels of single windows are for a count of encounters, which we do not display: only check them.
    for entry in table.tables("normalizedTimePerEWToRiskLevelMapping"):
        entry.read_whole(_level)
    profile = Profile(
        name="cwa",
        attenuation="minimum",
        weights=tuple(entry.read_whole(_weight) for entry in table.tables(CWA_PREFIX, least=1)),
        factors={pair: values[level] for pair, level in risk_levels.items()},
        levels=tuple(days),
        max_age_days=table.integer("maxEncounterAgeInDays", 0, 365) if "maxEncounterAgeInDays" in table else None,
        minutes_filters=tuple(
            entry.read_whole(_minutes_filter) for entry in table.tables("minutesAtAttenuationFilters")
        ),
        dropped_factors=frozenset(
            pair for pair, level in risk_levels.items() if any(level in dropped for dropped in dropped_ranges)
        ),
    )
    table.finish()
    return profile


def _risk_levels(table: ProfileTable) -> dict[tuple[int, int], int]:
    """Return the transmission risk level (TRL) of each report type and infectiousness."""
    report = {int(number): table.integer(name, 0, 100) for number, name in _REPORT_OFFSETS.items()}
    infectious = {number: table.integer(name, 0, 100) for number, name in _INFECTIOUSNESS_OFFSETS.items()}
    table.finish()
    return {pair: report[pair[0]] + infectious[pair[1]] for pair in product(report, infectious)}


def _risk_values(table: ProfileTable, risk_levels: list[int]) -> dict[int, float]:
    """Return the value of each transmission risk level: from a table, before version 1.15 a multiple of the level."""
    multiple = table.number("transmissionRiskLevelMultiplier", 0, 100, default=0)
    if "transmissionRiskValueMapping" not in table:
        if not multiple:
            raise InvalidProfile("profile.transmissionRiskValueMapping is missing")
        return {level: level * multiple for level in risk_levels}
    values = dict(entry.read_whole(_risk_value) for entry in table.tables("transmissionRiskValueMapping"))
    return {level: values.get(level, 0.0) for level in risk_levels}


def _risk_value(entry: ProfileTable) -> tuple[int, float]:
    return entry.integer("transmissionRiskLevel", 0, 100), entry.number("transmissionRiskValue", 0, 100)


def _weight(entry: ProfileTable) -> tuple[Range, float]:
    return entry.table("attenuationRange").read_whole(_range), entry.number("weight", 0, 100)


def _level(entry: ProfileTable) -> tuple[Range, Level]:
    within = entry.table("normalizedTimeRange").read_whole(_range)
    return within, _LEVELS[entry.integer("riskLevel", 0, 2)]


def _minutes_filter(entry: ProfileTable) -> MinutesFilter:
    return MinutesFilter(
        entry.table("attenuationRange").read_whole(_range), entry.table("dropIfMinutesInRange").read_whole(_range)
    )


def _dropped_levels(entry: ProfileTable) -> Range:
    return entry.table("dropIfTrlInRange").read_whole(_range)


def _range(entry: ProfileTable) -> Range:
    low = entry.number("min", 0, _LARGEST)
    high = entry.number("max", 0, _LARGEST)
    if low > high:
        raise InvalidProfile(f"a range runs from {low} to {high}, expected the smaller number first")
    return Range(low, high, entry.flag("minExclusive", False), entry.flag("maxExclusive", False))


class InvalidWindows(Refused):
    """Not a list of exposure windows."""

    code = "windows_invalid"


def read_windows(data: bytes, today: date) -> tuple[ExposureWindow, ...]:
    """Read a JSON list of windows with ages in days before the local date `today`. Raises InvalidWindows."""
    try:
        entries = json.loads(data)
    except (ValueError, RecursionError):
        raise InvalidWindows(f"file of {len(data)} bytes is not JSON") from None
    if not isinstance(entries, list):
        raise InvalidWindows(f"file holds {type(entries).__name__}, expected a list of windows")
    return decode_windows(entries, today)


def decode_windows(entries: Sequence[Any], today: date) -> tuple[ExposureWindow, ...]:
    """Make windows from decoded JSON; raises InvalidWindows."""
    return tuple(
        _window(JsonMembers(entry, InvalidWindows, f"windows[{position}]"), today)
        for position, entry in enumerate(entries)
    )


def _window(entry: JsonMembers, today: date) -> ExposureWindow:
    age_days = entry.integer("ageInDays", 0, _LARGEST_AGE_DAYS)
    if age_days >= today.toordinal():
        raise InvalidWindows(f"a window is {age_days} days old, which is before the calendar's first day")
    # The file gives only the confidence of the case's radio, not of our own.
    return ExposureWindow(
        day=today - timedelta(days=age_days),
        report_type=entry.integer("reportType", 0, 5),
        infectiousness=entry.integer("infectiousness", 0, 2),
        confidence=entry.integer("calibrationConfidence", 0, 3),
        own_confidence=0,
        scan_instances=tuple(_scan_instance(instance) for instance in entry.nested_list("scanInstances")),
    )


def _scan_instance(entry: JsonMembers) -> ScanInstance:
    return ScanInstance(
        typical_attenuation_db=entry.integer("typicalAttenuation", 0, 255),
        minimum_attenuation_db=entry.integer("minAttenuation", 0, 255),
        # Negative durations count as 0, as in the Corona-Warn-App.
        seconds_since_last_scan=max(entry.integer("secondsSinceLastScan", -LARGEST_INTEGER), 0),
    )
