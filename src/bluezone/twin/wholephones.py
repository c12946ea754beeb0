# SPDX-License-Identifier: Apache-2.0
"""The phones of the twin that share nothing, in a process of their own: they use another core than the crowd."""

import multiprocessing
import random
import resource
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from bluezone.handset.phone import Handset
from bluezone.protocol.intervals import day_at
from bluezone.protocol.risk.assessment import ExposureWindow
from bluezone.radio.interface import Burst, Sighting
from bluezone.refusal import Refused
from bluezone.twin.air import DUTY, Packet
from bluezone.twin.meetings import START, Meeting
from bluezone.twin.phones import MODEL, Keys, packets_of


class Clock:
    """The time of the twin, Unix seconds."""

    def __init__(self, now: float) -> None:
        self.now = now


class PhoneClock:
    """The clocks of one phone. wall_error: seconds by which the clock on its wall is ahead of the twin's time."""

    def __init__(self, time: Clock) -> None:
        self._time = time
        self.wall_error = 0.0
        self._starts = 0
        self.start()

    def start(self) -> None:
        """The phone is switched on: the boot clock begins anew."""
        self._starts += 1
        self.started = self._time.now

    def boot_seconds(self) -> float:
        """Seconds since start-up."""
        return self._time.now - self.started

    def wall_seconds(self) -> float:
        """Unix seconds, right or wrong."""
        return self._time.now + self.wall_error

    def boot_id(self) -> str:
        """Which start it was."""
        return f"twin {self._starts}"


class Whole:
    """A phone that shares nothing: its own folder, downloads, matching and reports.

    first_told: when it said "high" for the first time, Unix seconds. failed_checks: how often it found no server.
    """

    def __init__(self, person: int, folder: Path, address: str, trust: str, time: Clock, seed: int) -> None:
        self.person, self._time, self._seed = person, time, seed
        self.clock = PhoneClock(time)
        self._rng = random.Random(f"{seed} {person}")  # noqa: S311 - repeatable
        self._folder, self._address = folder, address
        self.handset = Handset.open(folder, address, self.clock, self._rng, MODEL, trust=trust)
        self.is_on = True
        self.first_told: float | None = None
        self.failed_checks = 0
        self._waiting: list[Packet] = []
        self._offered: set[bytes] = set()

    def switch_off(self) -> None:
        """Nothing is heard, sent or fetched from now on."""
        if self.is_on:
            self.handset.close()
            self.is_on = False

    def switch_on(self) -> None:
        """Start up again."""
        if not self.is_on:
            self.clock.start()
            self.handset = Handset.open(self._folder, self._address, self.clock, self._rng, MODEL)
            self.is_on = True

    def begin_day(self, meetings: Iterable[Meeting]) -> None:
        """Draw what there will be to hear today."""
        self._waiting = packets_of(self.person, meetings, self._seed)[::-1]

    def hear(self, keys: Keys, until: float) -> None:
        """Hear what comes before a moment."""
        if not self.is_on:
            return
        encounters, burst, started = self.handset.encounters, None, self.clock.started
        while self._waiting and self._waiting[-1].at < until:
            packet = self._waiting.pop()
            self._time.now = packet.at
            if packet.burst != burst:
                burst = packet.burst
                encounters.burst_started(Burst(burst, packet.began - started, DUTY.period_seconds))
            identifier, metadata = keys.frame(packet.sender, packet.at)
            encounters.heard(Sighting(identifier, metadata, packet.rssi_dbm, burst, packet.at - started))
        encounters.flush()

    def check(self) -> None:
        """Look for new files; without a server it goes on as it is."""
        if not self.is_on:
            return
        now = self._time.now
        try:
            assessment = self.handset.check()
        except Refused:
            self.failed_checks += 1
            return
        if assessment.level == "high" and self.first_told is None:
            self.first_told = now

    def follow_neighbours(self) -> None:
        """The owner goes to the other cities."""
        for known in self.handset.neighbours.all():
            self.handset.neighbours.follow(known.neighbour.id)

    def report(self, code: str) -> bool:
        """Make the first calls of a report. Whether that was all; else `go_on` of the report makes the last one."""
        self._offered = self._reportable()
        self.handset.report.prepare_and_submit(code, consent=True)
        return self.handset.report.pending is None

    def uploaded(self) -> set[bytes]:
        """The keys that it has uploaded: what it could report before, and cannot any more."""
        return self._offered - self._reportable()

    def _reportable(self) -> set[bytes]:
        return {key.key for key in self.handset.encounters.keys.reportable_keys(day_at(self._time.now)).values()}

    def result(self) -> "WholeResult":
        """What came of it."""
        self.switch_on()
        store = self.handset.store.folder
        size = sum(path.stat().st_size for path in store.iterdir() if path.is_file())
        followed = sum(known.checked_at is not None for known in self.handset.neighbours.all())
        return WholeResult(self.handset.risk.exposures.all(), self.first_told, self.failed_checks, size, followed)


