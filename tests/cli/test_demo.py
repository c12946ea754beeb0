# SPDX-License-Identifier: Apache-2.0
"""The main job, whole: `bluezone demo` as a user runs it."""

import json
import subprocess
import sys
from datetime import date

import pytest

from bluezone.cli.demo import EXPECTED as EXPECTATIONS

EXPECTED = {"patient": "none", "near": "high", "far": "none", "earlier": "none"}


def run_demo(seed):
    command = [sys.executable, "-c", "from bluezone.cli.main import main; main()", "demo", "--exit", "--json"]
    done = subprocess.run([*command, "--seed", str(seed)], capture_output=True, text=True, timeout=300, check=False)
    return done, json.loads(done.stdout)


def check(done, result):
    levels = {row["name"]: row["level"] for row in result["handsets"]}
    near = next(row for row in result["handsets"] if row["name"] == "near")

    assert levels == EXPECTED, done.stderr
    assert 20 <= near["minutes"] <= 30
    assert near["day"] is not None
    assert result["ok"] is True
    assert set(result) == {"ok", "seed", "handsets"}
    assert all(set(row) == {"name", "expected", "level", "day", "minutes", "certainty"} for row in result["handsets"])
    assert done.returncode == 0


def test_the_near_phone_is_warned_and_no_other():
    check(*run_demo(1))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_twenty_draws_of_the_radio_all_end_as_expected():
    for seed in range(100, 120):
        check(*run_demo(seed))


def test_the_demo_says_no_when_a_phone_differs():
    near = next(expected for expected in EXPECTATIONS if expected.name == "near")
    day = date(2020, 8, 5)

    assert near.holds("high", day, 25, day)
    assert not near.holds("high", date(2020, 8, 6), 25, day)
    assert not near.holds("low", day, 25, day)
    assert not near.holds("high", day, 35, day)
    assert not EXPECTATIONS[0].holds("low", day, 10, day)
