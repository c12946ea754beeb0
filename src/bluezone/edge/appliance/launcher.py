# SPDX-License-Identifier: Apache-2.0
"""Starts a program in the version that is its turn, and stays beside it: whether it came up decides about the version.

The program's words to the service manager pass through here, so that `ready` is known; signals pass the other way.
Source: sd_notify(3).
"""

import os
import selectors
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bluezone.edge.appliance import slots

# So long after it said that it is ready, a version has proved itself.
HEALTHY_SECONDS = 120.0
LOOK_SECONDS = 0.25
# If the launcher is killed, nothing of the program goes on without it: PR_SET_PDEATHSIG of prctl(2). Not by setpriv,
# which asks for capabilities that a gate has not.
ENTRY = (
    "import ctypes, sys; ctypes.CDLL(None).prctl(1, 9); sys.argv[0] = 'bluezone'; "
    "from bluezone.cli.main import main; main()"
)
_PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def launch(
    arguments: Sequence[str],
    tries: Path,
    root: Path = slots.ROOT,
    own: Path = slots.FACTORY,
    healthy_seconds: float = HEALTHY_SECONDS,
) -> int:
    """Run `bluezone ARGUMENTS` in the version that is its turn until it ends; its exit code.

    tries: the program's data folder. healthy_seconds: how long it has to stay after it was ready.
    """
    tries.mkdir(parents=True, exist_ok=True, mode=0o700)
    version = slots.begin(root, tries, own)
    with tempfile.TemporaryDirectory(prefix="bluezone-") as folder:
        relay = _Relay(Path(folder) / "notify")
        command = [str(version.python), "-I", "-c", ENTRY, *arguments]
        try:
            program = subprocess.Popen(command, env=relay.environment)  # noqa: S603 - a version of ours
        except OSError:
            return 1
        before = {number: signal.signal(number, lambda got, _frame: program.send_signal(got)) for number in _PASSED_ON}
        try:
            return _stay(program, relay, version, tries, healthy_seconds)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            relay.close()


def _stay(
    program: "subprocess.Popen[bytes]", relay: "_Relay", version: slots.Version, tries: Path, healthy_seconds: float
) -> int:
    proven = False
    while program.poll() is None:
        relay.pass_on(LOOK_SECONDS)
        if not proven and relay.ready_at is not None and time.monotonic() - relay.ready_at >= healthy_seconds:
            slots.prove(tries, version)
            proven = True
    relay.pass_on(0)
    code = program.returncode
    return code if code >= 0 else 128 - code


class _Relay:
    """Between a program and the service manager. ready_at: when the program said that it is ready."""

    def __init__(self, path: Path) -> None:
        self.ready_at: float | None = None
        self._manager = os.environ.get("NOTIFY_SOCKET", "")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)
        self.environment = {**os.environ, "NOTIFY_SOCKET": str(path)}
        # The beats of the program are said by this process, which is the one that the manager knows.
        self.environment.pop("WATCHDOG_PID", None)

    def pass_on(self, seconds: float) -> None:
        """Wait so long for a word of the program, and pass on what there is."""
        self._selector.select(seconds)
        with suppress(BlockingIOError):
            while said := self._socket.recv(4096):
                if b"READY=1" in said.split(b"\n") and self.ready_at is None:
                    self.ready_at = time.monotonic()
                self._tell(said)

    def _tell(self, said: bytes) -> None:
        if not self._manager:
            return
        address = "\0" + self._manager[1:] if self._manager.startswith("@") else self._manager
        # Nobody is there to be told; the manager's own time limit says so.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.sendto(said, address)

    def close(self) -> None:
        self._selector.close()
        self._socket.close()
