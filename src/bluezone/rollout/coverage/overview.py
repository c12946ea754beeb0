# SPDX-License-Identifier: Apache-2.0
"""The table of one unit and week with its parts as rows, and what of it a leader reads first.

League tables of the units under one: phones counted, by population and by smartphones, each with its source.

A number of phones is held against both denominators, since they tell different stories; passages at gates are no number
of phones, and are held against neither. Where weeks may be added (a drive's phones), only the numbers that each
week's own page shows are added, so that the sum gives away none that is kept back there.
Source: docs/rollout.md, "0 Facts" (installs by population or by smartphones) and A4.
"""

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext as _

from bluezone.directory.models import AdminUnit, Agency, Denominator
from bluezone.directory.queries import day_to_show, latest_figures
from bluezone.rollout.coverage.figures import Interval, Week
from bluezone.rollout.coverage.indicators import (
    RUNNING,
    Indicator,
    Proof,
    Reporting,
    Sums,
    newest_of,
    reading_once,
    registered,
    sums_of,
)
from bluezone.rollout.coverage.shares import percent, range_of, tenths
from bluezone.rollout.coverage.suppression import WARD_AND_BELOW, Cell, own_cell, unit_cell


@dataclass(frozen=True)
class ShownCell:
    """The number of one indicator in one row.

    count, base: None where hidden; share: 0..1, None where either is hidden or the base is 0.
    change:  against the week before, in percentage points. sources, as_of: of the base.
    is_new:  nothing of it was counted the week before.
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
        """Whether its share is another than the week before, by more than chance where chance plays a part."""
        if self.change is None or self.share is None or round(self.change, 1) == 0:
            return False
        earlier = self.share - self.change / 100
        return self.interval is None or not self.interval.low <= earlier <= self.interval.high

    @property
    def is_hidden(self) -> bool:
        """Whether the share is kept back because a number behind it is small, or would give a small one away."""
        return self.count is None or self.base is None


@dataclass(frozen=True)
class Row:
    """A unit under the one shown, or (unit None) what belongs to that one itself; cells by class of proof.

    stopped: keys of indicators that counted something the week before and nothing in this one.
    """

    unit: AdminUnit | None
    cells: dict[Proof, list[ShownCell]]
    stopped: frozenset[str] = frozenset()

    @property
    def all_cells(self) -> list[ShownCell]:
        """The cells of every class, surest first."""
        return [cell for cells in self.cells.values() for cell in cells]

    def cell(self, key: str) -> ShownCell | None:
        """Its number of one indicator."""
        return next((cell for cell in self.all_cells if cell.indicator.key == key), None)


@dataclass(frozen=True)
class Overview:
    """What a coverage page shows.

    exact: whether small numbers are shown, which they are to those whose numbers they are.
    reporting: of each indicator that is reported, how many have. missing: names of who has not, only where asked for.
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
    def hides_something(self) -> bool:
        """Whether any number is kept back."""
        return any(cell.is_hidden for row in (*self.rows, self.total) for cell in row.all_cells)

    def cell(self, key: str) -> ShownCell | None:
        """The unit's own number of one indicator."""
        return self.total.cell(key)


def overview(
    unit: AdminUnit, week: Week, *, exact: bool, keys: frozenset[str] | None = None, by_name: bool = False
) -> Overview:
    """Count everything of a unit and week, or only the indicators of `keys`.

    exact: whether small numbers are shown (suppression.sees_small_numbers). by_name: read also who has not reported.
    """
    indicators = [each for each in registered() if keys is None or each.key in keys]
    with reading_once():
        counted = [_this_and_before(each, week) for each in indicators]
        reporting = [(each, each.reporting(unit.path, week)) for each in indicators]
    units = list(AdminUnit.objects.in_force(week.first_day).filter(parent=unit).order_by("code", "name"))
    rows = [_row(below, unit_cell(below.pk), counted, week, exact, below.pk) for below in units]
    own = _row(None, own_cell(unit.pk), counted, week, exact, unit.pk)
    if own.all_cells:
        rows.append(own)
    return Overview(
        unit=unit,
        week=week,
        rows=rows,
        total=_row(unit, unit_cell(unit.pk), counted, week, exact, unit.pk),
        exact=exact,
        indicators=indicators,
        reporting=[(each, report) for each, report in reporting if report is not None],
        denominators=latest_figures(unit, week.last_day),
        missing=[(each, each.missing(unit.path, week)) for each in indicators] if by_name else [],
    )


def figures_of(unit: AdminUnit, week: Week, *, exact: bool) -> list[ShownCell]:
    """Give the unit's own number of every indicator that counted there in a week, surest class first; no changes.

    exact: refused above the ward, whoever asks.
    """
    with reading_once():
        counted = [(each, sums_of(each, week), Sums()) for each in registered()]
    return _row(unit, unit_cell(unit.pk), counted, week, exact and unit.kind in WARD_AND_BELOW, unit.pk).all_cells


