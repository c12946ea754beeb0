# SPDX-License-Identifier: Apache-2.0
"""Contacts are the same from either side, runs the same from the same seed, and a run can be stopped."""

import copy
import ctypes

import numpy as np
import pytest

from bluezone.planning import kernel
from bluezone.planning.assumptions import read_assumptions, read_warning_curve
from bluezone.planning.kernel import COLUMNS, PlanStopped
from bluezone.planning.people import People, Ward
from bluezone.planning.trial import Option, Setting, Trial

CITY = (Ward("city", 5000, 0.5),)
SETTING = Setting(60, 10, 0.1)


@pytest.fixture(scope="module")
def fitted() -> Trial:
    assumptions = read_assumptions()
    return Trial(People(CITY, assumptions), assumptions, read_warning_curve(), SETTING, 1)


@pytest.mark.long
def test_whoever_meets_somebody_is_met_by_them_on_the_same_day(fitted):
    laid = fitted.people.laid_out(fitted.people.phones([0.5]))
    pairs = set()
    for person in range(fitted.people.count):
        _, others = kernel.contacts(laid, fitted.rules, 5, person, 2)
        pairs |= {(person, int(other)) for other in others}

    assert len(pairs) > 5000
    assert pairs == {(other, person) for person, other in pairs}


def test_people_meet_as_many_as_is_assumed(fitted):
    laid = fitted.people.laid_out(fitted.people.phones([0.5]))
    met: dict[str, int] = dict.fromkeys(kernel.SETTINGS, 0)
    people = range(0, fitted.people.count, 2)
    for person in people:
        counted, _ = kernel.contacts(laid, fitted.rules, 5, person, 2)
        met = {name: met[name] + counted[name] for name in met}

    known = fitted.assumptions
    chance = known.array("chance_contacts", 9)[fitted.people.age].mean()
    assert met["chance"] / len(people) == pytest.approx(chance, rel=0.1)
    assert met["passing"] / len(people) == pytest.approx(known.number("passing_contacts"), rel=0.1)
    assert sum(met.values()) / len(people) - met["passing"] / len(people) == pytest.approx(8, abs=2)


@pytest.mark.long
def test_the_same_seed_gives_the_same_epidemic_and_another_one_another(fitted):
    option = Option("as_it_is")

    assert (fitted.run(option).days == fitted.run(option).days).all()
    other = Trial(fitted.people, read_assumptions(), read_warning_curve(), SETTING, 2)
    assert (other.run(option).days != fitted.run(option).days).any()


def test_who_stays_at_home_is_counted_once_and_no_day_after_the_end(fitted):
    run = fitted.run(Option("as_it_is"))
    home = sum(run.total(name) for name in ("stayed_right", "stayed_wrong", "isolated"))

    assert 0 < home <= fitted.people.count * SETTING.days
    assert run.total("told_near") <= run.total("told")
    assert run.total("told_infected") <= run.total("told")
    assert run.total("infections") <= fitted.people.count


def test_a_phone_that_always_says_high_tells_more_and_one_that_never_does_tells_nobody(fitted):
    told = []
    for chance in (0.0, 0.5, 1.0):
        rules = copy.copy(fitted.rules)
        rules.put("cell_high", np.full(16, chance))
        counted = kernel.run(fitted.people.laid_out(fitted.people.phones([0.5])), rules, 1)
        told.append(int(counted[:, COLUMNS.index("told")].sum()))

    assert told[0] == 0 < told[1] < told[2]


def test_nobody_is_warned_where_no_phone_runs(fitted):
    run = fitted.run(Option("none", running=[0.0], venue_scanned=1.0))

    assert run.total("told") == run.total("warned_venue") == 0
    assert run.total("traced") > 0


def test_venue_codes_warn_people(fitted):
    assert fitted.run(Option("as_it_is")).total("warned_venue") == 0
    assert fitted.run(Option("venues", venue_scanned=0.5)).total("warned_venue") > 0


def test_a_run_ends_when_it_is_told_to(fitted):
    with pytest.raises(PlanStopped):
        fitted.run(Option("as_it_is"), ctypes.c_int32(1))
