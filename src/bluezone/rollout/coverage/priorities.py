# SPDX-License-Identifier: Apache-2.0
"""Where to go next: each ward's reasons in sentences, and how wards are ranked by them."""

import datetime
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from bluezone.directory.kinds import Quantity
from bluezone.directory.models import AdminUnit, Denominator
from bluezone.rollout.coverage.figures import Interval
from bluezone.rollout.coverage.indicators import RUNNING, Doors, HelpDone, doors_by_unit, help_by_unit, newest_of
from bluezone.rollout.coverage.overview import Overview
from bluezone.rollout.coverage.shares import grouped, percent, range_of, tenths
from bluezone.rollout.coverage.suppression import SMALLEST_SHOWN

# A place at which nobody was helped yet is not worthless, and one good afternoon is not ten times better.
SLOWEST, FASTEST = 0.25, 4.0
# Where nothing is known. Fixed and not the middle of the others, so that no unit's place hangs on what another one has.
USUAL_SPEED, USUAL_HOUSEHOLDS = 1.0, 500
WITHOUT_A_TEAM = 0.5
# One floor place for each so many units, within so many first places.
UNITS_A_FLOOR, FLOOR_PLACE = 10, 3


@dataclass(frozen=True)
class Signals:
    """What a city really knows of one unit.

    key:       any stable key. unvisited: households nobody has been to, None where households are not known.
    low, high: ends of the 95 % interval of the share running, 0..1, None where the gates say nothing.
    speed:     phones helped per helper hour, None where too little was done to say.
    teams:     free teams.
    """

    key: int
    unvisited: int | None = None
    low: float | None = None
    high: float | None = None
    speed: float | None = None
    teams: int = 0


@dataclass(frozen=True)
class Ranked:
    """One unit in its place. is_floor: among the least covered, kept within the first places."""

    signals: Signals
    score: float
    is_floor: bool


def rank(units: Iterable[Signals]) -> list[Ranked]:
    """Units in order of priority, the first first; equal ones in the order of their keys."""
    listed = list(units)
    floor = _least_covered(listed)
    scored = [Ranked(one, _score(one), one.key in floor) for one in listed]
    scored.sort(key=lambda one: (-one.score, one.signals.key))
    return _with_floor(scored)


def _score(one: Signals) -> float:
    doors = USUAL_HOUSEHOLDS if one.unvisited is None else one.unvisited
    speed = USUAL_SPEED if one.speed is None else min(max(one.speed, SLOWEST), FASTEST)
    return doors * (1 - (one.low or 0.0)) * speed * (1 if one.teams else WITHOUT_A_TEAM)


def _least_covered(units: Sequence[Signals]) -> set[int]:
    """Keys of the units of the floor: those whose share is surely low, first."""
    known = sorted((one.high, one.key) for one in units if one.high is not None)
    return {key for _high, key in known[: math.ceil(len(units) / UNITS_A_FLOOR)]}


def _with_floor(scored: list[Ranked]) -> list[Ranked]:
    """Move units of the floor up into the first places where they are not there; nobody else changes order."""
    within = FLOOR_PLACE * sum(one.is_floor for one in scored)
    late = [one for one in scored[within:] if one.is_floor]
    head, tail = scored[:within], [one for one in scored[within:] if not one.is_floor]
    for one in late:
        # The last of those that have no right to a place make room.
        place = max(number for number, other in enumerate(head) if not other.is_floor)
        tail.insert(0, head.pop(place))
        head.append(one)
    return head + tail


_Found = TypeVar("_Found")
# Help of four weeks up to the end of the week shown: one good or bad Saturday decides nothing.
HELP_DAYS = 28


@dataclass(frozen=True)
class PriorityRow:
    """One unit in its place.

    unvisited: None where not known; is_small: from 1 to 4, and not shown. by_list: from the lists of doors and not
    from the households of the directory. share, interval: running at its gates, None where not known.
    speed: phones helped per helper hour. teams: free teams of the unit itself.
    """

    place: int
    unit: AdminUnit
    unvisited: int | None
    is_small: bool
    by_list: bool
    share: float | None
    interval: Interval | None
    share_address: str
    speed: float | None
    teams: int
    is_floor: bool
    reason: str


@dataclass(frozen=True)
class Priorities:
    """Units in order; how many teams of the unit above could go to any of them; the day that doors and teams are of."""

    rows: list[PriorityRow]
    shared_teams: int
    as_of: datetime.date


@dataclass(frozen=True)
class _Known:
    """What is known of a unit before it is ranked."""

    unit: AdminUnit
    unvisited: int | None
    by_list: bool
    share: float | None
    interval: Interval | None
    share_address: str
    speed: float | None
    teams: int

    @property
    def is_small(self) -> bool:
        return self.unvisited is not None and 0 < self.unvisited < SMALLEST_SHOWN

    def signals(self, shared_teams: int) -> Signals:
        """Numbers from 1 to 4 count alike, so that the order does not tell them apart."""
        spread = self.interval
        return Signals(
            key=self.unit.pk,
            unvisited=SMALLEST_SHOWN - 1 if self.is_small else self.unvisited,
            low=self.share if spread is None else spread.low,
            high=self.share if spread is None else spread.high,
            speed=self.speed,
            teams=self.teams + shared_teams,
        )


