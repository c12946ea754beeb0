# SPDX-License-Identifier: Apache-2.0
"""The rehearsal: days of a city with its phones and its key server, and what came of them beside the truth."""

import random
import resource
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from bluezone.handset.client import Client
from bluezone.handset.retention import RETAINED_DAYS
from bluezone.planning.assumptions import read_warning_curve
from bluezone.protocol.intervals import SECONDS_PER_DAY, SECONDS_PER_HOUR, day_at
from bluezone.protocol.upload import infectious_level
from bluezone.refusal import Refused
from bluezone.twin.agreement import BOUND, Agreement, Cell, compare
from bluezone.twin.cityserver import CityServer
from bluezone.twin.meetings import (
    FIRST_HOUR,
    METRES,
    MINUTES,
    NEAR_ROWS,
    NO_MEETINGS,
    START,
    Case,
    City,
    Meeting,
    Meetings,
)
from bluezone.twin.phones import Crowd, Keys, as_told, report
from bluezone.twin.town import ZONE, Town, open_follower
from bluezone.twin.travel import Region, Travel
from bluezone.twin.wholephones import Clock, Hour, WholePhones

CHECK_HOURS: Final = (1, 5, 9, 13, 17, 21)
REPORT_HOUR: Final = 20.5
FAILURES: Final = ("server", "restore", "clock", "night")
FEWEST_PHONES, MOST_PHONES, MOST_DAYS = 60, 100_000, 28
# From noon of the middle day on a server is away, and clocks are wrong, for a day.
_FAILURE_HOUR, _FAILURE_HOURS = 12, 24
# The backup from which a lost server is restored was made so many hours before.
_BACKUP_HOURS = 18
# A wrong clock is ahead by so much, of one phone in so many.
_WRONG_SECONDS, _WRONG_ONE_IN = 3 * SECONDS_PER_DAY, 3
_OFF_HOUR, _ON_HOUR = 22, 6
# The second city is another one.
_OTHER_SEED = 1_000_003


class TwinInvalid(Refused):
    """What was asked for cannot be rehearsed: too few or too many phones or days."""

    code = "twin_invalid"


@dataclass(frozen=True)
class Asked:
    """What to rehearse. whole: how many phones share nothing with others; failures: of FAILURES.

    phones: of all cities together. cities: 1, or 2 whose people travel to each other. everybody: whether every phone
    follows the other city, or those alone that travel there.
    Raises TwinInvalid.
    """

    phones: int = 2000
    days: int = 14
    seed: int = 1
    whole: int = 20
    failures: tuple[str, ...] = ()
    cities: int = 1
    everybody: bool = False

    def __post_init__(self) -> None:
        if not FEWEST_PHONES <= self.phones <= MOST_PHONES or not 3 <= self.days <= MOST_DAYS:
            raise TwinInvalid(
                f"{self.phones} phones and {self.days} days, expected {FEWEST_PHONES} to {MOST_PHONES} phones and "
                f"3 to {MOST_DAYS} days"
            )
        if self.whole < 1 or self.whole > self.phones // 3 or set(self.failures) - set(FAILURES):
            raise TwinInvalid(f"{self.whole} whole phones, failures {self.failures}: expected a third at most")
        if {"clock", "night"} <= set(self.failures):
            # A phone that starts with a wrong clock believes it until the next file, which the crowd does not.
            raise TwinInvalid("clock and night cannot be rehearsed at once, expected one of them")
        if self.cities not in (1, 2) or (self.cities == 2 and self.failures) or (self.cities == 1 and self.everybody):
            raise TwinInvalid(
                f"{self.cities} cities, failures {self.failures}: expected one city, which has no neighbour to follow, "
                "or two without failures"
            )


