# SPDX-License-Identifier: Apache-2.0
"""A city rehearsed with real phones and a real key server: no report is lost, and sharing changes nothing."""

import numpy as np
import pytest

from bluezone.twin.picture import write_page
from bluezone.twin.rehearsal import Asked, Rehearsal, TwinInvalid


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
    # Tolerance: a factor of two, since the curve's ways of carrying are not drawn as a city's people are.
    expected = np.array([[cell.expected for cell in row] for row in outcome.cells])
    assert 0.5 < told[2:].sum() / expected[2:].sum() < 2
    assert 0.5 < told[:2].sum() / expected[:2].sum() < 2
    assert (outcome.failed_checks > 0) is (outcome.waited > 0) is bool(failures)
    assert outcome.store_bytes < 8_000_000
    assert "Rehearsal of a city" in write_page(outcome.as_json())


def test_what_cannot_be_rehearsed_is_refused():
    for wrong in (
        {"phones": 3}, {"days": 1}, {"whole": 0}, {"failures": ("flood",)}, {"failures": ("clock", "night")},
    ):  # fmt: skip
        with pytest.raises(TwinInvalid):
            Asked(**wrong)
