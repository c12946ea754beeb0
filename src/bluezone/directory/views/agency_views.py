# SPDX-License-Identifier: Apache-2.0
"""Pages of the agencies: the list with its search, one agency, entering and changing one, the list as a file."""

import datetime
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from bluezone.directory import queries
from bluezone.directory.duty import DIRECTORY_EDITORS
from bluezone.directory.forms import AgencyForm, FigureForm
from bluezone.directory.imports.previews import field_labels
from bluezone.directory.kinds import AgencyKind, UnitKind
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.records import changes
from bluezone.directory.records.changes import AgencyCycle
from bluezone.directory.records.entries import DirectoryRefused
from bluezone.directory.request_parameters import (
    chosen,
    chosen_day,
    chosen_number,
    keeps_all,
    may_edit,
    may_place,
    require_edit,
)
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Whose, touches
from bluezone.media_types import XLSX
from bluezone.paper.tables import ColumnKind, ExportColumn, ExportSheet, write_xlsx

AGENCIES_A_PAGE = 50


@require_safe
@audience(SIGNED_IN)
def agency_list(request: OfficeRequest) -> HttpResponse:
    """Agencies in force on a day, found by words without diacritics, kind and territory."""
    today = timezone.localdate()
    day = chosen_day(request, queries.day_to_show(Agency, today))
    asked, found = _found(request, day)
    page = Paginator(found, AGENCIES_A_PAGE).get_page(request.GET.get("page"))
    context = {
        **asked,
        "day": day,
        "today": today,
        "page": page,
        "kinds": AgencyKind.choices,
        "units": AdminUnit.objects.in_force(day).exclude(kind=UnitKind.GROUP).order_by("path"),
        "narrowed": any(asked.values()),
        "may_edit": may_edit(request),
        "keeps_all": keeps_all(request),
    }
    return render(request, "agencies/agency_list.html", context)


