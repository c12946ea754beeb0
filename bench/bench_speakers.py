# SPDX-License-Identifier: Apache-2.0
"""500 loudspeakers that ask for their plan every two seconds, over real HTTP: what part of one core it costs.

A real `bluezone serve`; the figure is the CPU time of its public server's processes by /proc while 500 kept-open
connections ask 250 times a second, less what they use with nobody asking. Budget 5 %. Baseline: the same questions to
`/v1/devices/self`, a small Django view behind the same token. Floor: the same to the same HTTP server with a callable
that answers a constant; what the plan costs above it is ours.
"""

import contextlib
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SPEAKERS = 500
SECONDS = 20.0
POLL_SECONDS = 2.0
BLUEZONE = Path(sys.executable).with_name("bluezone")


def run(progress: Callable[[str], object]) -> dict[str, Any]:
    """Start a server, connect 500 loudspeakers in 100 zones, ask, and read the clock of its processes."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.builders.families import processes_of_part

    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        public, office = _free_port(), _free_port()
        command = [BLUEZONE, "serve", "--data", data, "--hotline", "115"]
        server = subprocess.Popen(
            [*map(str, command), "--public-port", str(public), "--office-port", str(office)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert server.stderr is not None
            for line in server.stderr:
                if line.startswith("ready"):
                    break
            tokens = _connected(data)
            progress(f"{len(tokens)} loudspeakers connected")
            process = _with_children(sorted(processes_of_part(server.pid, "public")))
            idle = _share(process, lambda: time.sleep(5.0))
            # Every plan is made and told once; what is measured is the day, not the morning's first minute.
            speakers = [_Speaker(public, "/v1/speakers/plan", token) for token in tokens]
            begun = _used(process)
            for speaker in speakers:
                speaker.ask()
            once = _used(process) - begun
            first: list[float] = []
            plan = _share(process, lambda: first.extend(_ask(speakers, SECONDS)))
            progress(f"{plan - idle:.2%} of a core")
            # A tenth of the questions: all of them are more than the view answers here.
            few = [_Speaker(public, "/v1/devices/self", token) for token in tokens[: SPEAKERS // 10]]
            django = 10 * (_share(process, lambda: _ask(few, SECONDS / 2)) - idle) + idle
            floor = _floor(Path(folder))
            again = _share(process, lambda: _ask(speakers, SECONDS))
            progress(f"{again - idle:.2%} the second time, {floor:.2%} of it the HTTP server's")
        finally:
            server.terminate()
            server.communicate(timeout=30)
    return {
        "name": f"{SPEAKERS} loudspeakers polling every {POLL_SECONDS:.0f} s",
        "value": round((plan - idle) * 100, 2),
        "unit": "% of one core (budget 5)",
        "baseline": round((django - idle) * 100, 2),
        "ratio": round((django - idle) / max(plan - idle, 1e-6), 2),
        "second_time": round((again - idle) * 100, 2),
        "http_server_alone": round(floor * 100, 2),
        "load_average": round(os.getloadavg()[0], 1),
        "microseconds_each": round((plan - idle) * 1e6 * POLL_SECONDS / SPEAKERS),
        "slowest_ms": round(max(first) * 1000, 1),
        "first_plans_cpu_seconds": round(once, 2),
        "idle_percent": round(idle * 100, 2),
    }


PREPARE = """
import hashlib, json, os
from django.utils import timezone
from bluezone.directory.models import Agency
from bluezone.devices.models import Device
from bluezone.rollout.bulletins.models import Outlet
from bluezone.rollout.loudspeakers.models import Unit, Zone
agency, now = Agency.objects.first(), timezone.now()
tokens = json.loads(os.environ["BENCH_TOKENS"])
outlets = Outlet.objects.bulk_create(Outlet(kind="loudspeakers", name=f"Tổ {n}", agency=agency) for n in range(100))
zones = Zone.objects.bulk_create(Zone(outlet=outlet) for outlet in outlets)
devices = Device.objects.bulk_create(Device(kind="speaker", name=f"Loa {n}", agency=agency, enrolled_at=now,
    token_digest=hashlib.sha256(token.encode()).hexdigest()) for n, token in enumerate(tokens))
