# SPDX-License-Identifier: Apache-2.0
"""Newly running phones that teams find in six weeks where "Where to go next" sends them, and where the most households
not visited are.

A simulated city: wards differ in size, minutes a door, who is at home, phones a household, phones that run already, and
in how many households let somebody help; none of it hangs on another. Both ways of choosing meet the same households
behind the same doors (paired seeds). What a ward is like is drawn here and never told to the ranking, which reads the
answers at the doors and, in half of the wards, the share running at the gates.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bluezone.rollout.coverage.expected.ranking import Signals, rank_units
from bluezone.rollout.coverage.expected.yields import Answers, Expectation, Place, expectations

SEEDS = 200
WARDS, WEEKS, TEAMS, HOURS = 12, 6, 6, 20.0
# Teams that one ward takes in at once.
MOST_TEAMS = 2


@dataclass
class Ward:
    """One ward. phones, waiting: of each household; waiting do not run yet and would, if somebody is met there.

    doors: households not reached, in the order of walking. gates: share running as gates count it, or None.
    """

    minutes: float
    home: float
    phones: np.ndarray
    waiting: np.ndarray
    gates: float | None
    draws: np.random.Generator
    doors: list[int] = field(default_factory=list)
    answers: Answers = field(default_factory=Answers)


def make_city(seed: int) -> list[Ward]:
    """The wards of one seed."""
    rng = np.random.default_rng([24, seed])
    return [_ward(rng, np.random.default_rng([24, seed, number])) for number in range(WARDS)]


def _ward(rng: np.random.Generator, draws: np.random.Generator) -> Ward:
    size = int(rng.lognormal(np.log(1000), 0.6))
    running, taken = rng.beta(2, 4), min(0.9, rng.gamma(3, 0.2 / 3))
    phones = rng.poisson(rng.gamma(16, 2.0 / 16), size)
    new = rng.binomial(phones, 1 - running)
    # A household lets somebody help or does not: the phones of one door go together.
    waiting = np.where(rng.random(size) < taken, new, 0)
    gates = float(np.clip(running + rng.normal(0, 0.04), 0, 1)) if rng.random() < 0.5 else None
    return Ward(rng.lognormal(np.log(6), 0.35), rng.beta(6, 4), phones, waiting, gates, draws, list(range(size)))


def work(ward: Ward, hours: float) -> Answers:
    """Go from door to door for so many team-hours; doors at which nobody is met come again last."""
    visits = met = phones = helped = 0
    spent = 0.0
    while ward.doors:
        spent += ward.draws.gamma(4, ward.minutes / 4)
        if spent > hours * 60:
            spent = hours * 60
            break
        door = ward.doors.pop(0)
        visits += 1
        if ward.draws.random() < ward.home:
            met, phones = met + 1, phones + int(ward.phones[door])
            helped += int(ward.waiting[door])
        else:
            ward.doors.append(door)
    came = Answers(visits, met, met, phones, helped, visits, spent)
    ward.answers += came
    return came


def expected_of(city: list[Ward]) -> dict[int, Expectation]:
    """What the office would expect of each ward now."""
    return expectations(Place(key, len(one.doors), one.gates, None, one.answers) for key, one in enumerate(city))


def by_expectation(city: list[Ward]) -> list[int]:
    """The order of "Where to go next", its floor included."""
    expected = expected_of(city)
    ranked = rank_units(Signals(key, expected[key].mean, one.gates) for key, one in enumerate(city))
    return [one.signals.key for one in ranked]


def by_households(city: list[Ward]) -> list[int]:
    """Most households not visited first."""
    return sorted(range(len(city)), key=lambda key: (-len(city[key].doors), key))


def play(seed: int, order: Callable[[list[Ward]], list[int]]) -> tuple[int, list[bool]]:
    """Newly running phones of all weeks; and of each ward and week worked in, whether what came was in the interval."""
    city, found, held = make_city(seed), 0, list[bool]()
    for _week in range(WEEKS):
        expected, teams = expected_of(city), TEAMS
        for key in order(city):
            sent = min(MOST_TEAMS, teams)
            if not sent or not city[key].doors:
                continue
            teams -= sent
            came = work(city[key], sent * HOURS)
            found += came.helped
            _mean, low, high = expected[key].of_hours(came.hours)
            held.append(low <= came.helped <= high)
    return found, held


def compare(seeds: int) -> dict[str, float]:
    """Ratio of what both ways find, its mean over seeds with a 95 % interval, and how often the interval held."""
    ratios, held = [], list[bool]()
    for seed in range(seeds):
        ours, inside = play(seed, by_expectation)
        theirs, _ = play(seed, by_households)
        ratios.append(ours / max(1, theirs))
        held += inside
    log = np.log(ratios)
    half = 1.96 * log.std(ddof=1) / np.sqrt(seeds)
    return {
        "ratio": float(np.exp(log.mean())), "low": float(np.exp(log.mean() - half)),
        "high": float(np.exp(log.mean() + half)), "worst": float(min(ratios)), "held": float(np.mean(held)),
    }  # fmt: skip


def run(progress: Callable[[str], object]) -> dict[str, Any]:
    """Play every seed; `value` is the mean ratio to "most households first"."""
    found = compare(SEEDS)
    progress(f"{SEEDS} cities of {WARDS} wards, {WEEKS} weeks of {TEAMS} teams")
    return {
        "name": "newly running phones, by expectation over most households first",
        "value": round(found["ratio"], 3),
        "unit": "times",
        "baseline": 1.0,
        "ratio": round(found["ratio"], 3),
        "interval_95_low": round(found["low"], 3),
        "interval_95_high": round(found["high"], 3),
        "worst_seed": round(found["worst"], 3),
        "weeks_within_the_interval_percent": round(100 * found["held"], 1),
        "seeds": SEEDS,
    }
