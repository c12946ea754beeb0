# SPDX-License-Identifier: Apache-2.0
"""The metrics of one `serve`: the shared meters in Prometheus' text format, and what `serve` knows of its processes.

Every name is in METRICS with its type and meaning; a test compares docs/reference/metrics.md. Labels have fixed values,
known before the first request.

prometheus_client writes the format, but we count in our own cells: fixed cells cannot reveal anything about a person.
"""

import time
from collections.abc import Iterator
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bluezone.server.canary_reports import Cells
from bluezone.server.metrics.meters import BUCKETS, REFUSALS, ROUTES, STATUSES, WORKS, Meters

if TYPE_CHECKING:
    from bluezone.server.processes.supervisor import Processes

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
REFUSALS_GRAIN = 5
# The worker measures every 15 seconds, and its longest round takes a minute.
HUNG_SECONDS = 120.0
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
    "publication_timestamp_seconds": (
        "gauge",
        "When the publication process last did all that was due; 0 where the worker publishes, or another host's does.",
    ),
    "publication_failures_total": ("counter", "Rounds of the publication process in which something was refused."),
    "clock_doubted": ("gauge", "1 where the clock has jumped and what cannot be taken back waits for a person."),
    "settings_outdated": ("gauge", "1 where other settings were applied after this host's, so that it signs nothing."),
    "work_timestamp_seconds": ("gauge", "When a work of the worker last succeeded; 0 before the first time."),
    "work_failures_total": ("counter", "How often it failed."),
    "store_up": ("gauge", "1 where the store answered the worker's last question, two minutes ago at most."),
    "store_bytes": ("gauge", "Size of a store, whole multiples of 16 MiB."),
    "index_timestamp_seconds": ("gauge", "When the signed index of files was last signed."),
    "witnesses_absent": ("gauge", "Witnesses that have cosigned nothing for three hours although there was something."),
    "witness_quorum_missing": ("gauge", "1 where those that cosign are fewer than the quorum."),
    "history_forked": ("gauge", "1 where phones hold what the store does not know, so that nothing is signed."),
    "publication_overdue_seconds": ("gauge", "For how long the next export file has been due; 0 if it is not."),
    "canary_trouble_seconds": (
        "gauge",
        "For how long a phone at this address has lacked a due file or was refused (reason: the phone's code), or the "
        "canary has made no round (canary_silent); 0 if it follows.",
    ),
    "published_files_damaged": (
        "gauge",
        "Listed files, and the config, that are damaged or missing and could not be written again.",
    ),
    "waiting_keys": ("gauge", "Keys under embargo, counted once an hour, rounded down to 1,000."),
    "uploads_last_whole_day": (
        "gauge",
        "Reports taken on the last whole UTC day, and those of earlier days of its week that were fewer than 5, "
        "rounded down to a multiple of 5; 0 where there are fewer.",
    ),
    "guessing_hours_last_day": ("gauge", "Hours of the last 24 in which codes were being guessed."),
    "outbox_waiting": ("gauge", "Messages that wait longer than they should: push one minute, all others two."),
    "outbox_oldest_seconds": ("gauge", "For how long the oldest of them has waited."),
    "disk_free_bytes": ("gauge", "Free space where the data folder is, whole multiples of 16 MiB."),
    "disk_bytes": ("gauge", "All space there."),
    "disk_free_inodes": ("gauge", "Files that can still be made there, whole multiples of 1,000."),
    "disk_inodes": ("gauge", "All files that can be there; 0 for a file system without such a limit."),
    "week_keys_end_timestamp_seconds": ("gauge", "End of the last week for which there is a key that certifies."),
    "backup_timestamp_seconds": ("gauge", "When the newest file of the folder's backups was written; else 0."),
    "drill_timestamp_seconds": ("gauge", "When the last drill of a backup ended; 0 before the first."),
    "drill_ok": ("gauge", "1 where that drill restored it and a phone followed, else 0."),
}  # fmt: skip
# What the worker measured: gauge of meters.GAUGES -> metric and label.
_MEASURED: dict[str, tuple[str, dict[str, str]]] = {
    "tick_timestamp_seconds": ("tick_timestamp_seconds", {}),
    "tick_seconds": ("tick_duration_seconds", {}),
    "tick_failures_total": ("tick_failures_total", {}),
    "publication_timestamp_seconds": ("publication_timestamp_seconds", {}),
    "publication_failures_total": ("publication_failures_total", {}),
    "clock_doubted": ("clock_doubted", {}),
    **{f"work_timestamp_seconds_{work}": ("work_timestamp_seconds", {"work": work}) for work in WORKS},
    **{f"work_failures_total_{work}": ("work_failures_total", {"work": work}) for work in WORKS},
    **{f"store_up_{name}": ("store_up", {"store": name}) for name in ("codes", "keys", "office")},
    **{f"store_bytes_{name}": ("store_bytes", {"store": name}) for name in ("codes", "keys", "office")},
    "index_timestamp_seconds_exports": ("index_timestamp_seconds", {"index": "exports"}),
    "index_timestamp_seconds_venues": ("index_timestamp_seconds", {"index": "venues"}),
    **{f"outbox_waiting_{name}": ("outbox_waiting", {"outbox": name}) for name in ("mail", "sms", "push", "exchange")},
    **{
        f"outbox_oldest_seconds_{name}": ("outbox_oldest_seconds", {"outbox": name})
        for name in ("mail", "sms", "exchange")
    },
    **{
        name: (name, {})
        for name in (
            "publication_overdue_seconds", "published_files_damaged", "waiting_keys",
            "uploads_last_whole_day", "guessing_hours_last_day",
            "witnesses_absent", "witness_quorum_missing",
            "history_forked", "disk_free_bytes", "disk_bytes", "disk_free_inodes", "disk_inodes",
            "week_keys_end_timestamp_seconds", "backup_timestamp_seconds", "drill_timestamp_seconds", "drill_ok",
        )
    },
}  # fmt: skip
# Family, ending of the name, labels, value.
Sample = tuple[str, str, dict[str, str], float]