def priorities(shown: Overview, now: datetime.datetime) -> Priorities:
    """The units under the one shown, in order of priority; doors and teams as of `now`, shares of the week shown.

    Nine queries, however many units.
    """
    units = [row.unit for row in shown.rows if row.unit is not None]
    until = min(shown.week.last_day, timezone.localdate(now))
    done = help_by_unit(until - datetime.timedelta(days=HELP_DAYS - 1), until)
    shared = sum(one.free_teams for one in done.get(shown.unit.pk, []))
    households = newest_of(units, shown.week.last_day)
    doors, helped = _under(shown.unit, units, doors_by_unit(now)), _under(shown.unit, units, done)
    known = {
        unit.pk: _known(unit, shown, doors[unit.pk], helped[unit.pk], households.get((unit.pk, Quantity.HOUSEHOLDS)))
        for unit in units
    }
    ranked = rank(one.signals(shared) for one in known.values())
    rows = [_row(place, known[one.signals.key], one) for place, one in enumerate(ranked, 1)]
    return Priorities(rows, shared, timezone.localdate(now))


def _under(
    top: AdminUnit, units: Iterable[AdminUnit], found: Mapping[int, list[_Found]]
) -> defaultdict[int, list[_Found]]:
    """What was found of each unit and of those under it; one query where something was found deeper down."""
    own = {unit.pk: unit for unit in units}
    by_unit: defaultdict[int, list[_Found]] = defaultdict(list)
    deeper = [pk for pk in found if pk not in own and pk != top.pk]
    paths = AdminUnit.objects.filter(pk__in=deeper, path__startswith=top.path).values_list("pk", "path")
    above = {
        pk: key for pk, path in (paths if deeper else ()) for key, unit in own.items() if path.startswith(unit.path)
    }
    for pk, ones in found.items():
        key = pk if pk in own else above.get(pk)
        if key is not None:
            by_unit[key].extend(ones)
    return by_unit


def _known(
    unit: AdminUnit, shown: Overview, doors: list[Doors], helped: list[HelpDone], households: Denominator | None
) -> _Known:
    listed, visited = sum(one.households for one in doors), sum(one.visited for one in doors)
    cells = (cell for row in shown.rows if row.unit == unit for cell in row.all_cells)
    cell = next((cell for cell in cells if cell.indicator.key == RUNNING), None)
    done, hours = sum(one.done for one in helped), sum(one.helper_hours or 0.0 for one in helped)
    return _Known(
        unit=unit,
        unvisited=listed - visited if listed else (households.value if households else None),
        by_list=bool(listed),
        share=cell.share if cell else None,
        interval=cell.interval if cell else None,
        share_address=cell.address if cell else "",
        speed=done / hours if hours > 0 and done >= SMALLEST_SHOWN else None,
        teams=sum(one.free_teams for one in helped),
    )


def _row(place: int, known: _Known, ranked: Ranked) -> PriorityRow:
    return PriorityRow(
        place=place,
        unit=known.unit,
        unvisited=None if known.is_small else known.unvisited,
        is_small=known.is_small,
        by_list=known.by_list,
        share=known.share,
        interval=known.interval,
        share_address=known.share_address,
        speed=known.speed,
        teams=known.teams,
        is_floor=ranked.is_floor,
        reason=_reason(known, ranked.is_floor),
    )


def _reason(known: _Known, is_floor: bool) -> str:
    """Why the unit stands where it stands, as one sentence in the reader's language."""
    said = "; ".join([_doors(known), _share(known), *_speed(known), _teams(known.teams)])
    if is_floor:
        said = _("%(said)s; among the least covered, so within the first places whatever the rest says") % {
            "said": said
        }
    return f"{said[0].upper()}{said[1:]}."


def _doors(known: _Known) -> str:
    if known.is_small:
        return _("households not visited: kept back")
    if known.unvisited is None:
        return _("households not entered")
    if known.unvisited == 0:
        return _("every household was visited")
    text = ngettext("%(count)s household not visited", "%(count)s households not visited", known.unvisited)
    return text % {"count": grouped(known.unvisited)}


def _share(known: _Known) -> str:
    if known.share is None:
        return _("share running not known")
    if known.interval is None:
        return _("running %(share)s at the gates") % {"share": percent(known.share)}
    values = {"share": percent(known.share), "range": range_of(known.interval)}
    return _("running %(share)s (%(range)s) at the gates") % values


def _speed(known: _Known) -> list[str]:
    if known.speed is None:
        return []
    return [_("%(number)s phones helped per hour") % {"number": tenths(known.speed)}]


def _teams(count: int) -> str:
    if not count:
        return _("no free team of its own")
    return ngettext("%(count)s free team", "%(count)s free teams", count) % {"count": count}
