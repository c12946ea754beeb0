# SPDX-License-Identifier: Apache-2.0
"""The people that are made up have the ages, homes and phones that were asked for."""

import numpy as np
import pytest

from bluezone.planning.assumptions import read_assumptions
from bluezone.planning.people import CityTooSmall, People, Ward

WARDS = (Ward("Sông Cầu", 12_000, 0.2), Ward("Đức Xuân", 18_000, 0.5))


def made(seed: int = 0) -> People:
    return People(WARDS, read_assumptions(), seed)


def test_ages_are_those_of_the_census_and_households_as_large():
    people, known = made(), read_assumptions()
    shares = np.bincount(people.age, minlength=9) / people.count

    assert np.abs(shares - known.array("ages", 9)).max() < 0.02
    starts = np.unique(people.household_start)
    assert people.count / len(starts) == pytest.approx(3.5, abs=0.15)
    assert (people.household_start + people.household_size <= people.count).all()


def test_wards_are_as_large_as_they_were_said_to_be():
    assert np.bincount(made().ward).tolist() == pytest.approx([12_000, 18_000], abs=10)


def test_everybody_in_a_class_or_team_stands_in_its_list_once():
    people = made()
    for place in (0, len(people.place_kind) - 1):
        rows = people.place_people[people.place_start[place] : people.place_start[place + 1]]
        assert len(set(rows.tolist())) == len(rows) > 0
        assert (people.place[rows] == place).all()
    assert (np.bincount(people.place_people, minlength=people.count) <= 1).all()


def test_the_app_runs_on_as_many_phones_as_the_office_shows_and_more_of_them_are_the_same_ones_and_others():
    people = made()
    now, more = people.phones([0.2, 0.5]), people.phones([0.3, 0.5])

    assert now[people.ward == 0].mean() == pytest.approx(0.2, abs=0.01)
    assert now[people.ward == 1].mean() == pytest.approx(0.5, abs=0.01)
    assert (more >= now).all()
    assert (more == now)[people.ward == 1].all()
    assert people.phones([1.0, 0.0])[people.ward == 0].all()


def test_the_same_seed_makes_the_same_people():
    assert (made(4).place_people == made(4).place_people).all()
    assert (made(4).age != made(5).age).any()


def test_a_larger_city_is_drawn_smaller_and_counted_larger():
    people = People((Ward("city", 1_000_000, 0.1),), read_assumptions(), most=10_000)

    assert (people.count, people.scale) == (10_000, 100)


def test_no_more_than_a_hundred_bytes_are_held_of_a_person():
    assert made().bytes_a_person < 100


@pytest.mark.parametrize("wards", [(), (Ward("hamlet", 100, 0.5),), (Ward("city", 1000, 1.5),)])
def test_too_few_people_and_impossible_shares_are_refused(wards):
    with pytest.raises(CityTooSmall):
        People(wards, read_assumptions())
