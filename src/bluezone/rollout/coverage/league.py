# SPDX-License-Identifier: Apache-2.0
"""League tables of the units under one: phones counted, by population and by smartphones, each with its source.

A number of phones is held against both denominators, since they tell different stories; passages at gates are no number
of phones, and are held against neither. Where weeks may be added (a drive's phones), only the numbers that each
week's own page shows are added, so that the sum gives away none that is kept back there.
Source: docs/rollout.md, "0 Facts" (installs by population or by smartphones) and A4.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bluezone.directory.models import AdminUnit, Denominator
from bluezone.rollout.coverage.figures.intervals import Interval, wilson
from bluezone.rollout.coverage.figures.sums import newest_of, sums_of
from bluezone.rollout.coverage.figures.suppression import unit_cell
from bluezone.rollout.coverage.figures.weeks import Week
from bluezone.rollout.coverage.indicators import Indicator

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
