# SPDX-License-Identifier: Apache-2.0
"""How many people are inside: in minus out, over midnight, as far as tablets have reported and slips were entered.

A day that ends below zero, because some came in uncounted, is followed by one that begins with nobody. Where no exit
was counted for seven days, nothing can be carried: such a place begins each day with nobody, and its page says so.
"""

import datetime
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Sum

from bluezone.audit.hash_chain import record
from bluezone.rollout.gates.models import Direction, Gate, GateDay
from bluezone.rollout.gates.paper_slips import came_in_on_paper, paper_days

EXIT_DAYS = 7
_DAY = datetime.timedelta(days=1)


@dataclass
class _Passages:
    came_in: int = 0
    went_out: int = 0


@dataclass(frozen=True)
class Inside:
    """before: people inside when the day began. today: in minus out. counts_exits: whether any is carried over."""

    before: int
    today: int
    counts_exits: bool

    @property
    def now(self) -> int:
        """People inside now; below zero where some came in uncounted."""
        return self.before + self.today


def people_inside(gate: Gate, day: datetime.date) -> Inside:
    """People inside of a gate on a day, by tablets and slips; two queries."""
    days = _passages(gate, day)
    before = gate.inside_before
    at = gate.inside_since
    counts_exits = True
    for since in range(max(0, (day - at).days)):
        at = gate.inside_since + since * _DAY
        passages = days.get(at, _Passages())
        counts_exits = _counts_exits(days, at, gate.inside_since)
        before = max(0, before + passages.came_in - passages.went_out) if counts_exits else 0
    today = days.get(day, _Passages())
    return Inside(before, today.came_in - today.went_out, counts_exits)


def correct(actor: str, gate: Gate, number: int, day: datetime.date) -> None:
    """Let so many people be inside now, whatever was counted: somebody looked."""
    with transaction.atomic():
        Gate.objects.select_for_update().get(pk=gate.pk)
        counted = people_inside(gate, day)
        Gate.objects.filter(pk=gate.pk).update(inside_since=day, inside_before=number - counted.today)
        record(actor, "gate_inside_corrected", str(gate.pk), before=counted.now, after=number)


def _passages(gate: Gate, day: datetime.date) -> dict[datetime.date, _Passages]:
    first = min(gate.inside_since, day) - EXIT_DAYS * _DAY
    found: dict[datetime.date, _Passages] = {}
    rows = GateDay.objects.filter(gate=gate, day__range=(first, day)).values_list("day", "direction")
    for of, direction, total in rows.annotate(total=Sum("count")).order_by():
        passages = found.setdefault(of, _Passages())
        if direction == Direction.IN:
            passages.came_in += total
        else:
            passages.went_out += total
    for (_gate, of), numbers in paper_days(first, day, Gate.objects.filter(pk=gate.pk)).items():
        passages = found.setdefault(of, _Passages())
        passages.came_in += came_in_on_paper(numbers)
        passages.went_out += numbers["went_out"]
    return found


def _counts_exits(days: dict[datetime.date, _Passages], at: datetime.date, since: datetime.date) -> bool:
    """Whether exits are counted at a gate by what it counted until the end of a day.

    On the first day on which it counts at all nobody may have left yet.
    """
    before = [days[of] for number in range(EXIT_DAYS) if (of := at - number * _DAY) in days]
    return len(before) <= 1 or any(passages.went_out for passages in before)
