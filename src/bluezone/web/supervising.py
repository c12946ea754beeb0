# SPDX-License-Identifier: Apache-2.0
"""The processes of one `serve`: started together, watched, stopped together."""

import http.client
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bluezone.refusal import Refused

STOP_SECONDS = 15.0
READY_SECONDS = 60.0
LOOK_SECONDS = 0.1


class PortInUse(Refused):
    """Another program listens on a port that was asked for."""

    code = "port_in_use"


class ProcessEnded(Refused):
    """One of the processes ended by itself; the others were stopped."""

    code = "process_ended"


@dataclass
class Processes:
    """The children of one `serve`."""

    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *arguments: str) -> None:
        """Start `python -m ARGUMENTS` in a session of its own, with a pipe whose closing tells it that we are gone."""
        self.running[name] = subprocess.Popen(  # noqa: S603 - our own modules
            [sys.executable, "-m", *arguments], stdin=subprocess.PIPE, stdout=sys.stderr, start_new_session=True
        )

    def reload(self, *names: str) -> None:
        """Let processes read their files again (SIGHUP)."""
        for name in names:
            self.running[name].send_signal(signal.SIGHUP)

    def check(self) -> None:
        """Raises ProcessEnded when one has ended."""
        for name, process in self.running.items():
            if process.poll() is not None:
                raise ProcessEnded(f"the {name} process ended with {process.returncode}; its reason is printed above")

    def stop(self) -> None:
        """Ask all to end, wait, and kill what has not ended."""
        for process in self.running.values():
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self.running.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class StopSignals:
    """SIGTERM, SIGINT and SIGHUP set an event instead of cutting the program short."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self.received: str | None = None
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._handle)

    def _handle(self, number: int, frame: object) -> None:
        self.received = signal.Signals(number).name
        self.event.set()


def check_port(host: str, port: int, flag: str) -> None:
    """Raises PortInUse when nothing more can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortInUse(
                f"{host} port {port} cannot be used ({error.strerror});"
                f" end the other program or choose another with {flag}"
            ) from None


def answers(host: str, port: int, path: str, tls: bool = False) -> bool:
    """Whether anything answers a request there; which status does not matter."""
    if tls:
        # Asked is whether our own child has come up, under an address that need not stand in its certificate.
        unverified = ssl._create_unverified_context()  # noqa: S323
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            _reachable(host), port, timeout=5, context=unverified
        )
    else:
        connection = http.client.HTTPConnection(_reachable(host), port, timeout=5)
    try:
        connection.request("GET", path)
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def wait_until(condition: Callable[[], bool], processes: Processes, stop: StopSignals) -> bool:
    """Wait until `condition` holds; False when a stop signal came first.

    Raises ProcessEnded when a process ended instead, or when nothing has answered for a minute.
    """
    deadline = time.monotonic() + READY_SECONDS
    while not condition():
        if stop.event.wait(LOOK_SECONDS):
            return False
        processes.check()
        if time.monotonic() > deadline:
            raise ProcessEnded(f"no answer within {READY_SECONDS:.0f} seconds of starting")
    return True


def _reachable(host: str) -> str:
    """An address to which one can connect, for one on which one can listen."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
