# SPDX-License-Identifier: Apache-2.0
"""The table of one unit and week, its parts as rows, and the map drawn on the server: one square a unit.

League tables of the units under one: phones counted, by population and by smartphones, each with its source.

A number of phones is held against both denominators, since they tell different stories; passages at gates are no number
of phones, and are held against neither. Where weeks may be added (a drive's phones), only the numbers that each
week's own page shows are added, so that the sum gives away none that is kept back there.
Source: docs/rollout.md, "0 Facts" (installs by population or by smartphones) and A4.
"""

import datetime
import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources

from bluezone.directory.kinds import UnitKind
from bluezone.directory.models import AdminUnit, Agency, Denominator
from bluezone.directory.queries import day_to_show, latest_figures
from bluezone.rollout.coverage.figures import Interval, Week, wilson
from bluezone.rollout.coverage.indicators import (
    Indicator,
    Proof,
    Reporting,
    Sums,
    newest_of,
    reading_once,
    registered,
    sums_of,
)
from bluezone.rollout.coverage.suppression import Cell, own_cell, unit_cell

WARD_AND_BELOW = (UnitKind.WARD, UnitKind.COMMUNE, UnitKind.GROUP)


@dataclass(frozen=True)
class ShownCell:
    """The number of one indicator in one row.

    count, base: None where hidden; share: 0..1, None where either is hidden or the base is 0.
    change:  against the week before, in percentage points. sources, as_of: of the base.
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

    @property
    def is_hidden(self) -> bool:
        """Whether the share is kept back because a number behind it is small, or would give a small one away."""
        return self.count is None or self.base is None


@dataclass(frozen=True)
class Row:
    """A unit under the one shown, or (unit None) what belongs to that one itself; cells by class of proof."""

    unit: AdminUnit | None
    cells: dict[Proof, list[ShownCell]]

    @property
    def all_cells(self) -> list[ShownCell]:
        """The cells of every class, surest first."""
        return [cell for cells in self.cells.values() for cell in cells]


@dataclass(frozen=True)
class Overview:
    """What a coverage page shows.

    exact: whether small numbers are shown, which they are only to the ward itself.
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
        return next((cell for cell in self.total.all_cells if cell.indicator.key == key), None)


def overview(
    unit: AdminUnit, week: Week, *, exact: bool, keys: frozenset[str] | None = None, by_name: bool = False
) -> Overview:
    """Count everything of a unit and week, or only the indicators of `keys`.

    exact: refused above the ward, whoever asks. by_name: read also who has not reported.
    """
    exact = exact and unit.kind in WARD_AND_BELOW
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
    for indicator, sums, before in counted:
        if cell in sums.figures:
            cells[indicator.proof].append(
                _cell(indicator, cell, sums, before, exact, indicator.rows_address(rows_of, week))
            )
    return Row(unit, cells)


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
    )


SIDE = 104
GAP = 6
LINE_LENGTH = 12
# Shares from which a tile is darker; absolute, so that a colour means the same in every week and city.
LEVELS = (0.10, 0.25, 0.40, 0.60)


@dataclass(frozen=True)
class Tile:
    """One unit on the map.

    x, y:  its upper left corner. lines: its name, broken to fit. level: 0 (lowest share) to 4.
    state: "shown", "hidden" (a small number) or "empty" (nothing counted).
    """

    x: int
    y: int
    name: str
    lines: tuple[str, ...]
    cell: ShownCell | None
    level: int
    state: str
    address_pk: int

    @property
    def middle(self) -> int:
        """Where its texts are centred."""
        return self.x + SIDE // 2

    @property
    def baselines(self) -> list[tuple[int, str]]:
        """Each line of the name with the y it stands on."""
        return [(self.y + 24 + 16 * number, line) for number, line in enumerate(self.lines)]

    @property
    def figure_y(self) -> int:
        """Where the number stands."""
        return self.y + SIDE - 14


@dataclass(frozen=True)
class TileMap:
    """The tiles and the size of the drawing; placed: whether a layout put them where they lie."""

    tiles: list[Tile]
    width: int
    height: int
    placed: bool


def tile_map(rows: Sequence[Row], key: str) -> TileMap:
    """Draw the units among `rows` by their share of the indicator `key`."""
    units = [(row.unit, row) for row in rows if row.unit is not None]
    places = _layout([unit.key for unit, _row in units])
    placed = places is not None
    columns = max(1, math.ceil(math.sqrt(len(units))))
    tiles = []
    for number, (unit, row) in enumerate(units):
        column, line = places[unit.key] if places is not None else (number % columns, number // columns)
        cell = next((cell for cell in row.all_cells if cell.indicator.key == key), None)
        share = cell.share if cell else None
        tiles.append(
            Tile(
                x=GAP + column * (SIDE + GAP),
                y=GAP + line * (SIDE + GAP),
                name=unit.name,
                lines=broken(unit.name),
                cell=cell,
                level=0 if share is None else sum(share >= step for step in LEVELS),
                state="empty" if cell is None or cell.base == 0 else "hidden" if cell.is_hidden else "shown",
                address_pk=unit.pk,
            )
        )
    width = max((tile.x for tile in tiles), default=0) + SIDE + GAP
    height = max((tile.y for tile in tiles), default=0) + SIDE + GAP
    return TileMap(tiles, width, height, placed)


def broken(name: str) -> tuple[str, ...]:
    """The name in at most three lines of LINE_LENGTH characters, cut with … where it is longer."""
    lines: list[str] = []
    for word in name.split():
        if lines and len(lines[-1]) + 1 + len(word) <= LINE_LENGTH:
            lines[-1] += " " + word
        else:
            lines.append(word)
    cut = [line if len(line) <= LINE_LENGTH else line[: LINE_LENGTH - 1] + "…" for line in lines[:3]]
    if len(lines) > 3:
        cut[2] = cut[2][: LINE_LENGTH - 1].rstrip(" …") + "…"
    return tuple(cut)


def _layout(keys: Sequence[str]) -> dict[str, tuple[int, int]] | None:
    """The places of a layout that knows every one of `keys`; None where none does, or without units."""
    if not keys:
        return None
    return next((places for places in _layouts() if all(key in places for key in keys)), None)


@cache
def _layouts() -> tuple[dict[str, tuple[int, int]], ...]:
    folder = resources.files("bluezone.rollout.coverage") / "layouts"
    files = [entry for entry in folder.iterdir() if entry.name.endswith(".json")]
    documents = [json.loads(entry.read_text("utf-8")) for entry in sorted(files, key=lambda entry: entry.name)]
    return tuple({key: (column, row) for key, (column, row) in each["tiles"].items()} for each in documents)


WEEKS_ADDED = 12
BY = ("smartphones", "population")


@dataclass(frozen=True)
class Compared:
    """A number of phones against one denominator. share: None where either is not known.

    contradicts: there are more phones than the denominator allows, so no share is shown.
    """

    denominator: Denominator | None
    share: float | None = None
    interval: Interval | None = None
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
    return Compared(figure, count / figure.value, wilson(count, figure.value))


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
