# SPDX-License-Identifier: Apache-2.0
"""The sums of days stand from the first count on and are always what the counters say."""

import datetime

from tests.builders import devices
from tests.rollout.gates.test_counters import DAY, NOW, TODAY, ZONE

from bluezone.rollout.gates import counters, registry
from bluezone.rollout.gates.counters import gate_days, gate_sums, store_counters
from bluezone.rollout.gates.models import GateCounter, GateDay, Verdict


def test_a_sum_rises_with_each_lane_and_never_with_a_replay(open_gate):
    made, _ = open_gate
    second, _ = devices.connected_device(made.agency, name="Làn 2")
    first = made.devices.get().device_id
    for device_id, rows in ((first, 4), (second.pk, 5), (first, 6), (first, 4), (second.pk, 5)):
        store_counters(device_id, made, [[NOW, "in", "running", rows]], NOW, ZONE)

    assert GateDay.objects.get().count == 11


def test_a_tablet_that_moved_raises_the_gate_where_it_counted(open_gate):
    made, _ = open_gate
    other = registry.open_gate("clerk", made.agency, "Cổng sau", devices.NOW)
    device = made.devices.get().device_id
    store_counters(device, made, [[NOW, "in", "running", 4]], NOW, ZONE)
    store_counters(device, other, [[NOW, "in", "running", 9], [NOW + 300, "in", "running", 2]], NOW + 300, ZONE)

    assert gate_sums(TODAY, TODAY) == {made.pk: {Verdict.RUNNING: 9}, other.pk: {Verdict.RUNNING: 2}}


def test_a_word_over_a_week_raises_each_of_its_days(open_gate):
    made, _ = open_gate
    rows = [[NOW - day * DAY, "in", "told", day + 1] for day in range(7)]
    store_counters(made.devices.get().device_id, made, rows, NOW, ZONE)
    found = gate_days(TODAY - datetime.timedelta(days=6), TODAY)

    assert [found[made.pk, TODAY - datetime.timedelta(days=day)][Verdict.TOLD] for day in range(7)] == [*range(1, 8)]


def test_forgetting_the_counters_leaves_the_sums_as_they_were(open_gate):
    made, _ = open_gate
    store_counters(made.devices.get().device_id, made, [[NOW, "in", "running", 4]], NOW, ZONE)
    before = list(GateDay.objects.values())
    counters.purge(devices.NOW + datetime.timedelta(days=32))

    assert not GateCounter.objects.exists()
    assert list(GateDay.objects.values()) == before
