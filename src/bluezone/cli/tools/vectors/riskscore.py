# SPDX-License-Identifier: Apache-2.0
"""The Corona-Warn-App's risk calculation cases: total level, and how many days of each level and how old.

Its counts of distinct encounters are of an older statistic that nothing here shows, and are not compared.
"""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from bluezone.cli.tools.vectors.case import Case, skipped
from bluezone.protocol.risk.assessment import Profile, assess, parse_profile
from bluezone.protocol.risk.coronawarnapp import read_windows

FAMILY = "riskscore.cwa"
TODAY = date(2026, 11, 24)


def riskscore_cases(document: dict[str, Any]) -> Iterator[Case]:
    """Yield each test case, with the configuration of the file."""
    cwa = document.get("cwa", {})
    for case in cwa.get("testCases", ()):
        content = {"configuration": cwa.get("defaultRiskCalculationConfiguration"), **case}
        yield Case(FAMILY, str(case.get("description")), _check, content)
    for name in sorted(set(document) - {"cwa", "source", "about", "status", "meta", "family"}):
        yield skipped(f"riskscore.{name}")


def _check(case: dict[str, Any]) -> tuple[Any, Any]:
    got = _assessed(parse_profile(case["configuration"]), case["exposureWindows"])
    return got, {name: case[name] for name in got}


def _assessed(profile: Profile, windows: list[dict[str, Any]]) -> dict[str, Any]:
    assessment = assess(read_windows(json.dumps(windows).encode(), TODAY), profile, TODAY)
    ages = {
        level: [(TODAY - day.day).days for day in assessment.days if day.level == level] for level in ("low", "high")
    }
    return {
        # Its app knows no "none": 1 is low or nothing, 2 high.
        "expTotalRiskLevel": 2 if assessment.level == "high" else 1,
        "expAgeOfMostRecentDateWithLowRisk": min(ages["low"], default=None),
        "expAgeOfMostRecentDateWithHighRisk": min(ages["high"], default=None),
        "expNumberOfDaysWithLowRisk": len(ages["low"]),
        "expNumberOfDaysWithHighRisk": len(ages["high"]),
    }