def _this_and_before(indicator: Indicator, week: Week) -> tuple[Indicator, Sums, Sums]:
    """An indicator's sums of a week and of the one before, which only what was counted now is held against."""
    sums = sums_of(indicator, week)
    return indicator, sums, sums_of(indicator, week.previous) if sums.figures else Sums()


def city_unit(day: datetime.date) -> AdminUnit | None:
    """The smallest unit above the ward that most agencies in force on `day` serve or lie in: the city.

    Most, not all: an office of the province that files are exchanged with does not make a province of the city.
    None without agencies.
    """
    paths = list(Agency.objects.in_force(day).order_by().values_list("unit__path", flat=True))
    held = Counter(int(step) for path in paths for step in path.split("/")[:-1])
    most = [pk for pk, count in held.items() if 2 * count > len(paths)]
    units = AdminUnit.objects.filter(pk__in=most).exclude(kind__in=WARD_AND_BELOW)
    return max(units, key=lambda unit: len(unit.path), default=None)


def latest_week(today: datetime.date) -> Week:
    """This week, or the last one in which there were agencies."""
    return Week.of(day_to_show(Agency, today))


def _row(
    unit: AdminUnit | None,
    cell: Cell,
    counted: Sequence[tuple[Indicator, Sums, Sums]],
    week: Week,
    exact: bool,
    rows_of: int,
) -> Row:
    cells: dict[Proof, list[ShownCell]] = {proof: [] for proof in Proof}
    stopped = set()
    for indicator, sums, before in counted:
        if cell in sums.figures:
            cells[indicator.proof].append(
                _cell(indicator, cell, sums, before, exact, indicator.rows_address(rows_of, week))
            )
        elif cell in before.figures:
            stopped.add(indicator.key)
    return Row(unit, cells, frozenset(stopped))


def _cell(indicator: Indicator, cell: Cell, sums: Sums, before: Sums, exact: bool, address: str) -> ShownCell:
    figures = sums.figures[cell]
    share, earlier = sums.share(cell, exact), before.share(cell, exact)
    return ShownCell(
        indicator=indicator,
        count=sums.counts[cell] if exact or cell not in sums.hidden_counts else None,
        base=sums.bases[cell] if exact or cell not in sums.hidden_bases else None,
        share=share,
        interval=None if share is None else indicator.interval(figures),
        change=None if share is None or earlier is None else 100 * (share - earlier),
        sources=tuple(sorted({figure.source for figure in figures})),
        as_of=max(figure.as_of for figure in figures),
        address=address,
        is_new=bool(before.figures) and cell not in before.figures,
    )


MOST_MOVED = 3


@dataclass(frozen=True)
class Brief:
    """What a leader reads first of a unit and week.

    sentence: one, in the reader's language. indicator: the one that it and the map are about, None where nothing is.
    rows:     the units under it with their number of that indicator, the lowest share first, unknown ones last.
    rose, fell: units whose share did, by more than chance, most first; at most MOST_MOVED each.
    began, stopped: names of units of which something was counted in this week and not in the one before, or only then.
    """

    sentence: str
    indicator: Indicator | None
    rows: list[tuple[AdminUnit, ShownCell | None]]
    rose: list[tuple[AdminUnit, ShownCell]]
    fell: list[tuple[AdminUnit, ShownCell]]
    began: list[str]
    stopped: list[str]

    @property
    def is_still(self) -> bool:
        """Whether nothing changed since the week before."""
        return not (self.rose or self.fell or self.began or self.stopped)


def brief(shown: Overview) -> Brief:
    """Put the share running, else the surest indicator that counted anything, into one sentence with its units."""
    counted = [each for each in shown.indicators if shown.cell(each.key) is not None]
    indicator = next((each for each in counted if each.key == RUNNING), counted[0] if counted else None)
    if indicator is None:
        return Brief(_("Nothing was counted here this week."), None, [], [], [], [], [])
    found = [(row.unit, row.cell(indicator.key), row) for row in shown.rows if row.unit is not None]
    rows = [(unit, cell) for unit, cell, _row in found]
    # Equal shares stay in the order of the list.
    rows.sort(key=lambda row: 2.0 if row[1] is None or row[1].share is None else row[1].share)
    moved = [(unit, cell) for unit, cell in rows if cell is not None and cell.has_moved]
    return Brief(
        sentence=_sentence(indicator, shown.total.cell(indicator.key), rows),
        indicator=indicator,
        rows=rows,
        rose=sorted((one for one in moved if _change(one) > 0), key=_change, reverse=True)[:MOST_MOVED],
        fell=sorted((one for one in moved if _change(one) < 0), key=_change)[:MOST_MOVED],
        began=[unit.name for unit, cell, _row in found if cell is not None and cell.is_new],
        stopped=[unit.name for unit, _cell, row in found if indicator.key in row.stopped],
    )


def _change(moved: tuple[AdminUnit, ShownCell]) -> float:
    return moved[1].change or 0.0


