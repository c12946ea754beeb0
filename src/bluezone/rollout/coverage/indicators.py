# SPDX-License-Identifier: Apache-2.0
"""What duties bring into coverage: indicators with their sums over units, and what they count of doors and of help."""

import abc
import contextlib
import datetime
import enum
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from bluezone.directory.models import AdminUnit, Denominator
from bluezone.duties.catalogue import DUTIES
from bluezone.duties.duty import load
from bluezone.rollout.coverage.expected.yields import Answers
from bluezone.rollout.coverage.figures import Interval, ShareImpossible, Week, bootstrap
from bluezone.rollout.coverage.suppression import Cell, cells_of, hidden_cells_of

Text = str | Promise


class Proof(enum.Enum):
    """How a number is known, surest first; each is a column of its own.

    PROVEN:        the phone answered the gate over Bluetooth.
    FRESH:         a signed code of the last seconds, Bluetooth not checked.
    ATTESTED:      an attendant or canvasser says they saw it.
    SELF_REPORTED: the unit says so of itself.
    """

    PROVEN = "proven"
    FRESH = "fresh"
    ATTESTED = "attested"
    SELF_REPORTED = "self_reported"


@dataclass(frozen=True)
class Figure:
    """One observation that an indicator counts: an agency's week, a gate's day, a school's week.

    unit_path: path of the AdminUnit it belongs to ("3/17/52/"). agency_id: the Agency, None for the unit itself.
    count:     numerator. base: denominator, count <= base. source: who counted the base, in the reader's language.
    as_of:     the day both are true of.
    Raises ShareImpossible unless 0 <= count <= base.
    """

    unit_path: str
    agency_id: int | None
    count: int
    base: int
    source: str
    as_of: datetime.date

    def __post_init__(self) -> None:
        if not 0 <= self.count <= self.base:
            raise ShareImpossible(f"{self.count} of {self.base} is no share")


@dataclass(frozen=True)
class Reporting:
    """How many of those that owe an indicator's report for a week have sent it, and the address of who has not."""

    received: int
    expected: int
    address: str


class Indicator(abc.ABC):
    """A share that one part of the rollout counts in one class of proof.

    key:       stable, unique, for addresses and tests. proof: its column.
    name:      in the reader's language, such as "running, proven at the gates".
    base_name: its denominator, such as "passages in with a smartphone".
    of_phones: its count is of phones or their owners, and not of passages, so that it may stand beside a population.
    adds_up:   its counts of different weeks are of different phones (as of a drive), so that weeks may be added.
    """

    key: ClassVar[str]
    proof: ClassVar[Proof]
    name: ClassVar[Text]
    base_name: ClassVar[Text]
    of_phones: ClassVar[bool] = False
    adds_up: ClassVar[bool] = False

    @abc.abstractmethod
    def figures(self, week: Week) -> Iterable[Figure]:
        """Everything counted in a week, in a constant number of queries; never anything of training mode."""

    @abc.abstractmethod
    def rows_address(self, unit_id: int, week: Week) -> str:
        """The address of the page with the rows behind the number of a unit and week."""

    def interval(self, figures: Sequence[Figure]) -> Interval | None:
        """The interval of the sum of `figures`, where they are a sample; None where everything was counted.

        Chance plays no part in a full count, and an interval around one would say that it does.
        """
        return None

    def kept_back(self, figures: Sequence[Figure]) -> tuple[set[Cell], set[Cell]]:
        """The cells whose counts, and whose bases, are not shown above the ward; `figures` are all of a week.

        A count beside a base that is hidden would say how large that base is at least.
        """
        bases = hidden_cells_of((figure.unit_path, figure.agency_id, figure.base) for figure in figures)
        return hidden_cells_of((figure.unit_path, figure.agency_id, figure.count) for figure in figures) | bases, bases

    def reporting(self, unit_path: str, week: Week) -> Reporting | None:
        """Who under a unit has reported for a week; None where nothing is reported, as at gates."""
        return None

    def missing(self, unit_path: str, week: Week) -> list[str]:
        """Names of those under a unit that owe a report for a week and have not sent it, for the report sent up."""
        return []


@cache
def _known() -> dict[str, Indicator]:
    made: list[Indicator] = [load(name)() for duty in DUTIES for name in duty.indicators]
    return {indicator.key: indicator for indicator in made}