@dataclass
class Outcome:
    """What came of a rehearsal. Every count is of phones unless said.

    phones, cases, reports: how many there were, should have reported, and were acknowledged; missing: reports that were
    acknowledged and of which no key is in any file.
    missing_keys: keys of acknowledged reports that are in no file; waited: reports that found no server and came later;
    told_away: phones of the crowd, and whole ones, that said "high" first while the server was away (must be none).
    should, should_told: phones near a case on a day that it reported, and those of them that say "high"; told: all that
    do. cells: by distance (rows) and length, of METRES and MINUTES; near, far: those within two metres, and farther.
    whole, whole_equal: phones that share nothing, and those of them that say exactly what their twins in the crowd do,
    and say "high" first in the same hour.
    delays: hours from the upload to the first "high", of each told phone. file_bytes: that one phone fetched.
    store_bytes: the largest store of a whole phone. failed_checks: of whole phones.
    server_seconds, seconds: processor time of the server, and of all together.
    unmet: phones that say "high" though nobody whom they met reported (must be none).

    Of two cities, files and file_bytes are of both: a phone that does not follow the other fetches home_bytes of them.
    travellers, following: phones that went to the other city, and that follow it in the end; whole_following: whole
    ones that fetched files of it. abroad, abroad_told: phones that follow it, and were near a case of it and none of
    their own city, and those of them that say "high". not_following: phones near such a case that do not follow it.
    """

    asked: Asked
    phones: int = 0
    meetings: int = 0
    cases: int = 0
    reports: int = 0
    missing: int = 0
    missing_keys: int = 0
    waited: int = 0
    told_away: int = 0
    should: int = 0
    should_told: int = 0
    told: int = 0
    cells: list[list[Cell]] = field(default_factory=lambda: [[Cell() for _ in MINUTES] for _ in METRES])
    near: Agreement | None = None
    far: Agreement | None = None
    whole: int = 0
    whole_equal: int = 0
    delays: list[float] = field(default_factory=list)
    files: int = 0
    file_bytes: int = 0
    store_bytes: int = 0
    failed_checks: int = 0
    server_seconds: float = 0.0
    seconds: float = 0.0
    unmet: int = 0
    home_bytes: int = 0
    travellers: int = 0
    following: int = 0
    whole_following: int = 0
    abroad: int = 0
    abroad_told: int = 0
    not_following: int = 0

    def as_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)


def missing_of(uploaded: set[bytes], published: set[bytes]) -> tuple[bool, int]:
    """Whether no key of an acknowledged report is in any file, and how many of its keys are in none.

    A case whose infectious days were over before its phone ran reports without any key, and lacks none.
    """
    return bool(uploaded) and not uploaded & published, len(uploaded - published)


