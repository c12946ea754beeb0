# SPDX-License-Identifier: Apache-2.0
"""What is kept back of the schools stays unknown to a reader who subtracts schools, and columns from each other."""

import itertools

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bluezone.rollout.coverage.suppression import ROOT, SMALLEST_SHOWN, agency_cell, unit_cell
from bluezone.rollout.schools.queries import SchoolSum, suppressed_cells_by_count

WARD = unit_cell(1)


def sums(*schools):
    return [SchoolSum(10 + n, "1/", (*numbers, 0), 1) for n, numbers in enumerate(schools)]


def test_the_few_without_a_smartphone_are_not_told_by_subtracting_columns():
    suppressed = suppressed_cells_by_count(sums((400, 398, 200), (300, 150, 90)))

    assert agency_cell(10) in suppressed["with_smartphone"]
    assert agency_cell(10) not in suppressed["pupils"]
    assert agency_cell(11) in suppressed["with_smartphone"], "or the ward's sum would tell"


def test_the_few_who_do_not_run_it_are_not_told_either():
    suppressed = suppressed_cells_by_count(sums((400, 300, 297), (300, 150, 90)))

    assert agency_cell(10) in suppressed["running"]
    assert agency_cell(10) not in suppressed["with_smartphone"]


def test_large_schools_are_shown():
    assert suppressed_cells_by_count(sums((400, 300, 200), (300, 150, 90)))["running"] == set()


def ways(shown, suppressed, total):
    """Every way to fill suppressed numbers of two schools whose sum is known where it is shown."""
    tries = itertools.product(*([range(13)] * 2))
    for guess in tries:
        if all(guess[n] == shown[n] for n in range(2) if not suppressed[n]) and (total is None or sum(guess) == total):
            yield guess


def could_be(schools, suppressed):
    """For each school the pairs (with a smartphone, without) that fit what is shown; pupils by their column."""
    pupils = list(ways([s[0] for s in schools], *shown_of(schools, suppressed, "pupils", 0)))
    phones = list(ways([s[1] for s in schools], *shown_of(schools, suppressed, "with_smartphone", 1)))
    for total, part in itertools.product(pupils, phones):
        if all(0 <= part[n] <= total[n] for n in range(2)):
            yield total, part


def shown_of(schools, suppressed, name, column):
    places = suppressed[name]
    total = None if WARD in places or ROOT in places else sum(s[column] for s in schools)
    return [agency_cell(10 + n) in places for n in range(2)], total


pairs = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(lambda two: (max(two), min(two), 0))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pairs, pairs)
@example((1, 0, 0), (5, 5, 0))
def test_no_small_number_of_two_schools_can_be_worked_out_from_both_columns_at_once(first, second):
    schools = [first, second]
    suppressed = suppressed_cells_by_count(sums(*schools))
    possible = list(could_be(schools, suppressed))
    assert possible
    for n, (pupils, phones, _running) in enumerate(schools):
        for number, read in ((phones, lambda p, n=n: p[1][n]), (pupils - phones, lambda p, n=n: p[0][n] - p[1][n])):
            if 0 < number < SMALLEST_SHOWN:
                assert max(map(read, possible)) >= SMALLEST_SHOWN, (schools, suppressed)
