# SPDX-License-Identifier: Apache-2.0
"""The desk: two values side by side, gaps, doors that may be one, entries kept aside; and a ward's list of households
sent in.
"""

import json
from collections.abc import Callable

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory.imports.list_imports import ImportOutdated
from bluezone.directory.imports.pieces import LOOK_AGAIN_SECONDS, MOST_AT_ONCE, ImportStored, progress
from bluezone.directory.imports.plans import ImportNotReady
from bluezone.directory.imports.raw_sheets import SpreadsheetRefused
from bluezone.directory.records.store import ImportUnderWay
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.objects import Whose, touches
from bluezone.media_types import XLSX
from bluezone.paper.tables import write_xlsx
from bluezone.rollout.canvass import scope
from bluezone.rollout.canvass.forms import DoorsImportForm
from bluezone.rollout.canvass.households import decisions, door_lists
from bluezone.rollout.canvass.households.door_lists import COLUMNS
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
@touches(Whose.REACHED)
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
@touches(Whose.WARD)
def choose(request: OfficeRequest, key: str) -> HttpResponse:
    """End a dispute with one of its values: 302 back to the desk."""
    found = household_or_404(request, key)
    return _done(request, "canvass-conflicts", lambda: decisions.choose(
        request.user.username, found, request.POST.get("field", ""), request.POST.get("value", ""), timezone.now()
    ))  # fmt: skip


@require_POST
@practised
@audience(KEEPERS)
@touches(Whose.WARD)
def force(request: OfficeRequest, pk: int) -> HttpResponse:
    """Take a change although one before it is missing: 302 back to the desk."""
    change = get_object_or_404(Change, pk=pk, household__unit__in=wards_of(request.user))
    return _done(request, "canvass-conflicts", lambda: decisions.force(request.user.username, change, timezone.now()))


@require_safe
@practised
@audience(KEEPERS)
@touches(Whose.REACHED)
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
@touches(Whose.WARD)
def propose(request: OfficeRequest, unit: int) -> HttpResponse:
    """Look through a ward for doors that may be one: 302 to them."""
    found = decisions.propose(ward_or_404(request, unit), timezone.now())
    messages.info(request, _("%(count)s new pairs were found.") % {"count": found})
    return redirect("canvass-pairs")


@require_POST
@practised
@audience(KEEPERS)
@touches(Whose.WARD)
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
@touches(Whose.REACHED)
def kept_aside(request: OfficeRequest) -> HttpResponse:
    """Entries that could not be stored as they came, whole, with the reason."""
    wards, chosen = chosen_wards(request)
    found = Aside.objects.filter(unit__in=chosen, state=Aside.State.OPEN).select_related("device", "unit")
    page = Paginator(found, ROWS_A_PAGE).get_page(request.GET.get("page"))
    rows = [(one, json.dumps(json.loads(one.body), ensure_ascii=False, indent=1)) for one in page.object_list]
    return render(request, "canvass/asides.html", {"wards": wards, "chosen": chosen, "page": page, "rows": rows})


@require_POST
@audience(KEEPERS)
@touches(Whose.WARD)
def decide_aside(request: OfficeRequest, pk: int) -> HttpResponse:
    """Take an entry in, or set it aside for good: 302 to the next."""
    aside = get_object_or_404(Aside, pk=pk, unit__in=wards_of(request.user))
    act = {"take": intake.accept_aside, "dismiss": intake.dismiss_aside}.get(request.POST.get("decision", ""))
    if act is None:
        return redirect("canvass-asides")
    return _done(request, "canvass-asides", lambda: act(request.user.username, aside, timezone.now()))


def _done(request: OfficeRequest, back: str, act: Callable[[], object]) -> HttpResponse:
    """Do it, say how it went, and go back to the list."""
    with acts.tell_refusals(request, scope.sentence_of, level=messages.WARNING):
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


# More rows than a person looks through on a page are counted and left to the file.
ROWS_SHOWN = 100


@require_http_methods(["GET", "HEAD", "POST"])
@practised
@audience(KEEPERS)
@touches(Whose.WARD)
def new_import(request: OfficeRequest) -> HttpResponse:
    """Send a list in: 302 to its preview, 422 with a sentence when it cannot be read."""
    form = DoorsImportForm(request.POST or None, request.FILES or None, wards=wards_of(request.user))
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        with acts.show_refusals(form, scope.sentence_of, at="file", of=SpreadsheetRefused):
            waiting = door_lists.receive(request.user, form.cleaned_data["unit"], file.name or "", file.read())
            return redirect("canvass-import", waiting.pk)
    lists = DoorsImport.objects.filter(made_by=request.user).defer("content", "accepted").select_related("unit")
    lists = lists.exclude(state__in=[DoorsImport.State.DONE, DoorsImport.State.TAKING_BACK])
    headings = [(column.headings[0], column.required) for column in COLUMNS]
    context = {"form": form, "lists": lists.order_by("-made_at"), "headings": headings}
    return render(request, "canvass/import_new.html", context, status=422 if form.errors else 200)


