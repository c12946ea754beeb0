# SPDX-License-Identifier: Apache-2.0
"""What a gate counted on paper: entered once a part of a day, corrected by entering it again, taken back within
seconds, and summed apart from every class of proof.
"""

import datetime
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from bluezone.audit.hash_chain import record
from bluezone.identity.acts import UndoTooLate
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.gates.counters import MOST_COUNT, at_sites
from bluezone.rollout.gates.models import DayPart, Gate, PaperSlip

COUNTS = ("screen_seen", "installed_off", "helped", "told", "no_smartphone", "went_out")
# Paper comes late, but a sum of last quarter is a slip of the pen.
OLDEST_DAYS = 60
UNDO_ACT = "gate-slip"


class SlipOfAnotherTime(Refused):
    """A slip of a day to come, or of one over 60 days ago; nothing was stored."""

    code = "gate_slip_of_another_time"


class SlipsOverlap(Refused):
    """The day has a slip for the whole day and would get one for a part of it, or the other way round."""

    code = "gate_slips_overlap"


class SlipCountInvalid(Refused):
    """A number below 0 or over 10,000; nothing was stored."""

    code = "gate_slip_count_invalid"


@dataclass(frozen=True)
class Entered:
    """slip: as it is stored now. before: its numbers until now, None for a new one. changed: False for a repetition."""

    slip: PaperSlip
    before: dict[str, int] | None
    changed: bool


def enter(
    actor: str, gate: Gate, day: datetime.date, part: DayPart, counts: Mapping[str, int], today: datetime.date
) -> Entered:
    """Store the numbers of a slip, in place of those that were entered for the same part of the day before.

    counts: of COUNTS; the same numbers again change nothing, so that a form sent twice does no harm.
    Raises SlipOfAnotherTime, SlipsOverlap, SlipCountInvalid.
    """
    numbers = {name: counts.get(name, 0) for name in COUNTS}
    if not all(0 <= number <= MOST_COUNT for number in numbers.values()):
        raise SlipCountInvalid(f"expected numbers of 0..{MOST_COUNT}")
    if not today - datetime.timedelta(days=OLDEST_DAYS) <= day <= today:
        raise SlipOfAnotherTime(f"{day} is after {today} or more than {OLDEST_DAYS} days before it")
    with transaction.atomic():
        # Two who enter one gate's slips at once wait for each other here; SQLite lets one write at a time anyway.
        Gate.objects.select_for_update().get(pk=gate.pk)
        others = PaperSlip.objects.filter(gate=gate, day=day).exclude(part=part)
        if others.filter(part=DayPart.DAY).exists() or (part == DayPart.DAY and others.exists()):
            raise SlipsOverlap(f"{day} has a slip for the whole day, or for a part of it")
        found = PaperSlip.objects.filter(gate=gate, day=day, part=part).first()
        before = _numbers(found) if found else None
        if found is not None and before == numbers:
            return Entered(found, before, changed=False)
        slip, _made = PaperSlip.objects.update_or_create(gate=gate, day=day, part=part, defaults=numbers)
        record(
            actor, "gate_slip_entered", str(gate.pk), day=str(day), part=str(part), numbers=_told(numbers),
            before=_told(before),
        )  # fmt: skip
    return Entered(slip, before, changed=True)


def take_out(actor: str, slip: PaperSlip) -> dict[str, Any]:
    """Take a slip out that was entered for the wrong gate or day; returns what brings it back."""
    numbers = _numbers(slip)
    with transaction.atomic():
        if PaperSlip.objects.filter(pk=slip.pk).delete()[0]:
            record(
                actor, "gate_slip_removed", str(slip.gate_id), day=str(slip.day), part=slip.part,
                numbers=_told(numbers),
            )  # fmt: skip
    return {"gate": slip.gate_id, "day": str(slip.day), "part": slip.part, "before": numbers, "after": None}


def undo_values(entered: Entered) -> dict[str, Any]:
    """What takes an entry back."""
    slip = entered.slip
    place = {"gate": slip.gate_id, "day": str(slip.day), "part": slip.part}
    return {**place, "before": entered.before, "after": _numbers(slip)}


def take_back(user: User, values: dict[str, Any], now: datetime.datetime) -> None:
    """Bring back what was there before, unless the slip was changed since."""
    gate, day, part = Gate.objects.get(pk=values["gate"]), datetime.date.fromisoformat(values["day"]), values["part"]
    with transaction.atomic():
        Gate.objects.select_for_update().get(pk=gate.pk)
        found = PaperSlip.objects.filter(gate=gate, day=day, part=part).first()
        if (None if found is None else _numbers(found)) != values["after"]:
            raise UndoTooLate("the slip was changed since")
        if values["before"] is None:
            if found is not None:
                take_out(user.username, found)
        else:
            enter(user.username, gate, day, DayPart(part), values["before"], timezone.localdate(now))


def _numbers(slip: PaperSlip) -> dict[str, int]:
    return {name: getattr(slip, name) for name in COUNTS}


def _told(numbers: Mapping[str, int] | None) -> str:
    """For the audit, in the order of COUNTS."""
    return "" if numbers is None else " ".join(f"{name}={numbers[name]}" for name in COUNTS)


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