class Exposition(Collector):
    """Writes the metrics page of one `serve`. secured: the files of --tls, None without it. now: Unix seconds."""

    def __init__(self, processes: "Processes", secured: Any, now: float) -> None:
        self._processes = processes
        self._meters = processes.meters
        self._secured = secured
        self._began = now
        # The first hour is incomplete, so its refusals are published with those of the next.
        self._hour = int(now // HOUR) + 1
        self._refusals = [0] * len(REFUSALS)

    def refresh(self, now: float) -> None:
        """Call it often: at the turn of the hour it updates the published refusals, in multiples of 5."""
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
        # The library adds the suffix of a counter itself.
        families = {
            name: Metric(f"bluezone_{name.removesuffix('_total')}", meaning, kind)
            for name, (kind, meaning) in METRICS.items()
        }
        for family, ending, labels, value in (
            *self._process_samples(),
            *self._request_samples(),
            *self._measured_samples(),
            *self._canary_samples(),
        ):
            families[family].add_sample(f"bluezone_{family}{ending}", labels, value)
        return (family for family in families.values() if family.samples)

    def _process_samples(self) -> Iterator[Sample]:
        processes = self._processes
        yield "build_info", "", {"version": version("bluezone")}, 1
        yield "start_timestamp_seconds", "", {}, self._began
        for part in processes.parts:
            label = {"part": part.name}
            up = sum(child.part.name == part.name and child.is_up for child in tuple(processes.children))
            yield "processes", "", label, up
            yield "processes_expected", "", label, part.count
            yield "process_restarts_total", "", label, processes.restarts.get(part.name, 0)
        yield "replacements_total", "", {}, processes.replaced
        if self._secured:
            yield "certificate_end_timestamp_seconds", "", {}, _end_of(self._secured.certificate)

    def _request_samples(self) -> Iterator[Sample]:
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

    def _canary_samples(self) -> Iterator[Sample]:
        for report in Cells(self._meters).reports(time.time(), time.monotonic()):
            labels = {"address": report.address, "reason": report.reason}
            yield "canary_trouble_seconds", "", labels, report.trouble_seconds

    def _measured_samples(self) -> Iterator[Sample]:
        if not any(part.name == "worker" for part in self._processes.parts):
            return
        leading = self._meters.gauge("worker_leading")
        yield "worker_leading", "", {}, leading
        yield "settings_outdated", "", {}, self._meters.gauge("settings_outdated")
        # A worker on standby has measured nothing, or long ago; for one that died, the last timestamps are useful.
        if leading or self._meters.gauge("tick_timestamp_seconds"):
            yield from self._worker_samples(self._meters)

    def _worker_samples(self, meters: Meters) -> Iterator[Sample]:
        fresh = time.time() - meters.gauge("measured_timestamp_seconds") < HUNG_SECONDS
        for gauge, (family, label) in _MEASURED.items():
            # A worker that hangs on a store measures nothing; the last value of store_up is no longer true.
            yield family, "", label, meters.gauge(gauge) if fresh or family != "store_up" else 0.0


def _end_of(certificate: Path) -> float:
    from bluezone.tls import read_certificate

    return read_certificate(certificate).not_valid_after_utc.timestamp()
