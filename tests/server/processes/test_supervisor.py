# SPDX-License-Identifier: Apache-2.0
"""Real processes, and a clock that a test moves."""

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from bluezone.server.metrics.meters import Meters
from bluezone.server.processes.children import Part, ProcessEnded
from bluezone.server.processes.supervisor import MOST_PAUSE_SECONDS, Processes

# Its processes are started by the supervisor, not by functions of the tests.
pytestmark = pytest.mark.serve
PYTHON = sys.executable


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


def preparing(program):
    """What begins to prepare, with its standard input open."""
    return lambda: subprocess.Popen([PYTHON, "-c", program], stdin=subprocess.PIPE)


def until(condition):
    deadline = time.monotonic() + 600
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def wait_for_death(processes, name):
    next(child for child in processes.children if child.part.name == name).process.wait(120)


def test_who_dies_again_and_again_waits_longer_each_time_and_the_rest_goes_on(supervised, stop):
    processes = supervised("lives", "lives")
    assert processes.start(stop)
    survivor = next(child for child in processes.children if child.part.name == "lives-1")
    now, waited = time.monotonic(), []
    for _ in range(8):
        next(child for child in processes.children if child is not survivor).process.kill()
        wait_for_death(processes, "lives-0")
        processes.watch(now)
        pause = 0.0
        while len(processes.children) < 2:
            pause += 0.5
            processes.watch(now + pause)
        waited.append(pause)
        now += pause

    assert [round(pause) for pause in waited] == [0, 1, 2, 4, 8, 16, 30, 30]
    assert max(waited) == MOST_PAUSE_SECONDS
    assert processes.restarts == {"lives-0": 8}
    assert survivor in processes.children
    assert not survivor.has_ended


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


@pytest.mark.long
def test_new_processes_that_do_not_come_up_leave_the_old_ones_at_work(supervised, stop):
    processes = supervised("lives")
    processes.start(stop)
    old = list(processes.children)
    processes.parts = [Part("lives-0", ("tests.web.mortal", "dies_unready"))]

    assert not processes.replace(stop, preparing(""))
    assert processes.children == old
    assert not old[0].has_ended
    assert processes.replaced == 0


@pytest.mark.long
def test_old_processes_end_once_new_ones_are_ready_and_count_in_rows_of_their_own(supervised, stop):
    processes = supervised("lives")
    processes.start(stop)
    (old,) = processes.children
    assert processes.replace(stop, preparing(""))
    (new,) = processes.children
    assert old.row != new.row
    processes.watch(time.monotonic() + 1)
    old.process.wait(120)
    processes.watch(time.monotonic() + 2)

    assert processes.leaving == []
    assert not new.has_ended


@pytest.mark.long
def test_who_dies_while_the_stores_are_prepared_is_started_again_at_once(supervised, stop):
    processes = supervised("lives")
    processes.start(stop)
    (victim,) = processes.children
    begun = []
    prepare = preparing("import sys; sys.stdin.read()")
    with ThreadPoolExecutor() as beside:
        try:
            replaced = beside.submit(processes.replace, stop, lambda: begun.append(prepare()) or begun[0])
            victim.process.kill()
            until(lambda: processes.restarts and [child.is_up for child in processes.children] == [True])
            (again,) = processes.children
            assert not replaced.done()
        finally:
            begun[0].stdin.close()
        assert replaced.result(120)

    assert again in processes.leaving


@pytest.mark.parametrize("where", ["preparing", "waiting for the new ones"])
def test_a_stop_signal_ends_a_restart_wherever_it_is_and_nothing_is_said_of_new_processes(
    supervised, stop, caplog, where
):
    processes = supervised("lives")
    processes.start(stop)
    processes.parts = [Part("lives-0", ("tests.web.mortal", "lives_unready"))]
    begun = []

    def prepare():
        begun.append(preparing("import sys; sys.stdin.read()")())
        if where != "preparing":
            begun[0].communicate()
        return begun[0]

    stop.event.set()
    assert not processes.replace(stop, prepare)
    assert processes.replaced == 0
    assert begun[0].returncode is not None
    assert "restarted" not in [getattr(record, "event", "") for record in caplog.records]
    started = list(processes.children)
    assert len(started) == (1 if where == "preparing" else 2)
    processes.stop()
    assert all(child.has_ended for child in started)


@pytest.mark.long
def test_a_process_that_the_system_does_not_start_is_tried_again_later(supervised, stop, monkeypatch):
    processes = supervised("lives")
    processes.start(stop)
    (child,) = processes.children
    child.process.kill()
    child.process.wait(120)
    now = time.monotonic()
    with monkeypatch.context() as gone:
        # As while a new version is installed in the place of the old one.
        gone.setattr(sys, "executable", "/nowhere/python")
        processes.watch(now)
        assert processes.children == []
        assert not processes.replace(stop, preparing(""))
    processes.watch(now + MOST_PAUSE_SECONDS)

    assert len(processes.children) == 1
