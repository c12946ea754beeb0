# SPDX-License-Identifier: Apache-2.0
"""One process of one `serve`, as its parent sees it: how it is started, how it leaves, how it ends."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bluezone.refusal import Refused
from bluezone.server.processes.forks import Forked, fork_main

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
    it is given to share, by the option that names it: a descriptor.
    """

    name: str
    arguments: tuple[str, ...]
    count: int = 1
    taken: socket.socket | None = None
    handed: Mapping[str, int] = field(default_factory=dict)


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
                [sys.executable, "-m", *part.arguments, *more],
                stdin=subprocess.PIPE,
                stdout=sys.stderr,
                start_new_session=True,
                pass_fds=tuple(handed.values()),
            )
    except OSError as error:
        os.close(ready_at)
        raise _not_started(part, error) from None
    finally:
        os.close(ready)
    return Child(part, place, row, process, ready_at, now, early_deaths)


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
