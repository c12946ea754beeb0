# SPDX-License-Identifier: Apache-2.0
import copy
import json
from datetime import date

import pytest

from bluezone.protocol.risk.assessment import assess_exposure
from bluezone.protocol.risk.profile import Range
from bluezone.protocol.risk.profilefiles import InvalidProfile, load_profile, parse_profile
from bluezone.protocol.risk.windows import ExposureWindow, ScanInstance

# A configuration of our own in the same shape; the published one lies beside the repository.
CONFIGURATION = {
    "minutesAtAttenuationFilters": [
        {
            "attenuationRange": {"min": 0, "max": 73, "maxExclusive": True},
            "dropIfMinutesInRange": {"min": 0, "max": 5, "maxExclusive": True},
        }
    ],
    "trlFilters": [{"dropIfTrlInRange": {"min": 1, "max": 2}}],
    "minutesAtAttenuationWeights": [
        {"attenuationRange": {"min": 0, "max": 60}, "weight": 1.0},
        {"attenuationRange": {"min": 55, "max": 70, "minExclusive": True}, "weight": 0.5},
    ],
    "normalizedTimePerEWToRiskLevelMapping": [{"normalizedTimeRange": {"min": 0, "max": 99}, "riskLevel": 1}],
    "normalizedTimePerDayToRiskLevelMapping": [
        {"normalizedTimeRange": {"min": 3, "max": 6}, "riskLevel": 1},
        {"normalizedTimeRange": {"min": 6, "max": 99}, "riskLevel": 2},
    ],
    "trlEncoding": {
        "infectiousnessOffsetStandard": 1,
        "infectiousnessOffsetHigh": 2,
        "reportTypeOffsetRecursive": 0,
        "reportTypeOffsetSelfReport": 2,
        "reportTypeOffsetConfirmedClinicalDiagnosis": 4,
        "reportTypeOffsetConfirmedTest": 6,
    },
    "transmissionRiskValueMapping": [{"transmissionRiskLevel": 8, "transmissionRiskValue": 2}],
}  # fmt: skip


def without(name: str) -> dict:
    return {key: value for key, value in CONFIGURATION.items() if key != name}


def test_a_configuration_becomes_a_profile():
    profile = parse_profile(CONFIGURATION)

    assert profile.attenuation == "minimum"
    assert profile.max_age_days is None
    assert profile.factor(1, 2) == 2
    assert profile.factor(1, 1) == 0
    assert profile.dropped_factors == {(4, 1), (4, 2)}
    assert profile.minutes_filters[0].dropped_minutes == Range(0, 5, high_exclusive=True)


def test_the_first_range_that_fits_decides():
    profile = parse_profile(CONFIGURATION)

    assert [profile.weight(db) for db in (54, 58, 60, 61, 70, 71)] == [1, 1, 1, 0.5, 0.5, 0]
    assert [profile.level(score) for score in (2, 3, 6, 7, 100)] == ["none", "low", "low", "high", "none"]


def test_a_configuration_before_1_15_multiplies_the_risk_level():
    older = {**without("transmissionRiskValueMapping"), "transmissionRiskLevelMultiplier": 0.2}

    profile = parse_profile(older)
    assert profile.factor(1, 2) == pytest.approx(1.6)
    assert profile.factor(2, 1) == pytest.approx(1.0)


def test_our_copy_of_the_rule_is_the_published_one(shared):
    published = json.loads((shared / "vectors" / "riskscore.json").read_text())["cwa"]
    theirs = parse_profile(published["defaultRiskCalculationConfiguration"])
    ours = load_profile("cwa")

    assert ours.factors == theirs.factors
    assert [ours.weight(db) for db in range(256)] == [theirs.weight(db) for db in range(256)]
    assert [ours.level(score / 10) for score in range(300)] == [theirs.level(score / 10) for score in range(300)]


@pytest.mark.parametrize(
    ("minutes", "report_type", "level"), [(4, 1, None), (5, 1, "high"), (30, 4, None), (30, 2, "none")]
)
def test_filters_of_older_configurations_leave_windows_out(minutes, report_type, level):
    today = date(2020, 8, 7)
    window = ExposureWindow(today, report_type, 2, 3, 3, (ScanInstance(60, 50, minutes * 60),))
    days = assess_exposure([window], parse_profile(CONFIGURATION), today).days

    assert [day.level for day in days] == ([] if level is None else [level])


@pytest.mark.parametrize("name", list(CONFIGURATION))
def test_a_missing_entry_is_refused(name):
    with pytest.raises(InvalidProfile):
        parse_profile(without(name))


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(extra=1),
        lambda c: c["trlEncoding"].update(infectiousnessOffsetHigh="2"),
        lambda c: c["trlEncoding"].update(other=2),
        lambda c: c["minutesAtAttenuationWeights"][0].update(weight=None),
        lambda c: c["minutesAtAttenuationWeights"][0]["attenuationRange"].update(min=61),
        lambda c: c["minutesAtAttenuationWeights"][0]["attenuationRange"].update(maxExclusive=1),
        lambda c: c["normalizedTimePerDayToRiskLevelMapping"][0].update(riskLevel=3),
        lambda c: c["normalizedTimePerEWToRiskLevelMapping"][0].update(riskLevel=True),
        lambda c: c["transmissionRiskValueMapping"].append({"transmissionRiskLevel": 1.5, "transmissionRiskValue": 0}),
    ],
)
def test_a_wrong_entry_is_refused(change):
    configuration = copy.deepcopy(CONFIGURATION)
    change(configuration)

    with pytest.raises(InvalidProfile) as refused:
        parse_profile(configuration)
    assert refused.value.code == "profile_invalid"