Unit.objects.bulk_create(Unit(device=device, zone=zones[n % 100]) for n, device in enumerate(devices))
"""


def _connected(data: Path) -> list[str]:
    import json

    tokens = [secrets.token_urlsafe(32) for _ in range(SPEAKERS)]
    environment = {**os.environ, "BENCH_TOKENS": json.dumps(tokens)}
    command = [str(BLUEZONE), "manage", "--data", str(data), "shell", "-c", PREPARE]
    subprocess.run(command, check=True, env=environment, capture_output=True)
    return tokens


CONSTANT = """
import sys
from granian import Granian
from granian.constants import Interfaces, RuntimeModes
from granian.log import LogLevels
from bluezone.server.processes.origin import THREADS

def constant(environ, start_response):
    start_response("304 Not Modified", [("ETag", '"a"'), ("Cache-Control", "no-cache"), ("Bluezone-Time", "0")])
    return []

if __name__ == "__main__":
    Granian("constant:constant", address="127.0.0.1", port=int(sys.argv[1]), interface=Interfaces.WSGI, workers=1,
        blocking_threads=THREADS, runtime_mode=RuntimeModes.st, log_access=False, log_level=LogLevels.warning).serve()
"""


def _floor(folder: Path) -> float:
    """The share of a core that the same questions cost the HTTP server with nothing behind it."""
    (folder / "constant.py").write_text(CONSTANT)
    port = _free_port()
    server = subprocess.Popen([sys.executable, "constant.py", str(port)], cwd=folder)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                speakers = [_Speaker(port, "/", "t" * 43) for _ in range(SPEAKERS)]
                break
            except ConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        for speaker in speakers:
            speaker.ask()
        processes = _with_children([server.pid])
        return _share(processes, lambda: _ask(speakers, SECONDS / 2))
    finally:
        server.terminate()
        server.wait()


class _Speaker:
    """One kept-open connection, opened again where it was closed; what it sends is written once."""

    def __init__(self, port: int, path: str, token: str) -> None:
        self.port = port
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.head = f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nAuthorization: Bearer {token}\r\n"
        self.etag = ""

    def ask(self) -> float:
        """One question and its answer; how long that took."""
        begun = time.perf_counter()
        condition = f"If-None-Match: {self.etag}\r\n" if self.etag else ""
        question = f"{self.head}{condition}\r\n".encode()
        try:
            self.socket.sendall(question)
            answer = self.socket.recv(65_536)
        except ConnectionError:
            answer = b""
        if not answer:
            # Idle for longer than a server waits.
            self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=20)
            self.socket.sendall(question)
            answer = self.socket.recv(65_536)
        length = int(found[1]) if (found := re.search(rb"content-length: (\d+)", answer, re.IGNORECASE)) else 0
        while len(answer) < answer.index(b"\r\n\r\n") + 4 + length:
            answer += self.socket.recv(65_536)
        assert answer[9:12] in (b"200", b"304"), answer[:200]
        if found := re.search(rb'etag: ("[^"]+")', answer, re.IGNORECASE):
            self.etag = found[1].decode()
        return time.perf_counter() - begun


def _ask(speakers: list[_Speaker], seconds: float) -> list[float]:
    """Let each ask every POLL_SECONDS, one after the other; how long the answers took."""
    count = len(speakers)
    took, number, begun = [], 0, time.perf_counter()
    while (now := time.perf_counter() - begun) < seconds:
        due = number * POLL_SECONDS / count
        if due > now:
            time.sleep(due - now)
        took.append(speakers[number % count].ask())
        number += 1
    assert number >= 0.95 * seconds * count / POLL_SECONDS, f"only {number} questions could be asked"
    return took


def _share(processes: list[int], work: Callable[[], object]) -> float:
    """CPU time of processes over wall time while `work` runs."""
    used, begun = _used(processes), time.perf_counter()
    work()
    return (_used(processes) - used) / (time.perf_counter() - begun)


def _used(processes: list[int]) -> float:
    """CPU seconds that processes have used so far."""
    return sum(map(_cpu, processes))


def _cpu(process: int) -> float:
    """By the scheduler's own nanoseconds: the ticks of /proc/*/stat are too coarse for a few percent."""
    total = 0
    for task in Path(f"/proc/{process}/task").iterdir():
        with contextlib.suppress(OSError):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def _with_children(processes: list[int]) -> list[int]:
    """Processes and everything they started."""
    parents = {}
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdigit():
                parents[int(folder.name)] = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
    found = list(processes)
    for process in found:
        found += [child for child, parent in parents.items() if parent == process]
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
