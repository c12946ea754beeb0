# SPDX-License-Identifier: Apache-2.0
"""The processes of one `serve`: started together, again when one dies, replaced without a pause, stopped together."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from logging import ERROR, WARNING

from bluezone.logs import say
from bluezone.refusal import Refused
from bluezone.server.metrics.meters import Meters
from bluezone.server.processes.children import Child, Part, ProcessEnded, end_children, start_child

# Loading takes each process some seconds of a core, and a machine may have fewer cores than processes.
READY_SECONDS = 120.0
PREPARE_SECONDS = 600.0
LOOK_SECONDS = 0.1
# Who lived this long and dies is replaced at once; who dies again and again sooner waits 1, 2, 4 … seconds, at most 30:
# a part that cannot live takes little from those that can.
LIVED_SECONDS = 60.0
MOST_PAUSE_SECONDS = 30.0


class PreparingFailed(Refused):
    """The stores could not be brought up to date for new processes; the old ones go on."""

    code = "preparing_failed"


@dataclass
class Processes:
    """The children of one `serve`. meters has two rows for each: while one replaces another both are there.

    fork: whether the first of them are copies of this process, which has loaded what they need and runs no thread.
    alive: called whenever they are looked at, also while others take their place.
    """

    parts: Sequence[Part]
    meters: Meters
    fork: bool = False
    alive: Callable[[], None] = lambda: None
    children: list[Child] = field(default_factory=list)
    leaving: list[Child] = field(default_factory=list)
    restarts: dict[str, int] = field(default_factory=dict)
    replaced: int = 0
    _due: list[tuple[float, Child]] = field(default_factory=list)

    @staticmethod
    def rows(parts: Sequence[Part]) -> int:
        """How many rows of meters these parts need."""
        return 2 * sum(part.count for part in parts)

    def begin(self) -> None:
        """Start all that `begin_with` has not. Raises ProcessEnded."""
        self._start_all(self.children, fork=self.fork)

    def begin_with(self, stop: "StopSignals") -> bool:
        """Start the first part, which the others need, and wait until it is ready; False when a stop signal came first.

        Raises ProcessEnded.
        """
        self._begun = time.monotonic()
        self.children.append(start_child(self.parts[0], 0, 0, self.meters.descriptor, self._begun))
        return self.start(stop)

    def start(self, stop: "StopSignals") -> bool:
        """Start all that have not begun and wait until all are ready; False when a stop signal came first.

        Raises ProcessEnded.
        """
        if not self.children:
            self.begin()
        while not all(child.ready() for child in self.children):
            self._refuse_early_end(self.children)
            if stop.event.wait(LOOK_SECONDS):
                return False
        return True

    def watch(self, now: float) -> None:
        """Start again what has died, end what is to leave."""
        self.alive()
        for child in [child for child in self.children if child.ended]:
            self.children.remove(child)
            self._note_death(child, now)
        for due, child in list(self._due):
            if due <= now:
                self._due.remove((due, child))
                self._start_again(child, now)
        for child in self.children:
            child.ready()
        for child in list(self.leaving):
            self._see_off(child, now)

    def replace(self, stop: "StopSignals", prepare: Callable[[], subprocess.Popen[bytes]]) -> bool:
        """Put new processes in the place of all; False when they do not come up, or a stop signal came before.

        prepare: starts what brings the stores up to what the new processes expect. Until all are ready the old ones
        are watched as ever; if one is not, they stay.
        """
        fresh: list[Child] = []
        try:
            if not self._prepared(stop, prepare):
                return False
            self._start_all(fresh, generation=1 + self.replaced)
            while not all(child.ready() for child in fresh):
                self._refuse_early_end(fresh)
                if self._stopped_meanwhile(stop):
                    # They are stopped together with the others.
                    self.children += fresh
                    return False
        except Refused as refused:
            end_children(fresh)
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
        end_children([*self.children, *self.leaving])
        self.children, self.leaving = [], []

    def _stopped_meanwhile(self, stop: "StopSignals") -> bool:
        """Watch over what runs for a moment; whether a stop signal came."""
        self.watch(time.monotonic())
        return stop.event.wait(LOOK_SECONDS)

    def _prepared(self, stop: "StopSignals", prepare: Callable[[], subprocess.Popen[bytes]]) -> bool:
        """Wait for what prepares; False when a stop signal came first. Raises PreparingFailed."""
        until = time.monotonic() + PREPARE_SECONDS
        try:
            process = prepare()
        except OSError as error:
            raise PreparingFailed(f"preparing cannot be started: {error.strerror}") from None
        try:
            while process.poll() is None:
                if self._stopped_meanwhile(stop):
                    return False
                if time.monotonic() > until:
                    raise PreparingFailed(f"the stores were not up to date after {PREPARE_SECONDS:.0f} seconds")
        finally:
            # Cut off it leaves its last migration undone, whole.
            process.kill()
            process.wait()
        if process.returncode:
            raise PreparingFailed("the stores cannot be brought up to date; the reason is printed above")
        return True

    def _start_all(self, started: list[Child], generation: int = 0, fork: bool = False) -> None:
        """Start all into a list, which holds also those before one that cannot be started. Raises ProcessEnded."""
        row = generation % 2 * (self.meters.rows // 2)
        self._begun = time.monotonic()
        there = {id(child.part) for child in started}
        for part in self.parts:
            for place in range(part.count):
                if id(part) in there:
                    row += 1
                    continue
                now = time.monotonic()
                started.append(start_child(part, place, row, self.meters.descriptor, now, fork=fork))
                row += 1

    def _start_again(self, child: Child, now: float) -> None:
        try:
            again = start_child(child.part, child.place, child.row, self.meters.descriptor, now, child.early_deaths)
        except ProcessEnded as refused:
            # No memory, no descriptor, a program that is being replaced: the others go on, and this one later.
            self._due.append((now + MOST_PAUSE_SECONDS, child))
            say("process_refused", f"{refused.code}: {refused.message}", ERROR, code=refused.code)
        else:
            self.children.append(again)

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
