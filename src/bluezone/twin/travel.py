# SPDX-License-Identifier: Apache-2.0
"""Cities whose people travel to each other: who goes where on which day, and whom they meet there.

Each city is a planning model of its own. Who travels takes part, for that day, in all meetings outside the home of
somebody who lives there, the host: so whom travellers meet, how near and for how long, is the model's, too. Nobody is
infected on a journey; the two epidemics are the models' own.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bluezone.planning.kernel import SETTINGS
from bluezone.twin.meetings import Case, City, Meetings

HOUSEHOLD: Final = SETTINGS.index("household")
# The twin's first day is a Monday.
_WORKING_DAYS, _WEEK = 5, 7


@dataclass(frozen=True, slots=True)
class Travel:
    """How many go to the other city. commuters: share of the phones that are there on every working day.

    visitors: share of the phones that go there once, for `visit_days` in a row.
    Nobody has counted either of two neighbouring towns here; both are a choice.
    """

    commuters: float = 0.03
    visitors: float = 0.05
    visit_days: int = 2


@dataclass(frozen=True, slots=True)
class Journey:
    """One person is in another city on some days. host: whose meetings there they have; days: from START."""

    person: int
    city: int
    host: int
    days: tuple[int, ...]


class Region:
    """Cities, whose people are numbered through: those of the first, then those of the second.

    phones: of each city, persons whose phones run, in order. journeys: by person; each travels to one city.
    """

    def __init__(self, cities: Sequence[City], travel: Travel, seed: int) -> None:
        self.cities = tuple(cities)
        self._first = [sum(city.people.count for city in cities[:place]) for place in range(len(cities))]
        self.phones = [
            [first + person for person in city.phones] for first, city in zip(self._first, cities, strict=True)
        ]
        self.journeys: dict[int, Journey] = {}
        if len(cities) > 1:
            drawn = random.Random(f"{seed} journeys")  # noqa: S311 - repeatable
            for home in range(len(cities)):
                self._draw(home, travel, drawn)

    def _draw(self, home: int, travel: Travel, drawn: random.Random) -> None:
        there = (home + 1) % len(self.cities)
        commuters, visitors = (round(share * len(self.phones[home])) for share in (travel.commuters, travel.visitors))
        going = drawn.sample(self.phones[home], commuters + visitors)
        days = self.cities[home].days
        for place, person in enumerate(going):
            if place < commuters:
                when = tuple(day for day in range(days) if day % _WEEK < _WORKING_DAYS)
            else:
                begins = drawn.randrange(max(days - travel.visit_days, 1))
                when = tuple(range(begins, min(begins + travel.visit_days, days)))
            self.journeys[person] = Journey(person, there, drawn.choice(self.phones[there]), when)

    def home(self, person: int) -> int:
        """The city of a person."""
        return sum(person >= first for first in self._first) - 1

    def leaving(self, day: int) -> list[int]:
        """Who travels for the first time on a day."""
        return sorted(journey.person for journey in self.journeys.values() if journey.days[0] == day)

    def cases(self) -> list[Case]:
        """Whose phones report, by day."""
        found = [
            Case(first + case.person, case.day, case.onset)
            for first, city in zip(self._first, self.cities, strict=True)
            for case in city.cases()
        ]
        return sorted(found, key=lambda case: (case.day, case.person))

    def meetings(self, day: int) -> Meetings:
        """All meetings of a day, in all cities."""
        found = []
        for first, city in zip(self._first, self.cities, strict=True):
            of_city = city.found(day)
            of_city["one"] += first
            of_city["other"] += first
            found.append(of_city)
        return Meetings(self._travelled(np.concatenate(found), day) if len(found) > 1 else found[0], day)

    def _travelled(self, found: NDArray[np.void], day: int) -> NDArray[np.void]:
        """Without what travellers would have had at home, with what their hosts have."""
        away = [journey for journey in self.journeys.values() if day in journey.days]
        gone = np.array([journey.person for journey in away], dtype=np.uint32)
        found = found[~(np.isin(found["one"], gone) | np.isin(found["other"], gone))]
        rows: dict[int, list[int]] = defaultdict(list)
        hosts = np.array([journey.host for journey in away], dtype=np.uint32)
        outside = found["setting"] != HOUSEHOLD
        for name in ("one", "other"):
            for row in np.flatnonzero(outside & np.isin(found[name], hosts)).tolist():
                rows[int(found[name][row])].append(row)
        parts = [found]
        for journey in away:
            copied = found[rows.get(journey.host, [])].copy()
            parts.append(_as_guest(copied, journey))
        return np.concatenate(parts)


def _as_guest(copied: NDArray[np.void], journey: Journey) -> NDArray[np.void]:
    """The host's meetings as those of who travels: the same people at the same time, drawn anew on the air."""
    others = np.where(copied["one"] == journey.host, copied["other"], copied["one"])
    guest = np.full(len(copied), journey.person, dtype=np.uint32)
    copied["one"], copied["other"] = np.minimum(others, guest), np.maximum(others, guest)
    # The highest bit is drawn for nothing, and the lowest move a distance by a thousandth: another number, and so other
    # draws on the air, at the same time and place.
    copied["hash"] ^= np.uint64(1 << 63 | journey.person & 0xFFF)
    return copied
