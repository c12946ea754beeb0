# SPDX-License-Identifier: Apache-2.0
"""Who meets whom, where and when: the planning model's contacts, given moments and metres.

Days are counted from START, local midnight. All meetings lie between 7:00 and 22:00 in Vietnam, within one UTC day.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bluezone.planning import kernel
from bluezone.planning.assumptions import read_assumptions, read_warning_curve
from bluezone.planning.kernel import COURSE
from bluezone.planning.people import People, Ward
from bluezone.planning.trial import Option, Setting, Trial
from bluezone.protocol.intervals import SECONDS_PER_DAY, SECONDS_PER_HOUR

START: Final = 1_796_058_000  # 2026-12-01, 00:00 in Vietnam
FIRST_HOUR, LAST_START_HOUR = 7, 20
# Bounds of the cells, as in the warning curve: metres, of which the first NEAR_ROWS are within two, and minutes.
METRES: Final = ((0.3, 1.0), (1.0, 2.0), (2.0, 4.0), (4.0, 12.0))
NEAR_ROWS: Final = 2
MINUTES: Final = ((5.0, 10.0), (10.0, 25.0), (25.0, 60.0), (60.0, 120.0))
# All ways of carrying that the warning curve was measured with.
CARRIAGES: Final = ("hand", "pocket", "backpack")
# Before the twin's first day the epidemic of the model has run for so long.
WARM_UP_DAYS = 21


@dataclass(frozen=True, slots=True)
class Meeting:
    """One meeting of two phones. begins, ends: Unix seconds.

    setting: of kernel.SETTINGS; cell: of the model, distance and length together.
    """

    number: int
    one: int
    other: int
    begins: float
    ends: float
    metres: float
    setting: int
    cell: int

    @property
    def minutes(self) -> float:
        """How long it lasts."""
        return (self.ends - self.begins) / 60

    def near(self) -> bool:
        """Within two metres for ten minutes or more, as the model calls it near."""
        return self.cell % len(MINUTES) >= 1 and self.cell // len(MINUTES) < NEAR_ROWS


@dataclass(frozen=True, slots=True)
class Case:
    """Somebody whose phone reports: on which day, and the day of onset, both counted from START."""

    person: int
    day: int
    onset: int


class City:
    """A city of the planning model whose people carry phones.

    phones: persons whose phones run, in order; truth: the course of the epidemic, one COURSE for each person.
    """

    def __init__(self, phones: int, days: int, seed: int, infected_share: float = 0.01) -> None:
        """phones: about how many run. infected_share: of the people on the model's first day. Raises CityTooSmall."""
        assumptions = read_assumptions()
        self.days, self.seed = days, seed
        running = 0.6
        ward = Ward("twin", max(round(phones / running), 500), running)
        self.people = People([ward], assumptions, seed)
        setting = Setting(WARM_UP_DAYS + days, max(round(self.people.count * infected_share), 1), 0.0)
        # Codes the same evening: the twin looks at what phones do with them.
        trial = Trial(self.people, assumptions, read_warning_curve(), setting, seed)
        self._rules = trial.rules_of(Option("twin"))
        chosen = self.people.phones([running])
        self._laid = self.people.laid_out(chosen)
        self.phones: list[int] = np.flatnonzero(chosen).tolist()
        self.truth: NDArray[np.void] = np.zeros(self.people.count, dtype=COURSE)
        kernel.run(self._laid, self._rules, seed, course=self.truth)

    def meetings(self, day: int) -> "Meetings":
        """All meetings of a day of people whose phones run. day: from START, 0 or more."""
        return Meetings(self.found(day), day)

    def found(self, day: int) -> NDArray[np.void]:
        """The same as the model gives them, in MEETINGs."""
        return kernel.meetings(self._laid, self._rules, self.seed, self.truth, WARM_UP_DAYS + day)

    def cases(self) -> list[Case]:
        """Whose phones report during the twin's days, by day."""
        found = []
        for person in np.flatnonzero(self.truth["uploaded_on"] >= WARM_UP_DAYS).tolist():
            state = self.truth[person]
            onset = int(state["onset_on"]) if state["onset_on"] >= 0 else int(state["result_on"]) - 3
            found.append(Case(person, int(state["uploaded_on"]) - WARM_UP_DAYS, onset - WARM_UP_DAYS))
        return sorted(found, key=lambda case: (case.day, case.person))


class Meetings:
    """The meetings of one day. They are kept as the model gives them, 40 bytes each, and made ready when asked for."""

    def __init__(self, found: NDArray[np.void], day: int) -> None:
        """found: MEETINGs of the model. day: from START."""
        self._found, self._day = found, day
        people = np.concatenate([found["one"], found["other"]])
        order = np.argsort(people, kind="stable")
        self._people, self._rows = people[order], (order % max(len(found), 1)).astype(np.uint32)

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Meeting]:
        return iter(self._ready(np.arange(len(self._found))))

    def of(self, person: int) -> list[Meeting]:
        """Those of one person."""
        first, behind = np.searchsorted(self._people, np.array([person, person + 1], dtype=np.uint32))
        return self._ready(np.sort(self._rows[first:behind]))

    def of_all(self, people: Iterable[int]) -> list[Meeting]:
        """Those of any of some people, each once."""
        known = np.fromiter(people, dtype=np.uint32)
        return self._ready(np.unique(self._rows[np.isin(self._people, known)]))

    def _ready(self, rows: NDArray[Any]) -> list[Meeting]:
        found = self._found[rows]
        shares = _shares(found["hash"])
        metres, minutes = np.array(METRES), np.array(MINUTES)
        distance, length = found["cell"] // len(MINUTES), found["cell"] % len(MINUTES)
        # Even over the logarithm, as in the meetings that the warning curve was measured with.
        far = metres[distance, 0] * (metres[distance, 1] / metres[distance, 0]) ** shares[0]
        long = 60 * minutes[length, 0] * (minutes[length, 1] / minutes[length, 0]) ** shares[1]
        hours = FIRST_HOUR + shares[2] * (LAST_START_HOUR - FIRST_HOUR)
        begins = START + self._day * SECONDS_PER_DAY + hours * SECONDS_PER_HOUR
        columns = zip(
            found["hash"].tolist(), found["one"].tolist(), found["other"].tolist(), begins.tolist(), long.tolist(),
            far.tolist(), found["setting"].tolist(), found["cell"].tolist(), strict=True,
        )  # fmt: skip
        return [
            Meeting(number, one, other, begin, begin + seconds, metre, setting, cell)
            for number, one, other, begin, seconds, metre, setting, cell in columns
        ]


NO_MEETINGS: Final = Meetings(np.zeros(0, dtype=kernel.MEETING), 0)


def _shares(hashes: NDArray[Any]) -> NDArray[np.float64]:
    """Three numbers from 0 to 1 out of each hash, which has 64 even bits."""
    parts = [(hashes >> np.uint64(21 * place)) & np.uint64((1 << 21) - 1) for place in range(3)]
    return np.array(parts, dtype=np.float64) / (1 << 21)
