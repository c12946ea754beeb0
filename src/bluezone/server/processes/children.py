# SPDX-License-Identifier: Apache-2.0
"""The child processes of `serve`: how the parent starts them, lets them finish, and ends them.

The first children of a `serve` can be forks of it, with all modules loaded, which saves half the work of a start. All
later children are new interpreters: after a death, and at SIGHUP, when a newer program may be installed. So are the
first ones if a fork is not safe: on systems other than Linux, and with the library for buckets, which has threads.
"""

import contextlib
import gc
import importlib
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bluezone.refusal import Refused
from bluezone.server.processes.users import User

AVAILABLE = sys.platform == "linux"
_POLL_SECONDS = 0.02
_HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)
# How long busy connections of a replaced process have for their last answer; after that, idle ones are closed.
LETTING_GO_SECONDS = 2.0
# How long a request may still take in a replaced process.
FINISH_SECONDS = 30.0
STOP_SECONDS = 15.0


def can_fork() -> bool:
    """Whether this process can be forked safely: the library for buckets has threads that a fork would lack."""
    return AVAILABLE and "obstore" not in sys.modules


class Forked:
    """A fork, with the part of subprocess.Popen that a supervisor needs. stdin: our end of the pipe to the child."""

    def __init__(self, pid: int, stdin: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.stdin = io.FileIO(stdin, "w")

    def poll(self) -> int | None:
        """Its exit code, negative for a signal; None while it lives."""
        if self.returncode is None:
            with contextlib.suppress(ChildProcessError):
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end. Raises subprocess.TimeoutExpired."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() >= deadline:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
            time.sleep(_POLL_SECONDS)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless the process has ended: another process may have its number by now."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)


def fork_main(arguments: Sequence[str], descriptors: Collection[int]) -> Forked:
    """Run `main()` of a module in a fork of this process. This process must have only the calling thread.

    arguments: the module and its command line. descriptors: the child has only these and the standard ones.
    Raises OSError if the system refuses to fork.
    """
    child_end, parent_end = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    # The child's garbage collector must not touch the loaded objects, so that their memory stays shared.
    gc.freeze()
    try:
        pid = os.fork()
    except OSError:
        os.close(child_end)
        os.close(parent_end)
        raise
    if pid:
        os.close(child_end)
        return Forked(pid, parent_end)
    code = 1
    try:
        _detach(arguments, child_end, descriptors)
        importlib.import_module(arguments[0]).main()
        code = 0
    except SystemExit as exiting:
        code = exiting.code if isinstance(exiting.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(BaseException):
            for thread in threading.enumerate():
                if thread is not threading.current_thread() and not thread.daemon:
                    thread.join()
            sys.stderr.flush()
        os._exit(code)


def _detach(arguments: Sequence[str], stdin: int, descriptors: Collection[int]) -> None:
    """Replace the session, signal handlers, descriptors and command line inherited from the parent."""
    os.setsid()
    for number in _HANDLED:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    os.dup2(stdin, 0)
    os.dup2(2, 1)
    for descriptor in {int(name) for name in os.listdir("/proc/self/fd")} - {0, 1, 2, *descriptors}:
        # The descriptor that listed the folder is closed already.
        with contextlib.suppress(OSError):
            os.close(descriptor)
    # Standard input may have been closed when `serve` started.
    sys.stdin = sys.stdin or open(0)  # noqa: SIM115 - for the life of the process
    sys.argv = list(arguments)


class ProcessEnded(Refused):
    """A part did not become ready at the start; the others were stopped."""

    code = "process_ended"


@dataclass(frozen=True)
class Part:
    """One kind of process.

    arguments: those of `python -m`. count: how many processes. port_socket: reserves the port of an origin.
    descriptors: shared with the process, by the name of the option that passes each. user, environment: None for those
    of `serve`.
    """

    name: str
    arguments: tuple[str, ...]
    count: int = 1
    port_socket: socket.socket | None = None
    descriptors: Mapping[str, int] = field(default_factory=dict)
    user: User | None = None
    environment: Mapping[str, str] | None = None


@dataclass
class Child:
    """One process of a part. place: its number within the part; row: its row of the meters."""

    part: Part
    place: int
    row: int
    process: subprocess.Popen[bytes] | Forked
    ready_pipe: int
    started_at: float
    early_deaths: int = 0
    reported_ready: bool = False
    terminate_at: float | None = None
    kill_at: float | None = None

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended."""
        return self.process.poll() is not None

    @property
    def is_up(self) -> bool:
        """Whether the process has reported that it is ready and is still alive; callable from any thread."""
        return self.reported_ready and self.process.returncode is None

    def check_ready(self) -> bool:
        """Whether the process has reported by now that it accepts requests."""
        if not self.reported_ready:
            try:
                self.reported_ready = bool(os.read(self.ready_pipe, 1))
            except BlockingIOError:
                return False
        return self.reported_ready

    def drain(self, now: float) -> None:
        """Let the process finish its current requests, and set when it is terminated and killed."""
        if self.part.port_socket is not None and not self.has_ended:
            self.process.send_signal(signal.SIGUSR1)
        self.terminate_at = now + (LETTING_GO_SECONDS if self.part.port_socket else 0.0)
        self.kill_at = self.terminate_at + FINISH_SECONDS

    def close(self) -> None:
        """Close our ends of the pipes to the process."""
        os.close(self.ready_pipe)
        assert self.process.stdin is not None
        self.process.stdin.close()


def start_child(
    part: Part, place: int, row: int, meters: int, now: float, early_deaths: int = 0, fork: bool = False
) -> Child:
    """Start `python -m …` in its own session; its standard input is a pipe that closes when this process ends.

    meters: the descriptor of the shared cells. now: monotonic seconds. fork: whether to fork this process.
    Raises ProcessEnded if the system refuses to start it.
    """
    try:
        read_end, write_end = os.pipe()
    except OSError as error:
        raise _start_failed(part, error) from None
    os.set_blocking(read_end, False)
    descriptors = {"ready": write_end, "meters": meters, **part.descriptors}
    options = [f"--row={row}", *(f"--{name}={descriptor}" for name, descriptor in descriptors.items())]
    try:
        if fork:
            process: subprocess.Popen[bytes] | Forked = fork_main((*part.arguments, *options), descriptors.values())
        else:
            process = subprocess.Popen(  # noqa: S603 - our own modules
                python_command(part.user, *part.arguments, *options),
                stdin=subprocess.PIPE,
                stdout=sys.stderr,
                start_new_session=True,
                pass_fds=tuple(descriptors.values()),
                env=part.environment,
                **user_arguments(part.user),
            )
    except OSError as error:
        os.close(read_end)
        raise _start_failed(part, error) from None
    finally:
        os.close(write_end)
    return Child(part, place, row, process, read_end, now, early_deaths)


def python_command(user: User | None, *arguments: str) -> list[str]:
    """The command line of `python -m`. user: if set, modules in the current folder are ignored."""
    safe_path = ["-P"] if user else []
    return [sys.executable, *safe_path, "-m", *arguments]


def user_arguments(user: User | None) -> dict[str, Any]:
    """Arguments for subprocess.Popen that run a process as another user."""
    if user is None:
        return {}
    # This umask suits published files; all others are created with an explicit mode.
    return {"user": user.uid, "group": user.gid, "extra_groups": list(user.groups), "umask": 0o022}


def end_children(children: Sequence[Child]) -> None:
    """Send SIGTERM to all, wait for all together, then send SIGKILL."""
    for child in children:
        if not child.has_ended:
            child.process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
        child.close()


def _start_failed(part: Part, error: OSError) -> ProcessEnded:
    return ProcessEnded(f"the {part.name} process cannot be started: {error.strerror}")
