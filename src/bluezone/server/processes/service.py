# SPDX-License-Identifier: Apache-2.0
"""One `serve`: which processes it has, and how it starts, watches, replaces and stops them."""

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
from bluezone.keyserver.limits.tally import SIZE, shared_memory
from bluezone.keyserver.parts.process import TALLIES
from bluezone.keyserver.signer.client import VARIABLE as SIGNER
from bluezone.logs import log_event
from bluezone.server import garbage
from bluezone.server.canary_reports import Cells
from bluezone.server.metrics.meters import Meters
from bluezone.server.processes import children
from bluezone.server.processes.children import Part
from bluezone.server.processes.signer import socket_of
from bluezone.server.processes.sockets import reserve_port, share_port
from bluezone.server.processes.supervisor import Processes, StopSignals
from bluezone.server.processes.users import User, assign_owners, copy_tls_file, find_users, part_environment
from bluezone.servicemanager import ServiceManager

if TYPE_CHECKING:
    from bluezone.server.metrics.port import OperatorPort

POLL_SECONDS = 0.5
# After a failed restart for a renewed certificate: how long until the next attempt.
RENEW_AGAIN_SECONDS = 60.0
# The process for each value of `--only`.
PARTS = {"keyserver": "public", "office": "office", "worker": "worker"}
# Pairs of role and part: which requests the signer accepts from the user of a part (signer/daemon.py, ROLES).
_SIGNER_ROLES = (
    ("reports", "codes"), ("configs", "office"), ("files", "publication"), ("keys", "admission"), ("keys", "pages"),
)  # fmt: skip


@dataclass(frozen=True)
class ServeOptions:
    """The options of the command line.

    only: a key of PARTS, None for all. operator_port: None for no such port. operator_host: address for it.
    """

    folder: Path
    host: str
    public_port: int
    office_port: int
    workers: int = 1
    only: str | None = None
    operator_port: int | None = None
    operator_host: str = "127.0.0.1"

    def runs(self, process: str) -> bool:
        """Whether this `serve` runs the public origin, the office or the worker."""
        return self.only is None or PARTS[self.only] == process

    def address(self, origin: str, secured: bool) -> str:
        """The address by which people reach an origin, with a slash at the end."""
        port = self.public_port if origin == "public" else self.office_port
        host = "localhost" if self.host in {"127.0.0.1", "0.0.0.0", "::", "::1"} else self.host  # noqa: S104 - shown
        scheme = "https" if secured else "http"
        return f"{scheme}://{host}:{port}/"


