# SPDX-License-Identifier: Apache-2.0
"""What `GET /metrics` answers: the shared meters in Prometheus' text format, and what `serve` knows of its processes.

Every name is in METRICS with its type and meaning; docs/reference/metrics.md says the same, complete by test. Labels
have fixed values, known before the first request.

The cells are ours, because fixed ones cannot tell of anybody; prometheus_client writes the format.
"""

from collections.abc import Iterator
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bluezone.server.metrics.meters import BUCKETS, REFUSALS, ROUTES, STATUSES, WORKS, Meters

if TYPE_CHECKING:
    from bluezone.server.processes.supervisor import Processes

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
REFUSALS_GRAIN = 5
HOUR = 3600

# Name without `bluezone_`: type, meaning.
METRICS = {
    "build_info": ("gauge", "1; the version is its label."),
    "start_timestamp_seconds": ("gauge", "When this serve began."),
    "requests_total": ("counter", "Requests answered, by class of address and of status, without static files."),
    "request_duration_seconds": ("histogram", "How long answering took, by class of address."),
    "report_refusals_total": ("counter", "Refusals in a report's calls by reason; grows hourly, by multiples of 5."),
    "processes": ("gauge", "Processes that are up and ready."),
    "processes_expected": ("gauge", "Processes that should be."),
    "process_restarts_total": ("counter", "Processes that died and were started again."),
    "replacements_total": ("counter", "Times that all processes were replaced (SIGHUP, a renewed certificate)."),
    "certificate_end_timestamp_seconds": ("gauge", "When the certificate of --tls ends; absent without --tls."),
    "worker_leading": ("gauge", "1 where this serve's worker is at work, 0 where it stands by."),
    "tick_timestamp_seconds": ("gauge", "When the last tick without a refusal ended."),
    "tick_duration_seconds": ("gauge", "How long it took."),
    "tick_failures_total": ("counter", "Ticks in which something was refused."),
    "clock_doubted": ("gauge", "1 where the clock has jumped and what cannot be taken back waits for a person."),
    "work_timestamp_seconds": ("gauge", "When a work of the worker last succeeded; 0 before the first time."),
    "work_failures_total": ("counter", "How often it failed."),
    "store_up": ("gauge", "1 where the store answered the worker's last question."),
    "store_bytes": ("gauge", "Size of a store, whole multiples of 16 MiB."),
    "index_timestamp_seconds": ("gauge", "When the signed index of files was last signed."),
    "history_forked": ("gauge", "1 where phones hold what the store does not know, so that nothing is signed."),
    "publication_overdue_seconds": ("gauge", "For how long the next export file has been due; 0 if it is not."),
    "waiting_keys": ("gauge", "Keys under embargo, counted once an hour, rounded down to 1,000."),
    "uploads_last_whole_day": ("gauge", "Reports taken on the last whole UTC day, rounded down to a multiple of 5."),
    "guessing_hours_last_day": ("gauge", "Hours of the last 24 in which codes were being guessed."),
    "outbox_waiting": ("gauge", "Messages that wait longer than they should: mail and SMS two minutes, push one."),
    "outbox_oldest_seconds": ("gauge", "For how long the oldest of them has waited."),
    "disk_free_bytes": ("gauge", "Free space where the data folder is, whole multiples of 16 MiB."),
    "disk_bytes": ("gauge", "All space there."),
    "week_keys_end_timestamp_seconds": ("gauge", "End of the last week for which there is a key that certifies."),
    "backup_timestamp_seconds": ("gauge", "When the newest file of the folder's backups was written; else 0."),
}  # fmt: skip

# What the worker measured: gauge of meters.GAUGES -> metric and label.
_MEASURED: dict[str, tuple[str, dict[str, str]]] = {
    "tick_timestamp_seconds": ("tick_timestamp_seconds", {}),
    "tick_seconds": ("tick_duration_seconds", {}),
    "tick_failures_total": ("tick_failures_total", {}),
    "clock_doubted": ("clock_doubted", {}),
    **{f"work_timestamp_seconds_{work}": ("work_timestamp_seconds", {"work": work}) for work in WORKS},
    **{f"work_failures_total_{work}": ("work_failures_total", {"work": work}) for work in WORKS},
    **{f"store_up_{name}": ("store_up", {"store": name}) for name in ("codes", "keys", "office")},
    **{f"store_bytes_{name}": ("store_bytes", {"store": name}) for name in ("codes", "keys", "office")},
    "index_timestamp_seconds_exports": ("index_timestamp_seconds", {"index": "exports"}),
    "index_timestamp_seconds_venues": ("index_timestamp_seconds", {"index": "venues"}),
    **{f"outbox_waiting_{name}": ("outbox_waiting", {"outbox": name}) for name in ("mail", "sms", "push")},
    **{f"outbox_oldest_seconds_{name}": ("outbox_oldest_seconds", {"outbox": name}) for name in ("mail", "sms")},
    **{
        name: (name, {})
        for name in (
            "publication_overdue_seconds", "waiting_keys", "uploads_last_whole_day", "guessing_hours_last_day",
            "history_forked", "disk_free_bytes", "disk_bytes", "week_keys_end_timestamp_seconds",
            "backup_timestamp_seconds",
        )
    },
}  # fmt: skip

