# SPDX-License-Identifier: Apache-2.0
"""What a page may cost: queries, and server time as a ratio: a busy machine makes its work longer, and this too."""

import json
import math
import time
from collections.abc import Callable

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

# docs/design.md, budgets: a list page takes under 150 ms of the server's time.
BUDGET_SECONDS = 0.150
# What `_reference` took, the least of 36 runs, on one core of an AMD EPYC under Python 3.13 on 2026-11-26.
_QUIET_SECONDS = 0.0142


def paced(seconds: float) -> float:
    """Seconds of work as a quiet core would have taken them, judged by a fixed piece of work done right after.

    Never fewer than that: a quicker machine gets no credit, and a slower one none beyond its own slowness.
    """
    begun = time.process_time()
    _reference()
    return seconds / max(1.0, (time.process_time() - begun) / _QUIET_SECONDS)


def quickest(work: Callable[[], object], clock: Callable[[], float], tries: int = 3) -> float:
    """The fewest paced seconds of some tries of the same work; the first within BUDGET_SECONDS is enough."""
    least = math.inf
    for _ in range(tries):
        begun = clock()
        work()
        spent = clock() - begun
        # Pacing only makes it less, and costs as much as a page.
        least = min(least, spent if spent < BUDGET_SECONDS else paced(spent))
        if least < BUDGET_SECONDS:
            break
    return least


def queries(client: Client, address: str) -> int:
    """How many queries a page takes, the fewer of two requests: once in five minutes it also counts what waits."""
    counted = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            assert client.get(address).status_code == 200
        counted.append(len(asked))
    return min(counted)


def _reference() -> int:
    rows = [{"name": f"phường {n}", "count": n, "parts": [n, n + 1, n + 2]} for n in range(6000)]
    read = json.loads(json.dumps(rows, indent=0))
    return sum(len(str(row["parts"])) for row in sorted(read, key=lambda row: -row["count"]))
