# SPDX-License-Identifier: Apache-2.0
"""Pages of administrative units: the tree on a day, the page of a unit, the forms, the figures."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from bluezone.directory import queries
from bluezone.directory.duty import DIRECTORY_EDITORS
from bluezone.directory.forms import FigureForm, UnitForm
from bluezone.directory.imports.listings import spreadsheet_response, unit_listing
from bluezone.directory.imports.previews import field_labels
from bluezone.directory.kinds import UnitKind
from bluezone.directory.models import AdminUnit
from bluezone.directory.records import changes
from bluezone.directory.records.entries import DirectoryRefused
from bluezone.directory.records.reading import read_directory
from bluezone.directory.records.store import ImportUnderWay
from bluezone.directory.request_parameters import (
    chosen_day,
    chosen_number,
    may_edit,
    may_edit_all,
    may_move_to,
    require_edit,
)
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Ownership, touches


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def unit_list(request: OfficeRequest) -> HttpResponse:
    """The units valid on a day (`?on=`), as a tree down to ward and commune."""
    today = timezone.localdate()
    day = chosen_day(request, queries.day_to_show(AdminUnit, today))
    context = {
        "day": day,
        "today": today,
        "roots": queries.unit_tree(day),
        "turning_days": queries.change_days(),
        "may_edit": may_edit(request),
        "keeps_all": may_edit_all(request),
    }
    return render(request, "agencies/unit_list.html", context)


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def unit_file(request: OfficeRequest, form: str = "xlsx") -> HttpResponse:
    """The units valid on a day, with their residential groups, as XLSX or CSV, which can be imported again."""
    day = chosen_day(request, queries.day_to_show(AdminUnit, timezone.localdate()))
    keys = AdminUnit.objects.valid_on(day).order_by("path").values_list("key", flat=True)
    return spreadsheet_response(unit_listing(read_directory(), keys, day), f"units-{day.isoformat()}", form)


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def show_unit(request: OfficeRequest, pk: int) -> HttpResponse:
    """The page of a unit: the units below it, agencies, figures, predecessors and successors."""
    row = get_object_or_404(AdminUnit.objects.select_related("parent"), pk=pk)
    return render(request, "agencies/unit.html", _page_context(request, row, FigureForm(holder=row)))


@require_http_methods(["GET", "HEAD", "POST"])
@audience(DIRECTORY_EDITORS)
@touches(Ownership.UNIT)
def new_unit(request: OfficeRequest) -> HttpResponse:
    """Enter a unit: 302 to its page, 422 bad form."""
    above = AdminUnit.objects.filter(pk=chosen_number(request, "under") or 0).first()
    form = UnitForm(request.POST or None, initial={"parent": above, "kind": _usual_kind_below(above)})
    if request.method == "POST" and form.is_valid() and _check_place(request, form, None):
        try:
            entered = changes.save_unit(request.user.username, None, form.cleaned_data)
        except (DirectoryRefused, ImportUnderWay) as refusal:
            form.show_refusal(refusal)
        else:
            messages.success(request, _("%(name)s has been entered.") % {"name": entered.name})
            return redirect("unit", entered.pk)
    context = {"form": form, "back": above}
    return render(request, "agencies/unit_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(DIRECTORY_EDITORS)
@touches(Ownership.UNIT)
def change_unit(request: OfficeRequest, pk: int) -> HttpResponse:
    """Change or end a unit: 302 to its page, 422 bad form."""
    old = get_object_or_404(AdminUnit.objects.select_related("parent"), pk=pk)
    require_edit(request, old)
    form = UnitForm(request.POST or None, entry=old, initial=_initial_values(old))
    if request.method == "POST" and form.is_valid() and _check_place(request, form, old):
        try:
            changes.save_unit(request.user.username, old, form.cleaned_data)
        except (DirectoryRefused, ImportUnderWay) as refusal:
            form.show_refusal(refusal)
        else:
            messages.success(request, _("%(name)s has been changed.") % {"name": form.cleaned_data["name"]})
            return redirect("unit", pk)
    context = {"form": form, "unit": old, "back": old}
    return render(request, "agencies/unit_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["POST"])
@audience(DIRECTORY_EDITORS)
@touches(Ownership.UNIT)
def record_figure(request: OfficeRequest, pk: int) -> HttpResponse:
    """Record a denominator of a unit: 302 to its page, 422 bad form."""
    holder = get_object_or_404(AdminUnit.objects.select_related("parent"), pk=pk)
    require_edit(request, holder)
    form = FigureForm(request.POST, holder=holder)
    if not form.is_valid():
        return render(request, "agencies/unit.html", _page_context(request, holder, form), status=422)
    values = form.cleaned_data
    changes.record_figure(
        request.user.username,
        holder,
        values["kind"],
        values["value"],
        values["source"],
        values["as_of"],
        timezone.localdate(),
    )
    messages.success(request, _("The figure has been recorded."))
    return redirect("unit", pk)


def _page_context(request: OfficeRequest, row: AdminUnit, form: FigureForm) -> dict[str, Any]:
    day = chosen_day(request, queries.day_within(row, timezone.localdate()))
    return {
        "unit": row,
        "day": day,
        "children": list(AdminUnit.objects.valid_on(day).filter(parent=row).order_by("code", "name")),
        "agencies": list(queries.agencies_under(row, day).select_related("unit").order_by("unit__path", "name")[:100]),
        "figures": list(row.denominators.all()),
        "successors": list(row.successors.all()),
        "predecessors": list(row.predecessors.all()),
        "questions": field_labels(row.unconfirmed),
        "form": form,
        "may_edit": may_edit(request, row),
        "keeps_all": may_edit_all(request),
    }


def _check_place(request: OfficeRequest, form: UnitForm, old: AdminUnit | None) -> bool:
    if may_move_to(request, old, form.cleaned_data["parent"]):
        return True
    form.add_error("parent", _("This account manages another part of the directory. Choose a unit in that part."))
    return False


def _initial_values(unit: AdminUnit) -> dict[str, Any]:
    names = ("name", "kind", "parent", "code", "head_name", "head_phone", "valid_from", "valid_to")
    return {
        **{name: getattr(unit, name) for name in names},
        "successors": "\n".join(successor.code or successor.name for successor in unit.successors.all()),
        "confirmed": unit.confirmed and not unit.unconfirmed,
    }


def _usual_kind_below(above: AdminUnit | None) -> str:
    """The most usual level below this unit."""
    if above is None:
        return UnitKind.GROUP.value
    below = {UnitKind.PROVINCE: UnitKind.WARD, UnitKind.DISTRICT: UnitKind.WARD}
    return str(below.get(UnitKind(above.kind), UnitKind.GROUP))
