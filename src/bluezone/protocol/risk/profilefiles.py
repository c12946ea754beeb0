# SPDX-License-Identifier: Apache-2.0
"""Reads disease profiles: those that ship with this package, those in files, and the one in a city's signed config."""

import json
import math
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, cast

from bluezone.protocol.keys import ReportType
from bluezone.protocol.risk.coronawarnapp import CWA_PREFIX, parse_cwa
from bluezone.protocol.risk.profile import (
    HIGH,
    STANDARD,
    AttenuationKind,
    Level,
    Nearness,
    Profile,
    Range,
    SummaryWeights,
)
from bluezone.protocol.risk.profiletables import InvalidProfile, ProfileTable

SHIPPED = ("covid-19", "cwa")

_REPORT_TYPES = {
    "confirmed_test": int(ReportType.CONFIRMED_TEST),
    "confirmed_clinical": int(ReportType.CONFIRMED_CLINICAL),
    "self_report": int(ReportType.SELF_REPORT),
    "recursive": int(ReportType.RECURSIVE),
}
_INFECTIOUSNESS = {"standard": STANDARD, "high": HIGH}
_LARGEST_FILE = 100_000


def load_profile(name_or_path: str | Path) -> Profile:
    """Return the shipped profile "covid-19" or "cwa", or the one in a TOML or JSON file; raises InvalidProfile."""
    return parse_profile(profile_document(name_or_path))


def profile_document(name_or_path: str | Path) -> dict[str, Any]:
    """Return a profile as a mapping, as a signed config contains it; raises InvalidProfile for an unreadable file.

    `parse_profile` checks its content.
    """
    if name_or_path in SHIPPED:
        source = resources.files("bluezone.protocol.risk").joinpath("profiles", f"{name_or_path}.toml")
        return tomllib.loads(source.read_text(encoding="utf-8"))
    path = Path(name_or_path)
    try:
        data = path.read_bytes()
    except (OSError, ValueError):
        raise InvalidProfile(f"there is no profile {path.name!r}, expected {', '.join(SHIPPED)} or a file") from None
    if len(data) > _LARGEST_FILE:
        raise InvalidProfile(f"profile file is {len(data)} bytes, expected at most {_LARGEST_FILE}")
    try:
        document = json.loads(data) if path.suffix == ".json" else tomllib.loads(data.decode())
    except (ValueError, RecursionError):
        raise InvalidProfile(f"profile file is not {'JSON' if path.suffix == '.json' else 'TOML'}") from None
    if not isinstance(document, dict):
        raise InvalidProfile("profile file is not a JSON object")
    return document


def parse_profile(document: Mapping[str, Any]) -> Profile:
    """Make a profile from a mapping in our format, or from a Corona-Warn-App configuration object.

    Raises InvalidProfile for an entry that is of a wrong type, out of range, missing or unknown; the message names it.
    profiles/covid-19.toml explains the format.
    """
    table = ProfileTable(document)
    return parse_cwa(table) if CWA_PREFIX in table else table.read_whole(_profile)


def _profile(table: ProfileTable) -> Profile:
    attenuation = table.choice("attenuation", ("typical", "minimum"))
    infectiousness = table.table("infectiousness")
    high_days = frozenset(infectiousness.integers("high_days_since_onset", None, -14, 14))
    infectiousness.finish()
    nearness = table.table("nearness").read_whole(_nearness) if "nearness" in table else None
    weights = _weights(table.tables("weights", least=1)) if nearness is None or "weights" in table else ()
    return Profile(
        name=table.text("name", 40),
        attenuation=cast(AttenuationKind, attenuation),
        # Next to a model of nearness, the weights are only for phones of version 0.1.0, which do not know the model.
        weights=() if nearness is not None else weights,
        factors=table.table("factors").read_whole(_factors),
        levels=table.table("levels").read_whole(_levels),
        minimum_minutes=table.number("minimum_minutes", 0, 1440) if "minimum_minutes" in table else None,
        max_age_days=table.integer("max_age_days", 0, 60) if "max_age_days" in table else None,
        high_days_since_onset=high_days,
        summary=table.table("summary").read_whole(_summary) if "summary" in table else None,
        nearness=nearness,
    )


def _weights(entries: list[ProfileTable]) -> tuple[tuple[Range, float], ...]:
    weights = []
    low = 0
    for entry in entries:
        below = entry.integer("below_db", 1, 255)
        if below <= low:
            raise InvalidProfile(f"profile.weights has below_db {below} after {low}, expected rising bounds")
        weights.append((Range(low, below, high_exclusive=True), entry.number("weight", 0, 10)))
        entry.finish()
        low = below
    return tuple(weights)


