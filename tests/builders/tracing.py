# SPDX-License-Identifier: Apache-2.0
"""What code does, counted: the same on every machine and under every load, unlike how long it takes."""

import gc
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


def calls_apart(one: Counter[str], other: Counter[str]) -> int:
    """How many calls one of the two made and the other did not."""
    return (one - other).total() + (other - one).total()