def _sentence(indicator: Indicator, whole: ShownCell | None, rows: Sequence[tuple[AdminUnit, ShownCell | None]]) -> str:
    """The number of the whole unit, what changed in it, and where it is lowest."""
    if whole is None or (whole.share is None and not whole.is_hidden):
        return _("Nothing was counted here this week.")
    if whole.share is None:
        return _("%(name)s: kept back, since the number behind it is small.") % {
            "name": f"{str(indicator.name)[0].upper()}{str(indicator.name)[1:]}"
        }
    spread = f" ({range_of(whole.interval)})" if whole.interval else ""
    values = {"share": percent(whole.share) + spread, "name": indicator.name, "base": indicator.base_name}
    if indicator.key == RUNNING:
        said = [_("At the gates %(share)s of the passages in with a smartphone had Bluezone running") % values]
    else:
        said = [_("No gate has counted; %(name)s: %(share)s of %(base)s") % values]
    if whole.change is not None:
        number = {"number": tenths(abs(whole.change))}
        if not whole.has_moved:
            said.append(_("about as in the week before"))
        elif whole.change > 0:
            said.append(_("%(number)s points more than in the week before") % number)
        else:
            said.append(_("%(number)s points less than in the week before") % number)
    known = [(unit, cell.share) for unit, cell in rows if cell is not None and cell.share is not None]
    if len(known) > 1:
        said.append(_("lowest in %(unit)s, %(share)s") % {"unit": known[0][0].name, "share": percent(known[0][1])})
    return "; ".join(said) + "."


WEEKS_ADDED = 12
BY = ("smartphones", "population")


@dataclass(frozen=True)
class Compared:
    """A number of phones against one denominator, both counted in full. share: None where either is not known.

    contradicts: there are more phones than the denominator allows, so no share is shown.
    """

    denominator: Denominator | None
    share: float | None = None
    contradicts: bool = False


@dataclass(frozen=True)
class LeagueRow:
    """One unit. place: None where it has no share to be ranked by.

    count: None where nothing was counted or all of it is kept back. hidden_weeks: of those added, kept back.
    """

    place: int | None
    unit: AdminUnit
    count: int | None
    hidden_weeks: int
    population: Compared
    smartphones: Compared
    address: str


@dataclass(frozen=True)
class League:
    """A table in order of the share by `by`; units without one stand last, in the order of the list."""

    indicator: Indicator
    by: str
    first: Week
    last: Week
    rows: list[LeagueRow]

    @property
    def hides_something(self) -> bool:
        """Whether any number is kept back."""
        return any(row.hidden_weeks for row in self.rows)


def league(units: Sequence[AdminUnit], indicator: Indicator, last: Week, by: str) -> League:
    """Rank units by the phones an indicator counts. by: of BY. One query more than the indicator's own of each week."""
    weeks = [last]
    while indicator.adds_up and len(weeks) < WEEKS_ADDED:
        weeks.insert(0, weeks[0].previous)
    counts = _counts(units, indicator, weeks)
    figures = newest_of(units, last.last_day)
    rows: list[LeagueRow] = []
    for unit in units:
        count, hidden = counts[unit.pk]
        held = {kind: _compared(count, figures.get((unit.pk, kind))) for kind in BY}
        address = indicator.rows_address(unit.pk, last)
        rows.append(LeagueRow(None, unit, count, hidden, held["population"], held["smartphones"], address))
    return League(indicator, by, weeks[0], last, _ranked(rows, by))


def _counts(
    units: Sequence[AdminUnit], indicator: Indicator, weeks: Sequence[Week]
) -> dict[int, tuple[int | None, int]]:
    """Of each unit the sum of the numbers that may be shown (None where there is none), and how many weeks may not."""
    shown: dict[int, list[int]] = {unit.pk: [] for unit in units}
    hidden = dict.fromkeys(shown, 0)
    for week in weeks:
        sums = sums_of(indicator, week)
        for unit in units:
            cell = unit_cell(unit.pk)
            if cell in sums.hidden_counts:
                hidden[unit.pk] += 1
            elif cell in sums.figures:
                shown[unit.pk].append(sums.counts[cell])
    return {pk: (sum(numbers) if numbers else None, hidden[pk]) for pk, numbers in shown.items()}


def _compared(count: int | None, figure: Denominator | None) -> Compared:
    if figure is None or count is None:
        return Compared(figure)
    if not figure.value or count > figure.value:
        return Compared(figure, contradicts=True)
    return Compared(figure, count / figure.value)


def _ranked(rows: list[LeagueRow], by: str) -> list[LeagueRow]:
    held = {row.unit.pk: getattr(row, by) for row in rows}
    able = sorted(
        (row for row in rows if held[row.unit.pk].share is not None), key=lambda row: -held[row.unit.pk].share
    )
    placed: list[LeagueRow] = []
    for number, row in enumerate(able, 1):
        before = placed[-1] if placed else None
        same = before is not None and held[before.unit.pk].share == held[row.unit.pk].share
        placed.append(replace(row, place=before.place if before is not None and same else number))
    return placed + [row for row in rows if held[row.unit.pk].share is None]
