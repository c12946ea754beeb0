# SPDX-License-Identifier: Apache-2.0
"""The budget of a page: queries, and server time relative to a reference, which a busy machine slows down equally."""

import json
import math
import time
from collections.abc import Callable

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

# docs/design.md, budgets: a list page takes under 150 ms of the server's time.
BUDGET_SECONDS = 0.150
# The time of `_reference`, the least of 36 runs, on one core of an AMD EPYC under Python 3.13 on 2026-11-26.
_QUIET_SECONDS = 0.0142


def paced(seconds: float) -> float:
    """The seconds that work would take on a quiet core, estimated by a fixed piece of work right afterwards.

    On a faster machine the seconds stay as they are.
    """
    begun = time.process_time()
    _reference()
    return seconds / max(1.0, (time.process_time() - begun) / _QUIET_SECONDS)


def quickest(work: Callable[[], object], clock: Callable[[], float], tries: int = 3) -> float:
    """The least paced seconds over some tries of the same work; stops at the first within BUDGET_SECONDS."""
    least = math.inf
    for _ in range(tries):
        begun = clock()
        work()
        spent = clock() - begun
        # Pacing only reduces the value, and costs as much as a page.
        least = min(least, spent if spent < BUDGET_SECONDS else paced(spent))
        if least < BUDGET_SECONDS:
            break
    return least


def queries(client: Client, address: str) -> int:
    """The number of queries of a page, the smaller of two requests: every five minutes a page also counts matters."""
    counted = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address).status_code == 200
        counted.append(len(captured))
    return min(counted)


def _reference() -> int:
    rows = [{"name": f"phường {n}", "count": n, "parts": [n, n + 1, n + 2]} for n in range(6000)]
    read = json.loads(json.dumps(rows, indent=0))
    return sum(len(str(row["parts"])) for row in sorted(read, key=lambda row: -row["count"]))
