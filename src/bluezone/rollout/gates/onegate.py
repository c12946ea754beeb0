# SPDX-License-Identifier: Apache-2.0
"""What the page of one gate shows its own agency: days, people inside, the share with its interval, trend, shifts."""

import datetime
from dataclasses import dataclass

from django.utils import timezone

from bluezone.rollout.coverage import Interval, Week, bootstrap
from bluezone.rollout.gates.keepingback import Counted, counted
from bluezone.rollout.gates.models import Gate, Gatekeeper, Shift
from bluezone.rollout.gates.papersums import PaperSums, came_in_on_paper, paper_days
from bluezone.rollout.gates.queries import named
from bluezone.rollout.gates.sums import Sums, gate_days, inside

TREND_WEEKS = 8
SHIFT_DAYS = 14
MOST_SHIFTS_SHOWN = 100
_WEEK = datetime.timedelta(days=7)
# The drawing: a column a week, in the units of its viewBox.
COLUMN, BAR, HEIGHT = 44, 36, 90


@dataclass(frozen=True)
class TrendWeek:
    """One week of the trend. x, y, height: of its column in the drawing, none where nobody came with a smartphone."""

    week: Week
    counted: Counted
    x: int

    @property
    def height(self) -> int:
        """Height of the column, at least 1 so that a small share is seen."""
        return max(1, round(HEIGHT * self.counted.share)) if self.counted.share is not None else 0

    @property
    def y(self) -> int:
        """Its upper edge."""
        return HEIGHT - self.height

    @property
    def middle(self) -> int:
        """Where its label stands."""
        return self.x + BAR // 2


@dataclass(frozen=True)
class OneGate:
    """Everything of a gate and week that its own agency sees; inside: in minus out of today, paper included."""

    days: list[tuple[datetime.date, Counted]]
    total: Counted
    interval: Interval | None
    trend: list[TrendWeek]
    inside: int
    gatekeepers: list[Gatekeeper]
    shifts: list[Shift]


def one_gate(gate: Gate, week: Week, now: datetime.datetime) -> OneGate:
    """Read a gate's page: five queries."""
    first = week.first_day - (TREND_WEEKS - 1) * _WEEK
    alone, today = Gate.objects.filter(pk=gate.pk), timezone.localdate(now)
    found = {day: sums for (_, day), sums in gate_days(first, week.last_day, alone).items()}
    slips = {day: numbers for (_, day), numbers in paper_days(first, max(week.last_day, today), alone).items()}
    week_days = [week.first_day + datetime.timedelta(days=number) for number in range(7)]
    days = [(day, _row(found, slips, day)) for day in week_days if day in found or day in slips]
    trend = []
    for number in range(TREND_WEEKS):
        one = Week(first + number * _WEEK)
        on_paper = sum(came_in_on_paper(numbers) for day, numbers in slips.items() if _is_in(day, one))
        trend.append(TrendWeek(one, counted(_added(found, one), on_paper), number * COLUMN))
    return OneGate(
        days=days,
        total=trend[-1].counted,
        interval=bootstrap([(row.proven or 0, row.with_smartphone or 0) for _, row in days]),
        trend=trend,
        inside=inside([gate.pk], today).get(gate.pk, 0) + _inside_on_paper(slips.get(today, PaperSums())),
        gatekeepers=list(gate.gatekeepers.filter(named(today))),
        shifts=list(
            gate.shifts.filter(started_at__gte=now - datetime.timedelta(days=SHIFT_DAYS)).select_related("gatekeeper")[
                :MOST_SHIFTS_SHOWN
            ]
        ),
    )


def _added(found: dict[datetime.date, Sums], week: Week) -> Sums:
    total = Sums()
    for day, sums in found.items():
        if _is_in(day, week):
            total.update(sums)
    return total


def _row(found: dict[datetime.date, Sums], slips: dict[datetime.date, PaperSums], day: datetime.date) -> Counted:
    return counted(found.get(day, Sums()), came_in_on_paper(slips.get(day, PaperSums())))


def _is_in(day: datetime.date, week: Week) -> bool:
    return week.first_day <= day <= week.last_day


def _inside_on_paper(numbers: PaperSums) -> int:
    return came_in_on_paper(numbers) - numbers["went_out"]
