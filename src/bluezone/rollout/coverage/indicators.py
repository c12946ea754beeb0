# SPDX-License-Identifier: Apache-2.0
"""What each duty contributes to coverage: indicators and their sums over units, counts of doors, and counts of help."""

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
from bluezone.rollout.coverage.intervals import Interval, ShareImpossible, bootstrap_interval
from bluezone.rollout.coverage.suppression import Cell, cells_of, suppressed_cells
from bluezone.rollout.report_week import Week

Text = str | Promise
RUNNING = "running"
_Read = TypeVar("_Read")
_cache: ContextVar[dict[Hashable, Any] | None] = ContextVar("read for one page", default=None)
_Count = TypeVar("_Count")


class Proof(enum.Enum):
    """How a number is known, surest first; each has its own column.

    PROVEN:        the phone answered the gate over Bluetooth.
    FRESH:         a signed code of the last seconds, Bluetooth not checked.
    ATTESTED:      an attendant or canvasser says that they saw it.
    SELF_REPORTED: the unit's own report.
    """

    PROVEN = "proven"
    FRESH = "fresh"
    ATTESTED = "attested"
    SELF_REPORTED = "self_reported"


@dataclass(frozen=True)
class Figure:
    """One observation that an indicator counts: an agency's week, a gate's day, a school's week.

    unit_path: path of its AdminUnit ("3/17/52/"). agency_id: primary key of the Agency, None for the unit itself.
    count: numerator. base: denominator, count <= base. source: who counted the base, in the reader's language.
    as_of: the day of both counts.
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
            raise ShareImpossible(f"{self.count} of {self.base} is not a share")


@dataclass(frozen=True)
class Reporting:
    """How many of the expected reports of a week were received, and the address of the page with the missing ones."""

    received: int
    expected: int
    address: str


class Indicator(abc.ABC):
    """A share that one part of the rollout counts in one class of proof.

    key: stable, unique, for addresses and tests. proof: its column.
    name: in the reader's language, such as "running, proven at the gates".
    base_name: its denominator, such as "passages in with a smartphone".
    of_phones: whether it counts phones or their owners, not passages, and may be compared with a population.
    adds_up: whether counts of different weeks are of different phones (as at a drive), so that weeks may be added.
    """

    key: ClassVar[str]
    proof: ClassVar[Proof]
    name: ClassVar[Text]
    base_name: ClassVar[Text]
    of_phones: ClassVar[bool] = False
    adds_up: ClassVar[bool] = False

    @abc.abstractmethod
    def figures(self, week: Week) -> Iterable[Figure]:
        """Everything counted in a week, without training mode; in a constant number of queries."""

    @abc.abstractmethod
    def rows_address(self, unit_id: int, week: Week) -> str:
        """The address of the page with the rows behind the number of a unit and week."""

    def interval(self, figures: Sequence[Figure]) -> Interval | None:
        """The interval of the sum of `figures` if they are a sample; None for a full count.

        A full count has no sampling error, and an interval would suggest one.
        """
        return None

    def suppressed_cells(self, figures: Sequence[Figure]) -> tuple[set[Cell], set[Cell]]:
        """The cells with a suppressed count, and those with a suppressed base, above the ward.

        figures: all figures of a week. Where the base is suppressed, so is the count, as it is a lower bound of the
        base.
        """
        bases = suppressed_cells((figure.unit_path, figure.agency_id, figure.base) for figure in figures)
        counts = suppressed_cells((figure.unit_path, figure.agency_id, figure.count) for figure in figures)
        return counts | bases, bases

    def reporting(self, unit_path: str, week: Week) -> Reporting | None:
        """How many agencies under a unit have reported for a week; None if the indicator needs no reports (gates)."""
        return None

    def missing(self, unit_path: str, week: Week) -> list[str]:
        """Names of the agencies under a unit that have not reported for a week, for the coverage report."""
        return []


@cache
def _by_key() -> dict[str, Indicator]:
    indicators: dict[str, Indicator] = {}
    for duty in DUTIES:
        for name in duty.indicators:
            indicator = load(name)()
            indicators[indicator.key] = indicator
    return indicators


def registered_indicators() -> list[Indicator]:
    """Every indicator that a duty names, by class of proof, surest first, then in the order of the duties."""
    order = list(Proof)
    return sorted(_by_key().values(), key=lambda indicator: order.index(indicator.proof))


class RunningShare(Indicator):
    """The share of proven passages among the passages in with a smartphone, at a unit's gates.

    A subclass yields one figure for each gate and day. The count is the number of passages in with a phone that
    answered over Bluetooth. The base is the number of passages in of people with a smartphone, whatever the verdict, so
    that fresh codes, seen screens and the web edition are only in the base. Passages without a smartphone are in
    neither. It is a share of passages, not of phones: only drives and doors count phones.
    Source: docs/design.md, "share running".
    """

    key = RUNNING
    proof = Proof.PROVEN
    name = _("running, proven at the gates")
    base_name: ClassVar = _("passages in with a smartphone")

    def interval(self, figures: Sequence[Figure]) -> Interval | None:
        """Bootstrap over gate-days; None for fewer than two."""
        return bootstrap_interval([(figure.count, figure.base) for figure in figures])


@dataclass
class Sums:
    """Figures by cell, their sums, and the cells with sums that are suppressed above the ward."""

    figures: defaultdict[Cell, list[Figure]] = field(default_factory=lambda: defaultdict(list))
    counts: defaultdict[Cell, int] = field(default_factory=lambda: defaultdict(int))
    bases: defaultdict[Cell, int] = field(default_factory=lambda: defaultdict(int))
    suppressed_counts: set[Cell] = field(default_factory=set)
    suppressed_bases: set[Cell] = field(default_factory=set)

    def count_shown(self, cell: Cell, exact: bool) -> int | None:
        """The count of a cell; None if it is suppressed. exact: True returns it nevertheless."""
        if not exact and cell in self.suppressed_counts:
            return None
        return self.counts[cell]

    def base_shown(self, cell: Cell, exact: bool) -> int | None:
        """The base of a cell; None if it is suppressed. exact: True returns it nevertheless."""
        if not exact and cell in self.suppressed_bases:
            return None
        return self.bases[cell]

    def share(self, cell: Cell, exact: bool) -> float | None:
        """Count by base, 0..1; None if the base is 0, or if either is suppressed and not `exact`."""
        count = self.count_shown(cell, exact)
        base = self.base_shown(cell, exact)
        if count is None or not base:
            return None
        return count / base


def sum_indicator(indicator: Indicator, week: Week) -> Sums:
    """Add up an indicator's figures of a week for every cell, from the agencies to the topmost unit."""
    sums = Sums()
    figures = list(indicator.figures(week))
    by_cell = sums.figures
    for figure in figures:
        for cell in cells_of(figure.unit_path, figure.agency_id):
            by_cell[cell].append(figure)
    for cell, figures_of_cell in by_cell.items():
        sums.counts[cell] = sum([figure.count for figure in figures_of_cell])
        sums.bases[cell] = sum([figure.base for figure in figures_of_cell])
    sums.suppressed_counts, sums.suppressed_bases = indicator.suppressed_cells(figures)
    return sums


