# SPDX-License-Identifier: Apache-2.0
"""The order of priority: by what an hour of a team brings, and the least covered has a floor."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bluezone.rollout.coverage.expected.ranking import FLOOR_PLACE, UNITS_A_FLOOR, Signals, rank_units

unhurried = settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def cities(draw, least=1):
    """Units of a city, some with a share that is not known, and one of them."""
    units = [
        Signals(key, draw(st.floats(0, 50)), draw(st.none() | st.floats(0, 1)))
        for key in range(draw(st.integers(least, 14)))
    ]
    return units, draw(st.integers(0, len(units) - 1))


def place(units, key):
    return [one.signals.key for one in rank_units(units)].index(key)


def changed(units, key, **values):
    return [replace(one, **values) if one.key == key else one for one in units]


@pytest.mark.long
@unhurried
@given(cities(), st.floats(0, 10))
def test_more_to_expect_never_lowers_a_place(city, more):
    units, key = city

    assert place(changed(units, key, expected=units[key].expected + more), key) <= place(units, key)


@pytest.mark.long
@unhurried
@given(cities(), st.floats(0, 1))
def test_a_lower_share_running_never_lowers_a_place(city, part):
    units, key = city
    one = units[key]
    if one.high is not None:
        assert place(changed(units, key, high=one.high * part), key) <= place(units, key)


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

    assert sorted(one.signals.key for one in rank_units(units)) == list(range(len(units)))
    assert rank_units(units) == rank_units(shuffled)


def test_of_ten_units_one_and_of_eleven_two_are_kept_within_the_first_places():
    """Unit 0 has the lowest share, unit 1 the next, and there is nothing to expect in either."""
    for count, order in ((10, [2, 3, 0]), (11, [2, 3, 4, 5, 0, 1])):
        units = [Signals(0, 0, 0.1), Signals(1, 0, 0.2)]
        units += [Signals(key, 100 - key, 0.9) for key in range(2, count)]
        ranked = rank_units(units)

        assert [one.signals.key for one in ranked][: len(order)] == order
        assert {one.signals.key for one in ranked if one.is_floor} == {0, 1} & set(order)


def test_who_has_to_make_room_keeps_their_order_behind():
    units = [Signals(0, 0, 0.1), *(Signals(key, 100 - key, 0.9) for key in range(1, 8))]

    assert [one.signals.key for one in rank_units(units)] == [1, 2, 0, 3, 4, 5, 6, 7]
