# SPDX-License-Identifier: Apache-2.0
"""A simulated machine: the explorer sets its clock, its disk and its power, and starts the processes on it.

The processes are real ones, forked from one that has everything imported. `machine.c` is between them and the kernel,
so the programs read the machine's time, meet its full disk and die at the write that was chosen.
"""

import ctypes
import gc
import mmap
import os
import pickle
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("machine.c")
LENGTH = struct.Struct(">I")
NEVER = -1
# How long a process may take for one call before it counts as hung.
HANG_SECONDS = 120.0
# What a process sends first, once it works.
READY = "ready"
# Imported once, before processes are forked, so that one starts in a hundredth of a second.
TODAY = ("tests.explore.service", "bluezone.cli.main")
EARLIER = ("tests.explore.phones",)


class Disk:
    """What is wrong with a disk."""

    SOUND = 0
    NO_SPACE = 1
    NO_INODES = 2
    READ_ONLY = 3


class Control(ctypes.Structure):
    """The control block that machine.c reads."""

    _fields_ = (
        ("wall", ctypes.c_double),
        ("uptime", ctypes.c_double),
        ("kill_after", ctypes.c_longlong),
        ("changes", ctypes.c_longlong),
        ("space", ctypes.c_longlong),
        ("victim", ctypes.c_int),
        ("torn", ctypes.c_int),
        ("fault", ctypes.c_int),
        ("synchronised", ctypes.c_int),
        ("boot", ctypes.c_char * 40),
        ("folder", ctypes.c_char * 128),
    )


class Died(Exception):
    """The process ended before it answered."""


@dataclass
class Violation(Exception):
    """Something that must never be so, in a sentence."""

    sentence: str

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True)
class Refusal:
    """What a process answered instead of a result: a stable code, and the message."""

    code: str
    message: str


def build(folder: Path) -> Path:
    """Compile machine.c into `folder`; returns the library."""
    library = folder / "machine.so"
    subprocess.run(["gcc", "-O1", "-Wall", "-shared", "-fPIC", "-o", library, SOURCE], check=True)
    return library


class Machine:
    """A machine with one disk, which is `folder`. forks: makes its processes."""

    def __init__(self, folder: Path, wall: float, forks: "Forks") -> None:
        self.folder = folder
        self._forks = forks
        self._path = folder.with_suffix(".control")
        self._path.write_bytes(bytes(ctypes.sizeof(Control)))
        with self._path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)
        self.control = Control.from_buffer(self._memory)
        self.control.wall = wall
        self.control.uptime = 10_000.0
        self.control.kill_after = NEVER
        self.control.synchronised = 1
        self.control.boot = b"boot-1"
        self.control.folder = str(folder).encode()

    def pass_by(self, seconds: float) -> None:
        """Let time pass on the machine's clock."""
        self.control.wall += seconds
        self.control.uptime += seconds

    def start(self, role: int, run: Callable[..., None], *arguments: Any) -> "Process":
        """A process that calls `run(channel, *arguments)`; the role says which process a power cut hits."""
        return self._forks.fork(self._path, role, run, arguments)


class Channel:
    """A process's end of its connection with the explorer."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def receive(self) -> Any:
        """The next call; raises EOFError when the explorer has gone."""
        return pickle.loads(_read(self.connection))

    def send(self, answer: Any) -> None:
        """Answer it."""
        _write(self.connection, pickle.dumps(answer))


class Process:
    """A process of a machine."""

    def __init__(self, pid: int, connection: socket.socket) -> None:
        self.pid = pid
        self._connection = connection
        connection.settimeout(HANG_SECONDS)

    def receive(self) -> Any:
        """What it sends next. Raises Died."""
        try:
            return pickle.loads(_read(self._connection))
        except (EOFError, ConnectionError):
            raise Died from None

    def call(self, name: str, *arguments: Any) -> Any:
        """Have it do something; returns its answer. Raises Died."""
        try:
            _write(self._connection, pickle.dumps((name, arguments)))
        except ConnectionError:
            raise Died from None
        return self.receive()

    def kill(self) -> None:
        """End it at once."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        # Wait until it has gone: only then are its files and its port free.
        with suppress(OSError):
            while self._connection.recv(65536):
                pass
        self._connection.close()


class Forks:
    """The process from which all others are forked. library: machine.c, compiled.

    modules: what it imports. sources: the folder of these modules, None for those of this version.
    """

    def __init__(self, library: Path, modules: tuple[str, ...] = TODAY, sources: Path | None = None) -> None:
        self._library = library
        self._earlier: dict[str, Forks] = {}
        ours, theirs = socket.socketpair()
        # Threads for linear algebra would wait in every process, and nothing here needs them.
        environment = {**os.environ, "LD_PRELOAD": str(library), "OPENBLAS_NUM_THREADS": "1"}
        if sources:
            environment |= {"PYTHONPATH": str(sources), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "tests.explore.machine", str(theirs.fileno()), *modules]
        self._process = subprocess.Popen(command, env=environment, pass_fds=[theirs.fileno()])
        theirs.close()
        self._socket = ours

    def fork(self, control: Path, role: int, run: Callable[..., None], arguments: tuple[Any, ...]) -> Process:
        """A new process on the machine of a control block."""
        ours, theirs = socket.socketpair()
        _write(self._socket, pickle.dumps((control, role, run, arguments)))
        socket.send_fds(self._socket, [b"f"], [theirs.fileno()])
        theirs.close()
        (pid,) = LENGTH.unpack(_exactly(self._socket, LENGTH.size))
        return Process(pid, ours)

    def earlier(self, version: str) -> "Forks":
        """The same for processes of an earlier version, which has its sources in `tests/releases`."""
        if version not in self._earlier:
            # An earlier version lacks what this imports.
            from tests.builders.releases import unpack

            sources = unpack(version, "source", self._library.parent / version) / "src"
            self._earlier[version] = Forks(self._library, EARLIER, sources)
        return self._earlier[version]

    def close(self) -> None:
        """End it, and all that it made."""
        for forks in self._earlier.values():
            forks.close()
        self._socket.close()
        self._process.wait()


def serve_forks(connection: socket.socket) -> None:
    """Fork a process for each request, until the explorer has gone."""
    join = ctypes.CDLL(None).machine_join
    # A collection of garbage would write into every page that a process shares with this one.
    gc.collect()
    gc.freeze()
    while True:
        try:
            control, role, run, arguments = pickle.loads(_read(connection))
        except EOFError:
            break
        _, (descriptor, *_rest), _, _ = socket.recv_fds(connection, 1, 1)
        pid = os.fork()
        if pid == 0:
            connection.close()
            if join(str(control).encode(), role):
                os._exit(9)
            try:
                run(Channel(socket.socket(fileno=descriptor)), *arguments)
            finally:
                os._exit(0)
        os.close(descriptor)
        connection.sendall(LENGTH.pack(pid))
        _reap(os.WNOHANG)
    _reap(0)


def _reap(flags: int) -> None:
    """Wait for ended processes, so that their time is counted."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, flags)[0]:
            pass


def _write(connection: socket.socket, data: bytes) -> None:
    connection.sendall(LENGTH.pack(len(data)) + data)


def _read(connection: socket.socket) -> bytes:
    (length,) = LENGTH.unpack(_exactly(connection, LENGTH.size))
    return _exactly(connection, length)


def _exactly(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        part = connection.recv(length - len(data))
        if not part:
            raise EOFError
        data += part
    return data


if __name__ == "__main__":
    for module in sys.argv[2:]:
        import_module(module)
    serve_forks(socket.socket(fileno=int(sys.argv[1])))
