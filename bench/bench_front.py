# SPDX-License-Identifier: Apache-2.0
"""What an answer costs at the public origin, in processor time of a real `serve`, next to nginx and a small Go server.

All servers answer on the loopback in one run, by turns: a server with all parts in one process, one with a user for
each part (if root runs the bench), nginx and the Go server (if they are installed). The time is what the kernel counts
for the processes that answer, so that a busy machine changes it little; each figure is the median of ROUNDS.
"""

import contextlib
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import figures
from bench.front.load import Request, cost
from bench.front.peers import Peer, go_server, go_version, nginx, nginx_version

from bluezone.protocol.intervals import first_interval
from bluezone.protocol.upload import STANDARD, UPLOAD_SIZE, UploadKey, UploadRequest, encode_upload

ROUNDS = 3
# The export file: about a megabyte.
KEYS = 34_500
PERIOD_SECONDS = 7200
INDEX = "/v1/exports/index.json"
ROWS = {
    "index": "the signed index",
    "config": "the signed config",
    "export": "an export file of 1 MB",
    "landing": "landing page",
    "query": "landing page with a query, another one each time",
    "unknown": "address without a page, another one each time",
    "health": "health",
    "upload": "refused upload: no message of ours",
    "puzzle": "refused upload: it is to solve a puzzle first",
}
# The most that an answer may cost, as a multiple of the index of the same server, or of nginx.
MOST_OF_INDEX = {"unknown": 3, "health": 3, "upload": 3, "puzzle": 3}
MOST_OF_NGINX = {"export": 2}
APART = "users apart"
# Users that no one else has; a number needs no entry in the list of users.
_USERS = {
    part: 61_120 + number
    for number, part in enumerate(("office", "public", "pages", "codes", "admission", "signer", "publication"))
}
_PUBLIC_PARTS = ("public", "pages", "codes", "admission")


@dataclass(frozen=True)
class _Server:
    port: int
    processes: frozenset[int]
    rows: frozenset[str]


def run(progress: Callable[[str], object], write: bool = False) -> dict[str, Any]:
    """Measure all; `value` is the export's. write: whether to write the page docs/performance/front.md."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Users apart look into it.
        folder.chmod(0o755)
        export = publish_city(folder / "together" / "data")
        requests = _requests(export)
        missing: list[str] = []
        with contextlib.ExitStack() as stack:
            servers = _start(folder, stack, missing)
            costs = _measure(servers, requests, progress)
    if write:
        progress(f"written: {figures.write('front', _paragraphs(costs, missing))}")
    own = costs["Bluezone"]
    compared = costs.get("nginx", {}).get("export")
    return {
        "name": "front",
        "value": round(own["export"]),
        "unit": "microseconds of CPU for an export file of 1 MB",
        "baseline": f"{compared:.0f} microseconds, nginx, same run" if compared else "nginx is missing",
        "ratio": round(own["export"] / compared, 2) if compared else None,
        "microseconds": {server: {row: round(cost) for row, cost in rows.items()} for server, rows in costs.items()},
        "of_the_index": {row: round(cost / own["index"], 2) for row, cost in own.items()},
        "missing": missing,
    }


def publish_city(data: Path) -> str:
    """Make a city with one published export file; returns the file's address."""
    from bench.bench_export import fill_waiting
    from tests.builders.stores import prepared_store

    from bluezone.city_settings import write_default
    from bluezone.keyserver.service import KeyServer

    prepared_store(data)
    write_default(data, name_vi="Thử", name_en="Test", hotline="115", padding_mean=50)
    now = time.time() // PERIOD_SECONDS * PERIOD_SECONDS + 60 - PERIOD_SECONDS
    server = KeyServer.open(data, lambda: now)
    server.tick(now)
    fill_waiting(server, now, KEYS)
    server.tick(now + PERIOD_SECONDS)
    index = server.indexes.read_index()
    server.close()
    assert index is not None
    return f"/v1/exports/{index.entries[-1].name}"


def _requests(export: str) -> Mapping[str, Request]:
    return {
        "index": Request(INDEX, 200),
        "config": Request("/v1/config", 200),
        "export": Request(export, 200, count=800),
        "landing": Request("/", 200),
        "query": Request("/?x={}", 200),
        "unknown": Request("/wp-{0}.php?x={0}", 404),
        "health": Request("/v1/health", 200),
        "upload": Request("/v1/upload", 200, bytes(UPLOAD_SIZE)),
        # Of the first ten, the certificate is refused.
        "puzzle": Request("/v1/upload", 200, _false_report()),
    }


