# SPDX-License-Identifier: Apache-2.0
"""Read what gates counted on paper: sums of slips, beside what tablets counted and added to no class of proof."""

import datetime
from collections import Counter

from django.db.models import QuerySet

from bluezone.rollout.gates.models import Gate, PaperSlip
from bluezone.rollout.gates.sums import at_sites

# Names of PaperSlip's numbers -> sums.
PaperSums = Counter[str]
_WITH_SMARTPHONE = ("screen_seen", "installed_off", "helped", "told")
_NAMES = (*_WITH_SMARTPHONE, "no_smartphone", "went_out")


def paper_days(
    first: datetime.date, last: datetime.date, gates: QuerySet[Gate] | None = None
) -> dict[tuple[int, datetime.date], PaperSums]:
    """Sums of the slips of each site's gate and day, first and last included; one query."""
    rows = PaperSlip.objects.filter(at_sites(), day__range=(first, last))
    if gates is not None:
        rows = rows.filter(gate__in=gates)
    found: dict[tuple[int, datetime.date], PaperSums] = {}
    for gate_id, day, *numbers in rows.order_by().values_list("gate_id", "day", *_NAMES):
        found.setdefault((gate_id, day), Counter()).update(dict(zip(_NAMES, numbers, strict=True)))
    return found


def paper_sums(first: datetime.date, last: datetime.date) -> dict[int, PaperSums]:
    """Sums of the slips of each site's gate over days, first and last included; one query."""
    found: dict[int, PaperSums] = {}
    for (gate_id, _day), numbers in paper_days(first, last).items():
        found.setdefault(gate_id, Counter()).update(numbers)
    return found


def with_smartphone_on_paper(numbers: PaperSums) -> int:
    """Passages in of people with a smartphone."""
    return sum(numbers[name] for name in _WITH_SMARTPHONE)


def came_in_on_paper(numbers: PaperSums) -> int:
    """Passages in."""
    return with_smartphone_on_paper(numbers) + numbers["no_smartphone"]
