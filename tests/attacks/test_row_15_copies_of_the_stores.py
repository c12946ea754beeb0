# SPDX-License-Identifier: Apache-2.0
"""Row 15, where few are ill: who copies the stores of a small city groups no keys, and names no code that the office's
own lists and the time of the file would not name (docs/privacy.md, What copies of the stores tell).
"""

import logging
import random

import pytest
from bench.bench_linking import added, described, judge
from bench.linking.attackers import CHANCE, STRENGTHS
from bench.linking.city import MONDAY, Office, manners_of
from bench.linking.onecopy import Behaviour
from tests.builders.office import data_folder, furnished_folder, quick_passwords
from tests.builders.stores import with_week_keys

__all__ = ["data_folder", "furnished_folder", "quick_passwords"]
pytestmark = [pytest.mark.django_db, pytest.mark.long]
# What was seen: pytest --log-cli-level=INFO.
logger = logging.getLogger(__name__)
PUBLIC, ONE_COPY, HOURLY, LIVE = STRENGTHS
# Fewer than a city has, so that it is easier to tell real ones from them.
RANDOM_KEYS = 10
# How people behave, seed, cases a day, and how many cases are judged at least. The others stand in docs/privacy.md with
# more cases; here each rate is met by people as usual, and each other kind of people at two rates.
CITIES = [pytest.param("usual", 15, 10, 10, id="short")] + [
    pytest.param(manners, seed, rate, enough, id=f"{manners}-{rate}-a-day", marks=pytest.mark.slow)
    for manners, seed, rate, enough in (
        ("usual", 16, 1, 20), ("usual", 16, 3, 30), ("usual", 16, 10, 40), ("usual", 16, 30, 60),
        ("prompt", 17, 3, 30), ("prompt", 17, 30, 60), ("late", 18, 3, 30), ("late", 18, 10, 40),
        ("unused", 19, 1, 20), ("unused", 19, 3, 30),
    )
]  # fmt: skip


@pytest.mark.parametrize(("manners", "seed", "rate", "enough"), CITIES)
def test_copies_of_all_stores_group_no_keys_and_name_no_code_that_chance_does_not(
    tmp_path, monkeypatch, manners, seed, rate, enough
):
    # The cases are drawn from the seed; so is what the server puts among them.
    monkeypatch.setattr("os.urandom", random.Random(seed).randbytes)
    with_week_keys(tmp_path / "made", MONDAY)
    behaviour = Behaviour(manners_of(manners, seed))
    office = Office(behaviour.manners.facilities)
    tallies = judge(
        rate, seed, tmp_path, office, behaviour, logger.info, enough, tmp_path / "made", random_keys=RANDOM_KEYS
    )
    for strength, line in described(tallies).items():
        logger.info("%d a day, %s, %s: %s", rate, manners, strength, line)

    for strength in STRENGTHS:
        assert tallies[strength].grouped <= 0.1 * tallies[strength].cases, strength
        assert tallies[strength].found <= 0.1 * tallies[strength].cases, strength
    # Of the last days some cases have not been published yet, and are not judged.
    assert tallies[CHANCE].cases >= 0.9 * enough
    # Guesses at the same keys: of so few cases the difference strays, and counts when it is beyond its own error.
    more, error = added(tallies[ONE_COPY], tallies[CHANCE])
    assert more - 1.64 * error <= 0.05
