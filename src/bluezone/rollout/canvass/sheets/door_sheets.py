# SPDX-License-Identifier: Apache-2.0
"""The printed door sheet, and typing it in: 20 doors a page, one digit for the outcome, boxes for the rest.

For group heads who work on paper (docs/design.md, "paper").
"""

import datetime
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.template.loader import render_to_string
from django.utils.translation import override

from bluezone.audit import hash_chain
from bluezone.paper.city_facts import facts
from bluezone.paper.pdf import write_pdf
from bluezone.refusal import Refused
from bluezone.rollout.canvass.households.projection import apply_visit, store
from bluezone.rollout.canvass.models import Household, Turf, TurfDoor, Visit
from bluezone.rollout.canvass.visits.outcomes import Outcome, Revisit, SkipReason

DOORS_A_PAGE = 20
# As printed at the foot of the sheet; 9 is "passed by".
DIGITS = {
    "1": Outcome.INSTALLED, "2": Outcome.RUNNING, "3": Outcome.LEAFLET, "4": Outcome.NOT_HOME, "5": Outcome.REFUSED,
    "6": Outcome.NO_SMARTPHONE, "7": Outcome.MOVED, "8": Outcome.LOCKED, "9": Outcome.SKIPPED,
}  # fmt: skip
_NAMESPACE = uuid.UUID("8f1d2b6a-0d64-4c0e-9d6e-3c8c5b1f7a20")
_NOON = datetime.time(12)


class SheetInvalid(Refused):
    """A line of a sheet has an outcome that is none, or a count too large; nothing of the sheet was stored."""

    code = "sheet_invalid"

    def __init__(self, message: str, place: int) -> None:
        super().__init__(message)
        self.place = place


@dataclass(frozen=True)
class SheetLine:
    """One line that was filled in: which place of the list, the digit, and the counts of its boxes."""

    place: int
    digit: str
    phones: int | None = None
    seen: int = 0
    told: int = 0
    helped: int = 0
    leaflets: int = 0
    after_17: bool = False


def page_of(turf: Turf, number: int) -> list[TurfDoor]:
    """The doors of a page of the sheet, from 1; empty past the last."""
    doors = turf.places.filter(household__merged_into=None).select_related("household").order_by("place", "pk")
    return list(doors[(number - 1) * DOORS_A_PAGE : number * DOORS_A_PAGE])


def pages(turf: Turf) -> int:
    """How many pages the sheet has."""
    doors = turf.places.filter(household__merged_into=None).count()
    return max(1, -(-doors // DOORS_A_PAGE))


def sheet_pdf(turf: Turf) -> bytes:
    """The sheet, A4 across, Vietnamese, with a few empty lines for doors that were found. Raises PdfUnavailable."""
    shown = [page_of(turf, number) for number in range(1, pages(turf) + 1)]
    context = {
        "turf": turf, "city": facts("vi"), "pages": shown, "digits": list(DIGITS.items()),
        "extra": range(3),
    }  # fmt: skip
    # Vietnamese whatever language the office page has: it is walked with and handed in there.
    with override("vi"):
        return write_pdf(render_to_string("canvass/print/sheet.html", context))


def enter(
    actor: str,
    turf: Turf,
    day: datetime.date,
    lot: str,
    lines: Iterable[SheetLine],
    now: datetime.datetime,
    zone: datetime.tzinfo,
) -> tuple[int, list[int]]:
    """Store the lines of a sheet, all or none; how many are new, and places that had a sheet's visit that day already.

    A line typed twice is one visit: its id is made of list, door and day. Raises SheetInvalid.
    """  # fmt: skip
    at = min(datetime.datetime.combine(day, _NOON, zone), now)
    if day > now.astimezone(zone).date():
        raise SheetInvalid("the day of the sheet is still to come", 0)
    filled = {line.place: line for line in lines}
    with transaction.atomic():
        places = {one.place: one.household_id for one in turf.places.filter(place__in=filled)}
        held = Household.objects.select_for_update().filter(pk__in=places.values(), merged_into=None).order_by("pk")
        households: Mapping[uuid.UUID, Household] = {door.pk: door for door in held}
        visits = []
        for place, line in sorted(filled.items()):
            household = households.get(places.get(place, uuid.UUID(int=0)))
            if household is None:
                raise SheetInvalid(f"the list has no door {place}", place)
            key = uuid.uuid5(_NAMESPACE, f"{turf.pk} {household.pk} {day}")
            visits.append(_visit(actor, key, household, line, lot, at, now))
        known = set(Visit.objects.filter(pk__in=[visit.pk for visit in visits]).values_list("pk", flat=True))
        new = [visit for visit in visits if visit.pk not in known]
        Visit.everything.bulk_create(new)
        for visit in new:
            apply_visit(visit.household, visit)
        store([visit.household for visit in new])
        if new:
            hash_chain.record(actor, "sheet_entered", str(turf.pk), day=day.isoformat(), visits=len(new))
    repeated = {visit.household_id for visit in visits if visit.pk in known}
    return len(new), sorted(place for place, key in places.items() if key in repeated)


def _visit(
    actor: str, key: uuid.UUID, household: Household, line: SheetLine, lot: str, at: datetime.datetime,
    now: datetime.datetime,
) -> Visit:  # fmt: skip
    outcome = DIGITS.get(line.digit)
    if outcome is None:
        raise SheetInvalid(f"{line.digit[:3]!r} is no outcome, expected 1 to 9", line.place)
    return Visit(
        key=key, household=household, door=household.pk, at=at, received_at=now, outcome=outcome,
        skip_reason=SkipReason.OTHER if outcome == Outcome.SKIPPED else "", phones=line.phones, seen=line.seen,
        told=line.told, helped=line.helped, leaflet_lot=lot[:20], leaflets=line.leaflets,
        revisit=Revisit.AFTER_17 if line.after_17 else "", entered_by=actor,
    )  # fmt: skip
