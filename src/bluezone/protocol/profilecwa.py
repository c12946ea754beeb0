# SPDX-License-Identifier: Apache-2.0
"""Read a risk calculation configuration of the Corona-Warn-App as a profile of ours.

Its rule (version 1.15 and later): minutes weighted by the minimum attenuation, times a value that depends on report
type and infectiousness, added up per day. Source: specs/risk.md section 3; specs/exposure-notification.md section 6.
"""

from itertools import product

from bluezone.protocol.keys import ReportType
from bluezone.protocol.profile import HIGH, STANDARD, Level, MinutesFilter, Profile, Range
from bluezone.protocol.profiletable import InvalidProfile, ProfileTable

# An entry that every such configuration has and no profile of our own format.
CWA_MARK = "minutesAtAttenuationWeights"

_LEVELS: dict[int, Level] = {0: "none", 1: "low", 2: "high"}
_LARGEST = 1e6

_REPORT_OFFSETS = {
    ReportType.RECURSIVE: "reportTypeOffsetRecursive",
    ReportType.SELF_REPORT: "reportTypeOffsetSelfReport",
    ReportType.CONFIRMED_CLINICAL: "reportTypeOffsetConfirmedClinicalDiagnosis",
    ReportType.CONFIRMED_TEST: "reportTypeOffsetConfirmedTest",
}
_INFECTIOUSNESS_OFFSETS = {STANDARD: "infectiousnessOffsetStandard", HIGH: "infectiousnessOffsetHigh"}


def parse_cwa(table: ProfileTable) -> Profile:
    """Make a profile of a configuration object; raises InvalidProfile."""
    risk_levels = _risk_levels(table.table("trlEncoding"))
    values = _risk_values(table, sorted(set(risk_levels.values())))
    dropped = [entry.read_whole(_dropped_levels) for entry in table.tables("trlFilters")]
    days = [entry.read_whole(_level) for entry in table.tables("normalizedTimePerDayToRiskLevelMapping", least=1)]
    # Levels of single windows serve to count encounters, which we do not show: they are checked and left.
    for entry in table.tables("normalizedTimePerEWToRiskLevelMapping"):
        entry.read_whole(_level)
    profile = Profile(
        name="cwa",
        attenuation="minimum",
        weights=tuple(entry.read_whole(_weight) for entry in table.tables(CWA_MARK, least=1)),
        factors={pair: values[level] for pair, level in risk_levels.items()},
        levels=tuple(days),
        max_age_days=table.integer("maxEncounterAgeInDays", 0, 365) if "maxEncounterAgeInDays" in table else None,
        minutes_filters=tuple(
            entry.read_whole(_minutes_filter) for entry in table.tables("minutesAtAttenuationFilters")
        ),
        dropped_factors=frozenset(pair for pair, level in risk_levels.items() if any(level in r for r in dropped)),
    )
    table.finish()
    return profile


def _risk_levels(table: ProfileTable) -> dict[tuple[int, int], int]:
    """The transmission risk level (TRL) of each report type and infectiousness."""
    report = {int(number): table.integer(name, 0, 100) for number, name in _REPORT_OFFSETS.items()}
    infectious = {number: table.integer(name, 0, 100) for number, name in _INFECTIOUSNESS_OFFSETS.items()}
    table.finish()
    return {pair: report[pair[0]] + infectious[pair[1]] for pair in product(report, infectious)}


def _risk_values(table: ProfileTable, risk_levels: list[int]) -> dict[int, float]:
    """What each transmission risk level counts: a table since version 1.15, a multiple before it."""
    multiple = table.number("transmissionRiskLevelMultiplier", 0, 100, default=0)
    if "transmissionRiskValueMapping" not in table:
        if not multiple:
            raise InvalidProfile("profile.transmissionRiskValueMapping is missing")
        return {level: level * multiple for level in risk_levels}
    listed = dict(entry.read_whole(_risk_value) for entry in table.tables("transmissionRiskValueMapping"))
    return {level: listed.get(level, 0.0) for level in risk_levels}


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
    low, high = entry.number("min", 0, _LARGEST), entry.number("max", 0, _LARGEST)
    if low > high:
        raise InvalidProfile(f"a range runs from {low} to {high}, expected the smaller number first")
    return Range(low, high, entry.flag("minExclusive", False), entry.flag("maxExclusive", False))
