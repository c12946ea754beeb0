# SPDX-License-Identifier: Apache-2.0
"""What strength tells about nearness: never more than the model can know, and always the same way round."""

import dataclasses
import math
from array import array
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.protocol.kernel import native_library
from bluezone.protocol.risk.assessment import (
    ExposureWindow,
    ScanInstance,
    assess_exposure,
    load_profile,
    parse_profile,
    profile_document,
)
from bluezone.protocol.risk.nearness import NO_NEAR_MINUTES, SegmentedEncounter, add_near_minutes, near_counts

COVID = load_profile("covid-19")
MODEL = COVID.nearness
DAY = date(2020, 8, 6)
SCAN_MINUTES = 0.5


def meeting(levels, reciprocal=None, *, seconds=30.0, confidence=3, others=0, spread=None):
    """A meeting with one burst for each level, dB. reciprocal: the other direction, of the same length or None."""
    other_way = reciprocal or [None] * len(levels)
    instances = tuple(
        ScanInstance(level, level, seconds, back, others, spread) for level, back in zip(levels, other_way, strict=True)
    )
    return ExposureWindow(DAY, 1, 2, confidence, confidence, instances)


def judged(*levels_and_what_they_said, **otherwise):
    return SegmentedEncounter(meeting(*levels_and_what_they_said, **otherwise), MODEL)


def day(*meetings, profile=COVID):
    (assessed,) = assess_exposure(meetings, profile, DAY).days
    return assessed


def knowing_trams():
    """The profile of a city that signs the rule for trams, which the shipped one has off."""
    document = profile_document("covid-19")
    document["nearness"]["unclear"]["crowd"] = 5
    return parse_profile(document)


def test_twenty_five_minutes_at_one_metre_are_high_and_within_the_range():
    assessed = day(meeting([54] * 50))

    assert (assessed.level, assessed.certainty, assessed.minutes) == ("high", "likely", 25)
    assert assessed.near[0] <= 25 <= assessed.near[1] <= 25 + SCAN_MINUTES


def test_what_is_heard_louder_is_sure():
    assert day(meeting([46] * 50)).certainty == "sure"


def test_nine_minutes_at_one_metre_are_no_warning_however_strong():
    assert day(meeting([45] * 18)).level == "none"
    assert day(meeting([45] * 20)).level == "none"
    assert day(meeting([45] * 21)).level == "high"


def test_ten_metres_behind_a_wall_is_no_warning_however_long():
    assert day(meeting([82] * 960)).level == "none"


def test_longer_and_farther_equals_shorter_and_nearer():
    short_and_near, long_and_far = (judged([db] * n).near_minutes().expected for db, n in ((52, 24), (62, 90)))

    assert long_and_far == pytest.approx(short_and_near, rel=0.25)


@given(st.lists(st.integers(40, 75), min_size=1, max_size=60), st.integers(1, 15))
def test_a_stronger_meeting_is_never_judged_farther(levels, decibels):
    weak, strong = (judged([db - less for db in levels]).near_minutes() for less in (0, decibels))

    assert strong.expected >= weak.expected - 1e-6
    assert strong.chance_at_least(10) >= weak.chance_at_least(10) - 1e-6


@given(st.lists(st.integers(40, 75), min_size=1, max_size=80), st.sampled_from([4.0, 30.0, 60.0, 300.0]))
def test_nobody_was_near_for_longer_than_was_heard(levels, seconds):
    near = judged(levels, seconds=seconds).near_minutes()
    low, high = near.credible_interval(0.8)

    assert sum(near.chances) == pytest.approx(1)
    assert 0 <= low <= high <= near.heard + seconds / 60
    assert near.expected <= near.heard + 0.25


def test_both_directions_say_more_than_one():
    one, both = (judged([52] * 50, back).near_minutes().chance_at_least(10) for back in (None, [52] * 50))

    assert both > one


@given(st.lists(st.integers(40, 80), min_size=4, max_size=40), st.integers(-127, 127))
def test_a_lying_patient_moves_a_pair_by_six_decibels_at_most(levels, lie):
    said = [min(max(db + lie, 0), 255) for db in levels]
    told = judged(levels, said).near_minutes().expected
    # Nearer by half of what the two directions may differ; an honest reading of both cannot be moved farther than that.
    honest = judged([db - 6 for db in levels], [db - 6 for db in levels]).near_minutes().expected
    one_way = judged([db - 6 for db in levels]).near_minutes().expected

    assert told <= max(honest, one_way) + 1e-6