def registered() -> list[Indicator]:
    """Every indicator that a duty names, surest class first, then in the order of the duties."""
    order = list(Proof)
    return sorted(_known().values(), key=lambda indicator: order.index(indicator.proof))


RUNNING = "running"


class RunningShare(Indicator):
    """Proven IN passages / IN passages with a smartphone at a unit's gates, interval by bootstrap over gate-days.

    A subclass gives one figure a gate and day: count is the IN passages whose phone answered over Bluetooth, base the
    IN passages of people with a smartphone, whatever their verdict. Passages without a smartphone are in neither, and
    fresh codes, seen screens and the web edition are in the base alone. It is a share of passages, not of phones: how
    many phones there are, only drives and doors know.
    Source: docs/design.md, "share running".
    """

    key = RUNNING
    proof = Proof.PROVEN
    name = _("running, proven at the gates")
    base_name: ClassVar = _("passages in with a smartphone")

    def interval(self, figures: Sequence[Figure]) -> Interval | None:
        """Bootstrap over gate-days; None for fewer than two."""
        return bootstrap([(figure.count, figure.base) for figure in figures])


@dataclass
class Sums:
    """Figures by cell, their sums, and the cells whose sums are hidden above the ward."""

    figures: defaultdict[Cell, list[Figure]] = field(default_factory=lambda: defaultdict(list))
    counts: defaultdict[Cell, int] = field(default_factory=lambda: defaultdict(int))
    bases: defaultdict[Cell, int] = field(default_factory=lambda: defaultdict(int))
    hidden_counts: set[Cell] = field(default_factory=set)
    hidden_bases: set[Cell] = field(default_factory=set)

    def share(self, cell: Cell, exact: bool) -> float | None:
        """Count by base, 0..1; None where either is hidden or the base is 0."""
        hidden = not exact and (cell in self.hidden_counts or cell in self.hidden_bases)
        return None if hidden or not self.bases[cell] else self.counts[cell] / self.bases[cell]


def sums_of(indicator: Indicator, week: Week) -> Sums:
    """Add up an indicator's figures of a week from the agencies and gates to the topmost unit."""
    sums, figures = Sums(), list(indicator.figures(week))
    kept = sums.figures
    for figure in figures:
        for cell in cells_of(figure.unit_path, figure.agency_id):
            kept[cell].append(figure)
    for cell, its_own in kept.items():
        sums.counts[cell] = sum([figure.count for figure in its_own])
        sums.bases[cell] = sum([figure.base for figure in its_own])
    sums.hidden_counts, sums.hidden_bases = indicator.kept_back(figures)
    return sums


def newest_of(units: Iterable[AdminUnit], on: datetime.date) -> dict[tuple[int, str], Denominator]:
    """(primary key of the unit, kind) -> its newest figure that was true by `on`; one query."""
    found = Denominator.objects.filter(unit__in=[unit.pk for unit in units], as_of__lte=on).order_by("as_of")
    return {(figure.unit_id or 0, figure.kind): figure for figure in found}


_Read = TypeVar("_Read")
_kept: ContextVar[dict[Hashable, Any] | None] = ContextVar("read for one page", default=None)


@contextlib.contextmanager
def reading_once() -> Iterator[None]:
    """Within it `once` reads each key once; afterwards everything is forgotten."""
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


def once(key: Hashable, read: Callable[[], _Read]) -> _Read:
    """What `read` gives; outside `reading_once` it is read anew each time. The caller must not change it."""
    kept = _kept.get()
    if kept is None:
        return read()
    if key not in kept:
        kept[key] = read()
    found: _Read = kept[key]
    return found


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


def answers_by_unit(
    begin: datetime.datetime, end: datetime.datetime, known: datetime.datetime
) -> dict[int, list[Answers]]:
    """The same of what came of doors between two moments, as far as it had arrived before `known`."""
    return _gathered(load(duty.door_answers)(begin, end, known) for duty in DUTIES if duty.door_answers)


def _gathered(said: Iterable[Mapping[int, _Count]]) -> dict[int, list[_Count]]:
    by_unit: defaultdict[int, list[_Count]] = defaultdict(list)
    for counts in said:
        for unit, count in counts.items():
            by_unit[unit].append(count)
    return dict(by_unit)
