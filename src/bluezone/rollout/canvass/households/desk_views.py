# SPDX-License-Identifier: Apache-2.0
"""The desk: two values side by side, gaps, doors that may be one, entries kept aside; and a ward's list of households
sent in.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from bluezone.directory.imports.import_views import GradualListPages
from bluezone.directory.imports.listings import spreadsheet_response
from bluezone.directory.imports.sent_lists import Preview, Reading
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.objects import Ownership, touches
from bluezone.refusal import Refused
from bluezone.rollout.canvass import scope
from bluezone.rollout.canvass.forms import DoorsImportForm
from bluezone.rollout.canvass.households import decisions, door_lists
from bluezone.rollout.canvass.households.door_lists import COLUMNS, DoorPlan
from bluezone.rollout.canvass.households.facts import LABELS
from bluezone.rollout.canvass.households.projection import merged_of
from bluezone.rollout.canvass.models import Aside, Change, DoorsImport, DuplicatePair, Household
from bluezone.rollout.canvass.scope import KEEPERS, chosen_wards, household_or_404, ward_or_404, wards_of
from bluezone.rollout.canvass.visits import intake
from bluezone.training import practised

ROWS_A_PAGE = 20


@require_safe
@practised
@audience(KEEPERS)
@touches(Ownership.REACHED)
def conflicts(request: OfficeRequest) -> HttpResponse:
    """Facts of which two values stand side by side, with who said each and when; and changes that wait for another."""
    wards, chosen = chosen_wards(request)
    doors = Household.objects.filter(unit__in=chosen, merged_into=None).select_related("unit")
    disputed = Paginator(doors.filter(is_disputed=True).order_by("-touched_at"), ROWS_A_PAGE)
    page = disputed.get_page(request.GET.get("page"))
    waiting = list(doors.filter(is_incomplete=True).order_by("-touched_at")[:ROWS_A_PAGE])
    rows = _notice([*page.object_list, *waiting])
    context = {
        "wards": wards, "chosen": chosen, "page": page,
        "rows": [row for row in rows if row["rivals"]], "gaps": [row for row in rows if row["missing"]],
    }  # fmt: skip
    return render(request, "canvass/conflicts.html", context)


@require_POST
@practised
@audience(KEEPERS)
@touches(Ownership.WARD)
def choose(request: OfficeRequest, key: str) -> HttpResponse:
    """End a dispute with one of its values: 302 back to the desk."""
    found = household_or_404(request, key)
    return _done(request, "canvass-conflicts", lambda: decisions.choose(
        request.user.username, found, request.POST.get("field", ""), request.POST.get("value", ""), timezone.now()
    ))  # fmt: skip


@require_POST
@practised
@audience(KEEPERS)
@touches(Ownership.WARD)
def force(request: OfficeRequest, pk: int) -> HttpResponse:
    """Take a change although one before it is missing: 302 back to the desk."""
    change = get_object_or_404(Change, pk=pk, household__unit__in=wards_of(request.user))
    return _done(request, "canvass-conflicts", lambda: decisions.force(request.user.username, change, timezone.now()))


@require_safe
@practised
@audience(KEEPERS)
@touches(Ownership.REACHED)
def pairs(request: OfficeRequest) -> HttpResponse:
    """Doors that may be one, likeliest first, side by side."""
    wards, chosen = chosen_wards(request)
    found = DuplicatePair.objects.filter(
        state=DuplicatePair.State.OPEN, first__unit__in=chosen, first__merged_into=None, second__merged_into=None
    ).select_related("first__unit", "second__unit")
    page = Paginator(found, ROWS_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "canvass/pairs.html", {"wards": wards, "chosen": chosen, "page": page})


@require_POST
@practised
@audience(KEEPERS)
@touches(Ownership.WARD)
def propose(request: OfficeRequest, unit: int) -> HttpResponse:
    """Look through a ward for doors that may be one: 302 to them."""
    found = decisions.propose(ward_or_404(request, unit), timezone.now())
    messages.info(request, _("%(count)s new pairs were found.") % {"count": found})
    return redirect("canvass-pairs")


@require_POST
@practised
@audience(KEEPERS)
@touches(Ownership.WARD)
def decide_pair(request: OfficeRequest, pk: int) -> HttpResponse:
    """Make two doors one, keeping the first or the second, or say that they are two: 302 to the next."""
    pair = get_object_or_404(DuplicatePair, pk=pk, first__unit__in=wards_of(request.user))
    decision, now = request.POST.get("decision", ""), timezone.now()
    if decision in ("first", "second"):
        return _done(request, "canvass-pairs", lambda: decisions.join(
            request.user.username, pair, decision == "first", now
        ))  # fmt: skip
    if decision == "apart":
        return _done(request, "canvass-pairs", lambda: decisions.apart(request.user.username, pair, now))
    return redirect("canvass-pairs")


@require_safe
@audience(KEEPERS)
@touches(Ownership.REACHED)
def kept_aside(request: OfficeRequest) -> HttpResponse:
    """Entries that could not be stored as they came, whole, with the reason."""
    wards, chosen = chosen_wards(request)
    found = Aside.objects.filter(unit__in=chosen, state=Aside.State.OPEN).select_related("device", "unit")
    page = Paginator(found, ROWS_A_PAGE).get_page(request.GET.get("page"))
    rows = [(one, json.dumps(json.loads(one.body), ensure_ascii=False, indent=1)) for one in page.object_list]
    return render(request, "canvass/asides.html", {"wards": wards, "chosen": chosen, "page": page, "rows": rows})


@require_POST
@audience(KEEPERS)
@touches(Ownership.WARD)
def decide_aside(request: OfficeRequest, pk: int) -> HttpResponse:
    """Take an entry in, or set it aside for good: 302 to the next."""
    aside = get_object_or_404(Aside, pk=pk, unit__in=wards_of(request.user))
    act = {"take": intake.accept_aside, "dismiss": intake.dismiss_aside}.get(request.POST.get("decision", ""))
    if act is None:
        return redirect("canvass-asides")
    return _done(request, "canvass-asides", lambda: act(request.user.username, aside, timezone.now()))


def _done(request: OfficeRequest, back: str, act: Callable[[], object]) -> HttpResponse:
    """Do it, say how it went, and go back to the list."""
    with acts.refusals_as_messages(request, scope.sentence_of, level=messages.WARNING):
        act()
        messages.success(request, _("Done."))
    return redirect(back)


def _notice(doors: list[Household]) -> list[dict[str, object]]:
    """Each disputed or waiting fact with what was said, by whom and when; two queries."""
    merged = merged_of([door.pk for door in doors])
    said = {
        (change.household_id, change.field, str(change.entry)): change
        for change in Change.objects.filter(household__in=doors).select_related("device")
    }
    rows: list[dict[str, object]] = []
    for door in dict.fromkeys(doors):
        for name, one in merged.get(door.pk, {}).items():
            rivals = [said[door.pk, name, rival.entry] for rival in one.rivals] if one.is_disputed else []
            missing = [said[door.pk, name, change.entry] for change in one.missing]
            if rivals or missing:
                rows.append(
                    {"household": door, "field": name, "label": LABELS[name], "rivals": rivals, "missing": missing}
                )
    return rows


class DoorLists(GradualListPages[DoorsImport]):
    """Lists of the households of one ward; rows that are refused do not hold up the others."""

    name, model, who, owner = "canvass-import", DoorsImport, KEEPERS, Ownership.WARD
    columns: ClassVar = {"households": COLUMNS}
    tabs, changes = "canvass/tabs.html", "canvass/import_changes.html"
    is_practised = takes_good_rows = True
    storage = door_lists.LIST_STORAGE

    @property
    def words(self) -> Mapping[str, str]:
        return {
            "title": _("Import households"),
            "lead": _("First you see what the list would change. Nothing is stored until you accept it."),
            "hint": _("Leave out telephone and identity numbers: they are not accepted."),
            "button": _("Accept and store"),
        }

    @property
    def titles(self) -> Mapping[str, str]:
        return {"households": _("Households")}

    def new_form(self, request: OfficeRequest, *typed: Any) -> Form:
        return DoorsImportForm(*typed, wards=wards_of(request.user))

    def receive(self, request: OfficeRequest, said: Mapping[str, Any], file_name: str, content: bytes) -> DoorsImport:
        return door_lists.receive(request.user, said["unit"], file_name, content)

    def own_lists(self, request: OfficeRequest) -> "QuerySet[DoorsImport]":
        found = DoorsImport.objects.filter(made_by=request.user, unit__in=wards_of(request.user))
        return found.select_related("unit").defer("content", "accepted")

    def reading(self, waiting: DoorsImport) -> Reading:
        return door_lists.reading_of(waiting.unit.key)

    def preview(self, waiting: DoorsImport) -> Preview[DoorPlan]:
        return door_lists.preview(waiting)

    @property
    def stored_sentence(self) -> str:
        return _("The list has been stored: %(added)s households added, %(changed)s changed.")

    def accept(self, waiting: DoorsImport, digest: str) -> DoorsImport:
        return door_lists.accept(waiting, digest)

    def result_page(self, held: DoorsImport) -> str:
        return "canvass-households"

    def reason_sentence(self, code: str) -> str:
        return str(scope.ROWS[code])

    def sentence_of(self, refused: Refused) -> str:
        return scope.sentence_of(refused)

    def place_name(self, waiting: DoorsImport) -> str:
        return waiting.unit.name

    def running_context(self, held: DoorsImport) -> Mapping[str, object]:
        return {"next": self.result_page(held), "next_title": _("Households"), "left": held.left}


LISTS = DoorLists()


@require_safe
@practised
@audience(KEEPERS)
@touches(Ownership.WARD)
def household_file(request: OfficeRequest, unit: int, form: str = "xlsx") -> HttpResponse:
    """Every household of a ward, as XLSX or CSV; it can be filled in and imported again."""
    ward = ward_or_404(request, unit)
    doors = Household.objects.filter(unit=ward, merged_into=None).order_by("group", "address", "head", "pk")
    return spreadsheet_response(door_lists.listing(doors.iterator()), f"households-{ward.key}", form)
