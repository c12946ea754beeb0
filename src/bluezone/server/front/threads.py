# SPDX-License-Identifier: Apache-2.0
"""The threads in which an origin's callable runs, and the line before them: one network's crowd waits for itself.

Work of the network that has waited longest comes first, one piece of each in turn, so that a flood from one network
delays that network and nobody else.
"""

import queue
import threading
from collections import OrderedDict, deque
from collections.abc import Callable

Work = Callable[[], None]
# Who is not served within a second or two at this length would not be helped by more.
MOST_WAITING = 2048
# Thousands of phones may be behind one address of a carrier.
MOST_OF_A_NETWORK = 1024


class LineFull(Exception):
    """So many requests wait already that one more would wait in vain."""


class Threads:
    """A fixed number of threads, started at once. name: what they are called."""

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._lines: OrderedDict[bytes, deque[Work]] = OrderedDict()
        # What waits and what is being done.
        self._waiting, self._begun = 0, 0
        self._lock = threading.Lock()
        # One for each piece of work, and one for each thread at the end.
        self._tokens: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._work, name=f"{name}-{number}") for number in range(count)]
        for thread in self._threads:
            thread.start()

    def add(self, work: Work, network: Callable[[], bytes]) -> int:
        """Let a thread do some work, which must not raise; returns how much waits before it.

        network: whose it is; asked only if it has to wait. Raises LineFull.
        """
        with self._lock:
            before = self._waiting
            key = network() if before + self._begun >= self._count else b""
            if before >= MOST_WAITING or len(self._lines.get(key, ())) >= MOST_OF_A_NETWORK:
                raise LineFull
            self._lines.setdefault(key, deque()).append(work)
            self._waiting += 1
        self._tokens.put(True)
        return before

    def end(self) -> None:
        """Do what waits, then end."""
        for _ in self._threads:
            self._tokens.put(False)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while self._tokens.get():
            self._next()()
            with self._lock:
                self._begun -= 1

    def _next(self) -> Work:
        with self._lock:
            network, line = self._lines.popitem(last=False)
            work = line.popleft()
            if line:
                self._lines[network] = line
            self._waiting -= 1
            self._begun += 1
            return work
