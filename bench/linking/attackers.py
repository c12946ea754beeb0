# SPDX-License-Identifier: Apache-2.0
"""Whoever wants to know which keys are one person's and whose code brought them: four strengths, one inference.

Every attacker knows how people behave on average (delays, onsets, opening hours), because anybody can find that out,
and reckons with it as well as can be: a likelihood for each explanation, and no claim below nine in ten.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from bench.linking.city import Copy, HeldCode, Lived, Manners, levels_of
from bench.linking.onecopy import EVIDENCE, LONGEST, Balance, Behaviour, Cell, Sought

from bluezone.protocol.intervals import SECONDS_PER_DAY, SECONDS_PER_HOUR

STRENGTHS = ("public files", "one copy", "hourly copies", "live operator")
CHANCE = "chance"
CERTAIN = 0.9
FEWEST_KEYS = 3
MOST_PERSONS = 4
EMBARGO = 2 * SECONDS_PER_HOUR

Pattern = frozenset[Cell]
Weighed = tuple[Pattern, float]  # what one person may bring, and its prior


@dataclass
class Bucket:
    """Keys that came within one period under one class. cells: the keys of each day and level.

    today: the UTC day in that period. before_day: keys of earlier days came in it; of this day and later ones some had
    waited for their embargo.
    """

    first: float
    last: float
    klass: int
    cells: dict[Cell, list[bytes]] = field(default_factory=lambda: defaultdict(list))

    @property
    def today(self) -> int:
        return int((self.first + self.last) / 2 // SECONDS_PER_DAY)

    @property
    def before_day(self) -> int:
        # The file of 02:00 UTC brings the keys of yesterday that had waited, whoever they are from.
        return self.today - (self.last % SECONDS_PER_DAY == EMBARGO)


@dataclass(frozen=True)
class Group:
    """Keys that an attacker says are one person's. alone: nobody else reported in that period under that class."""

    bucket: Bucket
    keys: frozenset[bytes]
    alone: bool


def group(lived: Lived, strength: str) -> list[Group]:
    """The groups of three keys or more that an attacker is sure of."""
    found = []
    for bucket in buckets(lived, strength):
        found += explain(bucket, lived.manners)
    return found


def buckets(lived: Lived, strength: str) -> list[Bucket]:
    """Published keys that may be real, by the narrowest period of their arrival that the attacker sees.

    Public files: all keys of a file. One copy: those that the store of keys knows. Hourly copies: in the hour in which
    they first waited; the live operator has these too.
    """
    strength = STRENGTHS[2] if strength == STRENGTHS[3] else strength
    if strength not in lived.worked_out:
        lived.worked_out[strength] = _buckets(lived, strength)
    found: list[Bucket] = lived.worked_out[strength]
    return found


def _buckets(lived: Lived, strength: str) -> list[Bucket]:
    arrived: dict[bytes, tuple[float, float]] = {}
    if strength in STRENGTHS[2:]:
        before: Copy | None = None
        for copy in lived.copies:
            for key in copy.waiting - (before.waiting if before else frozenset()):
                arrived.setdefault(key, (before.at if before else copy.at - SECONDS_PER_HOUR, copy.at))
            before = copy
    found: dict[tuple[float, float, int], Bucket] = {}
    moments = [copy.at for copy in lived.copies] if arrived else []
    for file in lived.files:
        start = max([float(file.start), *(moment for moment in moments if moment < file.end)])
        for key, day, level, klass in zip(
            file.keys, file.days.tolist(), file.levels.tolist(), file.classes.tolist(), strict=True
        ):
            if strength != STRENGTHS[0] and key[:8] not in lived.known:
                continue
            # What came and went between two copies is in the file of that time.
            first, last = arrived.get(key, (start, float(file.end)))
            bucket = found.setdefault((first, last, klass), Bucket(first, last, klass))
            bucket.cells[day, level].append(key)
    return list(found.values())


@cache
def _patterns(today: int, before_day: int, onset_days: tuple[int, ...]) -> tuple[Weighed, ...]:
    """What one person may bring on a UTC day, in days before `before_day`."""
    weights: dict[int, float] = defaultdict(float)
    # From the code's day, which may be the day before, and the onset some days before it.
    for late, share in ((0, 0.8), (1, 0.2)):
        for days in onset_days:
            weights[today - late - days] += share / len(onset_days)
    found = []
    for onset, weight in sorted(weights.items()):
        cells = frozenset(cell for cell in levels_of(onset, today) if cell[0] < before_day)
        if cells:
            found.append((cells, weight))
    return tuple(found)


