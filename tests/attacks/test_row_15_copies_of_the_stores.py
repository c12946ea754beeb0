# SPDX-License-Identifier: Apache-2.0
"""Row 15, where few are ill: who copies the stores of a small city groups no keys, and names no code that the office's
own lists and the time of the file would not name (docs/privacy.md, What copies of the stores tell).
"""

import pytest
from bench.bench_linking import added, judge
from bench.linking.attackers import CHANCE, STRENGTHS
from bench.linking.city import MONDAY, Office, manners_of
from bench.linking.onecopy import Behaviour
from tests.builders.office import data_folder, furnished_folder, quick_passwords
from tests.builders.stores import with_week_keys

__all__ = ["data_folder", "furnished_folder", "quick_passwords"]
pytestmark = [pytest.mark.django_db, pytest.mark.long]
PUBLIC, ONE_COPY, HOURLY, LIVE = STRENGTHS
RATES = [pytest.param(10, 10, id="short")] + [
    pytest.param(rate, 60, id=f"{rate}-a-day", marks=pytest.mark.slow) for rate in (1, 3, 10, 30)
]


@pytest.mark.parametrize(("rate", "enough"), RATES)
@pytest.mark.parametrize(
    ("seed", "manners"),
    [(15, "usual")]
    + [
        pytest.param(*case, marks=pytest.mark.slow)
        for case in ((16, "usual"), (17, "prompt"), (18, "late"), (19, "unused"))
    ],
)
def test_copies_of_all_stores_group_no_keys_and_name_no_code_that_chance_does_not(
    tmp_path, rate, enough, seed, manners
):
    with_week_keys(tmp_path / "made", MONDAY)
    behaviour = Behaviour(manners_of(manners, seed))
    office = Office(behaviour.manners.facilities)
    tallies = judge(
        rate, seed, tmp_path, office, behaviour, lambda line: None, enough=enough, keys_from=tmp_path / "made"
    )

    for strength in STRENGTHS:
        assert tallies[strength].grouped <= 0.1 * tallies[strength].cases, strength
        assert tallies[strength].found <= 0.1 * tallies[strength].cases, strength
    # Of the last days some cases have not been published yet, and are not judged.
    assert tallies[CHANCE].cases >= 0.9 * enough
    # Guesses at the same keys: of so few cases the difference strays, and counts when it is beyond its own error.
    more, error = added(tallies[ONE_COPY], tallies[CHANCE])
    assert more - 1.64 * error <= 0.05
