# SPDX-License-Identifier: Apache-2.0
"""Compare the result of a past week with the expectation on its Monday."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings

from bluezone.directory.models import AdminUnit
from bluezone.rollout.coverage.expected.places import answers_before, place_of, sum_answers, sum_by_unit
from bluezone.rollout.coverage.expected.yields import Answers, expectations
from bluezone.rollout.coverage.indicators import (
    RUNNING,
    answers_by_unit,
    doors_by_unit,
    newest_denominators,
    registered_indicators,
    sum_indicator,
)
from bluezone.rollout.coverage.suppression import SMALLEST_SHOWN, suppressed_cells, unit_cell
from bluezone.rollout.report_week import Week


@dataclass(frozen=True)
class ComparedRow:
    """One unit in which teams worked.

    hours: team-hours of the week. expected, low, high: newly running phones in these hours, as expected on the Monday,
    with a 95 % interval. newly_running: newly running phones, None if suppressed.
    """

    unit: AdminUnit
    hours: float
    expected: float
    low: int
    high: int
    newly_running: int | None

    @property
    def is_within_interval(self) -> bool | None:
        """Whether the result is within the interval; None if suppressed."""
        if self.newly_running is None:
            return None
        return self.low <= self.newly_running <= self.high


@dataclass(frozen=True)
class Comparison:
    """Units in which teams worked in a week, most hours first."""

    week: Week
    rows: Sequence[ComparedRow]

    @property
    def unsuppressed_rows(self) -> list[ComparedRow]:
        """Rows without a suppressed number."""
        return [row for row in self.rows if row.newly_running is not None]

    @property
    def expected(self) -> float:
        """Newly running phones expected in the rows of `unsuppressed_rows`."""
        return sum(row.expected for row in self.unsuppressed_rows)

    @property
    def newly_running(self) -> int:
        """Newly running phones in the rows of `unsuppressed_rows`. A sum of shown numbers reveals no suppressed one."""
        return sum(row.newly_running or 0 for row in self.unsuppressed_rows)

    @property
    def rows_within_interval(self) -> int:
        """In how many rows of `unsuppressed_rows` the result is within the interval."""
        return sum(row.is_within_interval is True for row in self.unsuppressed_rows)


def week_to_compare(chosen: Week, today: datetime.date) -> Week:
    """The chosen week if it is over, else the last week that is over."""
    if chosen.last_day < today:
        return chosen
    return Week.of(today).previous


def compare_week(top: AdminUnit, units: Sequence[AdminUnit], week: Week, now: datetime.datetime) -> Comparison:
    """Compare the result of a week, as known at `now`, with what was expected on its Monday.

    The expectation uses the answers received before that Monday and the gates of the week before. It is for the hours
    really worked, so that it does not fail because a team did not come. It is computed from stored rows with their
    times of receipt, so that no one can improve it afterwards.
    """
    monday = _midnight(week.first_day)
    end = _midnight(week.following.first_day)
    answers_in_week = answers_by_unit(monday, end, now)
    totals = sum_answers(sum_by_unit(top, units, answers_in_week))
    visited = [unit for unit in units if _is_enough(totals.get(unit.pk))]
    if not visited:
        return Comparison(week, [])
    doors = sum_by_unit(top, units, doors_by_unit(monday))
    before = answers_before(top, units, monday)
    shares = _shares(units, week.previous)
    figures = newest_denominators(units, week.first_day)
    expected = expectations(
        place_of(unit, doors[unit.pk], shares[unit.pk], before.get(unit.pk), figures) for unit in units
    )
    suppressed = _suppressed(answers_in_week)
    rows = []
    for unit in visited:
        answers = totals[unit.pk]
        mean, low, high = expected[unit.pk].of_hours(answers.hours)
        is_shown = unit_cell(unit.pk) not in suppressed
        rows.append(ComparedRow(unit, answers.hours, mean, low, high, answers.helped if is_shown else None))
    return Comparison(week, sorted(rows, key=lambda row: (-row.hours, row.unit.name)))


def _is_enough(answers: Answers | None) -> bool:
    """Whether a unit has at least SMALLEST_SHOWN visits and timed steps, so that it may be compared."""
    return answers is not None and answers.visits >= SMALLEST_SHOWN and answers.steps >= SMALLEST_SHOWN


def _shares(units: Iterable[AdminUnit], week: Week) -> dict[int, float | None]:
    """The share of running phones at the gates of each unit, None if suppressed or not counted."""
    gates = next((indicator for indicator in registered_indicators() if indicator.key == RUNNING), None)
    if gates is None:
        return {unit.pk: None for unit in units}
    sums = sum_indicator(gates, week)
    return {unit.pk: sums.share(unit_cell(unit.pk), exact=False) for unit in units}


def _suppressed(answers: dict[int, list[Answers]]) -> set[tuple[str, int]]:
    """The cells with a suppressed number of newly running phones, in the tree of all units with answers."""
    paths = dict(AdminUnit.objects.filter(pk__in=answers).values_list("pk", "path"))
    helped = {pk: sum(entry.helped for entry in entries) for pk, entries in answers.items()}
    return suppressed_cells((paths[pk], None, count) for pk, count in helped.items())


def _midnight(day: datetime.date) -> datetime.datetime:
    return datetime.datetime.combine(day, datetime.time(), ZoneInfo(settings.TIME_ZONE))
