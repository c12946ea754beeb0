# SPDX-License-Identifier: Apache-2.0
"""The clash rules of Circular 39/2020, held against every plan that can be drawn up."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluezone.rollout.bulletins.air.precedence import (
    GAP_SECONDS,
    MOST_DELAY_SECONDS,
    Displaced,
    Precedence,
    Slot,
    assign_times,
)

slots = st.lists(
    st.builds(
        Slot,
        key=st.uuids().map(str),
        due=st.integers(0, 3600).map(float),
        seconds=st.integers(1, 400).map(float),
        importance=st.sampled_from(Precedence),
        rank=st.integers(-2, 2),
    ),
    max_size=14,
    unique_by=lambda slot: slot.key,
)
spans = st.lists(
    st.tuples(st.integers(0, 3600), st.integers(1, 900)).map(lambda one: (one[0], one[0] + one[1])), max_size=2
)


@pytest.mark.long
@given(slots=slots, quiet=spans, shuffled=st.randoms())
@settings(max_examples=300, deadline=None)
def test_whatever_is_planned_nothing_overlaps_nothing_is_lost_and_the_classes_hold(slots, quiet, shuffled):
    places = assign_times(slots, quiet)
    by_key = {slot.key: slot for slot in slots}

    assert places.keys() == by_key.keys()
    other = list(slots)
    shuffled.shuffle(other)
    assert assign_times(other, quiet) == places
    aired = sorted((place.start, by_key[key]) for key, place in places.items() if place.start is not None)
    aired.sort(key=lambda one: one[0])
    for (start, slot), (after, _next) in itertools.pairwise(aired):
        assert start + slot.seconds + GAP_SECONDS <= after
    for key, place in places.items():
        slot = by_key[key]
        assert (place.start is None) == (place.why is not Displaced.NOT)
        if slot.importance is Precedence.EMERGENCY:
            assert place.start is not None
        elif place.start is not None:
            assert slot.due <= place.start <= slot.due + MOST_DELAY_SECONDS
            assert not any(place.start < end and begins < place.start + slot.seconds for begins, end in quiet)


@pytest.mark.long
@given(slots=slots, quiet=spans)
@settings(max_examples=300, deadline=None)
def test_a_class_is_placed_as_if_the_weaker_ones_were_not_there(slots, quiet):
    places = assign_times(slots, quiet)
    for weakest in Precedence:
        alone = [slot for slot in slots if slot.importance <= weakest]
        assert assign_times(alone, quiet) == {slot.key: places[slot.key] for slot in alone}


def test_of_two_priority_bulletins_the_one_comes_first_that_the_commune_put_first():
    one = Slot("one", 100.0, 60.0, Precedence.PRIORITY)
    other = Slot("other", 110.0, 60.0, Precedence.PRIORITY)
    assert assign_times([one, other])["other"].start == 162.0
    chosen = Slot("other", 110.0, 60.0, Precedence.PRIORITY, rank=-1)
    places = assign_times([one, chosen])
    assert (places["other"].start, places["one"].start) == (110.0, 172.0)


def test_what_would_wait_longer_than_a_quarter_of_an_hour_is_not_aired():
    long = Slot("long", 0.0, 1000.0, Precedence.PRIORITY)
    short = Slot("short", 10.0, 30.0, Precedence.NORMAL)

    assert assign_times([long, short])["short"].why is Displaced.CLASH
    assert assign_times([short], quiet=[(0.0, 60.0)])["short"].why is Displaced.QUIET


def test_what_is_playing_already_is_not_moved_and_only_an_emergency_does_not_wait_for_it():
    playing = ((90.0, 130.0), Precedence.NORMAL)
    emergency = Slot("emergency", 100.0, 10.0, Precedence.EMERGENCY)
    assert assign_times([Slot("next", 100.0, 10.0, Precedence.PRIORITY)], taken=[playing])["next"].start == 130.0
    assert assign_times([emergency], taken=[playing])["emergency"].start == 100.0
    first = ((90.0, 130.0), Precedence.EMERGENCY)
    assert assign_times([emergency], taken=[first])["emergency"].start == 130.0