# Family, ending of the name, labels, value.
Sample = tuple[str, str, dict[str, str], float]


class Exposition(Collector):
    """Writes the page of one `serve`."""

    def __init__(self, processes: "Processes", secured: Any, now: float) -> None:
        self._processes, self._meters, self._secured = processes, processes.meters, secured
        self._began = now
        # The hour in which it began is not whole, so what happened in it is told with the next.
        self._hour = int(now // HOUR) + 1
        self._refusals = [0] * len(REFUSALS)

    def look(self, now: float) -> None:
        """Call it often: at the turn of the hour it takes over what was refused until then, in multiples of 5."""
        if now // HOUR > self._hour:
            self._hour = int(now // HOUR)
            self._refusals = [count // REFUSALS_GRAIN * REFUSALS_GRAIN for count in self._meters.refusals()]

    def text(self) -> str:
        """The page."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry).decode()

    def collect(self) -> Iterator[Metric]:
        """Every metric that has a value now, for prometheus_client."""
        # The library writes the ending of a counter itself.
        families = {
            name: Metric(f"bluezone_{name.removesuffix('_total')}", meaning, kind)
            for name, (kind, meaning) in METRICS.items()
        }
        for family, ending, labels, value in (*self._own(), *self._requests(), *self._measured()):
            families[family].add_sample(f"bluezone_{family}{ending}", labels, value)
        return (family for family in families.values() if family.samples)

    def _own(self) -> Iterator[Sample]:
        processes = self._processes
        yield "build_info", "", {"version": version("bluezone")}, 1
        yield "start_timestamp_seconds", "", {}, self._began
        for part in processes.parts:
            label = {"part": part.name}
            up = sum(child.part.name == part.name and child.up for child in tuple(processes.children))
            yield "processes", "", label, up
            yield "processes_expected", "", label, part.count
            yield "process_restarts_total", "", label, processes.restarts.get(part.name, 0)
        yield "replacements_total", "", {}, processes.replaced
        if self._secured:
            yield "certificate_end_timestamp_seconds", "", {}, _end(self._secured.certificate)

    def _requests(self) -> Iterator[Sample]:
        for route in ROUTES:
            counts = self._meters.requests(route)
            label = {"route": route}
            for status, count in zip(STATUSES, counts.statuses, strict=True):
                yield "requests_total", "", {**label, "status": status}, count
            family = "request_duration_seconds"
            ends = [*map(str, BUCKETS), "+Inf"]
            reached = list(accumulate(counts.buckets))
            for end, count in zip(ends, reached, strict=True):
                yield family, "_bucket", {**label, "le": end}, count
            yield family, "_sum", label, counts.seconds
            yield family, "_count", label, reached[-1]
        for reason, count in zip(REFUSALS, self._refusals, strict=True):
            yield "report_refusals_total", "", {"reason": reason}, count

    def _measured(self) -> Iterator[Sample]:
        if not any(part.name == "worker" for part in self._processes.parts):
            return
        leading = self._meters.gauge("worker_leading")
        yield "worker_leading", "", {}, leading
        # A worker that stands by has measured nothing, or long ago; one that died at work says how long ago.
        if leading or self._meters.gauge("tick_timestamp_seconds"):
            yield from self._of_the_worker(self._meters)

    def _of_the_worker(self, meters: Meters) -> Iterator[Sample]:
        for gauge, (family, label) in _MEASURED.items():
            yield family, "", label, meters.gauge(gauge)


def _end(certificate: Path) -> float:
    from bluezone.tls.certificates import read_certificate

    return read_certificate(certificate).not_valid_after_utc.timestamp()
