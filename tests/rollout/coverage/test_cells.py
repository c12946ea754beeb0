# SPDX-License-Identifier: Apache-2.0
"""To which places of the tree a number belongs: on this rests what is kept back."""

from bluezone.rollout.coverage.suppression import ROOT, agency_cell, cells_of, own_cell, suppressed_cells, unit_cell


def test_a_number_of_an_agency_belongs_to_it_and_to_all_above():
    assert cells_of("1/3/", 7) == [ROOT, unit_cell(1), unit_cell(3), own_cell(3), agency_cell(7)]


def test_a_number_of_no_agency_belongs_to_its_unit_and_to_all_above():
    assert cells_of("1/3/", None) == [ROOT, unit_cell(1), unit_cell(3), own_cell(3)]


def test_of_two_agencies_of_a_unit_a_small_number_is_kept_back_with_the_one_that_would_tell_it():
    suppressed = suppressed_cells([("1/", 7, 2), ("1/", 8, 40), ("1/", 9, 50)])

    assert agency_cell(7) in suppressed
    assert len(suppressed & {agency_cell(8), agency_cell(9)}) == 1
    assert unit_cell(1) not in suppressed


def test_what_is_of_no_agency_is_kept_back_for_its_unit_and_names_none():
    suppressed = suppressed_cells([("1/3/", None, 2), ("1/4/", None, 40), ("1/5/", None, 50)])

    assert {unit_cell(3), own_cell(3)} <= suppressed
    assert not any(kind == "agency" for kind, _number in suppressed)