def explain(bucket: Bucket, manners: Manners) -> list[Group]:
    """Who brought the keys of a bucket, where it is clear enough; keys of the running day are left aside.

    Explanations are sets of persons with an onset each. Where random keys are among the real ones every explanation
    must say which key of a cell is the real one, and is right one time in as many as the cell holds.
    """
    counts = {cell: len(keys) for cell, keys in bucket.cells.items() if cell[0] < bucket.before_day}
    if sum(counts.values()) < FEWEST_KEYS:
        return []
    explained = _explanations(counts, _patterns(bucket.today, bucket.before_day, manners.onset_days))
    if explained is None:
        return []
    persons, certainty = explained
    groups = []
    for number, cells in enumerate(persons):
        others = set().union(*(other for place, other in enumerate(persons) if place != number))
        keys = [
            bucket.cells[cell][0] for cell in cells - others if counts.get(cell) and certainty / counts[cell] >= CERTAIN
        ]
        if len(keys) >= FEWEST_KEYS:
            groups.append(Group(bucket, frozenset(keys), alone=len(persons) == 1))
    return groups


def _explanations(counts: dict[Cell, int], patterns: Sequence[Weighed]) -> tuple[list[Pattern], float] | None:
    """The likeliest persons behind the counts of cells and the certainty of it; None where there is none to speak of.

    Cells hold random keys too where they hold more than persons can have brought.
    """
    days: dict[int, int] = defaultdict(int)
    for (day, _), count in counts.items():
        days[day] += count
    fewest = max(days.values())
    if fewest <= MOST_PERSONS:
        # No random key among them: the persons make up exactly what is there.
        fitting: list[tuple[float, tuple[Weighed, ...]]] = []
        for persons in itertools.combinations_with_replacement(patterns, fewest):
            together: dict[Cell, int] = defaultdict(int)
            for cells, _ in persons:
                for cell in cells:
                    together[cell] += 1
            if together == counts:
                fitting.append((math.prod(weight for _, weight in persons), persons))
        return _likeliest(fitting)
    # Random keys: how likely is each person beside none, given what the cells hold?
    all_days = range(min(days), max(days) + 1)
    every = [(day, level) for day in all_days for level in (1, 2)]
    mean = float(np.mean([counts.get(cell, 0) for cell in every]))
    likely = _random_counts(mean, max(counts.values()))
    fitting = []
    for pattern, weight in patterns:
        odds = weight
        for cell in pattern:
            count = counts.get(cell, 0)
            odds *= likely[count - 1] / likely[count] if count else 0.0
        fitting.append((odds, ((pattern, weight),)))
    # A person a period is more than come where so much is random.
    return _likeliest([*fitting, (1.0, ())])


def _likeliest(
    fitting: list[tuple[float, tuple[Weighed, ...]]],
) -> tuple[list[Pattern], float] | None:
    total = sum(odds for odds, _ in fitting)
    if not total:
        return None
    odds, persons = max(fitting, key=lambda one: one[0])
    return [cells for cells, _ in persons], odds / total


@cache
def _random_counts(mean: float, most: int) -> tuple[float, ...]:
    """Chances of 0 to `most` random keys in a cell (docs/protocol.md section 5): one draw an hour, two a file."""
    failure = mean / (2 + mean)
    chances = [(1 - failure) ** 2]
    for count in range(most + 1):
        chances.append(chances[-1] * failure * (count + 2) / (count + 1))
    return tuple(chances)


# Which code brought them


