# SPDX-License-Identifier: Apache-2.0
"""Real processes, and a clock that a test moves."""

import threading
import time
from types import SimpleNamespace

import pytest

from bluezone.web.metering import Meters
from bluezone.web.supervising import MOST_PAUSE_SECONDS, Part, ProcessEnded, Processes


@pytest.fixture
def stop():
    return SimpleNamespace(event=threading.Event())


@pytest.fixture
def supervised():
    begun = []

    def make(*lives):
        parts = [Part(f"{life}-{number}", ("tests.web.mortal", life)) for number, life in enumerate(lives)]
        begun.append(Processes(parts, Meters.make(Processes.rows(parts))))
        return begun[-1]

    yield make
    for processes in begun:
        processes.stop()


def wait_for_death(processes, name):
    next(child for child in processes.children if child.part.name == name).process.wait(30)


def test_who_dies_again_and_again_waits_longer_each_time_and_the_rest_goes_on(supervised, stop):
    processes = supervised("dies", "lives")
    assert processes.start(stop)
    survivor = next(child for child in processes.children if child.part.name == "lives-1")
    now, waited = time.monotonic(), []
    for _ in range(8):
        wait_for_death(processes, "dies-0")
        processes.watch(now)
        pause = 0.0
        while len(processes.children) < 2:
            pause += 0.5
            processes.watch(now + pause)
        waited.append(pause)
        now += pause

    assert [round(pause) for pause in waited] == [0, 1, 2, 4, 8, 16, 30, 30]
    assert max(waited) == MOST_PAUSE_SECONDS
    assert processes.restarts == {"dies-0": 8}
    assert survivor in processes.children
    assert not survivor.ended


def test_who_lived_long_is_replaced_at_once(supervised, stop):
    processes = supervised("dies")
    processes.start(stop)
    now = time.monotonic()
    for _ in range(3):
        wait_for_death(processes, "dies-0")
        now += 1000
        processes.watch(now)
        assert len(processes.children) == 1


def test_a_part_that_does_not_come_up_at_the_start_ends_the_whole(supervised, stop):
    processes = supervised("lives", "dies_unready")

    with pytest.raises(ProcessEnded, match="the dies_unready-1 process ended with 0"):
        processes.start(stop)


def test_new_processes_that_do_not_come_up_leave_the_old_ones_at_work(supervised, stop):
    processes = supervised("lives")
    processes.start(stop)
    old = list(processes.children)
    processes.parts = [Part("lives-0", ("tests.web.mortal", "dies_unready"))]

    assert not processes.replace(stop, lambda: None)
    assert processes.children == old
    assert not old[0].ended
    assert processes.replaced == 0


def test_old_processes_end_once_new_ones_are_ready_and_count_in_rows_of_their_own(supervised, stop):
    processes = supervised("lives")
    processes.start(stop)
    (old,) = processes.children
    assert processes.replace(stop, lambda: None)
    (new,) = processes.children
    assert old.row != new.row
    processes.watch(time.monotonic() + 1)
    old.process.wait(30)
    processes.watch(time.monotonic() + 2)

    assert processes.leaving == []
    assert not new.ended
