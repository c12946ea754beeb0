# SPDX-License-Identifier: Apache-2.0
"""What one `serve` consists of, and its life from the first process to the last."""

import datetime
import importlib
import math
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bluezone.keyserver.datafolder import RUN_FOLDER
from bluezone.keyserver.reports.limits import SIZE, shared_memory
from bluezone.keyserver.service import LIMITS
from bluezone.keyserver.signer.client import VARIABLE as SIGNER
from bluezone.logs import say
from bluezone.server import garbage
from bluezone.server.metrics.meters import Meters
from bluezone.server.processes import children
from bluezone.server.processes.children import Part
from bluezone.server.processes.signer import socket_of
from bluezone.server.processes.sockets import share_port, take_port
from bluezone.server.processes.supervisor import Processes, StopSignals
from bluezone.server.processes.users import User, environment_of, find_users, hand_out, lend
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
        # Where the operator runs one as a user of its own, this `serve` asks that one.
        self._signs = SIGNER not in os.environ
        # Parts that run beside others are each as they are started.
        self.users = find_users() if asked.only is None else None
        self._tallies = shared_memory(LIMITS * SIZE)
        self._operator: OperatorPort | None = None
        if asked.operator_port is not None:
            self._operator = _operator_on(take_port("127.0.0.1", asked.operator_port, "--operator-port"))

    def run(self, stop: StopSignals, secured: Any, prepare: Callable[[], None], announce: Callable[[], None]) -> None:
        """Start everything, `announce` when it answers, go on until a stop signal. Raises ProcessEnded.

        prepare: makes stores, keys and files, with the signer at hand.
        """
        if self.users:
            hand_out(self._asked.folder.resolve(), self.users)
        parts = self._parts(secured)
        processes = Processes(parts, Meters.make(Processes.rows(parts)), alive=self._manager.alive)
        try:
            if self._signs and not processes.begin_with(stop):
                return
            prepare()
            if self.users:
                # What was made meanwhile.
                hand_out(self._asked.folder.resolve(), self.users)
                self._lend(secured)
            # Asked now: preparing may have loaded what reaches a bucket. A copy would have what is in our memory.
            processes.fork = children.may_fork() and not self.users
            if processes.fork:
                _load(parts)
            for origin, taken in self._sockets.items():
                share_port(taken, self.users[origin].uid if self.users else None)
            # Before there is a thread: it would not come along, and what it holds would stay held.
            processes.begin()
            if self._operator:
                self._operator.open(processes, secured)
            if processes.start(stop):
                announce()
                if self.users:
                    say("users_apart", "each process has a user of its own", parts=len(parts))
                elif self._signs:
                    sentence = "the signer runs as the same user; a user of its own: bluezone signer --help"
                    say("signer_same_user", sentence)
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
                self._lend(secured)
                replaced = processes.replace(stop, self._preparing)
                self._manager.ready()
                if replaced:
                    renew_at = math.inf
                elif now >= renew_at:
                    # Nobody sends a signal for it, and the old certificate ends some day.
                    renew_at = time.monotonic() + RENEW_AGAIN_SECONDS

    def _preparing(self) -> subprocess.Popen[bytes]:
        return preparing(self._asked.folder, self.users["office"] if self.users else None)

    def _parts(self, secured: Any) -> list[Part]:
        asked, users = self._asked, self.users
        folder = asked.folder.resolve()
        parts: list[Part] = []
        if self._signs:
            # Before the others, which find it by its address.
            place = socket_of(folder)
            os.environ[SIGNER] = str(place)
            allowed = [f"--allow={role}={users[part].uid}" for role, part in _SIGNED_FOR] if users else []
            arguments = ("bluezone.server.processes.signer", str(folder), str(place), *allowed)
            parts.append(self._part("signer", arguments))
        if users:
            for name in ("codes", "admission", "pages"):
                arguments = (
                    "bluezone.server.processes.part", name, str(folder), f"--allow={users['public'].uid}", "--allow=0",
                )  # fmt: skip
                handed = {} if name == "pages" else {"tallies": self._tallies}
                parts.append(self._part(name, arguments, handed=handed))
            parts.append(self._part("publication", ("bluezone.server.processes.publication", str(folder))))
        for origin, taken in self._sockets.items():
            host, port = taken.getsockname()[:2]
            files: tuple[str, ...] = ()
            if secured:
                lent = tuple(str(folder / RUN_FOLDER / name) for name in _lent_to(origin))
                files = lent if users else (str(secured.certificate), str(secured.key))
            front = origin == "public" and users is not None
            arguments = ("bluezone.server.processes.origin", "front" if front else origin, host, str(port), *files)
            handed = {"tallies": self._tallies} if origin == "public" and not users else {}
            parts.append(self._part(origin, arguments, asked.workers, taken, handed))
        if asked.has("worker"):
            parts.append(self._part("worker", ("bluezone.server.schedule",)))
        return parts

    def _part(
        self,
        name: str,
        arguments: tuple[str, ...],
        count: int = 1,
        taken: socket.socket | None = None,
        handed: Mapping[str, int] = MappingProxyType({}),
    ) -> Part:
        if not self.users:
            return Part(name, arguments, count, taken, handed)
        user = self.users["office" if name == "worker" else name]
        return Part(name, arguments, count, taken, handed, user, environment_of(name, self._asked.folder.resolve()))

    def _lend(self, secured: Any) -> None:
        """Give the origins certificate and key for TLS, which are root's."""
        for origin in self._sockets if secured and self.users else ():
            assert self.users is not None
            for path, name in zip((secured.certificate, secured.key), _lent_to(origin), strict=True):
                lend(path, self._asked.folder.resolve(), self.users[origin], name)


def _lent_to(origin: str) -> tuple[str, str]:
    return f"{origin}-tls.crt", f"{origin}-tls.key"


# What the signer does for whom, besides telling them the public halves.
_SIGNED_FOR = (
    ("reports", "codes"), ("configs", "office"), ("files", "publication"), ("keys", "admission"), ("keys", "pages"),
)  # fmt: skip


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


def preparing(folder: Path, user: User | None = None) -> subprocess.Popen[bytes]:
    """Begin to bring the stores up to date with the program that is installed now, in a process that has loaded it.

    user: whose that process is. It ends with 0 when they are; else its reason is in the log.
    """
    command = children.python_of(user, "bluezone.server.preparation", str(folder))
    return subprocess.Popen(  # noqa: S603 - our own module
        command, stdin=subprocess.DEVNULL, stdout=sys.stderr, **children.as_user(user)
    )


def say_ready(asked: Asked, secured: bool) -> None:
    """The line that says that everything answers, with the addresses of what runs here."""
    found = {origin: asked.address(origin, secured) for origin in ("public", "office") if asked.has(origin)}
    shown = " ".join(f"{origin} {address}" for origin, address in found.items()) or "worker"
    say("ready", f"ready {shown}", workers=asked.workers, only=asked.only, **found)
