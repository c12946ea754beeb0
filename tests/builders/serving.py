# SPDX-License-Identifier: Apache-2.0
"""A real `bluezone serve` in a folder of its own, on free ports."""

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TextIO

from tests.builders.stores import HOTLINE, prepared_store

BLUEZONE = Path(sys.executable).with_name("bluezone")


@dataclass
class Served:
    """A running `serve`: its process, addresses without a trailing slash, data folder, and what it said until ready.

    lines: what it says afterwards, as it comes; ends with the last of its processes.
    """

    process: subprocess.Popen[str]
    public: str
    office: str
    data: Path
    said: str
    lines: Iterator[str]

    @property
    def admin_link(self) -> str:
        """The first administrator's one-time link."""
        found = re.search(r"^first administrator.*(http://\S+)$", self.said, re.MULTILINE)
        assert found, self.said
        return found[1]


# Below the ports that the kernel lends to connections: one of those can be taken by anybody's next request. Each worker
# of pytest-xdist has ports of its own: what one was given and has not listened on yet, another takes for free.
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_PORTS = range(10_000 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % _WORKERS, 32_000, _WORKERS)
_given: set[int] = set()


def free_port() -> int:
    """A TCP port that nothing has now, and that no process of this run has been given before."""
    while (port := secrets.choice(_PORTS)) in _given or not _is_free(port):
        continue
    _given.add(port)
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def start(data: Path, *more: str, environment: dict[str, str] | None = None) -> Served:
    """Start `serve` and wait until it says that it is ready; with other ports where somebody took one meanwhile."""
    for _ in range(3):
        try:
            return _start(data, *more, environment=environment)
        except PortTaken:
            continue
    return _start(data, *more, environment=environment)


class PortTaken(AssertionError):
    """A port that was free is not any more."""


def _start(data: Path, *more: str, environment: dict[str, str] | None) -> Served:
    public, office = free_port(), free_port()
    process = subprocess.Popen(
        [BLUEZONE, "serve", "--data", data, "--public-port", str(public), "--office-port", str(office), *more],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    lines = _read_away(process)
    said = ""
    for line in lines:
        said += line
        if line.startswith("ready"):
            break
    else:
        ended = PortTaken if "port_in_use" in said else AssertionError
        raise ended(f"serve ended with {process.wait()}: {said}")
    return Served(process, f"http://localhost:{public}", f"http://localhost:{office}", data, said, lines)


def _read_away(process: subprocess.Popen[str]) -> Iterator[str]:
    """The lines that a process says. They are read whether or not anybody asks: a full pipe would stop it."""
    said: SimpleQueue[str] = SimpleQueue()
    pipe, process.stderr = process.stderr, None
    assert pipe is not None

    def read(pipe: TextIO) -> None:
        with pipe:
            for line in pipe:
                said.put(line)
        said.put("")

    threading.Thread(target=read, args=(pipe,), daemon=True).start()
    return iter(said.get, "")


@contextmanager
def serving(data: Path, *more: str, environment: dict[str, str] | None = None) -> Iterator[Served]:
    """`start` on a prepared store where the folder has none, and SIGTERM at the end."""
    if not (data / "office.sqlite3").exists() and "BLUEZONE_DATABASE_URL" not in (environment or {}):
        prepared_store(data)
    served = start(data, "--hotline", HOTLINE, *more, environment=environment)
    try:
        yield served
    finally:
        served.process.terminate()
        served.process.communicate(timeout=120)


class ReturningServer:
    """A `serve` that goes and comes again under the same address, with keys that were made before."""

    def __init__(self, data: Path) -> None:
        from tests.builders.handset import made_secrets

        self.data, self.port = data, free_port()
        data.mkdir()
        shutil.copytree(made_secrets(), data / "keys")
        self.origin = f"http://localhost:{self.port}"
        self.served: Served | None = None

    def begin(self) -> None:
        """Start it."""
        self.served = start(self.data, "--hotline", HOTLINE, "--public-port", str(self.port))

    def end(self, how: int = signal.SIGTERM) -> None:
        """End it, and wait until nobody answers under its address. Nothing is done where it does not run."""
        if self.served is None:
            return
        process, self.served = self.served.process, None
        process.send_signal(how)
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()
        deadline = time.monotonic() + 600
        while self.answers():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether anybody answers under its address."""
        try:
            urllib.request.urlopen(f"{self.origin}/canvass/", timeout=120).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        return True