@require_safe
@practised
@audience(KEEPERS)
@touches(Whose.OWN)
def show_import(request: OfficeRequest, pk: int) -> HttpResponse:
    """What the list would do; before that, whether text of an old font is to be converted."""
    return _show(request, _own(request, pk))


@require_POST
@practised
@audience(KEEPERS)
@touches(Whose.OWN)
def decide_import(request: OfficeRequest, pk: int) -> HttpResponse:
    """Convert text of an old font, or leave it; 302 to the preview."""
    waiting = _own(request, pk)
    if not waiting.state:
        door_lists.decide(waiting, request.POST.get("conversion", ""))
    return redirect("canvass-import", pk)


@require_POST
@practised
@audience(KEEPERS)
@touches(Whose.OWN)
def apply_import(request: OfficeRequest, pk: int) -> HttpResponse:
    """Store the good rows as shown, many of them by the worker: 302, or 409 with the new preview when it is another by
    now.
    """
    waiting = _own(request, pk)
    if waiting.state:
        return redirect("canvass-import", pk)
    try:
        held = door_lists.accept(waiting, request.POST.get("digest", ""))
    except (ImportOutdated, ImportNotReady, ImportUnderWay) as refused:
        return _show(request, waiting, scope.sentence_of(refused), status=409)
    if held.added + held.changed > MOST_AT_ONCE:
        return redirect("canvass-import", pk)
    door_lists.carry_out(held, timezone.now())
    DoorsImport.objects.filter(pk=held.pk).delete()
    messages.success(
        request,
        _("The list is stored: %(added)s households added, %(changed)s changed.")
        % {"added": held.added, "changed": held.changed},
    )
    return redirect("canvass-households")


@require_POST
@practised
@audience(KEEPERS)
@touches(Whose.OWN)
def discard_import(request: OfficeRequest, pk: int) -> HttpResponse:
    """Forget the list, and take back what is stored of it: 302, or 409 when all of it is."""
    waiting = _own(request, pk)
    try:
        door_lists.take_back(waiting)
    except ImportStored as refused:
        return _show(request, waiting, scope.sentence_of(refused), status=409)
    messages.info(request, _("The list is discarded; nothing was stored."))
    return redirect("canvass-imports")


@require_safe
@practised
@audience(KEEPERS)
@touches(Whose.OWN)
def marked_import(request: OfficeRequest, pk: int) -> HttpResponse:
    """The list as XLSX with the reasons beside the refused rows."""
    waiting = _own(request, pk)
    if waiting.state:
        return redirect("canvass-import", pk)
    plan = door_lists.preview(waiting).plan
    reasons = (
        {row.number: scope.row_sentence(row.number, row.letter, row.reason) for row in plan.refused} if plan else {}
    )
    return _file(write_xlsx([door_lists.marked(waiting, reasons)]), "households-to-correct.xlsx")


@require_safe
@audience(KEEPERS)
@touches(Whose.NOBODYS)
def import_template(request: OfficeRequest) -> HttpResponse:
    """An empty list with its headings, as XLSX."""
    return _file(write_xlsx([door_lists.template()]), "households-empty.xlsx")


def _own(request: OfficeRequest, pk: int) -> DoorsImport:
    found = DoorsImport.objects.filter(made_by=request.user, unit__in=wards_of(request.user)).select_related("unit")
    return get_object_or_404(found.defer("content", "accepted"), pk=pk)


def _show(request: OfficeRequest, waiting: DoorsImport, refusal: str = "", status: int = 200) -> HttpResponse:
    if waiting.state:
        done, rows = progress(waiting)
        context = {"held": waiting, "done": done, "rows": rows, "refusal": refusal}
        response = render(request, "canvass/import_running.html", context, status=status)
        if waiting.state != DoorsImport.State.DONE:
            response.headers["Refresh"] = str(LOOK_AGAIN_SECONDS)
        return response
    seen = door_lists.preview(waiting)
    refused = [scope.row_sentence(row.number, row.letter, row.reason) for row in seen.plan.refused] if seen.plan else []
    context = {
        "waiting": waiting,
        "preview": seen,
        "plan": seen.plan,
        "refused": refused[:ROWS_SHOWN],
        "added": seen.plan.added[:ROWS_SHOWN] if seen.plan else [],
        "changed": seen.plan.changed[:ROWS_SHOWN] if seen.plan else [],
        "refusal": refusal,
    }
    return render(request, "canvass/import.html", context, status=status)


def _file(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
