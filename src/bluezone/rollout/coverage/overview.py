# SPDX-License-Identifier: Apache-2.0
"""The table of a unit and week with the units under it as rows, the summary that a leader reads first, and league
tables.

A league table ranks the units under a unit by the phones counted there, per resident or per smartphone. It shows both
shares with their sources, since they give different pictures. Passages at gates are not phones and have no league
table. If weeks may be added (a drive's phones), only numbers that the pages of the single weeks show are added, so that
the sum reveals no suppressed number.
Source: docs/rollout.md, "0 Facts" (installs by population or by smartphones) and A4.
"""

import datetime
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext as _

from bluezone.directory.models import AdminUnit, Agency, Denominator
from bluezone.directory.queries import day_to_show, latest_figures
from bluezone.rollout.coverage.indicators import (
    RUNNING,
    Indicator,
    Proof,
    Reporting,
    Sums,
    cached_reads,
    newest_denominators,
    registered_indicators,
    sum_indicator,
)
from bluezone.rollout.coverage.intervals import Interval
from bluezone.rollout.coverage.shares import percent, range_of, tenths
from bluezone.rollout.coverage.suppression import WARD_AND_BELOW, Cell, own_cell, unit_cell
from bluezone.rollout.report_week import Week

MOST_MOVED = 3
WEEKS_ADDED = 12
BY = ("smartphones", "population")


@dataclass(frozen=True)
class OverviewCell:
    """The number of one indicator in one row.

    count, base: None if suppressed. share: 0..1; None if count or base is suppressed or the base is 0.
    change: since the week before, in percentage points. sources, as_of: of the base. address: of the rows behind it.
    is_new: whether the row had no such number in the week before, although other rows had.
    """

    indicator: Indicator
    count: int | None
    base: int | None
    share: float | None
    interval: Interval | None
    change: float | None
    sources: tuple[str, ...]
    as_of: datetime.date
    address: str
    is_new: bool = False

    @property
    def has_moved(self) -> bool:
        """Whether the share differs from that of the week before; by more than chance, if it has an interval."""
        if self.change is None or self.share is None or round(self.change, 1) == 0:
            return False
        earlier = self.share - self.change / 100
        return self.interval is None or not self.interval.low <= earlier <= self.interval.high

    @property
    def is_suppressed(self) -> bool:
        """Whether the share is suppressed, because a number behind it is small or would reveal a small one."""
        return self.count is None or self.base is None


@dataclass(frozen=True)
class Row:
    """A row of the table: one of the units under the unit of the page.

    unit: None for the row of what is in the unit of the page but in none of the units under it.
    cells: by class of proof.
    stopped: keys of indicators that counted something in the week before and nothing in this one.
    """

    unit: AdminUnit | None
    cells: dict[Proof, list[OverviewCell]]
    stopped: frozenset[str] = frozenset()

    @property
    def all_cells(self) -> list[OverviewCell]:
        """The cells of every class, surest first."""
        return list(itertools.chain.from_iterable(self.cells.values()))

    def cell(self, key: str) -> OverviewCell | None:
        """The row's number of one indicator."""
        return next((cell for cell in self.all_cells if cell.indicator.key == key), None)


