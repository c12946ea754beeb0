# SPDX-License-Identifier: Apache-2.0
"""To which places of the tree a number belongs: on this rests what is kept back."""

from bluezone.rollout.coverage.figures.suppression import (
    ROOT,
    agency_place,
    hidden_places,
    own_place,
    places_of,
    unit_place,
)


def test_a_number_of_an_agency_belongs_to_it_and_to_all_above():
    assert places_of("1/3/", 7) == [ROOT, unit_place(1), unit_place(3), own_place(3), agency_place(7)]


def test_a_number_of_no_agency_belongs_to_its_unit_and_to_all_above():
    assert places_of("1/3/", None) == [ROOT, unit_place(1), unit_place(3), own_place(3)]


def test_of_two_agencies_of_a_unit_a_small_number_is_kept_back_with_the_one_that_would_tell_it():
    hidden = hidden_places([("1/", 7, 2), ("1/", 8, 40), ("1/", 9, 50)])

    assert agency_place(7) in hidden
    assert len(hidden & {agency_place(8), agency_place(9)}) == 1
    assert unit_place(1) not in hidden


def test_what_is_of_no_agency_is_kept_back_for_its_unit_and_names_none():
    hidden = hidden_places([("1/3/", None, 2), ("1/4/", None, 40), ("1/5/", None, 50)])

    assert {unit_place(3), own_place(3)} <= hidden
    assert not any(kind == "agency" for kind, _number in hidden)
