# SPDX-License-Identifier: Apache-2.0
"""Paper for house visits: the door sheet, printed and typed in, the stock of leaflets, and the pages of both."""

import datetime
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet, Sum
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views.decorators.http import require_http_methods, require_safe

from bluezone.audit import hash_chain
from bluezone.directory.models import AdminUnit
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.objects import Ownership, touches
from bluezone.paper.pdf import pdf_response, write_pdf
from bluezone.paper.phrases import facts
from bluezone.refusal import Refused
from bluezone.rollout.canvass import scope
from bluezone.rollout.canvass.forms import LeafletForm, SheetForm
from bluezone.rollout.canvass.households.facts import Outcome, Revisit, SkipReason
from bluezone.rollout.canvass.households.projection import apply_visit, store
from bluezone.rollout.canvass.models import Household, LeafletMove, Turf, TurfDoor, Visit
from bluezone.rollout.canvass.scope import KEEPERS, chosen_wards, turf_or_404, wards_of
from bluezone.rollout.canvass.visits.entries import MOST_PHONES
from bluezone.training import practised
from bluezone.vietnamese.typed import read_count

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
        raise SheetInvalid(f"{line.digit[:3]!r} is not an outcome, expected 1 to 9", line.place)
    return Visit(
        key=key, household=household, door=household.pk, at=at, received_at=now, outcome=outcome,
        skip_reason=SkipReason.OTHER if outcome == Outcome.SKIPPED else "", phones=line.phones, seen=line.seen,
        told=line.told, helped=line.helped, leaflet_lot=lot[:20], leaflets=line.leaflets,
        revisit=Revisit.AFTER_17 if line.after_17 else "", entered_by=actor,
    )  # fmt: skip


MOST = 1_000_000


class LeafletsMissing(Refused):
    """More leaflets would go on than there are at the step before; nothing was booked. left: how many there are."""

    code = "leaflets_missing"

    def __init__(self, message: str, left: int) -> None:
        super().__init__(message)
        self.left = left


@dataclass
class LotAtWard:
    """A lot at one ward: what came, what went on to its groups, what was left at doors, as visits say."""

    lot: str
    unit: AdminUnit
    received: int = 0
    groups: dict[str, int] = field(default_factory=dict)
    at_doors: int = 0

    @property
    def in_store(self) -> int:
        """What lies at the ward."""
        return self.received - sum(self.groups.values())

    @property
    def with_groups(self) -> int:
        """What the groups have left; below nothing, where more was left at doors than was booked to them."""
        return sum(self.groups.values()) - self.at_doors


def move(
    actor: str, kind: str, lot: str, count: int, now: datetime.datetime, unit: AdminUnit | None = None, group: str = ""
) -> LeafletMove:
    """Book leaflets one step on. count: sheets; below 0 takes a booking back. Raises LeafletsMissing."""
    with transaction.atomic():
        if kind != LeafletMove.Kind.PRINTED:
            before = LeafletMove.Kind.PRINTED if kind == LeafletMove.Kind.WARD else LeafletMove.Kind.WARD
            there = LeafletMove.objects.filter(lot=lot, kind=before)
            gone = LeafletMove.objects.filter(lot=lot, kind=kind)
            if kind == LeafletMove.Kind.GROUP:
                there, gone = there.filter(unit=unit), gone.filter(unit=unit)
            left = _sum(there) - _sum(gone)
            if count > left:
                raise LeafletsMissing(f"{count} leaflets of the lot, but {left} are at the step before", left)
        made = LeafletMove.objects.create(
            kind=kind, lot=lot, unit=unit, group=group, count=count, by=actor, made_at=now
        )
        hash_chain.record(actor, "leaflets_moved", str(made.pk), kind=kind, count=count)
    return made


def at_wards(wards: list[AdminUnit]) -> list[LotAtWard]:
    """Every lot at each of the wards, newest booking first; two queries."""
    found: dict[tuple[str, int | None], LotAtWard] = {}
    by_pk: dict[int | None, AdminUnit] = {ward.pk: ward for ward in wards}
    for one in LeafletMove.objects.filter(unit__in=wards).exclude(kind=LeafletMove.Kind.PRINTED):
        row = found.setdefault((one.lot, one.unit_id), LotAtWard(one.lot, by_pk[one.unit_id]))
        if one.kind == LeafletMove.Kind.WARD:
            row.received += one.count
        else:
            row.groups[one.group] = row.groups.get(one.group, 0) + one.count
    left = Visit.objects.filter(household__unit__in=wards, leaflets__gt=0).order_by()
    for lot, unit, count in left.values_list("leaflet_lot", "household__unit").annotate(Sum("leaflets")):
        found.setdefault((lot, unit), LotAtWard(lot, by_pk[unit])).at_doors += count
    return list(found.values())


def printed() -> list[tuple[str, int, int]]:
    """Each lot: printed, and of it gone to wards; one query."""
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for lot, kind, count in LeafletMove.objects.order_by().values_list("lot", "kind").annotate(Sum("count")):
        if kind != LeafletMove.Kind.GROUP:
            sums[lot][kind == LeafletMove.Kind.WARD] += count
    return [(lot, made, gone) for lot, (made, gone) in sorted(sums.items())]


