# SPDX-License-Identifier: Apache-2.0
import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.protocol.risk.assessment import (
    ExposureWindow,
    ScanInstance,
    assess_exposure,
    load_profile,
    parse_profile,
    profile_document,
)

TODAY = date(2020, 8, 7)
COVID = load_profile("covid-19")
# A profile that weighs minutes by steps of attenuation instead of judging nearness.
WEIGHTS = [{"below_db": 63, "weight": 1.0}, {"below_db": 70, "weight": 0.8}, {"below_db": 79, "weight": 0.3}]
STEPS_DOCUMENT = {name: table for name, table in profile_document("covid-19").items() if name != "nearness"}
STEPS = parse_profile(STEPS_DOCUMENT | {"weights": WEIGHTS})


def window(
    minutes: float, typical: int = 61, *, minimum: int | None = None, age: int = 1, report_type: int = 1,
    infectiousness: int = 2, confidence: int = 3, own_confidence: int = 3, instance_seconds: float = 30,
) -> ExposureWindow:  # fmt: skip
    whole, rest = divmod(minutes * 60, instance_seconds)
    seconds = [instance_seconds] * int(whole) + ([rest] if rest else [])
    least = typical - 5 if minimum is None else minimum
    instances = tuple(ScanInstance(typical, least, s) for s in seconds)
    return ExposureWindow(
        TODAY - timedelta(days=age), report_type, infectiousness, confidence, own_confidence, instances
    )


def day(*windows, profile=STEPS):
    (assessed,) = assess_exposure(windows, profile, TODAY).days
    return assessed


def test_twenty_five_minutes_at_one_metre_are_a_high_risk():
    assessment = assess_exposure([window(25)], STEPS, TODAY)

    assert assessment.level == "high"
    assert [(d.day, d.level, d.score, d.minutes, d.band, d.certainty) for d in assessment.days] == [
        (TODAY - timedelta(days=1), "high", 40.0, 25, "15-30", "sure")
    ]


@pytest.mark.parametrize(
    ("windows", "score", "level"),
    [
        ([window(9)], 14.4, "none"),
        ([window(10)], 16.0, "none"),
        ([window(10.5)], 16.8, "high"),
        ([window(11, report_type=2, infectiousness=1)], 11.0, "low"),
        ([window(15, report_type=2, infectiousness=1)], 15.0, "high"),
        ([window(60, 78)], 28.8, "high"),
        ([window(60, 79)], 0, "none"),
        ([window(15, 69)], 19.2, "high"),
        ([window(18.75, 70)], 9.0, "low"),
        ([window(18.5, 70)], 8.88, "none"),
        ([window(30, report_type=3)], 0, "none"),
        ([window(30, report_type=0)], 0, "none"),
        ([window(6), window(5, report_type=2, infectiousness=1)], 14.6, "low"),
    ],
)
def test_a_day_is_scored_by_nearness_duration_and_infectiousness(windows, score, level):
    assessed = day(*windows)

    assert (assessed.score, assessed.level) == (pytest.approx(score), level)


def test_minutes_and_scores_add_over_all_cases_of_a_day():
    assessed = day(window(6), window(6, report_type=2))

    assert (assessed.minutes, assessed.score, assessed.level) == (10, pytest.approx(16.8), "high")


def test_days_are_not_added():
    assessment = assess_exposure([window(9, age=1), window(9, age=2)], STEPS, TODAY)

    assert assessment.level == "none"
    assert [d.day for d in assessment.days] == [TODAY - timedelta(days=2), TODAY - timedelta(days=1)]


@pytest.mark.parametrize(("age", "level"), [(-1, "none"), (0, "high"), (14, "high"), (15, "none")])
def test_only_the_last_fourteen_days_warn(age, level):
    assert assess_exposure([window(25, age=age)], STEPS, TODAY).level == level


@pytest.mark.parametrize(
    ("minutes", "shown", "band"),
    [(2, 0, "<10"), (2.5, 5, "<10"), (9.9, 10, "<10"), (10, 10, "10-15"), (12.5, 15, "10-15"), (15, 15, "15-30"),
     (30, 30, "15-30"), (30.5, 30, ">30"), (119, 120, ">30")],
)  # fmt: skip
def test_minutes_are_shown_in_fives_and_bands(minutes, shown, band):
    assert (day(window(minutes)).minutes, day(window(minutes)).band) == (shown, band)


