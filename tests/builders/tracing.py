# SPDX-License-Identifier: Apache-2.0
"""What code does, counted: the same on every machine and under every load, unlike how long it takes."""

import gc
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any


def work_of(action: Callable[[], Any]) -> tuple[Any, Counter[str]]:
    """What `action` returns, and how often it called each function, written in Python or in C, on this thread.

    A collection of garbage would call hypothesis's own callback in between, so there is none.
    """
    called: Counter[str] = Counter()

    def note(frame: Any, event: str, function: Any) -> None:
        if event == "call":
            called[frame.f_code.co_qualname] += 1
        elif event == "c_call":
            called[function.__qualname__] += 1

    collecting = gc.isenabled()
    gc.disable()
    sys.setprofile(note)
    try:
        result = action()
    finally:
        sys.setprofile(None)
        if collecting:
            gc.enable()
    return result, called


class DatabaseSteps:
    """Counts what SQLite does, in instructions of its machine, on every connection opened from now on."""

    def __init__(self, monkeypatch: Any) -> None:
        self.count = 0
        connect = sqlite3.connect

        def counted(*arguments: Any, **named: Any) -> sqlite3.Connection:
            connection = connect(*arguments, **named)
            connection.set_progress_handler(self._step, 1)
            return connection

        monkeypatch.setattr(sqlite3, "connect", counted)

    def _step(self) -> int:
        self.count += 1
        return 0

    def taken(self) -> int:
        """How many there were since this was asked last."""
        count, self.count = self.count, 0
        return count


def calls_apart(one: Counter[str], other: Counter[str]) -> int:
    """How many calls one of the two made and the other did not."""
    return (one - other).total() + (other - one).total()