def _factors(table: ProfileTable) -> dict[tuple[int, int], float]:
    factors = {}
    for name, report_type in _REPORT_TYPES.items():
        if name not in table:
            continue
        entry = table.table(name)
        for word, infectiousness in _INFECTIOUSNESS.items():
            factors[report_type, infectiousness] = entry.number(word, 0, 10)
        entry.finish()
    return factors


def _levels(table: ProfileTable) -> tuple[tuple[Range, Level], ...]:
    low = table.number("low", 0, 10_000)
    high = table.number("high", 0, 10_000)
    if not 0 < low < high:
        raise InvalidProfile(f"profile.levels has low {low} and high {high}, expected 0 < low < high")
    return (Range(high, math.inf), "high"), (Range(low, high, high_exclusive=True), "low")


def _nearness(table: ProfileTable) -> Nearness:
    distances = table.table("distances")
    attenuation = table.table("attenuation")
    shift = table.table("shift")
    segment = table.table("segment")
    levels = table.table("levels")
    unclear = table.table("unclear")
    calibration = shift.numbers("calibration_db", 4, 0, 40)
    near_m = distances.number("near_m", 0.1, 100)
    nearest_m = distances.number("nearest_m", 0.05, 10)
    farthest_m = distances.number("farthest_m", 0.5, 1_000)
    stays = segment.numbers("stays", None, 0, 1)
    low_dose = levels.number("low_dose", 0, 10_000)
    high_dose = levels.number("high_dose", 0, 10_000)
    high_chance = levels.number("high_chance", 0, 1)
    sure_chance = levels.number("sure_chance", 0, 1)
    for name, values in (
        ("distances has nearest_m, near_m, farthest_m", (nearest_m, near_m, farthest_m)),
        ("levels has 0, low_dose, high_dose", (0, low_dose, high_dose)),
        ("levels has high_chance, sure_chance", (high_chance, sure_chance)),
    ):
        if list(values) != sorted(set(values)):
            raise InvalidProfile(f"profile.nearness.{name} {values}, expected rising numbers")
    if not 1 <= len(stays) <= 5:
        raise InvalidProfile(f"profile.nearness.segment.stays has {len(stays)} entries, expected 1..5")
    nearness = Nearness(
        near_m=near_m,
        nearest_m=nearest_m,
        farthest_m=farthest_m,
        at_1m_db=attenuation.number("at_1m_db", 0, 255),
        slope_db=attenuation.number("slope_db", 1, 100),
        bend_m=attenuation.number("bend_m", 0.1, 1_000),
        far_slope_db=attenuation.number("far_slope_db", 0, 100),
        pair_db=shift.number("pair_db", 0, 40),
        direction_db=shift.number("direction_db", 0, 40),
        calibration_db=(calibration[0], calibration[1], calibration[2], calibration[3]),
        drift_db=segment.number("drift_db", 0.5, 40),
        burst_db=segment.number("burst_db", 0.5, 40),
        segment_seconds=segment.number("seconds", 60, 3_600),
        stays=stays,
        directions_within_db=unclear.number("directions_within_db", 0, 255),
        low_dose=low_dose,
        high_dose=high_dose,
        high_minutes=levels.number("high_minutes", 0.5, 1_440),
        high_chance=high_chance,
        sure_chance=sure_chance,
        crowd=unclear.integer("crowd", 2, 1_000),
        crowd_spread_db=unclear.number("crowd_spread_db", 0, 255),
        change_db=unclear.number("change_db", 0, 255),
        fewest_bursts=unclear.integer("fewest_bursts", 1, 1_000),
    )
    for part in (distances, attenuation, shift, segment, levels, unclear):
        part.finish()
    return nearness


def _summary(table: ProfileTable) -> SummaryWeights:
    thresholds = table.integers("thresholds_db", 3, 0, 255)
    if sorted(thresholds) != list(thresholds):
        raise InvalidProfile(f"profile.summary.thresholds_db is {thresholds}, expected rising bounds")
    return SummaryWeights(
        thresholds_db=(thresholds[0], thresholds[1], thresholds[2]),
        attenuation=cast("tuple[float, float, float, float]", table.numbers("attenuation", 4, 0, 2.5)),
        report_type=_by_name(table.table("report_type"), _REPORT_TYPES),
        infectiousness=_by_name(table.table("infectiousness"), _INFECTIOUSNESS),
    )


def _by_name(table: ProfileTable, numbers: Mapping[str, int]) -> dict[int, float]:
    weights = {number: table.number(name, 0, 2.5) for name, number in numbers.items() if name in table}
    table.finish()
    return weights
