# SPDX-License-Identifier: Apache-2.0
"""Count the work of code, which is the same on every machine and under every load, unlike its time."""

import gc
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any


def work_of(action: Callable[[], Any]) -> tuple[Any, Counter[str]]:
    """The result of `action`, and how often it called each function in Python or C, on this thread.

    Garbage collection is off, because it would call a callback of hypothesis.
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
    """Counts instructions of SQLite's virtual machine, on every connection opened from now on."""

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
        """The count since the last call."""
        count, self.count = self.count, 0
        return count


def calls_apart(first: Counter[str], second: Counter[str]) -> int:
    """The number of calls that only one of the two made."""
    return (first - second).total() + (second - first).total()
