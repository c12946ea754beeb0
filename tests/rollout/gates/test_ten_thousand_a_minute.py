# SPDX-License-Identifier: Apache-2.0
"""Scenario 21 of the rollout: 10,000 counter updates of gates in a minute, on the store of the test run."""

import pytest
from django.db.models import Sum
from django.utils import timezone
from tests.builders.devices import bearer_header
from tests.builders.largeoffice import server_clock
from tests.rollout.gates.test_load import PATH, connected_gates

from bluezone.rollout.gates.models import GateCounter, GateDay

GATES, MINUTES = 1_000, 2
VERDICTS = ("running", "valid_code", "told", "helped", "no_smartphone")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.django_db
def test_ten_thousand_counter_updates_are_a_third_of_a_minutes_work(public):
    """Each gate reports ten counters a minute, and every tenth sends them once more."""
    tokens, clock = connected_gates(GATES), server_clock()
    bucket = int(timezone.now().timestamp()) // 300 * 300 - 300
    spent = []
    for minute in range(1, MINUTES + 1):
        rows = [[start, "in", verdict, minute] for start in (bucket - 300, bucket) for verdict in VERDICTS]
        begun = clock()
        for token in tokens + tokens[::10]:
            answer = public.post(PATH, {"counters": rows}, content_type="application/json", **bearer_header(token))
            assert answer.status_code == 200, answer.text
        spent.append(clock() - begun)

    assert GateCounter.objects.count() == 10_000
    assert GateCounter.objects.aggregate(all=Sum("count"))["all"] == 10_000 * MINUTES
    assert GateDay.objects.aggregate(all=Sum("count"))["all"] == 10_000 * MINUTES
    assert max(spent) < 20, spent
