# SPDX-License-Identifier: Apache-2.0
"""1,000 passages a minute from 200 gates, every queue sent twice; a tablet that was offline for seven days.

Runs on the store of the test run: SQLite, and PostgreSQL where BLUEZONE_OFFICE_URL names one.
"""

import time

import pytest
from django.db.models import Sum
from django.utils import timezone
from tests.builders.devices import bearer_header
from tests.builders.gatefleet import connected_gates
from tests.builders.largeoffice import server_clock
from tests.builders.pace import paced

from bluezone.rollout.gates.models import GateCounter, GateDay

PATH = "/v1/gates/counters"
# Passages for each gate and minute, and minutes.
EACH, MINUTES = 5, 2
VERDICTS = ("running", "valid_code", "told", "no_smartphone")


@pytest.mark.django_db
@pytest.mark.parametrize("gates", [20, pytest.param(200, marks=pytest.mark.slow)])
def test_a_thousand_passages_a_minute_from_200_gates_are_neither_lost_nor_doubled(public, gates):
    tokens, clock = connected_gates(gates), server_clock()
    bucket = int(timezone.now().timestamp()) // 300 * 300 - 300
    spent = []
    for minute in range(1, MINUTES + 1):
        begun = clock()
        for token in tokens * 2:  # each gate replays its queue
            rows = [[bucket, "in", "running", EACH * minute]]
            assert (
                public.post(
                    PATH, {"counters": rows}, content_type="application/json", **bearer_header(token)
                ).status_code
                == 200
            )
        spent.append(clock() - begun)

    wanted = EACH * gates * MINUTES
    assert GateCounter.objects.aggregate(all=Sum("count"))["all"] == wanted
    assert GateDay.objects.aggregate(all=Sum("count"))["all"] == wanted
    assert max(spent) < 20, "a minute's work takes more than a third of a minute"


@pytest.mark.django_db
def test_a_tablet_that_was_offline_for_seven_days_sends_in_pieces(public):
    (token,) = connected_gates(1)
    last = int(timezone.now().timestamp()) // 300 * 300 - 300
    rows = [[last - 300 * n, "in", verdict, 3] for n in range(2_016) for verdict in VERDICTS][::-1]
    slowest = 0.0
    for _replay in range(2):
        for start in range(0, len(rows), 2_000):
            begun = time.process_time()
            answer = public.post(
                PATH, {"counters": rows[start : start + 2_000]}, content_type="application/json", **bearer_header(token)
            )
            slowest = max(slowest, time.process_time() - begun)
            assert answer.status_code == 200, answer.text
            assert answer.json()["accepted"] == len(rows[start : start + 2_000])

    assert GateCounter.objects.count() == len(rows)
    assert GateDay.objects.aggregate(all=Sum("count"))["all"] == 3 * len(rows)
    assert paced(slowest) < 5
