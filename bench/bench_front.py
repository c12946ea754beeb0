# SPDX-License-Identifier: Apache-2.0
"""What a request costs at the front, in CPU of a real `serve`: the landing page, an address without a page, the health,
a call that is refused.

Baseline: the signed index, which is read from memory without a page being made. CPU is what the kernel counts for the
process that answers, so that a busy machine changes it little.
"""

import http.client
import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

REQUESTS, CLIENTS = 2000, 8
INDEX, LANDING = "/v1/exports/index.json", "/"


def run(progress: Callable[[str], object]) -> dict[str, Any]:
    """Against a real `serve` with one process for each origin; `value` is the landing page's."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.builders.families import processes_of_part
    from tests.builders.serving import serving

    with tempfile.TemporaryDirectory() as folder, serving(Path(folder) / "data") as served:
        (process,) = processes_of_part(served.process.pid, "public")
        host = served.public.removeprefix("http://")
        costs = {}
        for name, path, body in (
            ("index", INDEX, None), ("landing", LANDING, None), ("thread", "/v1/health/live", None),
            ("unknown", "/wp-{}.php?x={}", None), ("query", "/?x={}", None), ("health", "/v1/health", None),
            ("upload", "/v1/upload", bytes(4096)),
        ):  # fmt: skip
            _pour(host, path, body, REQUESTS // 10)
            before = _cpu_seconds(process)
            _pour(host, path, body, REQUESTS)
            costs[name] = (_cpu_seconds(process) - before) / REQUESTS * 1e6
            progress(f"{name} measured")
    return {
        "name": "front",
        "value": round(costs["landing"]),
        "unit": "microseconds of CPU for the landing page (budget 300)",
        "baseline": f"{costs['index']:.0f} microseconds, the index, same run",
        "ratio": round(costs["landing"] / costs["index"], 2),
        "refused_upload_microseconds": round(costs["upload"]),
        "through_a_thread_microseconds": round(costs["thread"]),
        "unknown_address_microseconds": round(costs["unknown"]),
        "landing_page_with_a_query_microseconds": round(costs["query"]),
        "health_microseconds": round(costs["health"]),
    }


def _pour(host: str, path: str, body: bytes | None, count: int) -> None:
    """Send `count` requests over CLIENTS open connections. path: with `{}` where each request has another number."""

    def client(share: int) -> None:
        connection = http.client.HTTPConnection(host, timeout=120)
        for number in range(share):
            connection.request("GET" if body is None else "POST", path.format(number, number), body)
            connection.getresponse().read()
        connection.close()

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(client, [count // CLIENTS] * CLIENTS))


def _cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
