# SPDX-License-Identifier: Apache-2.0
"""Threads that run an origin's WSGI callable, and the queues in front of them.

Each network has its own queue, and the queues are served in turn, so that a flood from one network delays only that
network.
"""

import queue
import threading
from collections import OrderedDict, deque
from collections.abc import Callable

Work = Callable[[], None]
# Answering this many requests takes a second or two; further ones would wait too long.
MOST_WAITING = 2048
# Thousands of phones may be behind one address of a carrier.
MOST_OF_A_NETWORK = 1024


class QueueFull(Exception):
    """Too many requests wait already; one more would not be served in time."""


class Threads:
    """A fixed number of threads, started immediately. name: the prefix of their names."""

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._queues: OrderedDict[bytes, deque[Work]] = OrderedDict()
        self._waiting = 0
        self._running = 0
        self._lock = threading.Lock()
        # True for each piece of work; at the end, False for each thread.
        self._tokens: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._work, name=f"{name}-{number}") for number in range(count)]
        for thread in self._threads:
            thread.start()

    def add(self, work: Work, network: Callable[[], bytes]) -> int:
        """Queue work for a thread; it must not raise. Returns how many others wait before it.

        network: returns where it comes from; called only if the work has to wait. Raises QueueFull.
        """
        with self._lock:
            before = self._waiting
            key = network() if before + self._running >= self._count else b""
            if before >= MOST_WAITING or len(self._queues.get(key, ())) >= MOST_OF_A_NETWORK:
                raise QueueFull
            self._queues.setdefault(key, deque()).append(work)
            self._waiting += 1
        self._tokens.put(True)
        return before

    def shut_down(self) -> None:
        """Finish the waiting work, then end the threads."""
        for _ in self._threads:
            self._tokens.put(False)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while self._tokens.get():
            self._next()()
            with self._lock:
                self._running -= 1

    def _next(self) -> Work:
        with self._lock:
            network, line = self._queues.popitem(last=False)
            work = line.popleft()
            if line:
                self._queues[network] = line
            self._waiting -= 1
            self._running += 1
            return work
