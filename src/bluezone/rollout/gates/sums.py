# SPDX-License-Identifier: Apache-2.0
"""Read what was counted: sums of days and gates, the same before and after the counters were forgotten."""

import datetime
from collections import Counter
from collections.abc import Iterable

from django.db.models import Q, QuerySet, Sum

from bluezone.rollout.gates.models import Direction, Gate, GateDay, GateKind, Verdict

# Whoever came in with a smartphone, whatever was found.
WITH_SMARTPHONE = frozenset(set(Verdict) - {Verdict.NO_SMARTPHONE, Verdict.OUT})

Sums = Counter[Verdict]
_VERDICTS = {verdict.value: verdict for verdict in Verdict}


def at_sites() -> Q:
    """Rows of gates at sites. The drives' gates are left out, and not the sites' joined in, because they are few: the
    day's index is then used whatever the store knows of the tables.
    """
    return ~Q(gate__in=Gate.objects.filter(kind=GateKind.DRIVE).values("pk"))


def gate_days(
    first: datetime.date, last: datetime.date, gates: QuerySet[Gate] | None = None
) -> dict[tuple[int, datetime.date], Sums]:
    """Passages by verdict of each site's gate and day, first and last included; one query."""
    found: dict[tuple[int, datetime.date], Sums] = {}
    rows = GateDay.objects.filter(at_sites(), day__range=(first, last))
    if gates is not None:
        rows = rows.filter(gate__in=gates)
    for gate_id, day, verdict, total in rows.values_list("gate_id", "day", "verdict", "count"):
        found.setdefault((gate_id, day), Counter())[_VERDICTS[verdict]] = total
    return found


def gate_sums(first: datetime.date, last: datetime.date) -> dict[int, Sums]:
    """Passages by verdict of each site's gate over days, first and last included; one query."""
    found: dict[int, Sums] = {}
    days = GateDay.objects.filter(at_sites(), day__range=(first, last))
    rows = days.values_list("gate_id", "verdict")
    for gate_id, verdict, total in rows.annotate(total=Sum("count")).order_by():
        found.setdefault(gate_id, Counter())[_VERDICTS[verdict]] = total
    return found


def came_in(sums: Sums) -> int:
    """Passages in."""
    return sum(count for verdict, count in sums.items() if verdict is not Verdict.OUT)


def with_smartphone(sums: Sums) -> int:
    """Passages in of people with a smartphone: the denominator of the share running."""
    return sum(count for verdict, count in sums.items() if verdict in WITH_SMARTPHONE)


def inside(gate_ids: Iterable[int], day: datetime.date) -> dict[int, int]:
    """In minus out of a day, by gate; below zero where people came in before that day."""
    rows = (
        GateDay.objects.filter(day=day, gate__in=list(gate_ids))
        .values_list("gate_id", "direction")
        .annotate(total=Sum("count"))
        .order_by()
    )
    found: dict[int, int] = {}
    for gate_id, direction, total in rows:
        found[gate_id] = found.get(gate_id, 0) + (total if direction == Direction.IN else -total)
    return found
