# SPDX-License-Identifier: Apache-2.0
"""The report of a rehearsal says what holds and what does not, in both languages."""

import re

import pytest

from bluezone.cli.planning.twin import catalogues
from bluezone.twin.agreement import Agreement
from bluezone.twin.picture import write_page
from bluezone.twin.rehearsal import Asked, Outcome


def an_outcome(**changes):
    values = {"phones": 2028, "meetings": 121516, "cases": 36, "reports": 36, "whole": 20, "whole_equal": 20,
              "near": Agreement(51, 46.2, 5.0), "far": Agreement(73, 70.4, 7.1)}  # fmt: skip
    outcome = Outcome(changes.pop("asked", Asked()), **{**values, **changes})
    outcome.delays = [0.5, 4.5, 13.0]
    outcome.cells[3][1].met, outcome.cells[3][1].told, outcome.cells[3][1].expected = 73, 28, 14.6
    return write_page(outcome.as_json(), catalogues())


def test_a_rehearsal_in_which_everything_holds_says_so_in_both_languages():
    page = an_outcome()

    assert "fails" not in re.sub(r"<style>.*?</style>", "", page, flags=re.S)
    assert "All 20 phones that share nothing have the same result as the crowd" in page
    assert "121.516 lần gặp; sự cố: không." in page
    assert "121,516 meetings; failures: none." in page
    assert "28 (14,6)" in page
    assert "28 (14.6)" in page


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"missing_keys": 3}, "Keys of acknowledged reports that are lost: 3"),
        ({"whole_equal": 17}, "a different result from the crowd: 3 of 20"),
        ({"store_bytes": 200_000_000}, "Largest store of a phone: 200.0 MB, at most 100.7 MB allowed"),
        ({"unmet": 2}, "without having met a case: 2"),
        ({"told_away": 1, "asked": Asked(failures=("server",))}, "while the server was away: 1"),
        ({"far": Agreement(113, 73.0, 8.5)}, "Met one case, beyond 2 m: 113 phones"),
    ],
)
def test_what_does_not_hold_is_marked_in_both_languages(change, said):
    page = an_outcome(**change)

    (vietnamese, english) = re.findall(r'<li class="fails">(.*?)</li>', page)
    assert said in english
    assert sorted(re.findall(r"\d+", vietnamese)) == sorted(re.findall(r"\d+", english))
