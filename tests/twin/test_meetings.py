# SPDX-License-Identifier: Apache-2.0
"""Meetings of the twin are those of the planning model, and what is heard of them can be drawn again."""

import numpy as np
import pytest

from bluezone.planning.kernel import SETTINGS
from bluezone.protocol.intervals import day_at
from bluezone.radio.air.figures import canonical_carriage, carriages, correlation
from bluezone.radio.calibration import confidence, effective_power_dbm, receiver_correction_db
from bluezone.twin.air import DIRECTION_DB, DUTY, PAIR_DB, carriage, heard, scores
from bluezone.twin.meetings import MINUTES, START, WARM_UP_DAYS, City, Meeting
from bluezone.twin.phones import MODEL
from bluezone.twin.travel import HOUSEHOLD, Region, Travel


@pytest.fixture(scope="module")
def city():
    return City(phones=300, days=5, seed=3)


def test_a_meeting_is_between_two_phones_once_and_within_one_utc_day(city):
    phones, meetings = set(city.phones), list(city.meetings(2))

    assert meetings
    assert all(meeting.one < meeting.other and {meeting.one, meeting.other} <= phones for meeting in meetings)
    assert len({meeting.number for meeting in meetings}) == len(meetings)
    assert {day_at(moment) for each in meetings for moment in (each.begins, each.ends)} == {day_at(START) + 2 + 1}
    for meeting in meetings:
        low, high = MINUTES[meeting.cell % len(MINUTES)]
        assert low <= meeting.minutes <= high


def test_meetings_of_some_people_are_those_in_which_they_are(city):
    meetings = city.meetings(1)
    everything, some = list(meetings), set(city.phones[:20])

    assert len(meetings) == len(everything)
    assert meetings.of_all(some) == [each for each in everything if {each.one, each.other} & some]
    for person in some:
        assert meetings.of(person) == [each for each in everything if person in (each.one, each.other)]


def test_who_stays_at_home_meets_hardly_anybody_outside(city):
    day = WARM_UP_DAYS + 1
    home = set(np.flatnonzero((city.truth["stay_from"] <= day) & (city.truth["stay_until"] > day)).tolist())
    meetings = city.meetings(1)
    outside = {
        person: sum(each.setting != SETTINGS.index("household") for each in meetings.of(person))
        for person in city.phones
    }

    at_home = np.mean([met for person, met in outside.items() if person in home])
    others = np.mean([met for person, met in outside.items() if person not in home])
    assert at_home < 0.3 * others


def test_what_a_phone_hears_is_drawn_again_alike_and_lies_in_its_own_bursts(city):
    meeting = max(city.meetings(0), key=lambda each: each.minutes - each.metres)
    one, again = (list(heard(meeting.one, meeting, 3)) for _ in range(2))

    assert one == again
    assert one
    assert list(heard(meeting.other, meeting, 3)) != one
    assert {packet.sender for packet in one} == {meeting.other}
    assert all(0 <= packet.at - packet.began < DUTY.burst_seconds for packet in one)
    assert all(meeting.begins - DUTY.burst_seconds <= packet.at < meeting.ends for packet in one)


def test_phones_are_as_exactly_known_as_those_of_the_warning_curve():
    assert confidence(MODEL) == 1
    powers = {effective_power_dbm(model) - receiver_correction_db(model) for model in (MODEL, "virtual")}
    assert len(powers) == 1, "levels of the virtual air mean the same to both"
    meetings = [Meeting(number, 1, 2, START + 9e4, START + 9e4 + 900, 2.0, 0, 0) for number in range(150)]
    both = np.array(
        [[np.mean([each.rssi_dbm for each in heard(one, meeting, 3)]) for one in (1, 2)] for meeting in meetings]
    )

    # Fading of fifteen minutes adds two to three dB to the offsets.
    assert np.hypot(PAIR_DB, DIRECTION_DB) - 0.5 < both.std() < np.hypot(PAIR_DB, DIRECTION_DB) + 2
    assert DIRECTION_DB * np.sqrt(2) - 1 < (both[:, 0] - both[:, 1]).std() < DIRECTION_DB * np.sqrt(2) + 3


