# SPDX-License-Identifier: Apache-2.0
"""Budgets of bulletins, loudspeakers and text messages, as their benches measure them: `bluezone bench NAME`.

CPU time and ratios hold on a busy machine; submits a second are by the wall and want a quiet one.
"""

import json
import shutil
import subprocess

import pytest
from tests.builders.serving import BLUEZONE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def figure(name):
    ran = subprocess.run([BLUEZONE, "bench", name, "--json"], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_ten_thousand_airings_are_planned_in_under_a_second():
    assert figure("airings")["value"] < 1.0


@pytest.mark.skipif(shutil.which("npm") is None, reason="needs node and npm")
def test_two_hundred_text_messages_leave_in_a_second():
    found = figure("sms")
    assert found["value"] >= 200, found


def test_a_loudspeakers_question_costs_a_tenth_of_a_small_page_at_most():
    found = figure("speakers")
    # The share of a core itself is in docs/loudspeakers.md: it hangs on what else the machine does.
    assert found["ratio"] >= 10, found


def test_lists_of_a_country_hold_the_store_for_moments_and_ten_thousand_doors_keep_nobody_out():
    found = figure("bulk")
    assert max(found["most_cpu_seconds_of_a_transaction"].values()) < 1.0, found
    assert found["refused"] == {}, found
    # Seconds of waiting are by the wall, and its budget of one second wants a quiet machine.
    assert found["value"] < max(1.0, found["load_average"] / 4), found