def test_directions_that_disagree_move_a_pair_no_farther_and_say_that_nothing_is_known():
    lie, one_way = meeting([70] * 50, [40] * 50), judged([64] * 50).near_minutes()

    assert SegmentedEncounter(lie, MODEL).directions_disagree()
    assert SegmentedEncounter(lie, MODEL).near_minutes().expected == pytest.approx(one_way.expected)
    assert not judged([60] * 50, [68] * 50).directions_disagree()


@pytest.mark.parametrize(
    "weak",
    [meeting([50] * (MODEL.fewest_bursts - 1), seconds=400), meeting([52] * 50, [75] * 50)],
    ids=["few bursts", "directions disagree"],
)
def test_where_strength_says_nothing_it_is_unclear_and_never_high(weak):
    assessed = day(weak)

    assert (assessed.level, assessed.certainty) == ("low", "unclear")


def test_a_room_in_which_all_are_heard_alike_is_judged_like_any_other():
    alone, among_many = meeting([50] * 80), meeting([50] * 80, others=40, spread=1)

    assert day(among_many) == day(alone)
    assert day(among_many).level == "high"


def test_a_city_can_sign_that_a_crowd_heard_alike_is_unclear():
    trams, spread = knowing_trams(), MODEL.crowd_spread_db
    assessed = day(meeting([50] * 50, others=5, spread=int(spread)), profile=trams)

    assert (assessed.level, assessed.certainty) == ("low", "unclear")
    assert day(meeting([52] * 50, others=20, spread=math.ceil(spread) + 1), profile=trams).level == "high"
    assert day(meeting([52] * 50, others=4, spread=1), profile=trams).level == "high"
    moving = [42] * 25 + [42 + 3 * math.ceil(MODEL.change_db)] * 25
    assert day(meeting(moving, others=20, spread=1), profile=trams).level == "high"


@pytest.mark.parametrize("confidence", [0, 1, 2, 3])
def test_a_pair_is_judged_whatever_is_known_of_its_radios_and_the_more_surely_the_more_is_known(confidence):
    known = day(meeting([50] * 50, confidence=min(confidence + 1, 3)))
    assessed = day(meeting([50] * 50, confidence=confidence))

    assert assessed.level == "high"
    assert assessed.chance <= known.chance


def test_weak_evidence_does_not_take_away_what_firm_evidence_says():
    firm, weak = meeting([50] * 50), meeting([50] * 50, [75] * 50)

    assert day(weak).certainty == "unclear"
    assert day(firm, weak).level == "high"
    assert day(firm, weak).certainty == "sure"


def test_a_patient_s_class_and_day_weigh_the_dose():
    assert day(meeting([54] * 24)).score > day(dataclasses.replace(meeting([54] * 24), infectiousness=1)).score
    assert assess_exposure([dataclasses.replace(meeting([50] * 50), report_type=3)], COVID, DAY).level == "none"


def test_minutes_of_several_meetings_add_up():
    one = judged([54] * 12).near_minutes()
    two = add_near_minutes([one, one])

    assert two.expected == pytest.approx(2 * one.expected)
    assert two.heard == 2 * one.heard
    assert add_near_minutes([]) is NO_NEAR_MINUTES


@given(st.lists(st.floats(0, 1), min_size=6, max_size=60), st.integers(0, 7), st.floats(0, 0.99))
def test_the_native_count_of_near_segments_is_that_of_python(drawn, near, stay):
    """Two shifts and three distances, which the model never has; sums may differ in the last digits."""
    kernel = native_library()
    if kernel is None:
        pytest.skip("the native matcher is not built")
    like = array("d", [max(value, 1e-9) for value in drawn[: len(drawn) // 6 * 6]])
    is_near = bytes(near >> place & 1 for place in range(3))
    weights = array("d", [0.25, 0.75])

    for native, plain in zip(
        kernel.near_counts(like, weights, is_near, stay), near_counts(like, weights, is_near, stay), strict=True
    ):
        assert native == pytest.approx(plain)