@pytest.mark.parametrize("how", ["hand-hand", "pocket-backpack"])
def test_scores_are_normal_and_forgotten_as_the_recordings_are(how):
    fitted, drawn = correlation(how), np.random.default_rng(1)
    at, channels = np.arange(60_000) * 0.25, np.zeros(60_000, dtype=int)
    found = scores(fitted, at, channels, drawn)
    apart = 8
    expected = sum(
        share * np.exp(-apart * 0.25 / seconds)
        for share, seconds in (
            (fitted.level_share, fitted.level_seconds), (fitted.motion_share, fitted.motion_seconds)
        )
    )  # fmt: skip

    assert found.std() == pytest.approx(1, abs=0.1)
    assert np.corrcoef(found[:-apart], found[apart:])[0, 1] == pytest.approx(expected, abs=0.06)


def test_people_carry_their_phones_in_every_way_that_the_warning_curve_was_measured_with(city):
    drawn = {carriage(person, 3) for person in city.phones}

    assert {canonical_carriage(f"{one}-{other}") for one in drawn for other in drawn} == set(carriages())


def test_cases_report_in_the_days_of_the_twin_and_fell_ill_before(city):
    cases = city.cases()

    assert cases
    assert all(0 <= case.day < city.days and case.person in city.phones for case in cases)
    assert sum(case.onset <= case.day for case in cases) >= 0.9 * len(cases)


@pytest.fixture(scope="module")
def region(city):
    return Region([city, City(phones=300, days=5, seed=4)], Travel(), 3)


def test_without_journeys_the_meetings_of_a_region_are_those_of_its_cities(region, city):
    alone = Region([city], Travel(), 3)
    assert list(alone.meetings(1)) == list(city.meetings(1))
    assert alone.journeys == {}

    away = {journey.person for journey in region.journeys.values() if 1 in journey.days}
    of_first = {person for person in region.phones[0] if person not in away}
    untouched = [one for one in region.meetings(1) if {one.one, one.other} <= of_first]
    assert untouched == [one for one in city.meetings(1) if {one.one, one.other} <= of_first]


def test_who_travels_meets_whom_the_host_meets_and_nobody_at_home(region):
    meetings = region.meetings(1)
    away = [journey for journey in region.journeys.values() if 1 in journey.days]
    gone = {journey.person for journey in away}
    met = 0
    for journey in away:
        guest, host = meetings.of(journey.person), meetings.of(journey.host)
        assert region.home(journey.person) != region.home(journey.host) == journey.city
        outside = [one for one in host if one.setting != HOUSEHOLD and not {one.one, one.other} & gone]
        assert sorted((one.begins, one.ends, one.cell) for one in guest) == sorted(
            (one.begins, one.ends, one.cell) for one in outside
        )
        people = {one.one + one.other - journey.person for one in guest}
        assert people == {one.one + one.other - journey.host for one in outside}
        assert people <= set(region.phones[journey.city])
        met += len(guest)
    assert met > 50
    numbers = [(one.number, one.one, one.other) for one in meetings]
    assert len(set(numbers)) == len(numbers)


def test_commuters_travel_on_working_days_and_visitors_once(region):
    commuters = [journey for journey in region.journeys.values() if len(journey.days) == 5]
    visitors = [journey for journey in region.journeys.values() if len(journey.days) == 2]
    phones = sum(len(phones) for phones in region.phones)

    assert len(commuters) + len(visitors) == len(region.journeys)
    assert len(commuters) == pytest.approx(0.03 * phones, abs=1)
    assert len(visitors) == pytest.approx(0.05 * phones, abs=1)
    assert all(journey.days[1] == journey.days[0] + 1 for journey in visitors)
    assert sorted(person for day in range(5) for person in region.leaving(day)) == sorted(region.journeys)
