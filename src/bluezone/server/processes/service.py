# SPDX-License-Identifier: Apache-2.0
"""What one `serve` consists of, and its life from the first process to the last."""

import datetime
import importlib
import math
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluezone import garbage
from bluezone.keyserver.reports.limits import SIZE, shared_memory
from bluezone.keyserver.service import LIMITS
from bluezone.logs import say
from bluezone.server.metrics.meters import Meters
from bluezone.server.processes import children
from bluezone.server.processes.children import Part
from bluezone.server.processes.sockets import share_port, take_port
from bluezone.server.processes.supervisor import Processes, StopSignals
from bluezone.servicemanager import ServiceManager

if TYPE_CHECKING:
    from bluezone.server.metrics.port import OperatorPort

LOOK_SECONDS = 0.5
# How long after a restart that failed a renewed certificate is brought to the origins again.
RENEW_AGAIN_SECONDS = 60.0
# What `--only` may name, and the process that does it.
PARTS = {"keyserver": "public", "office": "office", "worker": "worker"}


@dataclass(frozen=True)
class Asked:
    """What the command line asks for. only: a name of PARTS or None for all; operator_port: None without one."""

    folder: Path
    host: str
    public_port: int
    office_port: int
    workers: int = 1
    only: str | None = None
    operator_port: int | None = None

    def has(self, process: str) -> bool:
        """Whether this `serve` runs the public origin, the office or the worker."""
        return self.only is None or PARTS[self.only] == process

    def address(self, origin: str, secured: bool) -> str:
        """Where people reach an origin, with a slash at the end."""
        port = self.public_port if origin == "public" else self.office_port
        shown = "localhost" if self.host in {"127.0.0.1", "0.0.0.0", "::", "::1"} else self.host  # noqa: S104 - shown
        return f"{'https' if secured else 'http'}://{shown}:{port}/"


class Server:
    """One `serve`: sockets first, so that a port in use is said before anything is changed."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._manager = ServiceManager()
        self._sockets: dict[str, socket.socket] = {}
        for origin, port in (("public", asked.public_port), ("office", asked.office_port)):
            if asked.has(origin):
                self._sockets[origin] = take_port(asked.host, port, f"--{origin}-port")
        self._tallies = shared_memory(LIMITS * SIZE)
        self._operator: OperatorPort | None = None
        if asked.operator_port is not None:
            self._operator = _operator_on(take_port("127.0.0.1", asked.operator_port, "--operator-port"))

    def run(self, stop: StopSignals, secured: Any, announce: Callable[[], None]) -> None:
        """Start everything, `announce` when it answers, go on until a stop signal. Raises ProcessEnded."""
        parts = self._parts(secured)
        processes = Processes(parts, Meters.make(Processes.rows(parts)), children.may_fork(), self._manager.alive)
        if processes.fork:
            _load(parts)
        for taken in self._sockets.values():
            share_port(taken)
        try:
            # Before there is a thread: it would not come along, and what it holds would stay held.
            processes.begin()
            if self._operator:
                self._operator.open(processes, secured)
            if processes.start(stop):
                announce()
                self._manager.ready()
                self._go_on(processes, stop, secured)
        finally:
            self._manager.stopping()
            if self._operator:
                self._operator.close()
            processes.stop()

    def _go_on(self, processes: Processes, stop: StopSignals, secured: Any) -> None:
        renew_at = math.inf
        while not stop.event.wait(LOOK_SECONDS):
            now = time.monotonic()
            processes.watch(now)
            if self._operator:
                self._operator.look()
            if secured and secured.renewed(datetime.datetime.now(datetime.UTC)):
                renew_at = now
            # One change at a time: those that leave use the rows that the next ones would count in.
            if (stop.replace or now >= renew_at) and not processes.leaving:
                stop.replace = False
                self._manager.reloading()
                replaced = processes.replace(stop, lambda: preparing(self._asked.folder))
                self._manager.ready()
                if replaced:
                    renew_at = math.inf
                elif now >= renew_at:
                    # Nobody sends a signal for it, and the old certificate ends some day.
                    renew_at = time.monotonic() + RENEW_AGAIN_SECONDS

    def _parts(self, secured: Any) -> list[Part]:
        asked = self._asked
        files = (str(secured.certificate), str(secured.key)) if secured else ()
        parts, shared = [], {"public": {"tallies": self._tallies}, "office": {}}
        for origin, taken in self._sockets.items():
            host, port = taken.getsockname()[:2]
            arguments = ("bluezone.server.processes.origin", origin, host, str(port), *files)
            parts.append(Part(origin, arguments, asked.workers, taken, shared[origin]))
        if asked.has("worker"):
            parts.append(Part("worker", ("bluezone.server.schedule",)))
        return parts


def _operator_on(taken: socket.socket) -> "OperatorPort":
    # It needs a library that nothing else of a `serve` needs.
    from bluezone.server.metrics.port import OperatorPort

    return OperatorPort(taken)


def _load(parts: list[Part]) -> None:
    """Load here once what all parts need; Django is set up already, and its connections are not for two processes."""
    from django.db import connections

    with garbage.none_expected():
        for part in parts:
            importlib.import_module(part.arguments[0]).load(part.name)
    connections.close_all()


def preparing(folder: Path) -> subprocess.Popen[bytes]:
    """Begin to bring the stores up to date with the program that is installed now, in a process that has loaded it.

    It ends with 0 when they are; else its reason is in the log.
    """
    command = [sys.executable, "-m", "bluezone.server.preparation", str(folder)]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr)  # noqa: S603 - our own module


def say_ready(asked: Asked, secured: bool) -> None:
    """The line that says that everything answers, with the addresses of what runs here."""
    found = {origin: asked.address(origin, secured) for origin in ("public", "office") if asked.has(origin)}
    shown = " ".join(f"{origin} {address}" for origin, address in found.items()) or "worker"
    say("ready", f"ready {shown}", workers=asked.workers, only=asked.only, **found)