@dataclass(frozen=True)
class Overview:
    """The data of a coverage page.

    exact: nothing is suppressed. reporting: for each indicator with reports, how many were received.
    missing: the names of those that have not reported; only if read with `by_name`.
    denominators: the newest figures of the unit's population, households and smartphones.
    """

    unit: AdminUnit
    week: Week
    rows: list[Row]
    total: Row
    exact: bool
    indicators: list[Indicator]
    reporting: list[tuple[Indicator, Reporting]]
    denominators: list[Denominator]
    missing: list[tuple[Indicator, list[str]]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was counted under the unit in the week."""
        return not self.total.all_cells

    @property
    def suppresses_something(self) -> bool:
        """Whether any number is suppressed."""
        cells = itertools.chain.from_iterable(row.all_cells for row in (*self.rows, self.total))
        return any(cell.is_suppressed for cell in cells)

    def cell(self, key: str) -> OverviewCell | None:
        """The unit's own number of one indicator."""
        return self.total.cell(key)


def read_overview(
    unit: AdminUnit, week: Week, *, exact: bool, keys: frozenset[str] | None = None, by_name: bool = False
) -> Overview:
    """The table of a unit and week, with all indicators or those of `keys`.

    exact: suppress nothing (`suppression.may_see_small_numbers`). by_name: also read which have not reported.
    """
    indicators = [indicator for indicator in registered_indicators() if keys is None or indicator.key in keys]
    with cached_reads():
        counted = [_sums_of_two_weeks(indicator, week) for indicator in indicators]
        reporting = [(indicator, indicator.reporting(unit.path, week)) for indicator in indicators]
    units = list(AdminUnit.objects.valid_on(week.first_day).filter(parent=unit).order_by("code", "name"))
    rows = [_row(below, unit_cell(below.pk), counted, week, exact, below.pk) for below in units]
    own = _row(None, own_cell(unit.pk), counted, week, exact, unit.pk)
    if own.all_cells:
        rows.append(own)
    missing: list[tuple[Indicator, list[str]]] = []
    if by_name:
        missing = [(indicator, indicator.missing(unit.path, week)) for indicator in indicators]
    return Overview(
        unit=unit,
        week=week,
        rows=rows,
        total=_row(unit, unit_cell(unit.pk), counted, week, exact, unit.pk),
        exact=exact,
        indicators=indicators,
        reporting=[(indicator, report) for indicator, report in reporting if report is not None],
        denominators=latest_figures(unit, week.last_day),
        missing=missing,
    )


def figures_of(unit: AdminUnit, week: Week, *, exact: bool) -> list[OverviewCell]:
    """The unit's own number of every indicator that counted there in a week, surest class first.

    `change` and `is_new` are not set. exact: suppress nothing; ignored above the ward.
    """
    with cached_reads():
        counted = [(indicator, sum_indicator(indicator, week), Sums()) for indicator in registered_indicators()]
    is_exact = exact and unit.kind in WARD_AND_BELOW
    return _row(unit, unit_cell(unit.pk), counted, week, is_exact, unit.pk).all_cells


def _sums_of_two_weeks(indicator: Indicator, week: Week) -> tuple[Indicator, Sums, Sums]:
    """An indicator, its sums of a week and of the week before; without figures in the week, the latter are empty."""
    sums = sum_indicator(indicator, week)
    if not sums.figures:
        return indicator, sums, Sums()
    return indicator, sums, sum_indicator(indicator, week.previous)


def city_unit(day: datetime.date) -> AdminUnit | None:
    """The city: the smallest unit above the ward that contains most of the agencies that exist on `day`.

    Most, not all: an agency of the province that exchanges files with the city does not make the province the city.
    Returns None if there are no agencies.
    """
    paths = list(Agency.objects.valid_on(day).order_by().values_list("unit__path", flat=True))
    served: Counter[int] = Counter()
    for path in paths:
        served.update(int(step) for step in path.split("/")[:-1])
    with_most_agencies = [pk for pk, count in served.items() if 2 * count > len(paths)]
    units = AdminUnit.objects.filter(pk__in=with_most_agencies).exclude(kind__in=WARD_AND_BELOW)
    return max(units, key=lambda unit: len(unit.path), default=None)


def latest_week(today: datetime.date) -> Week:
    """This week, or the last week in which there were agencies."""
    return Week.of(day_to_show(Agency, today))


def _row(
    unit: AdminUnit | None,
    cell: Cell,
    counted: Sequence[tuple[Indicator, Sums, Sums]],
    week: Week,
    exact: bool,
    rows_of: int,
) -> Row:
    cells: dict[Proof, list[OverviewCell]] = {proof: [] for proof in Proof}
    stopped = set()
    for indicator, sums, before in counted:
        if cell in sums.figures:
            cells[indicator.proof].append(
                _cell(indicator, cell, sums, before, exact, indicator.rows_address(rows_of, week))
            )
        elif cell in before.figures:
            stopped.add(indicator.key)
    return Row(unit, cells, frozenset(stopped))


def _cell(indicator: Indicator, cell: Cell, sums: Sums, before: Sums, exact: bool, address: str) -> OverviewCell:
    figures = sums.figures[cell]
    share = sums.share(cell, exact)
    share_before = before.share(cell, exact)
    interval = None
    change = None
    if share is not None:
        interval = indicator.interval(figures)
        if share_before is not None:
            change = 100 * (share - share_before)
    return OverviewCell(
        indicator=indicator,
        count=sums.count_shown(cell, exact),
        base=sums.base_shown(cell, exact),
        share=share,
        interval=interval,
        change=change,
        sources=tuple(sorted({figure.source for figure in figures})),
        as_of=max(figure.as_of for figure in figures),
        address=address,
        is_new=bool(before.figures) and cell not in before.figures,
    )


@dataclass(frozen=True)
class Summary:
    """The summary of a unit and week.

    sentence: in the reader's language. indicator: of the sentence and the map; None if nothing was counted.
    rows: the units under the unit with their number of this indicator, lowest share first, unknown shares last.
    rose, fell: units that changed by more than chance, the largest change first; at most MOST_MOVED each.
    began: names of units that counted something in this week and nothing in the week before. stopped: the reverse.
    """

    sentence: str
    indicator: Indicator | None
    rows: list[tuple[AdminUnit, OverviewCell | None]]
    rose: list[tuple[AdminUnit, OverviewCell]]
    fell: list[tuple[AdminUnit, OverviewCell]]
    began: list[str]
    stopped: list[str]

    @property
    def is_still(self) -> bool:
        """Whether nothing changed since the week before."""
        return not (self.rose or self.fell or self.began or self.stopped)


def _share_or_last(cell: OverviewCell | None) -> float:
    """The share of a cell, as a sort key; greater than any share if none is shown."""
    if cell is None or cell.share is None:
        return 2.0
    return cell.share


def summarise_changes(coverage: Overview) -> Summary:
    """Summarise the share running at the gates; if no gate has counted, the surest indicator that has."""
    counted = [indicator for indicator in coverage.indicators if coverage.cell(indicator.key) is not None]
    if not counted:
        return Summary(_("Nothing was counted here this week."), None, [], [], [], [], [])
    indicator = next((indicator for indicator in counted if indicator.key == RUNNING), counted[0])
    parts = [(row.unit, row.cell(indicator.key), row) for row in coverage.rows if row.unit is not None]
    rows = [(unit, cell) for unit, cell, _row in parts]
    # The sort is stable: units with equal shares keep the order of the directory.
    rows.sort(key=lambda row: _share_or_last(row[1]))
    moved = [(unit, cell) for unit, cell in rows if cell is not None and cell.has_moved]
    return Summary(
        sentence=_sentence(indicator, coverage.total.cell(indicator.key), rows),
        indicator=indicator,
        rows=rows,
        rose=sorted((row for row in moved if _change(row) > 0), key=_change, reverse=True)[:MOST_MOVED],
        fell=sorted((row for row in moved if _change(row) < 0), key=_change)[:MOST_MOVED],
        began=[unit.name for unit, cell, _row in parts if cell is not None and cell.is_new],
        stopped=[unit.name for unit, _cell, row in parts if indicator.key in row.stopped],
    )


def _change(moved: tuple[AdminUnit, OverviewCell]) -> float:
    return moved[1].change or 0.0


def _sentence(
    indicator: Indicator, whole: OverviewCell | None, rows: Sequence[tuple[AdminUnit, OverviewCell | None]]
) -> str:
    """A sentence with the number of the whole unit, its change, and the unit with the lowest share."""
    if whole is None or (whole.share is None and not whole.is_suppressed):
        return _("Nothing was counted here this week.")
    if whole.share is None:
        return _("%(name)s: withheld because the underlying number is small.") % {
            "name": f"{str(indicator.name)[0].upper()}{str(indicator.name)[1:]}"
        }
    spread = f" ({range_of(whole.interval)})" if whole.interval else ""
    values = {"share": percent(whole.share) + spread, "name": indicator.name, "base": indicator.base_name}
    if indicator.key == RUNNING:
        parts = [_("At the gates %(share)s of the passages in with a smartphone had Bluezone running") % values]
    else:
        parts = [_("No gate has counted; %(name)s: %(share)s of %(base)s") % values]
    if whole.change is not None:
        number = {"number": tenths(abs(whole.change))}
        if not whole.has_moved:
            parts.append(_("about the same as the week before"))
        elif whole.change > 0:
            parts.append(_("%(number)s points more than the week before") % number)
        else:
            parts.append(_("%(number)s points less than the week before") % number)
    known = [(unit, cell.share) for unit, cell in rows if cell is not None and cell.share is not None]
    if len(known) > 1:
        parts.append(_("lowest in %(unit)s, %(share)s") % {"unit": known[0][0].name, "share": percent(known[0][1])})
    return "; ".join(parts) + "."


@dataclass(frozen=True)
class DenominatorComparison:
    """A number of phones as a share of one denominator; both are full counts.

    share: 0..1, None if either is unknown. contradicts: whether there are more phones than the denominator allows, so
    that there is no share.
    """

    denominator: Denominator | None
    share: float | None = None
    contradicts: bool = False


@dataclass(frozen=True)
class LeagueRow:
    """One unit of a league table.

    place: from 1, the same for equal shares; None if there is no share to rank the unit by.
    count: None if nothing was counted or all of it is suppressed. suppressed_weeks: how many weeks are suppressed.
    """

    place: int | None
    unit: AdminUnit
    count: int | None
    suppressed_weeks: int
    population: DenominatorComparison
    smartphones: DenominatorComparison
    address: str


@dataclass(frozen=True)
class League:
    """A table in order of the share of `by`. Units without a share come last, in the order of the list."""

    indicator: Indicator
    by: str
    first: Week
    last: Week
    rows: list[LeagueRow]

    @property
    def suppresses_something(self) -> bool:
        """Whether any number is suppressed."""
        return any(row.suppressed_weeks for row in self.rows)


def rank_league(units: Sequence[AdminUnit], indicator: Indicator, last: Week, by: str) -> League:
    """Rank units by the phones that an indicator counts, as a share of `by`, which is one of BY.

    Counts `last`, or the WEEKS_ADDED weeks up to it if the indicator's weeks may be added. One query, and the queries
    of the indicator for each week.
    """
    weeks = [last]
    while indicator.adds_up and len(weeks) < WEEKS_ADDED:
        weeks.insert(0, weeks[0].previous)
    counts = _counts(units, indicator, weeks)
    figures = newest_denominators(units, last.last_day)
    rows: list[LeagueRow] = []
    for unit in units:
        count, suppressed_weeks = counts[unit.pk]
        compared = {kind: _compared(count, figures.get((unit.pk, kind))) for kind in BY}
        address = indicator.rows_address(unit.pk, last)
        rows.append(
            LeagueRow(None, unit, count, suppressed_weeks, compared["population"], compared["smartphones"], address)
        )
    return League(indicator, by, weeks[0], last, _ranked(rows, by))


def _counts(
    units: Sequence[AdminUnit], indicator: Indicator, weeks: Sequence[Week]
) -> dict[int, tuple[int | None, int]]:
    """By unit: (sum of the weeks that are not suppressed, None without such a week; number of suppressed weeks)."""
    numbers_shown: dict[int, list[int]] = {unit.pk: [] for unit in units}
    suppressed_weeks = dict.fromkeys(numbers_shown, 0)
    for week in weeks:
        sums = sum_indicator(indicator, week)
        for unit in units:
            cell = unit_cell(unit.pk)
            if cell in sums.suppressed_counts:
                suppressed_weeks[unit.pk] += 1
            elif cell in sums.figures:
                numbers_shown[unit.pk].append(sums.counts[cell])
    counts: dict[int, tuple[int | None, int]] = {}
    for pk, numbers in numbers_shown.items():
        count = sum(numbers) if numbers else None
        counts[pk] = (count, suppressed_weeks[pk])
    return counts


def _compared(count: int | None, figure: Denominator | None) -> DenominatorComparison:
    if figure is None or count is None:
        return DenominatorComparison(figure)
    if not figure.value or count > figure.value:
        return DenominatorComparison(figure, contradicts=True)
    return DenominatorComparison(figure, count / figure.value)


def _ranked(rows: list[LeagueRow], by: str) -> list[LeagueRow]:
    compared = {row.unit.pk: getattr(row, by) for row in rows}
    ranked = [row for row in rows if compared[row.unit.pk].share is not None]
    ranked.sort(key=lambda row: -compared[row.unit.pk].share)
    placed: list[LeagueRow] = []
    for number, row in enumerate(ranked, 1):
        before = placed[-1] if placed else None
        place: int | None = number
        if before is not None and compared[before.unit.pk].share == compared[row.unit.pk].share:
            place = before.place
        placed.append(replace(row, place=place))
    return placed + [row for row in rows if compared[row.unit.pk].share is None]