@pytest.mark.parametrize(
    ("windows", "certainty"),
    [
        ([window(25)], "sure"),
        ([window(25, confidence=2, own_confidence=2)], "sure"),
        ([window(25, confidence=1)], "likely"),
        ([window(25, own_confidence=1)], "likely"),
        ([window(25, 63)], "likely"),
        ([window(15)], "likely"),
        ([window(25, confidence=0)], "unclear"),
        ([window(25, own_confidence=0)], "unclear"),
        ([window(25), window(1, 90, confidence=0)], "unclear"),
    ],
)
def test_certainty_needs_calibrated_radios_nearness_and_time(windows, certainty):
    assert day(*windows).certainty == certainty


def test_the_summary_counts_weighted_seconds():
    summary = day(window(15, 62), window(10, 69), window(5, report_type=3)).summary

    assert summary is not None
    assert (summary.score_sum, summary.maximum_score) == (900 + 480, 900)
    assert summary.weighted_duration_sum == 1380


def test_cwa_weighs_the_smallest_attenuation_of_an_instance():
    cwa = load_profile("cwa")

    assert day(window(10, 90, minimum=65), profile=cwa).score == pytest.approx(16)
    assert day(window(10, 65, minimum=90), profile=cwa).score == 0
    assert day(window(10, 90, minimum=65), profile=cwa).summary is None


def test_published_cases_of_the_corona_warn_app_pass(shared):
    published = json.loads((shared / "vectors" / "riskscore.json").read_text())["cwa"]
    profile = parse_profile(published["defaultRiskCalculationConfiguration"])
    for case in published["testCases"]:
        windows = [
            ExposureWindow(
                TODAY - timedelta(days=entry["ageInDays"]),
                entry["reportType"],
                entry["infectiousness"],
                entry["calibrationConfidence"],
                0,
                tuple(
                    ScanInstance(i["typicalAttenuation"], i["minAttenuation"], i["secondsSinceLastScan"])
                    for i in entry["scanInstances"]
                ),
            )
            for entry in case["exposureWindows"]
        ]
        assessment = assess_exposure(windows, profile, TODAY)
        ages = {level: [(TODAY - d.day).days for d in assessment.days if d.level == level] for level in ("low", "high")}

        assert {"none": 1, "low": 1, "high": 2}[assessment.level] == case["expTotalRiskLevel"], case["description"]
        assert len(ages["low"]) == case["expNumberOfDaysWithLowRisk"]
        assert len(ages["high"]) == case["expNumberOfDaysWithHighRisk"]
        assert min(ages["low"], default=None) == case["expAgeOfMostRecentDateWithLowRisk"]
        assert min(ages["high"], default=None) == case["expAgeOfMostRecentDateWithHighRisk"]


windows = st.builds(
    window,
    st.floats(0, 120),
    st.integers(0, 120),
    age=st.integers(-1, 20),
    report_type=st.integers(0, 5),
    infectiousness=st.integers(0, 2),
    confidence=st.integers(0, 3),
)


PROFILES = st.sampled_from([STEPS, COVID])


@given(st.lists(windows, max_size=6), PROFILES)
def test_the_order_of_windows_does_not_matter(given_windows, profile):
    def shown(assessment):
        return [(d.day, d.level, round(d.score, 4), d.minutes, d.certainty) for d in assessment.days]

    assert shown(assess_exposure(given_windows, profile, TODAY)) == shown(
        assess_exposure(given_windows[::-1], profile, TODAY)
    )


@given(st.lists(windows, max_size=5), windows, PROFILES)
def test_another_contact_never_lowers_the_level(given_windows, more, profile):
    order = ["none", "low", "high"]
    before, after = (
        assess_exposure(given_windows, profile, TODAY),
        assess_exposure([*given_windows, more], profile, TODAY),
    )

    assert order.index(after.level) >= order.index(before.level)


@given(st.lists(windows, max_size=6), PROFILES)
def test_a_level_always_means_more_than_ten_minutes(given_windows, profile):
    for assessed in assess_exposure(given_windows, profile, TODAY).days:
        if assessed.level != "none":
            assert assessed.minutes >= 10
            assert assessed.band != "<10"
            assert assessed.score >= 8