@dataclass(frozen=True)
class WholeResult:
    """What came of a whole phone: its windows, when it said "high" first, checks without a server, bytes it keeps.

    neighbours: how many it fetched files of.
    """

    windows: list[ExposureWindow]
    first_told: float | None
    failed_checks: int
    store_bytes: int
    neighbours: int


@dataclass(frozen=True)
class Hour:
    """What whole phones do at a full hour. now: Unix seconds; check: whether they look for files.

    wall_error: seconds by person, of those whose clock is set. on: None where phones stay as they are.
    leaving: who goes to the other city for the first time, and follows it from now on.
    """

    now: float
    check: bool
    wall_error: Mapping[int, float] = field(default_factory=dict)
    on: bool | None = None
    leaving: Sequence[int] = ()


Homes = dict[int, tuple[str, str]]
"""By person, address and key of the server of their city."""


class WholePhones:
    """Whole phones in a process. It ends with `stop`; a refusal within ends it with its traceback."""

    def __init__(self, homes: Homes, folder: Path, seed: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._end, end = context.Pipe()
        self._process = context.Process(target=_serve, args=(end, homes, folder, seed), daemon=True)
        self._process.start()
        end.close()

    def begin_day(self, now: float, meetings: Mapping[int, list[Meeting]]) -> dict[int, bytes]:
        """A UTC day begins. meetings: of each of them. Returns the key of each."""
        keys: dict[int, bytes] = self._ask("begin_day", now, meetings)
        return keys

    def begin_hour(self, hour: Hour) -> None:
        """Let an hour pass up to a moment; `end_hour` waits for it."""
        self._end.send(("pass_hour", (hour,)))

    def end_hour(self) -> int:
        """Wait for the hour that was begun. Returns how many said "high" for the first time."""
        told: int = self._end.recv()
        return told

    def report(self, person: int, code: str, now: float) -> bool:
        """Begin a report. Whether it is done."""
        return bool(self._ask("report", person, code, now))

    def end_report(self, person: int, later: float) -> bool:
        """End it later, Unix seconds. Whether the server took it."""
        return bool(self._ask("end_report", person, later))

    def uploaded(self, person: int) -> set[bytes]:
        """The keys that a phone has uploaded."""
        keys: set[bytes] = self._ask("uploaded", person)
        return keys

    def results(self) -> tuple[dict[int, WholeResult], float]:
        """What came of each, and the processor time of the process."""
        results: tuple[dict[int, WholeResult], float] = self._ask("results")
        return results

    def stop(self) -> None:
        """End the process."""
        self._end.close()
        self._process.join()

    def _ask(self, what: str, *values: Any) -> Any:
        self._end.send((what, values))
        return self._end.recv()


class _Group:
    """The phones within the process."""

    def __init__(self, homes: Homes, folder: Path, seed: int) -> None:
        self._time, self._keys = Clock(float(START)), Keys(seed)
        self._phones = {
            person: Whole(person, folder / f"phone-{number}", address, trust, self._time, seed)
            for number, (person, (address, trust)) in enumerate(homes.items())
        }

    def begin_day(self, now: float, meetings: Mapping[int, list[Meeting]]) -> dict[int, bytes]:
        self._time.now, day = now, day_at(now)
        self._keys.forget(day - 1)
        made = {}
        for person, phone in self._phones.items():
            made[person] = self._keys.given[person, day] = phone.handset.encounters.keys.key_of_day(day).key
            phone.begin_day(meetings[person])
        return made

    def pass_hour(self, hour: Hour) -> int:
        told = 0
        for person, phone in self._phones.items():
            phone.hear(self._keys, hour.now)
            self._time.now = hour.now
            phone.clock.wall_error = hour.wall_error.get(person, phone.clock.wall_error)
            if person in hour.leaving:
                phone.follow_neighbours()
            if hour.on is not None:
                phone.switch_on() if hour.on else phone.switch_off()
            if hour.check:
                before = phone.first_told
                phone.check()
                told += phone.first_told != before
        self._time.now = hour.now
        return told

    def report(self, person: int, code: str, now: float) -> bool:
        self._time.now = now
        return self._phones[person].report(code)

    def end_report(self, person: int, later: float) -> bool:
        now, self._time.now = self._time.now, later
        state = self._phones[person].handset.report.advance().state
        self._time.now = now
        return state == "sent"

    def uploaded(self, person: int) -> set[bytes]:
        return self._phones[person].uploaded()

    def results(self) -> tuple[dict[int, WholeResult], float]:
        results = {person: phone.result() for person, phone in self._phones.items()}
        used = resource.getrusage(resource.RUSAGE_SELF)
        return results, used.ru_utime + used.ru_stime

    def close(self) -> None:
        for phone in self._phones.values():
            phone.switch_off()


def _serve(end: Connection, homes: Homes, folder: Path, seed: int) -> None:
    group = _Group(homes, folder, seed)
    try:
        while True:
            what, values = end.recv()
            end.send(getattr(group, what)(*values))
    except (EOFError, BrokenPipeError):
        group.close()
