# SPDX-License-Identifier: Apache-2.0
"""A real `bluezone serve` in a separate folder, on free ports."""

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
class RunningServer:
    """A running `serve`: its process, addresses without a trailing slash, and data folder.

    output: its output until it was ready. lines: later output, line by line, until its last process has ended.
    """

    process: subprocess.Popen[str]
    public: str
    office: str
    data: Path
    output: str
    lines: Iterator[str]

    @property
    def admin_link(self) -> str:
        """The first administrator's one-time link."""
        match = re.search(r"^first administrator.*(http://\S+)$", self.output, re.MULTILINE)
        assert match, self.output
        return match[1]


# Below the ephemeral ports, which the kernel may give to any connection. Each worker of pytest-xdist has separate
# ports: to another worker, a port would look free until its owner listens on it.
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_PORTS = range(10_000 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % _WORKERS, 32_000, _WORKERS)
_used: set[int] = set()


def free_port() -> int:
    """A TCP port that is free now, and that was not returned before in this run."""
    while (port := secrets.choice(_PORTS)) in _used or not _is_free(port):
        continue
    _used.add(port)
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def start(data: Path, *more: str, environment: dict[str, str] | None = None) -> RunningServer:
    """Start `serve` and wait until it is ready; tries other ports if one was taken in the meantime."""
    for _ in range(3):
        try:
            return _start(data, *more, environment=environment)
        except PortTaken:
            continue
    return _start(data, *more, environment=environment)


class PortTaken(AssertionError):
    """A port that was free is in use now."""


def _start(data: Path, *more: str, environment: dict[str, str] | None) -> RunningServer:
    public = free_port()
    office = free_port()
    process = subprocess.Popen(
        [BLUEZONE, "serve", "--data", data, "--public-port", str(public), "--office-port", str(office), *more],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
    )
    lines = _output_lines(process)
    output = ""
    for line in lines:
        output += line
        if line.startswith("ready"):
            break
    else:
        ended = PortTaken if "port_in_use" in output else AssertionError
        raise ended(f"serve ended with {process.wait()}: {output}")
    return RunningServer(process, f"http://localhost:{public}", f"http://localhost:{office}", data, output, lines)


def _output_lines(process: subprocess.Popen[str]) -> Iterator[str]:
    """The lines of a process on stderr. A thread reads them all, because a full pipe would block the process."""
    queue: SimpleQueue[str] = SimpleQueue()
    pipe, process.stderr = process.stderr, None
    assert pipe is not None

    def read(pipe: TextIO) -> None:
        with pipe:
            for line in pipe:
                queue.put(line)
        queue.put("")

    threading.Thread(target=read, args=(pipe,), daemon=True).start()
    return iter(queue.get, "")


@contextmanager
def serving(data: Path, *more: str, environment: dict[str, str] | None = None) -> Iterator[RunningServer]:
    """Run `start`, preparing a store first if the folder has none, and send SIGTERM at the end."""
    if not (data / "office.sqlite3").exists() and "BLUEZONE_DATABASE_URL" not in (environment or {}):
        prepared_store(data)
    served = start(data, "--hotline", HOTLINE, *more, environment=environment)
    try:
        yield served
    finally:
        served.process.terminate()
        served.process.communicate(timeout=120)


class RestartableServer:
    """A `serve` that can be stopped and started again at the same address, with keys that were made before."""

    def __init__(self, data: Path) -> None:
        from tests.builders.handset import secrets_folder

        self.data = data
        self.port = free_port()
        data.mkdir()
        shutil.copytree(secrets_folder(), data / "keys")
        self.origin = f"http://localhost:{self.port}"
        self.served: RunningServer | None = None

    def begin(self) -> None:
        """Start the server."""
        self.served = start(self.data, "--hotline", HOTLINE, "--public-port", str(self.port))

    def end(self, how: int = signal.SIGTERM) -> None:
        """End the server, if it runs, and wait until there is no answer at its address."""
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
        """Whether there is an answer at its address."""
        try:
            urllib.request.urlopen(f"{self.origin}/canvass/", timeout=120).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        return True
