# SPDX-License-Identifier: Apache-2.0
"""The long runs: a million people, and Covasim's base curve from a model set up alike."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from tests.builders.planning import plain

from bluezone.planning.assumptions import read_warning_curve
from bluezone.planning.people import People, Ward
from bluezone.planning.plan import AS_IT_IS, Inputs, Planner
from bluezone.planning.trial import Option, Setting, Trial

REPOSITORY = Path(__file__).parents[2]
COVASIM = os.environ.get("BLUEZONE_COVASIM_PYTHON")
# Covasim's relative susceptibility by age, its documentation of parameters.
SUSCEPTIBILITY = [0.34, 0.67, 1.0, 1.0, 1.0, 1.0, 1.24, 1.47, 1.47]

pytestmark = pytest.mark.slow


@pytest.mark.skipif(not COVASIM, reason="BLUEZONE_COVASIM_PYTHON names no Python with Covasim (docs/planning.md)")
def test_the_base_curve_of_covasim_comes_out_of_a_model_set_up_alike():
    # Tolerance: 5 points of the share infected in the end, 5 days of the day on which half of them were.
    ran = subprocess.run(
        [str(COVASIM), REPOSITORY / "bench" / "covasim_run.py", "curve"], capture_output=True, text=True, check=True
    )
    theirs = json.loads(ran.stdout.splitlines()[-1])
    named = ("reproduction", "generation_mean_days", "generation_sd_days")
    alike = {name: theirs[name] for name in named}
    assumptions = plain(**alike, chance_contacts=[20.0] * 9, susceptibility=SUSCEPTIBILITY)
    people = People([Ward("city", theirs["people"], 0.0)], assumptions)
    setting = Setting(theirs["days"], theirs["first"], 0)
    run = Trial(people, assumptions, read_warning_curve(), setting, 1).run(Option("as_it_is"))
    ours = np.cumsum(run.daily("infections")) / theirs["people"]
    known = np.array(theirs["cumulative"])[: len(ours)]

    told = (ours[-1], known[-1], _half(ours), _half(known), alike)
    assert abs(ours[-1] - known[-1]) < 0.05, told
    assert abs(_half(ours) - _half(known)) <= 5, told


def _half(curve):
    return int(np.searchsorted(curve, curve[-1] / 2))


def test_a_million_people_fit_into_a_hundred_bytes_each_and_an_epidemic_of_half_a_year_ends():
    inputs = Inputs((Ward("city", 1_000_000, 0.6),), 500, 0.1, days=180, seeds=3)
    planner = Planner(inputs, most=1_000_000)
    totals = planner.totals(planner.trial(1), AS_IT_IS)

    assert planner.people.bytes_a_person < 100
    assert totals["infections"] > 500