class Namer:
    """One attacker's judgment of which code brought given keys.

    chance: the office's lists alone, without anything of the key server: day of issue, facility and worker.
    """

    def __init__(self, lived: Lived, strength: str, behaviour: Behaviour, evidence: Collection[str] = EVIDENCE) -> None:
        self._behaviour = behaviour
        self._strength = strength
        self._balance = Balance(lived.copies[-1], behaviour, evidence) if strength == STRENGTHS[1] else None
        self._codes = _best_known(lived, strength)
        hourly = strength in STRENGTHS[2:]
        self._seen_used = _seen_used(lived.copies) if hourly else {}
        self._seen_uploads = _seen_uploads(lived.copies) if hourly else []
        live = strength == STRENGTHS[3]
        reported = [case for case in lived.cases if case.used is not None and (case.uploaded or 0) <= lived.end]
        self._uses = np.sort([case.used for case in reported]) if live else np.array([])
        self._upload_times = np.sort([case.uploaded for case in reported]) if live else np.array([])

    def odds(self, sought: Sought) -> dict[str, float]:
        """How likely each code is to have brought the keys; sums to 1, or is empty where none may have."""
        likely = {}
        for code in self._codes:
            if code.earliest > sought.last or code.latest < sought.first - LONGEST:
                continue
            weight = self._weight(code, sought)
            if weight > 0:
                likely[code.handle] = weight
        total = sum(likely.values())
        return {handle: weight / total for handle, weight in likely.items()}

    def _weight(self, code: HeldCode, sought: Sought) -> float:
        if self._strength != CHANCE:
            if code.used is False or code.klass not in (None, sought.klass):
                return 0.0
            if code.onset_day is not None and not sought.cells <= set(levels_of(code.onset_day, code.onset_day + 9)):
                return 0.0
        if self._balance:
            return self._balance.weight(code, sought)
        weight = self._behaviour.arrives(code, sought.first, sought.last)
        if not self._seen_used or weight == 0:
            return weight
        used = self._seen_used.get(code.handle)
        if used is None:
            return 0.0
        if len(self._uses):
            return self._live_weight(used, sought)
        return self._hourly_weight(used, sought)

    def _hourly_weight(self, used: tuple[float, float], sought: Sought) -> float:
        """From the hours in which codes were seen used and reports of the class were counted."""
        periods = [
            (max(first, sought.first), min(last, sought.last), count)
            for first, last, klass, count in self._seen_uploads
            if klass == sought.klass and first < sought.last and last > sought.first
        ]
        moments = np.linspace(*used, 13)
        return sum(
            count * float(np.mean([self._behaviour.waits(first - moment, last - moment) for moment in moments]))
            for first, last, count in periods
        )

    def _live_weight(self, used: tuple[float, float], sought: Sought) -> float:
        """From the moments of the calls themselves."""
        uses = self._uses[(self._uses > used[0]) & (self._uses <= used[1])]
        uploads = self._upload_times[(self._upload_times > sought.first) & (self._upload_times <= sought.last)]
        seen = [
            (first, last)
            for first, last, klass, _ in self._seen_uploads
            if klass == sought.klass and first < sought.last and last > sought.first
        ]
        total = 0.0
        for upload in uploads:
            if not any(first < upload <= last for first, last in seen):
                continue
            # A wait of a minute from an open page is likelier for its seconds than one of an hour.
            total += sum(self._behaviour.waits(upload - use - 15, upload - use + 15) for use in uses)
        return total / max(len(uses), 1)


def _best_known(lived: Lived, strength: str) -> list[HeldCode]:
    """Each code as the attacker knows it: from the last copy, or from all that was ever seen of it."""
    if strength not in STRENGTHS[2:]:
        return list(lived.copies[-1].office.values())
    best: dict[str, HeldCode] = {}
    before: Copy | None = None
    for copy in lived.copies:
        for handle, code in copy.codes.items():
            was = best.get(handle)
            first = before.at if before else code.earliest
            if was is None:
                was = HeldCode(
                    handle, code.facility, code.klass, code.onset_day,
                    max(code.earliest, first), min(code.latest, copy.at), code.used,
                )  # fmt: skip
            best[handle] = HeldCode(
                handle, code.facility,
                was.klass if code.klass is None else code.klass,
                was.onset_day if code.onset_day is None else code.onset_day,
                max(was.earliest, code.earliest), min(was.latest, code.latest),
                was.used if code.used is None else code.used,
            )  # fmt: skip
        before = copy
    return list(best.values())


def _seen_used(copies: Iterable[Copy]) -> dict[str, tuple[float, float]]:
    """Between which two copies each code was used."""
    seen: dict[str, tuple[float, float]] = {}
    before = 0.0
    for copy in copies:
        for handle, code in copy.codes.items():
            if code.used and handle not in seen:
                seen[handle] = (before, copy.at)
        before = copy.at
    return seen


def _seen_uploads(copies: Iterable[Copy]) -> list[tuple[float, float, int, int]]:
    """Between which two copies reports were counted: from, to, class, how many."""
    seen = []
    before: Copy | None = None
    for copy in copies:
        if before is not None:
            for (day, klass), count in copy.uploads.items():
                more = count - before.uploads.get((day, klass), 0)
                if more > 0:
                    seen.append((before.at, copy.at, klass, more))
        before = copy
    return seen
