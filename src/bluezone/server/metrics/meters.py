# SPDX-License-Identifier: Apache-2.0
"""Counts that the processes of one `serve` share: cells of memory, fixed before the first request.

A cell is for a class of addresses, a class of status or a range of durations: it cannot contain an address, a code or a
name. Each process counts in its own row, so that processes do not wait for each other; readers add up the rows. A row
is never cleared: a process that replaces another continues its counts.
"""

import mmap
import os
import threading
from bisect import bisect_left
from collections.abc import Sequence

from bluezone.duties import catalogue
from bluezone.keyserver.limits.tally import shared_memory

ROUTES = ("files", "reports", "push", "devices", "help", "health", "pages", "office")
STATUSES = ("2xx", "3xx", "4xx", "5xx", "503")
# Upper bounds of ranges of durations, seconds; one more cell counts longer ones.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# The refusals of docs/protocol.md section 4 by status byte; 0 (ok) is not counted here.
REFUSALS = (
    "code_invalid", "code_used", "code_expired", "kid_refused",
    "bad_request", "puzzle_required", "signature_invalid", "keys_refused",
)  # fmt: skip
# The worker's recurring work: purges and whatever else duties name.
WORKS = tuple(work.name for work in (*catalogue.purges(), *catalogue.hourly(), *catalogue.every_tick()))
# Addresses at which the canaries fetch.
CANARIES = ("own", "public")
# What a canary reports, and from when on it must (server/canary_reports.py).
_CANARY_CELLS = ("expected", "round", "number", "received", "trouble", "reason")
# Values that the worker measures or counts. `timestamp_seconds` are Unix seconds.
GAUGES = (
    "worker_leading", "tick_timestamp_seconds", "tick_seconds",
    "store_up_codes", "store_up_keys", "store_up_office",
    "index_timestamp_seconds_exports", "index_timestamp_seconds_venues", "publication_overdue_seconds",
    "published_files_damaged",
    "waiting_keys", "outbox_waiting_mail", "outbox_waiting_sms", "outbox_waiting_push",
    "outbox_waiting_exchange", "outbox_oldest_seconds_exchange", "outbox_oldest_seconds_mail",
    "outbox_oldest_seconds_sms",
    "store_bytes_codes", "store_bytes_keys", "store_bytes_office",
    "disk_free_bytes", "disk_bytes", "disk_free_inodes", "disk_inodes", "week_keys_end_timestamp_seconds",
    "backup_timestamp_seconds", "drill_timestamp_seconds", "drill_ok",
    "guessing_hours_last_day", "uploads_last_whole_day",
    "tick_failures_total", "history_forked", "clock_doubted", "settings_outdated", "measured_timestamp_seconds",
    "witnesses_absent", "witness_quorum_missing",
    "publication_leading", "publication_timestamp_seconds", "publication_failures_total",
    *(f"work_timestamp_seconds_{work}" for work in WORKS), *(f"work_failures_total_{work}" for work in WORKS),
    *(f"canary_{cell}_own" for cell in _CANARY_CELLS), *(f"canary_{cell}_public" for cell in _CANARY_CELLS),
)  # fmt: skip

_PER_ROUTE = len(STATUSES) + len(BUCKETS) + 1 + 1
_FIRST = {route: number * _PER_ROUTE for number, route in enumerate(ROUTES)}
_OF_503 = STATUSES.index("503")
_ROW = len(ROUTES) * _PER_ROUTE + len(REFUSALS)
_CELL = 8


class Meters:
    """The shared cells. rows: how many processes can count at a time."""

    def __init__(self, descriptor: int, rows: int) -> None:
        self.descriptor = descriptor
        self.rows = rows
        size = (rows * _ROW + len(GAUGES)) * _CELL
        memory = memoryview(mmap.mmap(descriptor, size))
        self._counts = memory[: rows * _ROW * _CELL].cast("Q")
        self._gauges = memory[rows * _ROW * _CELL :].cast("d")

    @classmethod
    def make(cls, rows: int) -> "Meters":
        """New cells, all zero, in memory that exists as long as a process has its descriptor."""
        return cls(shared_memory((rows * _ROW + len(GAUGES)) * _CELL), rows)

    @classmethod
    def attach(cls, descriptor: int) -> "Meters":
        """The cells behind an inherited descriptor."""
        cells = os.fstat(descriptor).st_size // _CELL - len(GAUGES)
        return cls(descriptor, cells // _ROW)

    def row(self, number: int) -> "Row":
        """The row of one process."""
        return Row(self._counts[number * _ROW : (number + 1) * _ROW])

    def set(self, gauge: str, value: float) -> None:
        """Store a measured value."""
        self._gauges[GAUGES.index(gauge)] = value

    def gauge(self, name: str) -> float:
        """The value measured last, 0 before the first time."""
        return self._gauges[GAUGES.index(name)]

    def requests(self, route: str) -> "RouteCounts":
        """The counts of a class of addresses, summed over all rows."""
        first = ROUTES.index(route) * _PER_ROUTE
        sums = [sum(self._counts[row * _ROW + cell] for row in range(self.rows)) for cell in _cells(first)]
        split = len(STATUSES)
        return RouteCounts(sums[:split], sums[split:-1], sums[-1] / 1_000_000)

    def refusals(self) -> list[int]:
        """How often each of REFUSALS occurred, summed over all rows."""
        first = len(ROUTES) * _PER_ROUTE
        cells = range(first, first + len(REFUSALS))
        return [sum(self._counts[row * _ROW + cell] for row in range(self.rows)) for cell in cells]


class RouteCounts:
    """The counts of one class of addresses.

    statuses: requests by STATUSES. buckets: requests by duration, not cumulative; one more than BUCKETS, for longer
    ones. seconds: the sum of all durations.
    """

    def __init__(self, statuses: Sequence[int], buckets: Sequence[int], seconds: float) -> None:
        self.statuses = statuses
        self.buckets = buckets
        self.seconds = seconds


class Row:
    """The cells in which one process counts; usable from all its threads."""

    def __init__(self, cells: memoryview) -> None:
        self._cells = cells
        self._lock = threading.Lock()

    def count(self, route: str, status: int, seconds: float) -> None:
        """Count one answered request. status: of HTTP; seconds: how long it took."""
        first = _FIRST[route]
        kind = _OF_503 if status == 503 else status // 100 - 2
        bucket = first + len(STATUSES) + bisect_left(BUCKETS, seconds)
        cells = self._cells
        with self._lock:
            cells[first + kind] += 1
            cells[bucket] += 1
            cells[first + _PER_ROUTE - 1] += int(seconds * 1_000_000)

    def refuse(self, status_byte: int) -> None:
        """Count a refusal of a report's call; any other status byte is not counted."""
        if 1 <= status_byte <= len(REFUSALS):
            with self._lock:
                self._cells[len(ROUTES) * _PER_ROUTE + status_byte - 1] += 1


def _cells(first: int) -> range:
    return range(first, first + _PER_ROUTE)
