# SPDX-License-Identifier: Apache-2.0
"""The processes of one `serve`: started together, again when one dies, replaced without a pause, stopped together."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from logging import ERROR, WARNING

from bluezone.refusal import Refused
from bluezone.web.logs import say
from bluezone.web.metering import Meters

# Loading takes each process some seconds of a core, and a machine may have fewer cores than processes.
READY_SECONDS = 120.0
LOOK_SECONDS = 0.1
# Who lived this long and dies is replaced at once; who dies again and again sooner waits 1, 2, 4 … seconds, at most 30:
# a part that cannot live takes little from those that can.
LIVED_SECONDS = 60.0
MOST_PAUSE_SECONDS = 30.0
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

    arguments: `python -m` with these. count: how many. listener: the socket of an origin. handed: what else it is
    given to share, by the option that names it: a descriptor.
    """

    name: str
    arguments: tuple[str, ...]
    count: int = 1
    listener: socket.socket | None = None
    handed: Mapping[str, int] = field(default_factory=dict)


@dataclass
class Child:
    """One process of a part. place: its number within the part; row: where it counts in the meters."""

    part: Part
    place: int
    row: int
    process: subprocess.Popen[bytes]
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
        if self.part.listener is not None and not self.ended:
            self.process.send_signal(signal.SIGUSR1)
        self.terminate_at = now + (LETTING_GO_SECONDS if self.part.listener else 0.0)
        self.kill_at = self.terminate_at + FINISH_SECONDS

    def close(self) -> None:
        """Let go of our ends of its pipes."""
        os.close(self.ready_at)
        assert self.process.stdin is not None
        self.process.stdin.close()


@dataclass
class Processes:
    """The children of one `serve`. meters has two rows for each: while one replaces another both are there."""

    parts: Sequence[Part]
    meters: Meters
    children: list[Child] = field(default_factory=list)
    leaving: list[Child] = field(default_factory=list)
    restarts: dict[str, int] = field(default_factory=dict)
    replaced: int = 0
    _due: list[tuple[float, Child]] = field(default_factory=list)

    @staticmethod
    def rows(parts: Sequence[Part]) -> int:
        """How many rows of meters these parts need."""
        return 2 * sum(part.count for part in parts)

    def start(self, stop: "StopSignals") -> bool:
        """Start all and wait until all are ready; False when a stop signal came first. Raises ProcessEnded."""
        self.children = self._start_all()
        while not all(child.ready() for child in self.children):
            self._refuse_early_end(self.children)
            if stop.event.wait(LOOK_SECONDS):
                return False
        return True

    def watch(self, now: float) -> None:
        """Start again what has died, end what is to leave."""
        for child in [child for child in self.children if child.ended]:
            self.children.remove(child)
            self._note_death(child, now)
        for due, child in list(self._due):
            if due <= now:
                self._due.remove((due, child))
                self.children.append(self._start(child.part, child.place, child.row, now, child.early_deaths))
        for child in self.children:
            child.ready()
        for child in list(self.leaving):
            self._see_off(child, now)

    def replace(self, stop: "StopSignals", prepare: Callable[[], None]) -> bool:
        """Put new processes in the place of all; the old ones stay if the new ones do not come up.

        prepare: brings the stores up to what the new processes expect; a Refused of it leaves all as it is.
        """
        fresh: list[Child] = []
        try:
            prepare()
            fresh = self._start_all(generation=1 + self.replaced)
            while not all(child.ready() for child in fresh):
                self._refuse_early_end(fresh)
                if stop.event.wait(LOOK_SECONDS):
                    break
        except Refused as refused:
            _end(fresh)
            sentence = f"restart: {refused.code}: {refused.message}; the old processes go on"
            say("restart_failed", sentence, ERROR, code=refused.code)
            return False
        self.replaced += 1
        now = time.monotonic()
        for child in self.children:
            child.leave(now)
        self.leaving += self.children
        self.children, self._due = fresh, []
        say("restarted", "restart: new processes answer, the old ones finish what they have begun")
        return True

    def stop(self) -> None:
        """Ask all to end, wait, and kill what has not ended."""
        _end([*self.children, *self.leaving])
        self.children, self.leaving = [], []

    def _start_all(self, generation: int = 0) -> list[Child]:
        started, row = [], generation % 2 * (self.meters.rows // 2)
        begun = time.monotonic()
        for part in self.parts:
            for place in range(part.count):
                started.append(self._start(part, place, row, time.monotonic()))
                row += 1
        self._begun = begun
        return started

    def _start(self, part: Part, place: int, row: int, now: float, early_deaths: int = 0) -> Child:
        """Start `python -m …` in a session of its own, with a pipe whose closing tells it that we are gone."""
        ready_at, ready = os.pipe()
        os.set_blocking(ready_at, False)
        handed = {"ready": ready, "meters": self.meters.descriptor, **part.handed}
        if part.listener is not None:
            handed["listener"] = part.listener.fileno()
        more = [f"--row={row}", *(f"--{name}={descriptor}" for name, descriptor in handed.items())]
        process = subprocess.Popen(  # noqa: S603 - our own modules
            [sys.executable, "-m", *part.arguments, *more],
            stdin=subprocess.PIPE,
            stdout=sys.stderr,
            start_new_session=True,
            pass_fds=tuple(handed.values()),
        )
        os.close(ready)
        return Child(part, place, row, process, ready_at, now, early_deaths)

    def _refuse_early_end(self, started: Sequence[Child]) -> None:
        for child in started:
            if child.ended:
                code = child.process.returncode
                raise ProcessEnded(f"the {child.part.name} process ended with {code}; its reason is printed above")
        if time.monotonic() - self._begun > READY_SECONDS:
            raise ProcessEnded(f"not ready within {READY_SECONDS:.0f} seconds of starting")

    def _note_death(self, child: Child, now: float) -> None:
        name, code = child.part.name, child.process.returncode
        child.close()
        child.early_deaths = 0 if now - child.begun >= LIVED_SECONDS else child.early_deaths + 1
        pause = min(2.0 ** (child.early_deaths - 2), MOST_PAUSE_SECONDS) if child.early_deaths > 1 else 0.0
        self.restarts[name] = self.restarts.get(name, 0) + 1
        self._due.append((now + pause, child))
        sentence = f"{name} process {child.place + 1} ended with {code}; started again in {pause:.0f} s"
        say("process_died", sentence, ERROR, part=name, place=child.place + 1, code=code)

    def _see_off(self, child: Child, now: float) -> None:
        assert child.terminate_at is not None
        assert child.kill_at is not None
        if child.ended:
            self.leaving.remove(child)
            child.close()
        elif now >= child.kill_at:
            sentence = f"{child.part.name} process did not finish in time; it is cut off"
            say("process_killed", sentence, WARNING, part=child.part.name)
            child.process.kill()
        elif now >= child.terminate_at:
            child.process.terminate()


class StopSignals:
    """SIGTERM and SIGINT set an event instead of cutting the program short; SIGHUP asks for new processes.

    On a terminal SIGHUP means that the terminal is gone, and stops like the others.
    """

    def __init__(self, on_terminal: bool) -> None:
        self.event = threading.Event()
        self.received: str | None = None
        self.replace = False
        self._on_terminal = on_terminal
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._handle)

    def _handle(self, number: int, frame: object) -> None:
        if number == signal.SIGHUP and not self._on_terminal:
            self.replace = True
            return
        self.received = signal.Signals(number).name
        self.event.set()


def _end(children: Sequence[Child]) -> None:
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
