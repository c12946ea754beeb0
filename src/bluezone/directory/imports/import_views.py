# SPDX-License-Identifier: Apache-2.0
"""Pages of the import: send a list in, look at what it would do, then have exactly that done."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory import refusals
from bluezone.directory.forms import ImportForm
from bluezone.directory.imports import list_imports
from bluezone.directory.imports.list_imports import ImportOutdated
from bluezone.directory.imports.pieces import LOOK_AGAIN_SECONDS, MOST_AT_ONCE, ImportStored, State, progress
from bluezone.directory.imports.plans import ImportNotReady
from bluezone.directory.imports.previews import shown
from bluezone.directory.imports.raw_sheets import SpreadsheetRefused
from bluezone.directory.models import ListImport
from bluezone.directory.records.entries import DirectoryRefused
from bluezone.directory.records.store import ImportUnderWay
from bluezone.directory.request_parameters import require_all
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import ADMINS
from bluezone.identity.objects import Whose, touches
from bluezone.media_types import XLSX
from bluezone.paper.tables import write_xlsx

# More rows than a person looks through on a page are counted and left to the file.
ROWS_SHOWN = 200


@require_http_methods(["GET", "HEAD", "POST"])
@audience(ADMINS)
@touches(Whose.CITY)
def new_import(request: OfficeRequest) -> HttpResponse:
    """Send a list in: 302 to its preview, 422 with a sentence when it cannot be read."""
    require_all(request)
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file, about = form.cleaned_data["file"], form.cleaned_data["about"]
        with acts.show_refusals(form, refusals.sentence_of, at="file", of=SpreadsheetRefused):
            waiting = list_imports.receive(request.user, about, file.name or "", file.read(), timezone.localdate())
            return redirect("import", waiting.pk)
    lists = ListImport.objects.filter(made_by=request.user).exclude(state__in=[State.DONE, State.TAKING_BACK])
    lists = lists.defer("content", "accepted").order_by("-made_at")
    context = {"form": form, "lists": lists, "columns": _columns()}
    return render(request, "agencies/import_new.html", context, status=422 if form.errors else 200)


@require_safe
@audience(ADMINS)
@touches(Whose.OWN)
def show_import(request: OfficeRequest, pk: int) -> HttpResponse:
    """What the list would do; before that, whether text of an old font is to be converted."""
    return _show(request, _own(request, pk))


@require_POST
@audience(ADMINS)
@touches(Whose.OWN)
def decide_import(request: OfficeRequest, pk: int) -> HttpResponse:
    """Convert text of an old font, or leave it as it is; 302 to the preview."""
    waiting = _own(request, pk)
    if not waiting.state:
        list_imports.decide(waiting, request.POST.get("conversion", ""))
    return redirect("import", pk)


@require_POST
@audience(ADMINS)
@touches(Whose.OWN)
def apply_import(request: OfficeRequest, pk: int) -> HttpResponse:
    """Do what the preview showed, a long list by the worker: 302, or 409 with the new preview when it is another by now
    or not possible.
    """
    waiting = _own(request, pk)
    if waiting.state:
        return redirect("import", pk)
    try:
        held = list_imports.accept(waiting, request.POST.get("digest", ""))
    except (ImportOutdated, ImportNotReady, ImportUnderWay, DirectoryRefused) as refused:
        return _show(request, waiting, refusals.sentence_of(refused), status=409)
    if held.added + held.changed > MOST_AT_ONCE:
        return redirect("import", pk)
    list_imports.carry_out(held, timezone.now())
    ListImport.objects.filter(pk=held.pk).delete()
    counts = {"added": held.added, "changed": held.changed}
    messages.success(request, _("The list is imported: %(added)s added, %(changed)s changed.") % counts)
    return redirect("units" if waiting.about == "units" else "agencies")


@require_POST
@audience(ADMINS)
@touches(Whose.OWN)
def discard_import(request: OfficeRequest, pk: int) -> HttpResponse:
    """Forget the list, and take back what is stored of it: 302, or 409 when some of it is seen."""
    waiting = _own(request, pk)
    try:
        list_imports.take_back(waiting)
    except ImportStored as refused:
        return _show(request, waiting, refusals.sentence_of(refused), status=409)
    messages.info(request, _("The list is discarded; nothing was stored."))
    return redirect("imports")


@require_safe
@audience(ADMINS)
@touches(Whose.OWN)
def marked_import(request: OfficeRequest, pk: int) -> HttpResponse:
    """The list as XLSX with the reasons beside the refused rows."""
    waiting = _own(request, pk)
    if waiting.state:
        return redirect("import", pk)
    try:
        return _file(write_xlsx([list_imports.marked(waiting)]), f"to-correct-{waiting.about}.xlsx")
    except ImportNotReady as refused:
        return _show(request, waiting, refusals.sentence_of(refused), status=409)


@require_safe
@audience(ADMINS)
@touches(Whose.NOBODYS)
def import_template(request: OfficeRequest, about: str) -> HttpResponse:
    """An empty list with its headings, as XLSX."""
    about = "units" if about == "units" else "agencies"
    return _file(write_xlsx([list_imports.template(about)]), f"empty-{about}.xlsx")


def _own(request: OfficeRequest, pk: int) -> ListImport:
    require_all(request)
    return get_object_or_404(ListImport.objects.defer("accepted"), pk=pk, made_by=request.user)


def _show(request: OfficeRequest, waiting: ListImport, refusal: str = "", status: int = 200) -> HttpResponse:
    if waiting.state:
        done, rows = progress(waiting)
        context: dict[str, object] = {"held": waiting, "done": done, "rows": rows, "refusal": refusal}
        response = render(request, "agencies/import_running.html", context, status=status)
        if waiting.state != State.DONE:
            response.headers["Refresh"] = str(LOOK_AGAIN_SECONDS)
        return response
    preview = list_imports.preview(waiting)
    context = {
        "waiting": waiting,
        "preview": preview,
        "plan": shown(preview.plan) if preview.plan else None,
        "rows_shown": ROWS_SHOWN,
        "refusal": refusal,
    }
    return render(request, "agencies/import.html", context, status=status)


def _columns() -> list[tuple[str, str, list[tuple[str, bool]]]]:
    """For each kind of list: its name, and its headings with whether each is needed."""
    return [
        (about, title, [(column.headings[0], column.required) for column in list_imports.columns_of(about)])
        for about, title in (("agencies", _("Agencies")), ("units", _("Administrative units")))
    ]


def _file(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
