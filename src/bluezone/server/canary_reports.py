# SPDX-License-Identifier: Apache-2.0
"""The canaries' state in the shared cells of one `serve`: for `/v1/health` and for the metrics.

The cells are in memory, so that a full disk cannot keep a state from the processes that pass it on.
"""

import json
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bluezone.canary.state import SILENT_SECONDS, CanaryState
from bluezone.keyserver.http import HEALTH_PATH, RETRY_AFTER_SECONDS, Environ, WsgiApplication
from bluezone.keyserver.statistics import late_after_seconds
from bluezone.server.metrics.meters import CANARIES, Meters

LATE = "canary_late"
SILENT = "canary_silent"
# Another reason than the codes below.
OTHER = "canary_failed"
# What a phone that follows can be refused with; cells contain the position in this list. "": not refused.
REASONS = (
    "", OTHER, "offline", "server_answer_refused", "server_address_invalid",
    "city_key_missing", "trust_missing", "trust_invalid", "signed_file_invalid", "signature_untrusted",
    "config_invalid", "config_refused", "config_rolled_back", "config_history_differs", "config_gap", "config_mismatch",
    "index_invalid", "index_refused", "index_rolled_back", "index_history_differs", "index_gap",
    "epoch_invalid", "epoch_refused", "export_invalid", "export_too_large", "file_untrusted",
    "witnesses_invalid", "witnesses_refused", "witness_quorum_missing",
    "log_proof_invalid", "log_note_invalid", "log_note_untrusted",
    "profile_invalid", "week_key_untrusted", "config_log_missing",
    "log_leaf_missing", "log_leaves_missing",
)  # fmt: skip


@dataclass(frozen=True)
class Report:
    """What one canary's state means now.

    address: one of CANARIES. number: of the newest export file that it received, 0 before the first.
    received_at: when it did, Unix seconds, 0.0 before the first. trouble_seconds: for how long phones have lacked a
    due file or were refused, or no round was made. reason: code of the refusal, or SILENT, or "".
    """

    address: str
    number: int
    received_at: float
    trouble_seconds: float
    reason: str

    def problem(self, period_seconds: int) -> str | None:
        """The code with which this makes health fail, None if it does not. period_seconds: between two files."""
        if self.reason == SILENT:
            return SILENT
        return LATE if self.trouble_seconds > late_after_seconds(period_seconds) else None


class Cells:
    """The cells of all canaries of one `serve`."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters

    def expect(self, address: str, now: float) -> None:
        """Note that a canary of this address must report from now on, and keep an earlier note. now: monotonic."""
        if not self._meters.gauge(f"canary_expected_{address}"):
            self._meters.set(f"canary_expected_{address}", now)

    def forget(self, address: str) -> None:
        """Note that there is no canary of this address."""
        self._meters.set(f"canary_expected_{address}", 0.0)

    def write(self, address: str, state: CanaryState, period_seconds: int, now: float) -> None:
        """Pass a state on after a round. period_seconds: between two files. now: monotonic seconds."""
        reason = state.problem if state.problem in REASONS else OTHER
        values = {
            "number": state.number,
            "received": state.received_at,
            "trouble": state.trouble_at(period_seconds),
            "reason": REASONS.index(reason),
            "round": now,
        }
        for name, value in values.items():
            self._meters.set(f"canary_{name}_{address}", value)

    def reports(self, wall: float, now: float) -> list[Report]:
        """What the expected canaries' states mean. wall: Unix seconds; now: monotonic seconds."""
        return [self._report(address, wall, now) for address in CANARIES if self._cell("expected", address)]

    def _report(self, address: str, wall: float, now: float) -> Report:
        reason = REASONS[int(self._cell("reason", address))]
        has_spoken = self._cell("round", address) > 0
        trouble_seconds = max(0.0, wall - self._cell("trouble", address)) if has_spoken else 0.0
        silent_seconds = now - max(self._cell("round", address), self._cell("expected", address))
        if silent_seconds > SILENT_SECONDS:
            reason = SILENT
            trouble_seconds = silent_seconds
        number = int(self._cell("number", address))
        return Report(address, number, self._cell("received", address), trouble_seconds, reason)

    def _cell(self, name: str, address: str) -> float:
        return self._meters.gauge(f"canary_{name}_{address}")


class HealthWithCanaries:
    """A WSGI callable that adds the canaries' state to the health that another one reports.

    period_seconds: time between two export files. wall, monotonic: return seconds of these clocks.
    """

    def __init__(
        self, application: WsgiApplication, cells: Cells, period_seconds: int,
        wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._application = application
        self._cells = cells
        self._period_seconds = period_seconds
        self._wall = wall
        self._monotonic = monotonic

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        if environ.get("PATH_INFO") != HEALTH_PATH or method not in ("GET", "HEAD"):
            return self._application(environ, start_response)
        answers: list[tuple[str, list[tuple[str, str]]]] = []

        def keep(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            answers[:] = [(status, headers)]

        body = b"".join(self._application({**environ, "REQUEST_METHOD": "GET"}, keep))
        status, headers = answers[0]
        report = json.loads(body)
        if "failing" in report:
            self._add(report)
            body = json.dumps(report).encode()
            status = "503 Service Unavailable" if report["failing"] else "200 OK"
            headers = [
                (name, value) for name, value in headers if name.lower() not in ("content-length", "retry-after")
            ]
            headers.append(("Content-Length", str(len(body))))
            if report["failing"]:
                headers.append(("Retry-After", str(RETRY_AFTER_SECONDS)))
        start_response(status, headers)
        return [b"" if method == "HEAD" else body]

    def _add(self, report: dict[str, Any]) -> None:
        wall = self._wall()
        reports = self._cells.reports(wall, self._monotonic())
        report["canaries"] = {canary.address: _members(canary, wall) for canary in reports}
        for canary in reports:
            problem = canary.problem(self._period_seconds)
            if problem and problem not in report["failing"]:
                report["failing"].append(problem)
        report["status"] = "failing" if report["failing"] else "ok"


def _members(report: Report, wall: float) -> dict[str, Any]:
    return {
        "export_number": report.number or None,
        "received_seconds_ago": max(0, math.floor(wall - report.received_at)) if report.received_at else None,
        "trouble_seconds": math.floor(report.trouble_seconds),
        "reason": report.reason or None,
    }
