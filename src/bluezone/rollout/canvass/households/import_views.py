# SPDX-License-Identifier: Apache-2.0
"""Pages on which a ward sends its list of households in: looked at first, then stored as it was shown."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory.imports.list_imports import ImportOutdated
from bluezone.directory.imports.plans import ImportNotReady
from bluezone.directory.imports.raw_sheets import SpreadsheetRefused
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.objects import Whose, touches
from bluezone.media_types import XLSX
from bluezone.paper.tables import write_xlsx
from bluezone.rollout.canvass import sentences
from bluezone.rollout.canvass.forms import DoorsImportForm
from bluezone.rollout.canvass.households import door_lists
from bluezone.rollout.canvass.households.door_lists import COLUMNS
from bluezone.rollout.canvass.models import DoorsImport
from bluezone.rollout.canvass.scope import KEEPERS, wards_of
from bluezone.training import practised

# More rows than a person looks through on a page are counted and left to the file.
ROWS_SHOWN = 100


@require_http_methods(["GET", "HEAD", "POST"])
@practised
@audience(KEEPERS)
def new_import(request: OfficeRequest) -> HttpResponse:
    """Send a list in: 302 to its preview, 422 with a sentence when it cannot be read."""
    form = DoorsImportForm(request.POST or None, request.FILES or None, wards=wards_of(request.user))
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        with acts.show_refusals(form, sentences.sentence_of, at="file", of=SpreadsheetRefused):
            waiting = door_lists.receive(request.user, form.cleaned_data["unit"], file.name or "", file.read())
            return redirect("canvass-import", waiting.pk)
    lists = DoorsImport.objects.filter(made_by=request.user).defer("content").select_related("unit")
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
    door_lists.decide(_own(request, pk), request.POST.get("conversion", ""))
    return redirect("canvass-import", pk)


@require_POST
@practised
@audience(KEEPERS)
@touches(Whose.OWN)
def apply_import(request: OfficeRequest, pk: int) -> HttpResponse:
    """Store the good rows as shown: 302, or 409 with the new preview when it is another by now."""
    waiting = _own(request, pk)
    try:
        done = door_lists.apply(request.user.username, waiting, request.POST.get("digest", ""), timezone.now())
    except (ImportOutdated, ImportNotReady) as refused:
        return _show(request, waiting, sentences.sentence_of(refused), status=409)
    messages.success(
        request,
        _("The list is stored: %(added)s households added, %(changed)s changed.")
        % {"added": len(done.added), "changed": len(done.changed)},
    )
    return redirect("canvass-households")


@require_POST
@practised
@audience(KEEPERS)
@touches(Whose.OWN)
def discard_import(request: OfficeRequest, pk: int) -> HttpResponse:
    """Forget the list: 302."""
    _own(request, pk).delete()
    messages.info(request, _("The list is discarded; nothing was stored."))
    return redirect("canvass-imports")


@require_safe
@practised
@audience(KEEPERS)
@touches(Whose.OWN)
def marked_import(request: OfficeRequest, pk: int) -> HttpResponse:
    """The list as XLSX with the reasons beside the refused rows."""
    waiting = _own(request, pk)
    plan = door_lists.preview(waiting).plan
    reasons = (
        {row.number: sentences.row_sentence(row.number, row.letter, row.reason) for row in plan.refused} if plan else {}
    )
    return _file(write_xlsx([door_lists.marked(waiting, reasons)]), "households-to-correct.xlsx")


@require_safe
@audience(KEEPERS)
def import_template(request: OfficeRequest) -> HttpResponse:
    """An empty list with its headings, as XLSX."""
    return _file(write_xlsx([door_lists.template()]), "households-empty.xlsx")


def _own(request: OfficeRequest, pk: int) -> DoorsImport:
    found = DoorsImport.objects.filter(made_by=request.user, unit__in=wards_of(request.user)).select_related("unit")
    return get_object_or_404(found, pk=pk)


def _show(request: OfficeRequest, waiting: DoorsImport, refusal: str = "", status: int = 200) -> HttpResponse:
    seen = door_lists.preview(waiting)
    refused = (
        [sentences.row_sentence(row.number, row.letter, row.reason) for row in seen.plan.refused] if seen.plan else []
    )
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