class Server:
    """One `serve`. Reserves its ports at once, so that a port in use is reported before anything is changed."""

    def __init__(self, options: ServeOptions) -> None:
        self._options = options
        self._manager = ServiceManager()
        self._sockets: dict[str, socket.socket] = {}
        for origin, port in (("public", options.public_port), ("office", options.office_port)):
            if options.runs(origin):
                self._sockets[origin] = reserve_port(options.host, port, f"--{origin}-port")
        # If the operator runs a signer as a separate user, this `serve` uses that one.
        self._signs = SIGNER not in os.environ
        # With --only, each `serve` runs as the user who starts it.
        self.users = find_users() if options.only is None else None
        self._tallies = shared_memory(TALLIES * SIZE)
        self._operator: OperatorPort | None = None
        if options.operator_port is not None:
            self._operator = _operator_port(options.operator_host, options.operator_port)

    def run(self, stop: StopSignals, secured: Any, prepare: Callable[[], None], announce: Callable[[], None]) -> None:
        """Start everything, call `announce` when it answers, and run until a stop signal. Raises ProcessEnded.

        prepare: makes stores, keys and files; called when the signer runs.
        """
        if self.users:
            assign_owners(self._options.folder.resolve(), self.users)
        parts = self._parts(secured)
        processes = Processes(parts, Meters.make(Processes.rows(parts)), alive=self._manager.alive)
        if self._options.runs("public"):
            Cells(processes.meters).expect("own", time.monotonic())
        try:
            if self._signs and not processes.start_first(stop):
                return
            prepare()
            if self.users:
                # Again, for the files that `prepare` made.
                assign_owners(self._options.folder.resolve(), self.users)
                self._copy_tls_files(secured)
            # Decided only now: `prepare` may have loaded the library for buckets, which does not survive a fork.
            # Processes of other users are never forks, because a fork has a copy of our memory.
            processes.fork = children.can_fork() and not self.users
            if processes.fork:
                _load(parts)
            for origin, port_socket in self._sockets.items():
                share_port(port_socket, self.users[origin].uid if self.users else None)
            # Before any thread starts: a fork would lack the thread, and the locks it holds would never be released.
            processes.start_rest()
            if self._operator:
                self._operator.open(processes, secured)
            if processes.start(stop):
                announce()
                if self.users:
                    log_event("users_apart", "each process has its own user", parts=len(parts))
                elif self._signs:
                    sentence = "the signer runs as the same user; for a separate user: bluezone signer --help"
                    log_event("signer_same_user", sentence)
                self._manager.ready()
                self._watch_until_stopped(processes, stop, secured)
        finally:
            self._manager.stopping()
            if self._operator:
                self._operator.close()
            processes.stop()

    def _watch_until_stopped(self, processes: Processes, stop: StopSignals, secured: Any) -> None:
        renew_at = math.inf
        while not stop.event.wait(POLL_SECONDS):
            now = time.monotonic()
            processes.watch(now)
            if self._operator:
                self._operator.refresh()
            if secured and secured.renewed(datetime.datetime.now(datetime.UTC)):
                renew_at = now
            # Only if no replaced process is left: it still counts in the rows that the next processes would use.
            if (stop.replace or now >= renew_at) and not processes.leaving:
                stop.replace = False
                self._manager.reloading()
                self._copy_tls_files(secured)
                replaced = processes.replace(stop, self._start_preparing)
                self._manager.ready()
                if replaced:
                    renew_at = math.inf
                elif now >= renew_at:
                    # Try again without a signal, because the old certificate will expire.
                    renew_at = time.monotonic() + RENEW_AGAIN_SECONDS

    def _start_preparing(self) -> subprocess.Popen[bytes]:
        user = self.users["office"] if self.users else None
        return start_preparation(self._options.folder, user)

    def _parts(self, secured: Any) -> list[Part]:
        options = self._options
        users = self.users
        folder = options.folder.resolve()
        parts: list[Part] = []
        if self._signs:
            # The signer is first, because the other parts connect to its address.
            place = socket_of(folder)
            os.environ[SIGNER] = str(place)
            allowed: list[str] = []
            if users:
                allowed = [f"--allow={role}={users[part].uid}" for role, part in _SIGNER_ROLES]
            arguments = ("bluezone.server.processes.signer", str(folder), str(place), *allowed)
            parts.append(self._part("signer", arguments))
        if users:
            for name in ("codes", "admission", "pages"):
                arguments = (
                    "bluezone.server.processes.part", name, str(folder), f"--allow={users['public'].uid}", "--allow=0",
                )  # fmt: skip
                descriptors = {} if name == "pages" else {"tallies": self._tallies}
                parts.append(self._part(name, arguments, descriptors=descriptors))
            parts.append(self._part("publication", ("bluezone.server.processes.publication", str(folder))))
        for origin, port_socket in self._sockets.items():
            host, port = port_socket.getsockname()[:2]
            files: tuple[str, ...] = ()
            if secured and users:
                files = tuple(str(folder / RUN_FOLDER / name) for name in _tls_file_names(origin))
            elif secured:
                files = str(secured.certificate), str(secured.key)
            entry = "front" if origin == "public" and users else origin
            arguments = ("bluezone.server.processes.origin", entry, host, str(port), *files)
            descriptors = {"tallies": self._tallies} if origin == "public" and not users else {}
            parts.append(self._part(origin, arguments, options.workers, port_socket, descriptors))
        if options.runs("worker"):
            parts.append(self._part("worker", ("bluezone.server.worker",)))
        return parts

    def _part(
        self,
        name: str,
        arguments: tuple[str, ...],
        count: int = 1,
        port_socket: socket.socket | None = None,
        descriptors: Mapping[str, int] = MappingProxyType({}),
    ) -> Part:
        if not self.users:
            return Part(name, arguments, count, port_socket, descriptors)
        user = self.users["office" if name == "worker" else name]
        environment = part_environment(name, self._options.folder.resolve())
        return Part(name, arguments, count, port_socket, descriptors, user, environment)

    def _copy_tls_files(self, secured: Any) -> None:
        """Give the origins copies of the certificate and key for TLS, which root owns."""
        if not secured or not self.users:
            return
        for origin in self._sockets:
            for path, name in zip((secured.certificate, secured.key), _tls_file_names(origin), strict=True):
                copy_tls_file(path, self._options.folder.resolve(), self.users[origin], name)


def _tls_file_names(origin: str) -> tuple[str, str]:
    return f"{origin}-tls.crt", f"{origin}-tls.key"


def _operator_port(host: str, port: int) -> "OperatorPort":
    # Imported here, because it needs a library that is not needed without this port.
    from bluezone.server.metrics.port import OperatorPort, take_token

    token = take_token(host)
    return OperatorPort(reserve_port(host, port, "--operator-port"), token)


def _load(parts: list[Part]) -> None:
    """Import the modules of all parts, once for all forks. Closes Django's connections, which forks must not share."""
    from django.db import connections

    with garbage.collection_paused():
        for part in parts:
            importlib.import_module(part.arguments[0]).load(part.name)
    connections.close_all()


def start_preparation(folder: Path, user: User | None = None) -> subprocess.Popen[bytes]:
    """Start a process that brings the stores up to date with the program installed now.

    user: the user of the process. The process ends with 0 on success; otherwise its log has the reason.
    """
    command = children.python_command(user, "bluezone.server.preparation", str(folder))
    return subprocess.Popen(  # noqa: S603 - our own module
        command, stdin=subprocess.DEVNULL, stdout=sys.stderr, **children.user_arguments(user)
    )


def announce_ready(options: ServeOptions, secured: bool) -> None:
    """Log the line that says that everything answers, with the addresses of the origins that run here."""
    addresses = {origin: options.address(origin, secured) for origin in ("public", "office") if options.runs(origin)}
    text = " ".join(f"{origin} {address}" for origin, address in addresses.items()) or "worker"
    log_event("ready", f"ready {text}", workers=options.workers, only=options.only, **addresses)
