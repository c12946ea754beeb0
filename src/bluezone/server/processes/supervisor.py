# SPDX-License-Identifier: Apache-2.0
"""The processes of one `serve`: started together, restarted when they die, replaced without a pause, and stopped."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from logging import ERROR, WARNING

from bluezone.logs import log_event
from bluezone.refusal import Refused
from bluezone.server.metrics.meters import Meters
from bluezone.server.processes.children import Child, Part, ProcessEnded, end_children, start_child

# Loading takes each process some seconds of a core, and a machine may have fewer cores than processes.
READY_SECONDS = 120.0
PREPARE_SECONDS = 600.0
POLL_SECONDS = 0.1
# A process that dies after this long is restarted immediately. One that keeps dying sooner waits 1, 2, 4 … seconds, at
# most 30, so that a part that cannot run takes little from those that can.
LIVED_SECONDS = 60.0
MOST_PAUSE_SECONDS = 30.0


class PreparingFailed(Refused):
    """The stores could not be brought up to date for new processes; the old ones continue."""

    code = "preparing_failed"


@dataclass
class Processes:
    """The children of one `serve`. meters: has two rows for each child, because a child and its successor overlap.

    fork: whether the first children are forks of this process, which has loaded their modules and runs no thread.
    alive: called at every check of the children, also while they are being replaced.
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

    def start_rest(self) -> None:
        """Start all parts that `start_first` has not started. Raises ProcessEnded."""
        self._start_all(self.children, fork=self.fork)

    def start_first(self, stop: "StopSignals") -> bool:
        """Start the first part, which the others need, and wait until it is ready; False if a stop signal came first.

        Raises ProcessEnded.
        """
        self._started_at = time.monotonic()
        self.children.append(start_child(self.parts[0], 0, 0, self.meters.descriptor, self._started_at))
        return self.start(stop)

    def start(self, stop: "StopSignals") -> bool:
        """Start all parts that have not been started, and wait until all are ready; False if a stop signal came first.

        Raises ProcessEnded.
        """
        if not self.children:
            self.start_rest()
        while not all(child.check_ready() for child in self.children):
            self._refuse_early_end(self.children)
            if stop.event.wait(POLL_SECONDS):
                return False
        return True

    def watch(self, now: float) -> None:
        """Restart children that have died, and end those that were replaced."""
        self.alive()
        for child in [child for child in self.children if child.has_ended]:
            self.children.remove(child)
            self._note_death(child, now)
        for due, child in list(self._due):
            if due <= now:
                self._due.remove((due, child))
                self._restart_child(child, now)
        for child in self.children:
            child.check_ready()
        for child in list(self.leaving):
            self._end_leaving(child, now)

    def replace(self, stop: "StopSignals", prepare: Callable[[], subprocess.Popen[bytes]]) -> bool:
        """Replace all processes by new ones; False if they do not become ready, or a stop signal came first.

        prepare: starts a process that brings the stores up to date for the new processes. If a new process fails, the
        old processes stay.
        """
        new_children: list[Child] = []
        try:
            if not self._wait_for_preparation(stop, prepare):
                return False
            self._start_all(new_children, generation=1 + self.replaced)
            while not all(child.check_ready() for child in new_children):
                self._refuse_early_end(new_children)
                if self._stopped_meanwhile(stop):
                    # `stop` ends them together with the others.
                    self.children += new_children
                    return False
        except Refused as refused:
            end_children(new_children)
            sentence = f"restart: {refused.code}: {refused.message}; the old processes continue"
            log_event("restart_failed", sentence, ERROR, code=refused.code)
            return False
        self.replaced += 1
        now = time.monotonic()
        for child in self.children:
            child.drain(now)
        self.leaving += self.children
        self.children = new_children
        self._due = []
        log_event("restarted", "restart: new processes answer, the old ones finish their requests")
        return True

    def stop(self) -> None:
        """Ask all to end, wait, and kill those that have not ended."""
        end_children([*self.children, *self.leaving])
        self.children = []
        self.leaving = []

    def _stopped_meanwhile(self, stop: "StopSignals") -> bool:
        """Watch the running children for a moment; returns whether a stop signal came."""
        self.watch(time.monotonic())
        return stop.event.wait(POLL_SECONDS)

    def _wait_for_preparation(self, stop: "StopSignals", prepare: Callable[[], subprocess.Popen[bytes]]) -> bool:
        """Wait for the preparing process; False if a stop signal came first. Raises PreparingFailed."""
        deadline = time.monotonic() + PREPARE_SECONDS
        try:
            process = prepare()
        except OSError as error:
            raise PreparingFailed(f"preparing cannot be started: {error.strerror}") from None
        try:
            while process.poll() is None:
                if self._stopped_meanwhile(stop):
                    return False
                if time.monotonic() > deadline:
                    raise PreparingFailed(f"the stores were not up to date after {PREPARE_SECONDS:.0f} seconds")
        finally:
            # If it is killed, its current migration is rolled back whole.
            process.kill()
            process.wait()
        if process.returncode:
            raise PreparingFailed("the stores cannot be brought up to date; the reason is printed above")
        return True

    def _start_all(self, started: list[Child], generation: int = 0, fork: bool = False) -> None:
        """Start all parts that have no child in `started`, and add each new child to it. Raises ProcessEnded."""
        row = generation % 2 * (self.meters.rows // 2)
        self._started_at = time.monotonic()
        running = {id(child.part) for child in started}
        for part in self.parts:
            for place in range(part.count):
                if id(part) in running:
                    row += 1
                    continue
                now = time.monotonic()
                started.append(start_child(part, place, row, self.meters.descriptor, now, fork=fork))
                row += 1

    def _restart_child(self, child: Child, now: float) -> None:
        try:
            successor = start_child(child.part, child.place, child.row, self.meters.descriptor, now, child.early_deaths)
        except ProcessEnded as refused:
            # For example, no memory, or an upgrade of the program is running. This process is started later.
            self._due.append((now + MOST_PAUSE_SECONDS, child))
            log_event("process_refused", f"{refused.code}: {refused.message}", ERROR, code=refused.code)
        else:
            self.children.append(successor)

    def _refuse_early_end(self, started: Sequence[Child]) -> None:
        for child in started:
            if child.has_ended:
                code = child.process.returncode
                raise ProcessEnded(f"the {child.part.name} process ended with {code}; its reason is printed above")
        if time.monotonic() - self._started_at > READY_SECONDS:
            raise ProcessEnded(f"not ready within {READY_SECONDS:.0f} seconds of starting")

    def _note_death(self, child: Child, now: float) -> None:
        name = child.part.name
        code = child.process.returncode
        child.close()
        child.early_deaths = 0 if now - child.started_at >= LIVED_SECONDS else child.early_deaths + 1
        pause = min(2.0 ** (child.early_deaths - 2), MOST_PAUSE_SECONDS) if child.early_deaths > 1 else 0.0
        self.restarts[name] = self.restarts.get(name, 0) + 1
        self._due.append((now + pause, child))
        sentence = f"{name} process {child.place + 1} ended with {code}; started again in {pause:.0f} s"
        log_event("process_died", sentence, ERROR, part=name, place=child.place + 1, code=code)

    def _end_leaving(self, child: Child, now: float) -> None:
        assert child.terminate_at is not None
        assert child.kill_at is not None
        if child.has_ended:
            self.leaving.remove(child)
            child.close()
        elif now >= child.kill_at:
            sentence = f"{child.part.name} process did not finish in time; it is killed"
            log_event("process_killed", sentence, WARNING, part=child.part.name)
            child.process.kill()
        elif now >= child.terminate_at:
            child.process.terminate()


class StopSignals:
    """SIGTERM and SIGINT set an event instead of ending the program; SIGHUP requests new processes.

    On a terminal SIGHUP means that the terminal was closed, and stops like the others.
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
