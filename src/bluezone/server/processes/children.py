# SPDX-License-Identifier: Apache-2.0
"""One process of one `serve`, as its parent sees it: how it is started, how it leaves, how it ends.

A process of `serve` that begins as a copy of `serve` itself, with everything loaded: half of a start's work.

Only the first processes of a `serve` begin so. Who is started again after a death, or at SIGHUP with the program that
is installed then, is a new interpreter, as everywhere but on Linux, where forking after loading is not safe, and with a
bucket, for the same reason.
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
_LOOK_SECONDS = 0.02
_HANDLED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


def may_fork() -> bool:
    """Whether a copy of this process would be whole: what reaches a bucket has threads that would not come along."""
    return AVAILABLE and "obstore" not in sys.modules


class Forked:
    """What a supervisor needs of subprocess.Popen. stdin: our end of the pipe that tells the process that we live."""

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
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if until is not None and time.monotonic() >= until:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0)
            time.sleep(_LOOK_SECONDS)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended: its number may be another's by now."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


def fork_main(arguments: Sequence[str], handed: Collection[int]) -> Forked:
    """Run `main()` of the module that comes first, the rest as its command line, in a copy of this process.

    handed: the descriptors that it keeps beside the standard ones. No other thread may run here.
    Raises OSError when the system does not let it start.
    """
    stdin, ours = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    # What is loaded here is never collected there, so that its memory stays shared.
    gc.freeze()
    try:
        pid = os.fork()
    except OSError:
        os.close(stdin)
        os.close(ours)
        raise
    if pid:
        os.close(stdin)
        return Forked(pid, ours)
    code = 1
    try:
        _become(arguments, stdin, handed)
        importlib.import_module(arguments[0]).main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        with contextlib.suppress(BaseException):
            for thread in threading.enumerate():
                if thread is not threading.current_thread() and not thread.daemon:
                    thread.join()
            sys.stderr.flush()
        os._exit(code)


def _become(arguments: Sequence[str], stdin: int, handed: Collection[int]) -> None:
    """Leave the parent's session, signals, descriptors and command line."""
    os.setsid()
    for number in _HANDLED:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    os.dup2(stdin, 0)
    os.dup2(2, 1)
    for descriptor in {int(name) for name in os.listdir("/proc/self/fd")} - {0, 1, 2, *handed}:
        # The one that listed them is gone already.
        with contextlib.suppress(OSError):
            os.close(descriptor)
    # Standard input may have been closed when `serve` began.
    sys.stdin = sys.stdin or open(0)  # noqa: SIM115 - for the life of the process
    sys.argv = list(arguments)


# A connection that is in use meets its last answer in this time; those that are idle are closed afterwards.
LETTING_GO_SECONDS = 2.0
# How long a request may still take in a process that goes.
FINISH_SECONDS = 30.0
STOP_SECONDS = 15.0


class ProcessEnded(Refused):
    """A part did not come up at the start; the others were stopped."""

    code = "process_ended"


@dataclass(frozen=True)
class Part:
    """One kind of process.

    arguments: `python -m` with these. count: how many. taken: the socket that has the port of an origin. handed: what
    it is given to share, by the option that names it: a descriptor. user, environment: of another user's process.
    """

    name: str
    arguments: tuple[str, ...]
    count: int = 1
    taken: socket.socket | None = None
    handed: Mapping[str, int] = field(default_factory=dict)
    user: User | None = None
    environment: Mapping[str, str] | None = None


@dataclass
class Child:
    """One process of a part. place: its number within the part; row: where it counts in the meters."""

    part: Part
    place: int
    row: int
    process: subprocess.Popen[bytes] | Forked
    ready_at: int
    begun: float
    early_deaths: int = 0
    told_ready: bool = False
    terminate_at: float | None = None
    kill_at: float | None = None

    @property
    def ended(self) -> bool:
        """Whether it is gone."""
        return self.process.poll() is not None

    @property
    def up(self) -> bool:
        """Whether it has said that it is ready and is still there; asked from any thread."""
        return self.told_ready and self.process.returncode is None

    def ready(self) -> bool:
        """Whether it has said that it takes requests."""
        if not self.told_ready:
            try:
                self.told_ready = bool(os.read(self.ready_at, 1))
            except BlockingIOError:
                return False
        return self.told_ready

    def leave(self, now: float) -> None:
        """Let it finish what it has begun, and end."""
        if self.part.taken is not None and not self.ended:
            self.process.send_signal(signal.SIGUSR1)
        self.terminate_at = now + (LETTING_GO_SECONDS if self.part.taken else 0.0)
        self.kill_at = self.terminate_at + FINISH_SECONDS

    def close(self) -> None:
        """Let go of our ends of its pipes."""
        os.close(self.ready_at)
        assert self.process.stdin is not None
        self.process.stdin.close()


def start_child(
    part: Part, place: int, row: int, meters: int, now: float, early_deaths: int = 0, fork: bool = False
) -> Child:
    """Start `python -m …` in a session of its own, with a pipe whose closing tells it that we are gone.

    meters: the descriptor of the cells that it counts in. now: monotonic seconds. fork: as a copy of this process.
    Raises ProcessEnded when the system does not let it start.
    """
    try:
        ready_at, ready = os.pipe()
    except OSError as error:
        raise _not_started(part, error) from None
    os.set_blocking(ready_at, False)
    handed = {"ready": ready, "meters": meters, **part.handed}
    more = [f"--row={row}", *(f"--{name}={descriptor}" for name, descriptor in handed.items())]
    try:
        if fork:
            process: subprocess.Popen[bytes] | Forked = fork_main((*part.arguments, *more), handed.values())
        else:
            process = subprocess.Popen(  # noqa: S603 - our own modules
                python_of(part.user, *part.arguments, *more),
                stdin=subprocess.PIPE,
                stdout=sys.stderr,
                start_new_session=True,
                pass_fds=tuple(handed.values()),
                env=part.environment,
                **as_user(part.user),
            )
    except OSError as error:
        os.close(ready_at)
        raise _not_started(part, error) from None
    finally:
        os.close(ready)
    return Child(part, place, row, process, ready_at, now, early_deaths)


def python_of(user: User | None, *arguments: str) -> list[str]:
    """`python -m` with these. user: whose process it is to be; then no module comes from the folder we stand in."""
    return [sys.executable, *(["-P"] if user else []), "-m", *arguments]


def as_user(user: User | None) -> dict[str, Any]:
    """What subprocess.Popen is told so that a process is another user's."""
    if user is None:
        return {}
    # Files whose names others know are published ones; all others are made with a mode of their own.
    return {"user": user.uid, "group": user.gid, "extra_groups": list(user.groups), "umask": 0o022}


def end_children(children: Sequence[Child]) -> None:
    """SIGTERM, a wait for all together, SIGKILL."""
    for child in children:
        if not child.ended:
            child.process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        try:
            child.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()
        child.close()


def _not_started(part: Part, error: OSError) -> ProcessEnded:
    return ProcessEnded(f"the {part.name} process cannot be started: {error.strerror}")
