# SPDX-License-Identifier: Apache-2.0
"""The main job, whole: `bluezone demo` as a user runs it."""

import json
import re
import signal
import subprocess
import sys
from datetime import date

import pytest
import requests

from bluezone.cli.demo import EXPECTED as EXPECTATIONS

EXPECTED = {"patient": "none", "near": "high", "far": "none", "earlier": "none"}


# As if a file had been made between the patient's last look and the report.
OVERTAKEN = """
from bluezone.cli.demo import DemoServer
wait, calls = DemoServer.wait_for_export, []
DemoServer.wait_for_export = lambda *known, **named: wait(*known, **named) if calls else calls.append(1)
"""


def run_demo(seed, before=""):
    command = [sys.executable, "-c", f"{before}from bluezone.cli.main import main; main()", "demo", "--exit", "--json"]
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


def test_a_report_that_missed_a_file_is_in_the_next():
    check(*run_demo(1, OVERTAKEN))


@pytest.mark.slow
def test_the_demo_stays_open_with_the_pages_of_the_warned_phone_and_of_the_patients():
    command = [sys.executable, "-c", "from bluezone.cli.main import main; main()", "demo", "--seed", "7"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as running:
        printed = []
        for line in running.stderr:
            printed.append(line)
            if line.startswith("Ctrl-C"):
                break
        pages = dict(re.findall(r"^(warned|patient)\s+(http://127\.0\.0\.1:\S+)", "".join(printed), re.MULTILINE))
        shown = {}
        for name, address in pages.items():
            with requests.Session() as session:
                session.get(address, timeout=60)
                shown[name] = session.get(address.split("?")[0] + "status.json", timeout=60).json()
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) == 0
    assert [day["level"] for day in shown["warned"]["days"]] == ["high"]
    assert shown["patient"]["days"] == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_twenty_draws_of_the_radio_all_end_as_expected():
    for seed in range(100, 120):
        check(*run_demo(seed))


def test_the_demo_says_no_when_a_phone_differs():
    near = next(expected for expected in EXPECTATIONS if expected.name == "near")
    day = date(2020, 8, 5)

    assert near.is_met_by("high", day, 25, day)
    assert not near.is_met_by("high", date(2020, 8, 6), 25, day)
    assert not near.is_met_by("low", day, 25, day)
    assert not near.is_met_by("high", day, 35, day)
    assert not EXPECTATIONS[0].is_met_by("low", day, 10, day)
