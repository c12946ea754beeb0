# SPDX-License-Identifier: Apache-2.0
"""Which code brought keys, for whoever has one copy of all stores: how people behave, what the rows of the codes store
say though they are nobody's, and how many reports were counted.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from bench.linking.city import MONDAY, CodesRow, Copy, HeldCode, Manners, draw_lag, local_day
from numpy.typing import NDArray

from bluezone.keyserver.codes.decoys import AN_HOUR, CLINICAL_BELOW, ONSET_DAYS
from bluezone.keyserver.codes.issued_codes import LINK_LIFE_SECONDS, last_moment
from bluezone.keyserver.retention import last_of_week
from bluezone.protocol.intervals import SECONDS_PER_DAY, SECONDS_PER_HOUR
from bluezone.protocol.upload import CLINICAL_CLASS, CONFIRMED_CLASS

# What one copy says: how many rows of codes are open, how many used, how many reports came on which day.
EVIDENCE = ("open rows", "used rows", "counts")
LONGEST = 26 * SECONDS_PER_HOUR
LINK_HOURS = LINK_LIFE_SECONDS // SECONDS_PER_HOUR
# Of the negative binomial distribution of an hour's decoys.
_FAILURE = AN_HOUR / (2 + AN_HOUR)
_FITTINGS = 60

Cell = tuple[int, int]  # UTC day and level


@dataclass(frozen=True)
class Sought:
    """Keys whose code an attacker wants: when they came at most, class, and what their days and levels say."""

    first: float
    last: float
    klass: int
    cells: frozenset[Cell]


class Behaviour:
    """How long after a code was issued its keys come, learned from cases of no city: by facility, day and moment."""

    def __init__(self, manners: Manners, draws: int = 4000, seed: int = 1) -> None:
        self.manners = manners
        rng = np.random.default_rng(seed)
        lags, moments = [], []
        for facility in manners.facilities:
            at = MONDAY + 3600 * rng.uniform(facility.first_hour, facility.last_hour, draws)
            pairs = np.array([draw_lag(rng, manners, float(moment)) for moment in at])
            moments.append(at - MONDAY)
            lags.append(pairs[:, 1] - MONDAY)
        self._moments, self._uploads = moments, lags
        # From any moment, by the half hour of the local day.
        self._by_moment = []
        for half_hour in range(48):
            base = MONDAY + half_hour * 1800 + 900
            drawn = np.array([draw_lag(rng, manners, float(base))[1] - base for _ in range(draws // 2)])
            self._by_moment.append(np.sort(drawn))
        waits = np.array([draw_lag(rng, manners, float(MONDAY + 36000)) for _ in range(draws)])
        self._waits = np.sort(waits[:, 1] - waits[:, 0])

    def arrives(self, code: HeldCode, first: float, last: float) -> float:
        """Chance that the keys of a code that is used come between `first` and `last`."""
        if code.latest - code.earliest <= 2 * SECONDS_PER_HOUR:
            issued = (code.earliest + code.latest) / 2
            half_hour = int((issued - MONDAY) % SECONDS_PER_DAY // 1800)
            return _share(self._by_moment[half_hour], first - issued, last - issued)
        midnight = code.earliest - (code.earliest - MONDAY) % SECONDS_PER_DAY
        moments, uploads = self._moments[code.facility] + midnight, self._uploads[code.facility] + midnight
        possible = (moments >= code.earliest) & (moments <= code.latest)
        inside = possible & (uploads > first) & (uploads <= last)
        return float(inside.sum()) / max(float(possible.sum()), 1.0)

    def moments(self, code: HeldCode, until: float) -> NDArray[np.float64]:
        """Moments at which a code may have been issued, a few hundred of them, each as likely."""
        midnight = code.earliest - (code.earliest - MONDAY) % SECONDS_PER_DAY
        found: NDArray[np.float64] = self._moments[code.facility][:400] + midnight
        return found[found < until]

    def waits(self, first: float, last: float) -> float:
        """Chance that an upload comes so many seconds after the use of its code."""
        return _share(self._waits, first, last)


def _share(ordered: NDArray[np.float64], first: float, last: float) -> float:
    low, high = np.searchsorted(ordered, (first, last), side="right")
    return float(high - low) / len(ordered)


class Rows:
    """What the rows of the codes store say of a code, though nothing says which row is whose.

    Of every hour some rows are decoys. That one row is a code's and the others decoys is likelier or less likely than
    that all are decoys: for a count k of decoys it is P(k - 1) / P(k) times as likely.
    """

    def __init__(self, copy: Copy, behaviour: Behaviour, begun: float, evidence: Collection[str]) -> None:
        self._at, self._behaviour, self._evidence = copy.at, behaviour, evidence
        self._open: dict[int, list[float]] = defaultdict(list)
        self._used: Counter[tuple[int, bool]] = Counter()
        for row in copy.rows:
            if row.used:
                self._used[row.end, row.told] += 1
            else:
                self._open[row.end].append(self._likeness(row))
        # Decoys began with the store, those of the two days before it among them.
        self._first_hour = int(begun // SECONDS_PER_HOUR) - LINK_HOURS

    def unused(self, code: HeldCode) -> float:
        """How much likelier the rows are if this code is an open one or past, beside there being none of it."""
        if "open rows" not in self._evidence:
            return 1.0
        ratios = []
        for moment in self._behaviour.moments(code, self._at):
            end = -(-int(moment) // SECONDS_PER_HOUR) * SECONDS_PER_HOUR + LINK_LIFE_SECONDS
            likenesses = self._open.get(end, [])
            # Of a code that is past there is no row, used or not.
            ratios.append(sum(likenesses) / ((len(likenesses) + 1) * _FAILURE) if end > self._at else 1.0)
        return float(np.mean(ratios)) if ratios else 1.0

    def used(self, code: HeldCode, told: bool) -> float:
        """How much likelier they are if it was used, before the day of the copy (told) or since."""
        if "used rows" not in self._evidence:
            return 1.0
        end = last_moment(int((code.earliest + code.latest) / 2) + LINK_LIFE_SECONDS)
        if end <= self._at:
            return 1.0
        today = int(self._at // SECONDS_PER_DAY) * 24
        hours = sum(
            last_moment((hour + 1) * SECONDS_PER_HOUR + LINK_LIFE_SECONDS) == end
            for hour in range(
                self._first_hour if told else today, today if told else int(self._at // SECONDS_PER_HOUR) + 1
            )
        )
        count = self._used[end, told]
        return count / ((count - 1 + 2 * hours) * _FAILURE) if hours else 1.0

    def _likeness(self, row: CodesRow) -> float:
        """How much likelier class and onset of an open row are for a real one than for a decoy."""
        manners = self._behaviour.manners
        real, decoy = manners.confirmed_share, 1 - CLINICAL_BELOW
        if row.klass == CLINICAL_CLASS:
            real, decoy = 1 - real, 1 - decoy
        if row.onset_day is None:
            return real / decoy
        days = local_day(row.end - LINK_LIFE_SECONDS - 1) - row.onset_day
        onsets = manners.onset_days.count(days) / len(manners.onset_days)
        made_up = ONSET_DAYS.count(days) / len(ONSET_DAYS)
        return real / decoy * (onsets / made_up if made_up else 3.0)


class Balance:
    """What one copy says of all codes and reports together: as many reports a day and class as were counted.

    Each code brought one report or none. Of what is likely for each code alone (rows, by day and class) that is taken
    which adds up to the counts: the factors of the columns are found by fitting rows and columns in turn.
    """

    def __init__(self, copy: Copy, behaviour: Behaviour, evidence: Collection[str] = EVIDENCE) -> None:
        self._behaviour, self._at = behaviour, copy.at
        counted = copy.uploads if "counts" in evidence else {}
        begun = min((code.earliest for code in copy.office.values()), default=copy.at)
        self._rows = Rows(copy, behaviour, MONDAY - SECONDS_PER_HOUR, evidence)
        self._days = range(int(begun // SECONDS_PER_DAY), int(copy.at // SECONDS_PER_DAY) + 1)
        shares = behaviour.manners.confirmed_share, 1 - behaviour.manners.confirmed_share
        self._shares = dict(zip((CONFIRMED_CLASS, CLINICAL_CLASS), shares, strict=True))
        columns = [(day, klass) for day in self._days for klass in self._shares]
        rows = list(copy.office.values())
        alone = np.array([[self._likely(code, day, klass) for day, klass in columns] for code in rows])
        alone = alone.reshape(len(rows), len(columns))
        # A code that is never used, or that was still to be used when the copy was taken: its last column.
        alone = np.column_stack([alone, [self._brings_nothing(code) for code in rows]])
        factors = np.ones(len(columns) + 1)
        counts = [_count_of(day, klass, counted) for day, klass in columns]
        wanted = np.array([counted.get(count, 0) for count in counts])
        together = np.array([[one == other for other in counts] for one in counts], dtype=float)
        for _ in range(_FITTINGS if counted else 0):
            expected = together @ (alone * factors / (alone @ factors)[:, None]).sum(axis=0)[:-1]
            factors[:-1] *= np.divide(wanted, expected, out=np.zeros(len(columns)), where=expected > 0)
        self._factors = dict(zip(columns, factors.tolist(), strict=False))
        self._totals = dict(zip((code.handle for code in rows), (alone @ factors).tolist(), strict=True))

    def weight(self, code: HeldCode, sought: "Sought") -> float:
        """How likely the keys that are sought are this code's, beside other codes."""
        total = self._totals.get(code.handle, 0.0)
        if not total:
            return 0.0
        found = 0.0
        for day in self._days:
            inside = max(sought.first, day * SECONDS_PER_DAY), min(sought.last, (day + 1) * SECONDS_PER_DAY)
            if inside[0] < inside[1]:
                found += self._factors[day, sought.klass] * self._arrives(code, *inside)
        return float(found / total)

    def _likely(self, code: HeldCode, day: int, klass: int) -> float:
        return self._shares[klass] * self._arrives(code, day * SECONDS_PER_DAY, (day + 1) * SECONDS_PER_DAY)

    def _arrives(self, code: HeldCode, first: float, last: float) -> float:
        last = min(last, self._at)
        if first >= last:
            return 0.0
        told = last <= self._at - self._at % SECONDS_PER_DAY
        return self._behaviour.arrives(code, first, last) * self._rows.used(code, told)

    def _brings_nothing(self, code: HeldCode) -> float:
        unused = self._behaviour.manners.unused_share
        to_come = self._behaviour.arrives(code, self._at, self._at + LONGEST)
        return max((unused / (1 - unused) + to_come) * self._rows.unused(code), 1e-6)


def _count_of(day: int, klass: int, counted: Mapping[tuple[int, int], int]) -> tuple[int, int]:
    """The count that a day's reports are in: its own, or that of a later day of the week (keyserver/retention.py)."""
    for later in range(day, last_of_week(day) + 1):
        if (later, klass) in counted:
            return later, klass
    return day, klass