class Rehearsal:
    """One rehearsal. progress: called with each day's number as it begins."""

    def __init__(self, asked: Asked, folder: Path, progress: Callable[[int], None] = lambda day: None) -> None:
        self._asked, self._folder, self._progress = asked, folder, progress
        share, seed = asked.phones // asked.cities, asked.seed
        cities = [City(share, asked.days, seed + place * _OTHER_SEED) for place in range(asked.cities)]
        self._region = Region(cities, Travel(), seed)
        self._phones_of = self._region.phones
        everybody = [person for phones in self._phones_of for person in phones]
        self._outcome = Outcome(asked, phones=len(everybody), travellers=len(self._region.journeys))
        self._keys, self._clock = Keys(seed), Clock(float(START))
        self._cases: dict[int, list[Case]] = defaultdict(list)
        for case in self._region.cases():
            self._cases[case.day].append(case)
        self._reporting = {case.person for cases in self._cases.values() for case in cases}
        drawn = random.Random(seed)  # noqa: S311 - repeatable
        # Of two cities a third of them travels, so that both ways are compared.
        away = drawn.sample(sorted(self._region.journeys), min(asked.whole // 3, len(self._region.journeys)))
        rest = [person for person in everybody if person not in away] if away else everybody
        self._whole = sorted([*away, *drawn.sample(rest, asked.whole - len(away))])
        self._wrong = self._phones_with_wrong_clocks()
        self._reported: dict[int, tuple[Case, float]] = {}
        self._near: dict[int, list[tuple[int, Meeting]]] = defaultdict(list)
        self._server_runs = True
        # Of servers that were killed.
        self._server_seconds = 0.0
        self._due: list[Case] = []
        self._towns: list[Town] = []

    def run(self) -> Outcome:
        """Pass all days, and one more in which the last files come. Raises ServerGone and what a server refuses."""
        try:
            for place in range(self._asked.cities):
                self._open_town(place)
            self._name_neighbours()
            homes = {person: (self._home(person).server.address, self._home(person).server.trust)
                     for person in self._whole}  # fmt: skip
            self._phones = WholePhones(homes, self._folder, self._asked.seed)
            try:
                self._pass_days()
                self._compare()
            finally:
                self._phones.stop()
        finally:
            for town in self._towns:
                town.follower.close()
                town.server.stop()
        return self._outcome

    def _open_town(self, place: int) -> None:
        name, persons, seed = f"-{place + 1}" if place else "", self._phones_of[place], self._asked.seed
        server = CityServer(self._folder / f"server{name}", self._clock.now)
        follower = open_follower(self._folder / f"follower{name}", server, self._clock, seed)
        crowd = Crowd(persons, self._reporting, self._keys, seed)
        self._towns.append(Town(crowd, server, follower, frozenset(persons)))

    def _name_neighbours(self) -> None:
        """Each of two cities names the other in its signed config."""
        for town in self._towns if len(self._towns) > 1 else ():
            other = self._neighbour(town)
            named = {"name_vi": "Kia", "name_en": "Other", "address": other.server.address, "key": other.server.trust}
            town.server.ask("name_neighbours", neighbours=[{**named, "everybody": int(self._asked.everybody)}])
            if self._asked.everybody:
                town.joining |= town.persons

    def _home(self, person: int) -> Town:
        return self._towns[self._region.home(person)]

    def _neighbour(self, town: Town) -> Town:
        return self._towns[1 - self._towns.index(town)]

    def _phones_with_wrong_clocks(self) -> frozenset[int]:
        if "clock" not in self._asked.failures:
            return frozenset()
        drawn = random.Random(f"{self._asked.seed} clocks")  # noqa: S311 - repeatable
        chosen = frozenset(drawn.sample(self._phones_of[0], len(self._phones_of[0]) // _WRONG_ONE_IN))
        # Some whole phones are among them in every run.
        return chosen | set(self._whole[::_WRONG_ONE_IN])

    def _pass_days(self) -> None:
        for day in range(self._asked.days + 2):
            self._progress(day)
            living = day < self._asked.days
            for hour in range(24):
                if hour == FIRST_HOUR:
                    self._begin_day(day, living)
                self._pass_hour(day, hour, self._cases[day] if living else [])

    def _begin_day(self, day: int, living: bool) -> None:
        """A UTC day begins, with new keys, and nobody has met anybody in it yet."""
        self._clock.now = float(START + day * SECONDS_PER_DAY + FIRST_HOUR * SECONDS_PER_HOUR)
        meetings = self._region.meetings(day) if living else NO_MEETINGS
        unix_day = day_at(self._clock.now)
        self._outcome.meetings += len(meetings)
        made = self._phones.begin_day(self._clock.now, {person: meetings.of(person) for person in self._whole})
        self._keys.given |= {(person, unix_day): key for person, key in made.items()}
        for town in self._towns:
            town.crowd.live(unix_day, meetings)
            town.crowd.forget(unix_day - RETAINED_DAYS)
        self._keys.forget(unix_day - 1)
        self._remember(meetings)

    def _remember(self, meetings: Meetings) -> None:
        """Who met those who will report: the truth to compare with."""
        for meeting in meetings.of_all(self._reporting):
            for one, other in ((meeting.one, meeting.other), (meeting.other, meeting.one)):
                if one in self._reporting:
                    self._near[one].append((other, meeting))

    def _pass_hour(self, day: int, hour: int, cases: list[Case]) -> None:
        now = float(START + day * SECONDS_PER_DAY + hour * SECONDS_PER_HOUR)
        since = (day - self._asked.days // 2) * 24 + hour - _FAILURE_HOUR
        self._clock.now = now
        self._fail(since, now)
        if self._server_runs:
            for town in self._towns:
                town.server.ask("clock", now=now)
                town.server.ask("tick")
        at_night = "night" in self._asked.failures
        check = hour in CHECK_HOURS and not (at_night and hour < _ON_HOUR)
        error = {0: float(_WRONG_SECONDS), _FAILURE_HOURS: 0.0}.get(since)
        moved = {} if error is None else {person: error for person in self._whole if person in self._wrong}
        on = {_OFF_HOUR: False, _ON_HOUR: True}.get(hour) if at_night else None
        leaving = self._region.leaving(day) if hour == FIRST_HOUR and not self._asked.everybody else []
        for person in leaving:
            self._home(person).joining.add(person)
        # Both halves of the phones work at once, on a core each.
        self._phones.begin_hour(Hour(now, check, moved, on, leaving))
        if check and self._server_runs:
            self._check(now)
        told = self._phones.end_hour()
        self._outcome.told_away += 0 if self._server_runs else told
        if hour != int(REPORT_HOUR):
            return
        self._due += cases
        if not self._server_runs:
            # Who finds no server tries again the next evening.
            self._outcome.waited += len(cases)
            return
        due, self._due = self._due, []
        for town in self._towns:
            town.server.ask("clock", now=now + 1800)
        self._clock.now = now + 1800
        for case in due:
            self._report(case, now + 1800)

    def _fail(self, since: int, now: float) -> None:
        """Let fail what is to fail. since: hours from the moment at which failures begin."""
        failures, backup = self._asked.failures, self._folder / "backup"
        town = self._towns[0]
        if since == -_BACKUP_HOURS and "restore" in failures:
            town.server.back_up(backup)
        if since == 0 and {"server", "restore"} & set(failures):
            town.server.stop()
            self._server_seconds += town.server.processor_seconds
            self._server_runs = False
        if since == _FAILURE_HOURS and not self._server_runs:
            lost = town.server.folder
            again = (self._folder / "restored", (backup, lost)) if "restore" in failures else (lost, None)
            town.server = CityServer(again[0], now, town.server.port, again[1])
            self._server_runs = True
        if since in (0, _FAILURE_HOURS) and self._wrong:
            town.crowd.note_moved(now, self._wrong)

    def _check(self, now: float) -> None:
        brought = [town.fetch() for town in self._towns]
        for place, town in enumerate(self._towns):
            town.take_in(brought[place], brought[:place] + brought[place + 1 :], now)

    def _report(self, case: Case, now: float) -> None:
        self._outcome.cases += 1
        today: date = datetime.fromtimestamp(now, UTC).astimezone(ZONE).date()
        late = int((now - START) // SECONDS_PER_DAY) - case.onset
        onset = today - timedelta(days=min(max(late, 0), 14))
        town = self._home(case.person)
        code = town.server.ask("issue", onset=onset.isoformat())["code"]
        if case.person in self._whole:
            taken = self._phones.report(case.person, code, now)
            if not taken:
                town.server.ask("clock", now=now + SECONDS_PER_HOUR)
                taken = self._phones.end_report(case.person, now + SECONDS_PER_HOUR)
                town.server.ask("clock", now=now)
            town.crowd.uploaded[case.person] |= self._phones.uploaded(case.person)
        else:
            config = town.follower.city.current
            assert config is not None
            client = Client(town.server.address)
            taken = report(case.person, code, self._keys, town.crowd, client, config, now)
        self._outcome.reports += taken
        if taken:
            self._reported[case.person] = case, now

    def _compare(self) -> None:
        outcome = self._outcome
        results, seconds = self._phones.results()
        for person, one in results.items():
            outcome.whole += 1
            town = self._home(person)
            equal = as_told(one.windows) == as_told(town.crowd.windows(person))
            equal = equal and bool(one.neighbours) == (person in town.following)
            outcome.whole_equal += equal and one.first_told == town.first_told.get(person)
            outcome.whole_following += bool(one.neighbours)
            outcome.failed_checks += one.failed_checks
            outcome.store_bytes = max(outcome.store_bytes, one.store_bytes)
        usage = resource.getrusage(resource.RUSAGE_SELF)
        server = self._server_seconds + sum(town.server.processor_seconds for town in self._towns)
        outcome.server_seconds = round(server, 1)
        outcome.seconds = round(usage.ru_utime + usage.ru_stime + seconds + server, 1)
        for person in self._reported:
            town = self._home(person)
            missing, keys = missing_of(town.crowd.uploaded[person], town.published)
            outcome.missing += missing
            outcome.missing_keys += keys
        outcome.told = sum(len(town.first_told) for town in self._towns)
        outcome.following = sum(len(town.following) for town in self._towns)
        outcome.files = sum(town.files for town in self._towns)
        outcome.file_bytes = sum(town.file_bytes for town in self._towns)
        outcome.home_bytes = max(town.file_bytes for town in self._towns)
        self._compare_cells()

    def _compare_cells(self) -> None:
        curve = read_warning_curve()
        met: dict[int, list[tuple[int, Meeting]]] = defaultdict(list)
        reached: set[int] = set()
        for person, (case, at) in self._reported.items():
            onset = day_at(START + 7 * SECONDS_PER_HOUR) + min(case.onset, int((at - START) // SECONDS_PER_DAY))
            for other, meeting in self._near[person]:
                if meeting.begins < at and infectious_level(day_at(meeting.begins), onset) is not None:
                    met[other].append((person, meeting))
        for other, all_meetings in met.items():
            town = self._home(other)
            at_home = [one for one in all_meetings if one[0] in town.persons]
            meetings = all_meetings if other in town.following else at_home
            told, near = other in town.first_told, any(meeting.near() for _, meeting in meetings)
            self._outcome.not_following += not near and any(meeting.near() for _, meeting in all_meetings)
            self._outcome.should += near
            self._outcome.should_told += told and near
            if near and not any(meeting.near() for _, meeting in at_home):
                self._outcome.abroad += 1
                self._outcome.abroad_told += told
            if told and meetings:
                sent = min(self._reported[person][1] for person, _ in meetings)
                self._outcome.delays.append(round((town.first_told[other] - sent) / SECONDS_PER_HOUR, 2))
            if len(meetings) == 1:
                place = meetings[0][1].cell
                cell = self._outcome.cells[place // len(MINUTES)][place % len(MINUTES)]
                cell.met += 1
                cell.told += told
                cell.expected += float(curve.high[BOUND][place // len(MINUTES), place % len(MINUTES)])
            reached.update([other] if meetings else [])
        self._outcome.near = compare(self._outcome.cells[:NEAR_ROWS], curve)
        self._outcome.far = compare(self._outcome.cells[NEAR_ROWS:], curve, NEAR_ROWS)
        self._outcome.unmet = sum(len(town.first_told.keys() - reached) for town in self._towns)