def _sum(moves: QuerySet[LeafletMove]) -> int:
    return moves.aggregate(all=Sum("count"))["all"] or 0


COUNTS = ("phones", "seen", "told", "helped", "leaflets")
_LABELS = {
    "outcome": gettext_lazy("Outcome"),
    "phones": gettext_lazy("Smartphones"),
    "seen": gettext_lazy("Seen running"),
    "told": gettext_lazy("As they say"),
    "helped": gettext_lazy("Helped"),
    "leaflets": gettext_lazy("Leaflets"),
}


@require_safe
@practised
@audience(KEEPERS)
@touches(Ownership.WARD)
def sheet(request: OfficeRequest, pk: int) -> HttpResponse:
    """The door sheet of a list, A4 with boxes, kept by no cache."""
    found = turf_or_404(request, pk)
    return pdf_response(sheet_pdf(found), f"door-sheet-{found.pk}")


@require_http_methods(["GET", "HEAD", "POST"])
@practised
@audience(KEEPERS)
@touches(Ownership.WARD)
def enter_sheet(request: OfficeRequest, pk: int, page: int) -> HttpResponse:
    """Type a page of the sheet in: 302 to the next page, 422 with the line at fault and everything still typed."""
    found, now = turf_or_404(request, pk), timezone.now()
    last = pages(found)
    page = min(max(1, page), last)
    form = SheetForm(request.POST or None, initial={"day": timezone.localdate(now)})
    refusal = ""
    if request.method == "POST" and form.is_valid():
        try:
            stored, repeated = _store(request, found, form.cleaned_data, now)
        except SheetInvalid as refused:
            refusal = scope.sentence_of(refused) if refused.place else _("The day of the sheet is in the future.")
        else:
            messages.success(request, _("%(count)s visits stored.") % {"count": stored})
            if repeated:
                messages.warning(
                    request,
                    _("These lines had already been entered for that day and stay as they were: %(places)s.")
                    % {"places": ", ".join(map(str, repeated))},
                )
            return redirect("canvass-sheet-enter", pk, page + 1) if page < last else redirect("canvass-turf", pk)
    lines = [
        (place, [(name, label, request.POST.get(f"{name}-{place.place}", "")) for name, label in _LABELS.items()],
         f"again-{place.place}" in request.POST)
        for place in page_of(found, page)
    ]  # fmt: skip
    context = {
        "turf": found, "page_number": page, "last": last, "form": form, "lines": lines, "refusal": refusal,
        "digits": list(DIGITS.items()),
    }  # fmt: skip
    return render(request, "canvass/sheet_enter.html", context, status=422 if refusal or form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@practised
@audience(KEEPERS)
@touches(Ownership.WARD)
def leaflets(request: OfficeRequest) -> HttpResponse:
    """Leaflets: printed, at the wards, with the groups, at doors. POST books a step: 302, 422 with a sentence."""
    wards, chosen = chosen_wards(request)
    form = LeafletForm(request.POST or None, wards=wards_of(request.user), initial={"kind": "ward"})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        with acts.refusals_as_form_errors(form, scope.sentence_of, field="count", kinds=LeafletsMissing):
            lot, group = values["lot"].strip(), values["group"].strip()
            move(request.user.username, values["kind"], lot, values["count"], timezone.now(), values["unit"], group)
            messages.success(request, _("Booked."))
            return redirect("canvass-leaflets")
    moves = LeafletMove.objects.filter(unit__in=chosen).select_related("unit")[:20]
    context = {
        "wards": wards, "chosen": chosen, "form": form, "moves": moves,
        "rows": at_wards(chosen), "printed": printed(),
    }  # fmt: skip
    return render(request, "canvass/leaflets.html", context, status=422 if form.errors else 200)


def _store(
    request: OfficeRequest, turf: Turf, head: dict[str, object], now: datetime.datetime
) -> tuple[int, list[int]]:
    day, lot = head["day"], head["lot"]
    assert isinstance(day, datetime.date)
    lines = []
    for name, value in request.POST.items():
        prefix, _dash, place = name.partition("-")
        if prefix == "outcome" and str(value).strip() and place.isascii() and place.isdigit():
            lines.append(_line(request, int(place), str(value).strip()))
    return enter(request.user.username, turf, day, str(lot), lines, now, timezone.get_default_timezone())


def _line(request: OfficeRequest, place: int, digit: str) -> SheetLine:
    counts: dict[str, int | None] = {}
    for name in COUNTS:
        text = request.POST.get(f"{name}-{place}", "").strip()
        counts[name] = read_count(text)
        if text and counts[name] not in range(MOST_PHONES + 1):
            raise SheetInvalid(f"{name} is not a count", place)
    return SheetLine(
        place, digit, counts["phones"], counts["seen"] or 0, counts["told"] or 0, counts["helped"] or 0,
        counts["leaflets"] or 0, f"again-{place}" in request.POST,
    )  # fmt: skip