def newest_denominators(units: Iterable[AdminUnit], on: datetime.date) -> dict[tuple[int, str], Denominator]:
    """The newest denominators up to the day `on`, by (primary key of the unit, kind); one query."""
    figures = Denominator.objects.filter(unit__in=[unit.pk for unit in units], as_of__lte=on).order_by("as_of")
    return {(figure.unit_id or 0, figure.kind): figure for figure in figures}


@contextlib.contextmanager
def cached_reads() -> Iterator[None]:
    """Within this context, `read_once` reads each key only once."""
    token = _cache.set({})
    try:
        yield
    finally:
        _cache.reset(token)


def read_once(key: Hashable, read: Callable[[], _Read]) -> _Read:
    """The result of `read`; within `cached_reads`, the first result for this key. The caller must not change it."""
    cached = _cache.get()
    if cached is None:
        return read()
    if key not in cached:
        cached[key] = read()
    value: _Read = cached[key]
    return value


@dataclass(frozen=True)
class DoorCounts:
    """The doors of one ward or commune.

    households: doors in its lists. visited: those at which somebody was spoken to or a leaflet was left.
    revisit: not visited yet, as no one was at home or another visit was agreed.
    last_visit: local date, None before the first visit.
    """

    households: int
    visited: int
    revisit: int
    last_visit: datetime.date | None

    @property
    def not_visited(self) -> int:
        """Households not visited yet."""
        return self.households - self.visited


@dataclass(frozen=True)
class HelpCounts:
    """The help of one unit, now and in a span of days.

    open, claimed: requests now. done, could_not: requests closed in the span, including those on tally sheets.
    helper_hours: people of each team times hours of its drives in the span, None without a drive.
    free_teams: teams of unions that serve this unit itself, without a running drive or a claimed request.
    """

    open: int = 0
    claimed: int = 0
    done: int = 0
    could_not: int = 0
    helper_hours: float | None = None
    free_teams: int = 0


def doors_by_unit(now: datetime.datetime) -> dict[int, list[DoorCounts]]:
    """The doors at `now` by primary key of the unit, one entry for each duty that visits doors."""
    return _by_unit(load(duty.door_counts)(now) for duty in DUTIES if duty.door_counts)


def help_by_unit(since: datetime.date, until: datetime.date) -> dict[int, list[HelpCounts]]:
    """The help by primary key of the unit, one entry for each duty that helps.

    since, until: first and last local day of the span, both included.
    """
    return _by_unit(load(duty.help_counts)(since, until) for duty in DUTIES if duty.help_counts)


def answers_by_unit(
    begin: datetime.datetime, end: datetime.datetime, received_before: datetime.datetime
) -> dict[int, list[Answers]]:
    """The answers at doors by primary key of the unit, one entry for each duty that visits doors.

    Only answers given from `begin` until before `end`, and received by the office before `received_before`.
    """
    return _by_unit(load(duty.door_answers)(begin, end, received_before) for duty in DUTIES if duty.door_answers)


def _by_unit(counts_by_duty: Iterable[Mapping[int, _Count]]) -> dict[int, list[_Count]]:
    by_unit: defaultdict[int, list[_Count]] = defaultdict(list)
    for counts in counts_by_duty:
        for unit, count in counts.items():
            by_unit[unit].append(count)
    return dict(by_unit)
