# SPDX-License-Identifier: Apache-2.0
"""The order of priority: more need never lowers a unit's place, and the least covered has a floor."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bluezone.rollout.coverage.priorities import FLOOR_PLACE, UNITS_A_FLOOR, Signals, rank

unhurried = settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])
shares = st.none() | st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted)


@st.composite
def cities(draw, least=1):
    """Units of a city, some with nothing known, and one of them."""
    units = []
    for key in range(draw(st.integers(least, 14))):
        spread = draw(shares)
        units.append(
            Signals(
                key=key,
                unvisited=draw(st.none() | st.integers(0, 500)),
                low=spread[0] if spread else None,
                high=spread[1] if spread else None,
                speed=draw(st.none() | st.floats(0, 12)),
                teams=draw(st.integers(0, 3)),
            )
        )
    return units, draw(st.integers(0, len(units) - 1))


def place(units, key):
    return [one.signals.key for one in rank(units)].index(key)


def changed(units, key, **values):
    return [replace(one, **values) if one.key == key else one for one in units]


@pytest.mark.long
@unhurried
@given(cities(), st.integers(1, 400))
def test_more_households_not_visited_never_lower_a_place(city, more):
    units, key = city
    before = units[key].unvisited
    if before is not None:
        assert place(changed(units, key, unvisited=before + more), key) <= place(units, key)


@pytest.mark.long
@unhurried
@given(cities(), st.floats(0, 1))
def test_a_lower_share_running_never_lowers_a_place(city, part):
    units, key = city
    one = units[key]
    if one.low is not None:
        lower = changed(units, key, low=one.low * part, high=one.high * part)
        assert place(lower, key) <= place(units, key)


@pytest.mark.long
@unhurried
@given(cities(), st.floats(0, 12))
def test_more_help_done_per_hour_never_lowers_a_place(city, more):
    units, key = city
    before = units[key].speed
    if before is not None:
        assert place(changed(units, key, speed=before + more), key) <= place(units, key)


@pytest.mark.long
@unhurried
@given(cities())
def test_a_team_that_becomes_free_never_lowers_a_place(city):
    units, key = city

    assert place(changed(units, key, teams=units[key].teams + 1), key) <= place(units, key)


@pytest.mark.long
@unhurried
@given(cities())
def test_the_least_covered_unit_is_within_the_first_places(city):
    units, _key = city
    known = [one for one in units if one.high is not None]
    if known:
        least = min(known, key=lambda one: (one.high, one.key)).key
        floors = -(-len(units) // UNITS_A_FLOOR)
        assert place(units, least) < FLOOR_PLACE * floors


@pytest.mark.long
@unhurried
@given(cities(), st.randoms())
def test_the_order_is_whole_and_does_not_depend_on_the_order_of_asking(city, random):
    units, _key = city
    shuffled = units[:]
    random.shuffle(shuffled)

    assert sorted(one.signals.key for one in rank(units)) == list(range(len(units)))
    assert rank(units) == rank(shuffled)


def test_little_knowledge_counts_for_need_and_not_against_it():
    sure, unsure = Signals(1, 100, 0.29, 0.31), Signals(2, 100, 0.05, 0.60)
    known_well = Signals(3, 100, 0.60, 0.62)

    assert [one.signals.key for one in rank([sure, unsure, known_well])] == [2, 1, 3]


def test_where_everybody_was_visited_nobody_needs_to_go():
    assert rank([Signals(1, 0, 0.1, 0.2), Signals(2, 1, 0.8, 0.9)])[0].signals.key == 2


def scores(*units):
    return {one.signals.key: one.score for one in rank(units)}


def test_the_score_is_doors_times_the_part_not_running_times_the_speed():
    assert scores(Signals(1, 100, 0.25, 0.5, 2.0, 1)) == {1: 150}
    assert scores(Signals(1, 100, 0.25, 0.5, 2.0, 0)) == {1: 75}, "half of it without a team"
    assert scores(Signals(1, teams=1)) == {1: 500}, "what is not known: 500 households, one phone an hour"


def test_one_bad_and_one_good_afternoon_count_for_a_quarter_and_for_four_times():
    assert scores(*(Signals(key, 100, 0.0, 0.1, speed, 1) for key, speed in enumerate((0.0, 0.3, 3.0, 50.0)))) == {
        0: 25,
        1: 30,
        2: 300,
        3: 400,
    }


def test_of_ten_units_one_and_of_eleven_two_are_kept_within_the_first_places():
    """Unit 0 has the lowest share, unit 1 the next, and nobody is left to be visited in either."""
    for count, order in ((10, [2, 3, 0]), (11, [2, 3, 4, 5, 0, 1])):
        units = [Signals(0, 0, 0.0, 0.1), Signals(1, 0, 0.0, 0.2)]
        units += [Signals(key, 100 - key, 0.0, 0.9) for key in range(2, count)]
        ranked = rank(units)

        assert [one.signals.key for one in ranked][: len(order)] == order
        assert {one.signals.key for one in ranked if one.is_floor} == {0, 1} & set(order)


def test_who_has_to_make_room_keeps_their_order_behind():
    units = [Signals(0, 0, 0.0, 0.1), *(Signals(key, 100 - key, 0.0, 0.9) for key in range(1, 8))]

    assert [one.signals.key for one in rank(units)] == [1, 2, 0, 3, 4, 5, 6, 7]
