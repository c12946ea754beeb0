# SPDX-License-Identifier: Apache-2.0
"""A city rehearsed with real phones and a real key server: no report is lost, and sharing changes nothing."""

import numpy as np
import pytest

from bluezone.cli.planning.twin import catalogues
from bluezone.twin.picture import write_page
from bluezone.twin.rehearsal import Asked, Rehearsal, TwinInvalid, missing_of


@pytest.mark.long
@pytest.mark.serve
def test_phones_that_share_nothing_agree_with_the_crowd_when_a_server_is_restored_and_clocks_are_wrong(tmp_path):
    outcome = Rehearsal(Asked(phones=60, days=3, seed=5, whole=20, failures=("restore", "clock")), tmp_path).run()

    assert outcome.whole_equal == outcome.whole == 20
    assert outcome.cases == outcome.reports >= 1
    assert outcome.missing == outcome.missing_keys == outcome.told_away == 0
    assert outcome.failed_checks > 0
    assert outcome.waited > 0
    assert outcome.store_bytes < 8_000_000


@pytest.mark.long
@pytest.mark.serve
def test_travellers_are_warned_of_a_patient_of_the_other_city_and_who_stays_at_home_fetches_nothing_more(
    tmp_path,
):
    outcome = Rehearsal(Asked(phones=600, days=3, seed=21, whole=6, cities=2), tmp_path).run()

    assert outcome.whole_equal == outcome.whole == 6
    assert outcome.cases == outcome.reports > 10
    # Whole phones are among those that travel and among those that report.
    assert outcome.missing == outcome.missing_keys == outcome.unmet == 0
    assert outcome.abroad_told == outcome.abroad == 1
    assert outcome.following == outcome.travellers
    assert outcome.whole_following == 2
    assert outcome.not_following == 2
    assert outcome.file_bytes < 2.1 * outcome.home_bytes


@pytest.mark.slow
@pytest.mark.parametrize("everybody", [False, True])
def test_two_cities_of_a_thousand_phones_warn_travellers_and_nobody_who_met_no_case(tmp_path, everybody):
    outcome = Rehearsal(Asked(2000, 14, seed=4, whole=20, cities=2, everybody=everybody), tmp_path).run()

    assert outcome.whole_equal == outcome.whole == 20
    assert outcome.reports == outcome.cases
    assert outcome.missing == outcome.missing_keys == outcome.unmet == 0
    assert outcome.should_told > 0.4 * outcome.should
    assert outcome.abroad_told > 0.4 * outcome.abroad > 0
    assert outcome.following == (outcome.phones if everybody else outcome.travellers)
    assert (outcome.not_following == 0) is everybody


@pytest.mark.slow
@pytest.mark.parametrize("failures", [(), ("server", "night"), ("restore", "clock")])
def test_a_city_of_two_thousand_phones_warns_as_its_truth_says(tmp_path, failures):
    outcome = Rehearsal(Asked(phones=2000, days=14, seed=2, whole=20, failures=failures), tmp_path).run()

    assert outcome.whole_equal == outcome.whole == 20
    assert outcome.reports == outcome.cases
    assert outcome.missing == outcome.missing_keys == outcome.told_away == 0
    assert outcome.should_told > 0.4 * outcome.should
    met = np.array([[cell.met for cell in row] for row in outcome.cells], dtype=float)
    told = np.array([[cell.told for cell in row] for row in outcome.cells], dtype=float)
    # Near and long says "high" more often than far and short.
    assert told[:2, 2:].sum() / met[:2, 2:].sum() > 2 * told[2:, :2].sum() / max(met[2:, :2].sum(), 1)
    # Three standard errors: by chance here, and by how few meetings the curve was measured with.
    assert outcome.near.agrees, outcome.near
    assert outcome.far.agrees, outcome.far
    assert (outcome.failed_checks > 0) is (outcome.waited > 0) is bool(failures)
    assert outcome.store_bytes < 8_000_000
    assert outcome.unmet == 0
    assert '<li class="fails">' not in write_page(outcome.as_json(), catalogues())


def test_a_report_without_any_key_lacks_none_and_one_of_which_nothing_came_out_is_missing():
    assert missing_of(set(), {b"a"}) == (False, 0)
    assert missing_of({b"a", b"b"}, {b"a"}) == (False, 1)
    assert missing_of({b"b", b"c"}, {b"a"}) == (True, 2)


def test_what_cannot_be_rehearsed_is_refused():
    for wrong in (
        {"phones": 3}, {"days": 1}, {"whole": 0}, {"failures": ("flood",)}, {"failures": ("clock", "night")},
        {"cities": 3}, {"cities": 2, "failures": ("server",)}, {"everybody": True},
    ):  # fmt: skip
        with pytest.raises(TwinInvalid):
            Asked(**wrong)