@require_safe
@audience(SIGNED_IN)
def agency_file(request: OfficeRequest) -> HttpResponse:
    """The agencies that the list shows, all pages of it, as XLSX; it can be filled in and imported again."""
    day = chosen_day(request, queries.day_to_show(Agency, timezone.localdate()))
    _asked, found = _found(request, day)
    sheet = _listing(found, day)
    response = HttpResponse(write_xlsx([sheet]), content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="agencies-{day.isoformat()}.xlsx"'
    return response


@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def agency(request: OfficeRequest, pk: int) -> HttpResponse:
    """One agency: how to reach it, whom it answers to, who answers to it, figures, groups, history."""
    shown = _shown(pk)
    return render(request, "agencies/agency.html", _page_of(request, shown, FigureForm(holder=shown)))


@require_http_methods(["GET", "HEAD", "POST"])
@audience(DIRECTORY_EDITORS)
def new_agency(request: OfficeRequest) -> HttpResponse:
    """Enter an agency: 302 to its page, 422 bad form."""
    form = AgencyForm(request.POST or None, initial={"unit": chosen_number(request, "unit")})
    if request.method == "POST" and form.is_valid() and (made := _saved(request, form, None)):
        messages.success(request, _("%(name)s is entered.") % {"name": made.name})
        return redirect("agency", made.pk)
    return render(request, "agencies/agency_form.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(DIRECTORY_EDITORS)
@touches(Whose.AGENCY)
def change_agency(request: OfficeRequest, pk: int) -> HttpResponse:
    """Change or end an agency: 302 to its page, 422 bad form."""
    old = _shown(pk)
    require_edit(request, old)
    form = AgencyForm(request.POST or None, entry=old, initial=_as_typed(old))
    if request.method == "POST" and form.is_valid() and _saved(request, form, old):
        messages.success(request, _("%(name)s is changed.") % {"name": form.cleaned_data["name"]})
        return redirect("agency", pk)
    context = {"form": form, "agency": old}
    return render(request, "agencies/agency_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["POST"])
@audience(DIRECTORY_EDITORS)
@touches(Whose.AGENCY)
def record_figure(request: OfficeRequest, pk: int) -> HttpResponse:
    """Give an agency the number of its staff: 302 to its page, 422 bad form."""
    holder = _shown(pk)
    require_edit(request, holder)
    form = FigureForm(request.POST, holder=holder)
    if not form.is_valid():
        return render(request, "agencies/agency.html", _page_of(request, holder, form), status=422)
    values = form.cleaned_data
    figure = (values["kind"], values["value"], values["source"], values["as_of"])
    changes.record_figure(request.user.username, holder, *figure, timezone.localdate())
    messages.success(request, _("The figure is recorded."))
    return redirect("agency", pk)


def _found(request: OfficeRequest, day: Any) -> tuple[dict[str, Any], Any]:
    """What the address asks for, and the agencies that fit."""
    asked: dict[str, Any] = {
        "words": request.GET.get("q", "").strip()[:100],
        "kind": chosen(request, "kind", AgencyKind.values),
        "under": chosen_number(request, "unit"),
    }
    found = Agency.objects.in_force(day).matching(asked["words"]).select_related("unit")
    if asked["kind"]:
        found = found.filter(kind=asked["kind"])
    if asked["under"]:
        top = AdminUnit.objects.filter(pk=asked["under"]).first()
        found = found.filter(unit__path__startswith=top.path) if top else found.none()
    return asked, found.order_by("unit__path", "name", "pk")


def _saved(request: OfficeRequest, form: AgencyForm, old: Agency | None) -> Agency | None:
    values = form.cleaned_data
    if not may_place(request, old, values["unit"], values["parent"]):
        form.add_error("parent", _("This account keeps another part of the directory: name an agency of that part."))
        return None
    try:
        return changes.save_agency(request.user.username, old, values)
    except (DirectoryRefused, AgencyCycle) as refused:
        form.refuse(refused)
        return None


def _shown(pk: int) -> Agency:
    return get_object_or_404(Agency.objects.select_related("unit", "parent"), pk=pk)


def _page_of(request: OfficeRequest, shown: Agency, form: FigureForm) -> dict[str, Any]:
    day = queries.day_within(shown, timezone.localdate())
    return {
        "agency": shown,
        "below": list(Agency.objects.in_force(day).filter(parent=shown)[:100]),
        "groups": list(shown.recipient_groups.all()),
        "figures": list(shown.denominators.all()),
        "successors": list(shown.successors.all()),
        "predecessors": list(shown.predecessors.all()),
        "questions": field_labels(shown.unconfirmed),
        "form": form,
        "may_edit": may_edit(request, shown),
        "keeps_all": keeps_all(request),
    }


def _as_typed(agency: Agency) -> dict[str, Any]:
    names = ("name", "short_name", "kind", "unit", "code", "email", "phone", "edxml_id", "valid_from", "valid_to")
    return {
        **{name: getattr(agency, name) for name in names},
        "parent": (agency.parent.code or agency.parent.name) if agency.parent else "",
        "successors": "\n".join(successor.code or successor.name for successor in agency.successors.all()),
        "confirmed": agency.confirmed and not agency.unconfirmed,
    }


_COLUMNS = (
    *map(ExportColumn, ("Mã cơ quan", "Tên cơ quan", "Tên viết tắt", "Loại cơ quan", "Mã địa bàn", "Tên địa bàn")),
    ExportColumn("Hiệu lực từ ngày", ColumnKind.DAY),
    ExportColumn("Hết hiệu lực từ ngày", ColumnKind.DAY),
)
# Vietnamese in every language, like the headings: the file is a form of the office and not a page.
_KINDS = {
    AgencyKind.COMMITTEE: "UBND",
    AgencyKind.DEPARTMENT: "Phòng",
    AgencyKind.UNION: "Đoàn thể",
    AgencyKind.PARTY: "Cơ quan Đảng",
    AgencyKind.MEDIA: "Truyền thông",
    AgencyKind.HEALTH: "Y tế",
    AgencyKind.POLICE: "Công an",
    AgencyKind.MILITARY: "Quân sự",
    AgencyKind.SERVICE: "Đơn vị sự nghiệp",
    AgencyKind.BRANCH: "Ngành",
    AgencyKind.SCHOOL: "Trường học",
    AgencyKind.ENTERPRISE: "Doanh nghiệp",
}


def _listing(agencies: Iterable[Agency], day: datetime.date) -> ExportSheet:
    """One row for each of `agencies`, which were in force on `day` and carry their unit."""
    rows = [
        [
            agency.code or "",
            agency.name,
            agency.short_name,
            _KINDS[AgencyKind(agency.kind)],
            agency.unit.code or "",
            agency.unit.name,
            agency.valid_from,
            agency.valid_to,
        ]
        for agency in agencies
    ]
    note = _("Agencies in force on %(day)s") % {"day": f"{day:%d/%m/%Y}"}
    return ExportSheet(_("Agencies"), _COLUMNS, rows, [note])
