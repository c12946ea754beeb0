# SPDX-License-Identifier: Apache-2.0
import random
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.protocol.risk.assessment import assess_exposure, load_profile
from bluezone.protocol.risk.windows import MatchedSighting, build_google_windows, build_windows

PROFILE = load_profile("covid-19")
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
NOON = datetime(2020, 8, 6, 5, tzinfo=UTC).timestamp()  # noon in Hà Nội


def heard(seconds: float, attenuation: int | None = 61, *, burst: int | None = None, since: float | None = 30,
          confidence: int = 3) -> MatchedSighting:  # fmt: skip
    number = int(seconds // 30) if burst is None else burst
    return MatchedSighting(NOON + seconds, number, since, attenuation, confidence)


def own(sightings, *, report_type=1, days_since_onset=0, zone=HANOI):
    return build_windows(
        sightings, report_type=report_type, days_since_onset=days_since_onset, zone=zone, profile=PROFILE,
        own_confidence=2,
    )  # fmt: skip


def google(sightings):
    return build_google_windows(
        sightings, report_type=1, days_since_onset=0, zone=HANOI, profile=PROFILE, own_confidence=0
    )  # fmt: skip


def test_one_burst_is_one_instance():
    (window,) = own([heard(0, 60), heard(1, 63), heard(2, 70), heard(30, 50)])

    assert [(i.typical_attenuation_db, i.minimum_attenuation_db) for i in window.scan_instances] == [(64, 60), (50, 50)]
    assert [i.seconds_since_last_scan for i in window.scan_instances] == [30, 30]
    assert (window.day, window.report_type, window.infectiousness) == (date(2020, 8, 6), 1, 2)
    assert window.own_confidence == 2


def test_halves_of_a_decibel_go_up():
    assert [own([heard(0, a), heard(1, a + 1)])[0].scan_instances[0].typical_attenuation_db for a in (61, 62)] == [
        62,
        63,
    ]


@pytest.mark.parametrize(("since", "counted"), [(30, 30), (4, 4), (60.5, 60.5), (300, 300), (7200, 300), (-5, 0)])
def test_an_instance_counts_the_time_since_the_burst_before(since, counted):
    assert own([heard(0, since=since)])[0].scan_instances[0].seconds_since_last_scan == counted


def test_a_burst_in_which_the_case_was_not_heard_counts_nothing():
    (window,) = own([heard(0), heard(90), heard(120)])

    assert sum(i.seconds_since_last_scan for i in window.scan_instances) == 90


@pytest.mark.parametrize(("gap", "windows"), [(29 * 60 + 59, 1), (30 * 60, 2), (3 * 3600, 2)])
def test_a_window_ends_after_half_an_hour_of_silence(gap, windows):
    assert len(own([heard(0), heard(gap)])) == windows


def test_a_long_contact_is_one_window():
    (window,) = own([heard(seconds) for seconds in range(0, 4 * 3600, 30)])

    assert len(window.scan_instances) == 480


def test_burst_numbers_that_begin_again_are_not_confused():
    (window,) = own([heard(0, burst=1), heard(30, burst=2), heard(60, burst=1)])

    assert len(window.scan_instances) == 3
    assert len(own([heard(0, burst=1), heard(7200, burst=1)])) == 2


@pytest.mark.parametrize(
    ("zone", "day"),
    [(HANOI, date(2020, 8, 7)), (UTC, date(2020, 8, 6)), (ZoneInfo("Pacific/Honolulu"), date(2020, 8, 6))],
)
def test_the_day_is_the_local_date_of_the_windows_start(zone, day):
    evening = [heard(12 * 3600 + seconds) for seconds in range(0, 3600, 30)]

    assert [window.day for window in own(evening, zone=zone)] == [day]


def test_a_window_over_midnight_belongs_to_the_day_it_began():
    night = [heard(12 * 3600 - 600 + seconds) for seconds in range(0, 1800, 30)]

    assert [window.day for window in own(night)] == [date(2020, 8, 6)]


@pytest.mark.parametrize(("days_since_onset", "infectiousness"), [(0, 2), (7, 1), (2, 1), (None, 1)])
def test_infectiousness_comes_from_the_profile(days_since_onset, infectiousness):
    assert own([heard(0)], days_since_onset=days_since_onset)[0].infectiousness == infectiousness


def test_confidence_is_the_smallest_of_the_window():
    assert own([heard(0, confidence=3), heard(30, confidence=1)])[0].confidence == 1


def test_what_tells_no_distance_makes_no_window():
    assert own([]) == ()
    assert own([heard(0, None), heard(30, None)]) == ()
    assert len(own([heard(0, None), heard(1)])[0].scan_instances) == 1
    assert own([heard(0)], report_type=5) == ()
    assert own([heard(0)], report_type=None)[0].report_type == 0


@given(st.lists(st.tuples(st.integers(0, 86_400), st.integers(0, 120)), max_size=60), st.randoms(use_true_random=False))
def test_the_order_of_sightings_does_not_matter(points, rng: random.Random):
    sightings = [heard(seconds, attenuation) for seconds, attenuation in points]
    shuffled = rng.sample(sightings, len(sightings))

    assert own(sightings) == own(shuffled)
    assert google(sightings) == google(shuffled)


@given(st.lists(st.integers(0, 86_400), max_size=60))
def test_no_more_time_is_counted_than_bursts_heard(points):
    sightings = [heard(seconds) for seconds in points]
    counted = sum(i.seconds_since_last_scan for window in own(sightings) for i in window.scan_instances)

    assert counted == 30 * len({seconds // 30 for seconds in points})


def test_twenty_five_minutes_of_bursts_become_a_high_risk():
    windows = own([heard(30 * burst + part, 53 + part) for burst in range(50) for part in range(3)])

    assessment = assess_exposure(windows, PROFILE, date(2020, 8, 7))
    assert (assessment.level, assessment.days[0].minutes, assessment.days[0].certainty) == ("high", 25, "likely")


def test_google_joins_sightings_within_25_seconds_and_a_half():
    def instances(*seconds):
        return sum(len(window.scan_instances) for window in google([heard(s, burst=0) for s in seconds]))

    assert instances(0, 25.5) == 1
    assert instances(0, 25.6) == 2
    assert instances(0, 20, 40, 60) == 1


@pytest.mark.parametrize(
    ("at", "since", "counted"),
    [(0, 240, 240), (0, 59, 60), (59, 59, 0), (59, 60, 60), (0, 900, 300), (10, None, 120), (0, -90, 0)],
)
def test_google_counts_whole_minutes_since_the_scan_before(at, since, counted):
    (window,) = google([heard(at, since=since)])

    assert window.scan_instances[0].seconds_since_last_scan == counted


def test_google_ends_a_window_half_an_hour_after_its_first_sighting():
    sightings = [heard(seconds, since=300) for seconds in range(0, 3600, 300)]

    assert [len(window.scan_instances) for window in google(sightings)] == [6, 6]
    assert len(own(sightings)) == 1