def _false_report() -> bytes:
    start = first_interval(int(time.time() // 86_400) - 3)
    keys = tuple(UploadKey(os.urandom(16), start, 144, STANDARD) for _ in range(14))
    return encode_upload(
        UploadRequest(kid=1, rand=os.urandom(32), signature=os.urandom(256), salt=os.urandom(32), keys=keys)
    )


def _start(folder: Path, stack: contextlib.ExitStack, missing: list[str]) -> dict[str, _Server]:
    """Start all servers that this machine has; the reasons for those that it has not are added to `missing`."""
    together = folder / "together" / "data"
    files = folder / "files" / "v1"
    files.mkdir(parents=True)
    servers = {}
    if os.geteuid() == 0:
        shutil.copytree(folder / "together", folder / "apart")
        environment = {"BLUEZONE_USERS": ",".join(f"{part}={uid}" for part, uid in _USERS.items())}
        servers[APART] = stack.enter_context(_serve(folder / "apart" / "data", environment))
    else:
        missing.append(f"{APART}: only root can run it")
    servers["Bluezone"] = stack.enter_context(_serve(together, {"BLUEZONE_USERS": "none"}))
    shutil.copytree(together / "exports", files / "exports")
    newest = max((together / "configs").iterdir())
    shutil.copy(newest, files / "config")
    for name, version, start in (("nginx", nginx_version(), nginx), ("Go", go_version(), go_server)):
        if version is None:
            missing.append(f"{name}: not installed")
            continue
        own = folder / name
        own.mkdir()
        peer: Peer = stack.enter_context(start(files.parent, own))
        servers[name] = _Server(peer.port, frozenset({peer.process}), peer.rows)
    return servers


@contextlib.contextmanager
def _serve(data: Path, environment: dict[str, str]) -> Iterator[_Server]:
    from tests.builders.families import processes_of_part
    from tests.builders.serving import serving

    with serving(data, environment=environment) as served:
        processes = [processes_of_part(served.process.pid, part) for part in _PUBLIC_PARTS]
        port = int(served.public.rpartition(":")[2])
        yield _Server(port, frozenset().union(*processes), frozenset(ROWS))


def _measure(
    servers: Mapping[str, _Server], requests: Mapping[str, Request], progress: Callable[[str], object]
) -> dict[str, dict[str, float]]:
    """Microseconds of processor time by server and row."""
    costs: dict[str, dict[str, float]] = {name: {} for name in servers}
    for row, request in requests.items():
        for name, server in servers.items():
            if row in server.rows:
                rounds = [cost(server.port, server.processes, request) for _ in range(ROUNDS)]
                costs[name][row] = statistics.median(rounds)
        progress(f"{row}: " + ", ".join(f"{name} {rows[row]:.0f}" for name, rows in costs.items() if row in rows))
    return costs


def _paragraphs(costs: Mapping[str, Mapping[str, float]], missing: list[str]) -> list[str]:
    own = costs["Bluezone"]
    apart = costs.get(APART, {})
    others = [costs.get("nginx", {}), costs.get("Go", {})]
    rows = []
    for row, name in ROWS.items():
        cells = [f"{rows[row]:.0f}" if row in rows else "" for rows in (own, apart, *others)]
        rows.append([name, *cells, f"{own[row] / own['index']:.1f}", *_budget(row, costs)])
    head = ["answer", "Bluezone, µs", "users apart, µs", "nginx, µs", "Go, µs", "of the index", "budget", "held"]
    versions = f"nginx {nginx_version()}, Go {go_version()}. {figures.machine()}"
    return [versions, *(f"Missing: {reason}." for reason in missing), figures.table(head, rows)]


def _budget(row: str, costs: Mapping[str, Mapping[str, float]]) -> tuple[str, str]:
    """The budget of a row, and whether it was held by Bluezone, and by Bluezone with users apart."""
    if row in MOST_OF_INDEX:
        most = MOST_OF_INDEX[row]
        held = [costs[name][row] <= most * costs[name]["index"] for name in ("Bluezone", APART) if name in costs]
        return f"{most} times the index", _yes(held)
    if row in MOST_OF_NGINX and "nginx" in costs:
        most = MOST_OF_NGINX[row]
        held = [costs[name][row] <= most * costs["nginx"][row] for name in ("Bluezone", APART) if name in costs]
        return f"{most} times nginx", _yes(held)
    return "", ""


def _yes(held: list[bool]) -> str:
    words = ["yes" if each else "no" for each in held]
    return words[0] if len(set(words)) == 1 else f"{words[0]}; users apart {words[1]}"
