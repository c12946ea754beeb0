# SPDX-License-Identifier: Apache-2.0
"""The line before the threads: in turn by network, and no longer than is served in time."""

import threading

import pytest

from bluezone.server.front.threads import MOST_OF_A_NETWORK, MOST_WAITING, QueueFull, Threads


@pytest.fixture
def busy():
    """One thread that is at work until `go` is set."""
    threads, go, begun = Threads(1, "tested"), threading.Event(), threading.Event()
    threads.add(lambda: (begun.set(), go.wait()), lambda: b"")
    begun.wait()
    yield threads, go
    go.set()
    threads.shut_down()


def test_a_flood_of_one_network_does_not_come_before_the_one_request_of_another(busy):
    threads, go = busy
    done = []
    for _ in range(100):
        threads.add(lambda: done.append("flood"), lambda: b"flood")
    threads.add(lambda: done.append("other"), lambda: b"other")
    go.set()
    threads.shut_down()

    assert len(done) == 101
    assert done.index("other") == 1


def test_a_line_that_is_too_long_is_refused_for_the_network_that_fills_it_first(busy):
    threads, _ = busy
    for _ in range(MOST_OF_A_NETWORK):
        threads.add(lambda: None, lambda: b"flood")
    with pytest.raises(QueueFull):
        threads.add(lambda: None, lambda: b"flood")
    for number in range(MOST_WAITING - MOST_OF_A_NETWORK):
        threads.add(lambda: None, lambda number=number: number.to_bytes(4, "big"))
    with pytest.raises(QueueFull):
        threads.add(lambda: None, lambda: b"other")


def test_what_waits_is_done_before_the_end():
    threads, done = Threads(2, "tested"), []
    for number in range(500):
        threads.add(lambda number=number: done.append(number), lambda: b"")
    threads.shut_down()

    assert sorted(done) == list(range(500))
