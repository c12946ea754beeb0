# SPDX-License-Identifier: Apache-2.0
"""What duties count of doors and of help in each unit, from which coverage tells where to go first.

Boards of coverage: the table and map of a unit, the trend, the league table, and the units to go to first.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from bluezone.duties.catalogue import DUTIES
from bluezone.duties.duty import load

_Count = TypeVar("_Count")


@dataclass(frozen=True)
class Doors:
    """One ward or commune.

    households: doors in its lists. visited: of them, doors at which somebody was spoken to or a leaflet stayed.
    revisit: not visited yet, and somebody asked to come again or was not at home. last_visit: local date, None before.
    """

    households: int
    visited: int
    revisit: int
    last_visit: datetime.date | None

    @property
    def left(self) -> int:
        """Households not visited yet."""
        return self.households - self.visited


@dataclass(frozen=True)
class HelpDone:
    """Of one unit. open, claimed: now. done, could_not: closed in the days asked for, tally sheets with them.

    helper_hours: people of a team times hours of its drives in those days, None where there was no drive.
    free_teams: teams of unions that serve this unit itself, with no drive going on and no request taken on.
    """

    open: int = 0
    claimed: int = 0
    done: int = 0
    could_not: int = 0
    helper_hours: float | None = None
    free_teams: int = 0


def doors_by_unit(now: datetime.datetime) -> dict[int, list[Doors]]:
    """Primary key of each unit with doors -> what each duty that visits doors says of it at `now`."""
    return _gathered(load(duty.door_counts)(now) for duty in DUTIES if duty.door_counts)


def help_by_unit(since: datetime.date, until: datetime.date) -> dict[int, list[HelpDone]]:
    """The same of help. since, until: first and last local day, both included."""
    return _gathered(load(duty.help_counts)(since, until) for duty in DUTIES if duty.help_counts)


def _gathered(said: Iterable[Mapping[int, _Count]]) -> dict[int, list[_Count]]:
    by_unit: defaultdict[int, list[_Count]] = defaultdict(list)
    for counts in said:
        for unit, count in counts.items():
            by_unit[unit].append(count)
    return dict(by_unit)
