# SPDX-License-Identifier: Apache-2.0
"""A week that is over: what had been expected of it on its Monday, and what came."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings

from bluezone.directory.models import AdminUnit
from bluezone.rollout.coverage.expected.places import answers_before, place_of, summed, under
from bluezone.rollout.coverage.expected.yields import Answers, expectations
from bluezone.rollout.coverage.figures import Week
from bluezone.rollout.coverage.indicators import (
    RUNNING,
    answers_by_unit,
    doors_by_unit,
    newest_of,
    registered,
    sums_of,
)
from bluezone.rollout.coverage.suppression import SMALLEST_SHOWN, hidden_cells_of, unit_cell


@dataclass(frozen=True)
class ComparedRow:
    """One unit in which teams worked.

    hours: team-hours of the week. expected, low, high: newly running phones in these hours, expected on the Monday,
    with a 95 % interval. came: None where it is kept back.
    """

    unit: AdminUnit
    hours: float
    expected: float
    low: int
    high: int
    came: int | None

    @property
    def held(self) -> bool | None:
        """Whether what came lies within the interval; None where it is kept back."""
        return None if self.came is None else self.low <= self.came <= self.high


@dataclass(frozen=True)
class Comparison:
    """Units in which teams worked in a week, most hours first."""

    week: Week
    rows: Sequence[ComparedRow]

    @property
    def shown(self) -> list[ComparedRow]:
        """Rows of which everything is shown."""
        return [row for row in self.rows if row.came is not None]

    @property
    def expected(self) -> float:
        """Expected in the rows of which everything is shown."""
        return sum(row.expected for row in self.shown)

    @property
    def came(self) -> int:
        """What came in the same rows; a sum of shown numbers gives none away."""
        return sum(row.came or 0 for row in self.shown)

    @property
    def held(self) -> int:
        """In how many of them it lies within the interval."""
        return sum(row.held is True for row in self.shown)


def week_to_compare(shown: Week, today: datetime.date) -> Week:
    """The week shown where it is over, else the last one that is."""
    return shown if shown.last_day < today else Week.of(today).previous


def compare(top: AdminUnit, units: Sequence[AdminUnit], week: Week, now: datetime.datetime) -> Comparison:
    """Hold a week against what its Monday knew: answers that had arrived by then, and gates of the week before.

    Hours are those really worked, so that a team that stayed away is no wrong expectation. Expected is worked out
    anew from what is stored with the time it arrived; nobody can put a better guess in its place afterwards.
    """
    monday, end = _midnight(week.first_day), _midnight(week.following.first_day)
    found = answers_by_unit(monday, end, now)
    came = summed(under(top, units, found))
    worked = [unit for unit in units if _told(came.get(unit.pk))]
    if not worked:
        return Comparison(week, [])
    doors, before = under(top, units, doors_by_unit(monday)), answers_before(top, units, monday)
    shares, figures = _shares(units, week.previous), newest_of(units, week.first_day)
    expected = expectations(
        place_of(unit, doors[unit.pk], shares[unit.pk], before.get(unit.pk), figures) for unit in units
    )
    hidden = _hidden(found)
    rows = []
    for unit in worked:
        answers = came[unit.pk]
        mean, low, high = expected[unit.pk].of_hours(answers.hours)
        shown = unit_cell(unit.pk) not in hidden
        rows.append(ComparedRow(unit, answers.hours, mean, low, high, answers.helped if shown else None))
    return Comparison(week, sorted(rows, key=lambda row: (-row.hours, row.unit.name)))


def _told(answers: Answers | None) -> bool:
    return answers is not None and answers.visits >= SMALLEST_SHOWN and answers.steps >= SMALLEST_SHOWN


def _shares(units: Iterable[AdminUnit], week: Week) -> dict[int, float | None]:
    """Share running of each unit at its gates, as far as it is shown to everybody."""
    gates = next((each for each in registered() if each.key == RUNNING), None)
    if gates is None:
        return {unit.pk: None for unit in units}
    sums = sums_of(gates, week)
    return {unit.pk: sums.share(unit_cell(unit.pk), exact=False) for unit in units}


def _hidden(found: dict[int, list[Answers]]) -> set[tuple[str, int]]:
    """The cells whose newly running phones are kept back, in the tree of all units with answers."""
    paths = dict(AdminUnit.objects.filter(pk__in=found).values_list("pk", "path"))
    return hidden_cells_of((paths[pk], None, sum(one.helped for one in ones)) for pk, ones in found.items())


def _midnight(day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(), ZoneInfo(settings.TIME_ZONE))
