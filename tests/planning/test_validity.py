# SPDX-License-Identifier: Apache-2.0
"""The model against what is known in closed form: final size, growth, households; and what sharing draws is worth."""

import math

import numpy as np
import pytest
from tests.builders.planning import plain

from bluezone.planning.assumptions import Assumptions, read_assumptions, read_warning_curve
from bluezone.planning.people import People, Ward
from bluezone.planning.trial import Option, Setting, Trial, gamma_cdf, reproduction


def trial(people: int, assumptions: Assumptions, setting: Setting, seed: int = 1) -> Trial:
    return Trial(People([Ward("city", people, 0.0)], assumptions), assumptions, read_warning_curve(), setting, seed)


@pytest.mark.long
@pytest.mark.parametrize("number", [1.5, 2.5])
def test_as_many_are_infected_in_the_end_as_the_final_size_equation_says(number):
    # Kermack and McKendrick 1927: z = 1 - exp(-R z). Tolerance: 2 points, of which chance is half a point.
    expected = 0.5
    for _step in range(200):
        expected = 1 - math.exp(-number * expected)

    run = trial(40_000, plain(reproduction=number), Setting(365, 40, 0)).run(Option("as_it_is"))

    assert run.total("infections") / 40_000 == pytest.approx(expected, abs=0.02)


@pytest.mark.long
def test_growth_and_the_generations_met_while_it_grows_are_those_of_the_euler_lotka_equation():
    # Wallinga and Lipsitch 2007: 1 = R sum g(t) exp(-r t); generations met are weighted so. Tolerance: a tenth.
    assumptions = plain(reproduction=2.5)
    days = np.arange(40)
    weights = np.diff(gamma_cdf(np.arange(41) - 0.5, 5.0, 1.9))
    low, high = 0.0, 1.0
    for _step in range(60):
        rate = (low + high) / 2
        low, high = (rate, high) if 2.5 * (weights * np.exp(-rate * days)).sum() > 1 else (low, rate)
    met = (days * weights * np.exp(-rate * days)).sum() / (weights * np.exp(-rate * days)).sum()

    run = trial(200_000, assumptions, Setting(28, 50, 0)).run(Option("as_it_is"))
    infections = run.daily("infections")
    growth = math.log(infections[20:28].sum() / infections[12:20].sum()) / 8
    growing = slice(12, 28)

    assert growth == pytest.approx(rate, rel=0.1)
    assert run.daily("generation_days")[growing].sum() / run.daily("generations")[growing].sum() == pytest.approx(
        met, rel=0.1
    )


@pytest.mark.long
def test_chains_in_households_are_those_of_reed_and_frost():
    # Reed and Frost: of two others none is infected with q^2, one alone with 2 p q^2. Tolerance: a tenth.
    p = 0.3
    expected = 2 * p * (1 - p) ** 2 + 2 * (1 - (1 - p) ** 2 - 2 * p * (1 - p) ** 2)
    assumptions = plain(household_sizes=[0, 0, 1.0, 0, 0, 0, 0], household_attack=p, reproduction=1.0)
    fitted = trial(90_000, assumptions, Setting(60, 2000, 0))
    home = fitted.rules.setting_factor[0]
    fitted.rules.put("setting_factor", [home, 0, 0, 0, 0])

    run = fitted.run(Option("as_it_is"))

    assert run.total("at_home") / 2000 == pytest.approx(expected, rel=0.1)
    assert run.total("infections") == 2000 + run.total("at_home")


@pytest.mark.long
@pytest.mark.parametrize(("disease", "number", "attack"), [("covid-19", 2.5, 0.166), ("influenza", 1.46, 0.13)])
def test_single_cases_infect_as_many_and_as_large_a_share_of_their_home_as_is_assumed(disease, number, attack):
    # Tolerance: 7 % and 2 points; chance alone makes 3 % of it, since some infect many.
    assumptions = read_assumptions(disease).with_values(
        {"reproduction": number, "household_attack": attack, "measures": 1.0}
    )
    people = People([Ward("city", 60_000, 0.0)], assumptions)
    fitted = Trial(people, assumptions, read_warning_curve(), Setting(10, 10, 0), 3)

    infected, at_home = reproduction(people, fitted.rules, 3)

    assert infected == pytest.approx(number, rel=0.07)
    assert at_home == pytest.approx(attack, abs=0.02)


@pytest.mark.long
def test_options_that_share_draws_differ_with_a_fifth_of_the_variance_while_the_epidemic_grows():
    known = read_assumptions()
    # Nothing is drawn but the epidemic itself, or what is drawn would be most of the variance that pairing takes away.
    assumptions = known.with_values({each.name: each.value for each in known.unknown} | {"measures": 1.0})
    people = People([Ward("city", 8000, 0.3)], assumptions)
    one, other = [], []
    for seed in range(8):
        fitted = Trial(people, assumptions, read_warning_curve(), Setting(40, 10, 0), seed)
        one.append(fitted.run(Option("as_it_is", running=[0.30])).total("infections"))
        other.append(fitted.run(Option("more", running=[0.33])).total("infections"))
    paired = np.var(np.subtract(one, other))
    apart = np.mean([np.var(np.subtract(one, np.roll(other, turn))) for turn in range(1, len(one))])

    assert apart / paired >= 5, apart / paired
