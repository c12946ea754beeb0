# SPDX-License-Identifier: Apache-2.0
"""Pages of airings: the plan of a week, also as PDF; the log, also as XLSX; and the forms that attest an airing."""

import datetime
from collections.abc import Iterable

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory.request_parameters import chosen_unit
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Ownership, touches
from bluezone.media_types import XLSX
from bluezone.paper.tables import ColumnKind, ExportColumn, ExportSheet, write_xlsx
from bluezone.rollout.bulletins import page_input, permissions, sentences
from bluezone.rollout.bulletins.air import air_log
from bluezone.rollout.bulletins.air.air_log import Row
from bluezone.rollout.bulletins.air.press import air_plan_pdf
from bluezone.rollout.bulletins.duty import AIRING_KEEPERS
from bluezone.rollout.bulletins.forms import AttestationForm
from bluezone.rollout.bulletins.indicators import week_span
from bluezone.rollout.bulletins.models import (
    Attestation,
    Outlet,
    OutletKind,
)
from bluezone.rollout.report_week import Week
from bluezone.training import practised

# Vietnamese for every reader: the file is an official form, not a page.
_COLUMNS = (
    ExportColumn("Ngày"),
    ExportColumn("Giờ theo lịch"),
    ExportColumn("Nơi phát"),
    ExportColumn("Bản tin"),
    ExportColumn("Ngôn ngữ"),
    ExportColumn("Kết quả"),
    ExportColumn("Số loa", ColumnKind.COUNT),
    ExportColumn("Loa tự báo đã phát (đã xác thực)", ColumnKind.COUNT),
    ExportColumn("trong đó phát trễ", ColumnKind.COUNT),
    ExportColumn("Bị bản tin khẩn cắt", ColumnKind.COUNT),
    ExportColumn("Không phát được", ColumnKind.COUNT),
    ExportColumn("Micro ngoài đường nghe được", ColumnKind.COUNT),
    ExportColumn("Micro ngoài đường không nghe được", ColumnKind.COUNT),
    ExportColumn("Tiếp sóng được (giây)", ColumnKind.COUNT),
    ExportColumn("Bản thay thế khi mất sóng (giây)", ColumnKind.COUNT),
    ExportColumn("Im lặng (giây)", ColumnKind.COUNT),
    ExportColumn("Người xác nhận đã phát"),
    ExportColumn("Dẫn chứng"),
)
A_PAGE = 60


def log_sheet(rows: Iterable[Row], since: datetime.datetime, until: datetime.datetime) -> ExportSheet:
    """One row for each airing; what machines proved and what people attested are in separate columns."""
    with override("vi"):
        cells = [_cells(row) for row in rows]
    first = timezone.localdate(since)
    last = timezone.localdate(until - datetime.timedelta(seconds=1))
    notes = [
        f"Nhật ký phát thanh từ {first:%d/%m/%Y} đến {last:%d/%m/%Y}.",
        "Ba cách biết (loa tự báo, micro ngoài đường, người xác nhận) không cộng với nhau.",
    ]
    return ExportSheet("Nhật ký", _COLUMNS, cells, notes)


def _cells(row: Row) -> list[str | int | None]:
    airing = row.airing
    proven = row.proven
    at = timezone.localtime(airing.due_at)
    return [
        f"{at:%d/%m/%Y}",
        f"{at:%H:%M}",
        airing.outlet.name,
        airing.schedule.bulletin.title,
        airing.get_language_display(),
        str(row.aired.label),
        proven.machines if proven else None,
        proven.aired if proven else None,
        proven.late if proven else None,
        proven.preempted if proven else None,
        proven.missed if proven else None,
        proven.in_street if proven else None,
        proven.not_in_street if proven else None,
        *(row.seconds_of(kind) for kind in ("station", "fall_back", "silence")),
        *_attestation_cells(row.attestation),
    ]


def _attestation_cells(attestation: Attestation | None) -> tuple[str, str]:
    """Two cells: who attested the airing and when; the evidence or the note. Both are empty without an attestation."""
    if attestation is None:
        return "", ""
    by = f"{attestation.by.name} {timezone.localtime(attestation.at):%H:%M %d/%m/%Y}"
    if attestation.link:
        return by, attestation.link
    return by, "ảnh" if attestation.has_photo else attestation.note


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def show_plan(request: OfficeRequest) -> HttpResponse:
    """The airings planned for a week, at all outlets or one."""
    week = page_input.chosen_week(request)
    outlet = page_input.chosen_outlet(request)
    unit = chosen_unit(request)
    since, until = week_span(week)
    airings = air_log.airings_between(since, until, unit, outlet.pk if outlet else None)
    page = Paginator(airings, A_PAGE).get_page(request.GET.get("page"))
    context = {
        "week": week, "page": page, "outlet": outlet, "unit": unit, "outlets": _open_outlets(), "is_latest": False,
        "keeps": outlet is not None and outlet.agency_id in permissions.agencies_with_own_outlets(request),
        "narrowed": page_input.filter_query(outlet, unit), "days": air_log.by_day(page.object_list),
    }  # fmt: skip
    return render(request, "bulletins/plan.html", context)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def plan_pdf(request: OfficeRequest) -> HttpResponse:
    """The plan of a week as PDF, with room to tick and sign."""
    week = page_input.chosen_week(request)
    outlet = page_input.chosen_outlet(request)
    unit = chosen_unit(request)
    since, until = week_span(week)
    airings = air_log.airings_between(since, until, unit, outlet.pk if outlet else None)[:2000]
    title = " · ".join(place.name for place in (outlet, unit) if place) or "Tất cả các đài và cụm loa"
    response = HttpResponse(air_plan_pdf(title, list(airings), week.first_day, week.last_day), "application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="air-plan-{week}.pdf"'
    return response


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def show_log(request: OfficeRequest) -> HttpResponse:
    """The airings of a day with their outcomes, or of the week of `?week=`."""
    since, until = page_input.chosen_span(request)
    now = timezone.now()
    outlet = page_input.chosen_outlet(request)
    unit = chosen_unit(request)
    outlet_pk = outlet.pk if outlet else None
    airings = air_log.airings_between(since, until, unit, outlet_pk)
    page = Paginator(airings, A_PAGE).get_page(request.GET.get("page"))
    first = timezone.localdate(since)
    week = request.GET.get("week", "")
    narrowed = page_input.filter_query(outlet, unit)
    # The address contains the day or week, so that an address copied into a report always shows the same rows.
    span = f"week={Week.of(first)}" if week else f"on={first}"
    query = f"{span}&{narrowed}" if narrowed else span
    context = {
        "page": page,
        "rows": air_log.log_rows(list(page.object_list), now),
        "counts": air_log.aired_counts(since, until, now, unit, outlet_pk),
        "first": first,
        "last": timezone.localdate(until - datetime.timedelta(seconds=1)),
        "before": first - datetime.timedelta(days=1),
        "after": first + datetime.timedelta(days=1),
        "week": week,
        "outlet": outlet,
        "unit": unit,
        "narrowed": narrowed,
        "outlets": _open_outlets(),
        "kept": permissions.agencies_with_own_outlets(request),
        "soon": now + air_log.EARLY,
        "address": request.build_absolute_uri(f"?{query}"),
    }
    return render(request, "bulletins/log.html", context)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def log_file(request: OfficeRequest) -> HttpResponse:
    """The log as XLSX, proven and attested in separate columns."""
    since, until = page_input.chosen_span(request)
    outlet = page_input.chosen_outlet(request)
    airings = air_log.airings_between(since, until, chosen_unit(request), outlet.pk if outlet else None)
    rows = air_log.log_rows(list(airings[: air_log.MOST_ROWS]), timezone.now())
    response = HttpResponse(write_xlsx([log_sheet(rows, since, until)]), content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="air-log-{timezone.localdate(since)}.xlsx"'
    return response


@practised
@require_POST
@audience(AIRING_KEEPERS)
@touches(Ownership.AGENCY)
def attest_airing(request: OfficeRequest, pk: int) -> HttpResponse:
    """Attest an airing at loudspeakers by one tap, "Đã phát", and offer to undo it.

    302 to the address in `next`, else to the log; 403 if the outlet is another agency's.
    """
    airing = permissions.own_airing(request, pk)
    now = timezone.now()
    with acts.refusals_as_messages(request, sentences.sentence_of):
        air_log.attest_airing(airing, request.user, now)
        acts.offer_undo(request, "airing-attested", now, airing=pk)
        messages.success(request, _("Recorded: aired, attested by you."))
    next_address = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(next_address, allowed_hosts=None):
        return redirect(next_address)
    return redirect("air-log")


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(AIRING_KEEPERS)
@touches(Ownership.AGENCY)
def attest_outcome(request: OfficeRequest, pk: int) -> HttpResponse:
    """Attest the outcome of an airing, with a link or a photo: 302 to the log, 422 bad form or no evidence."""
    airing = permissions.own_airing(request, pk)
    form = AttestationForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        photo = values["photo"].read() if values["photo"] else None
        with acts.refusals_as_form_errors(form, sentences.sentence_of):
            air_log.attest_airing(
                airing, request.user, timezone.now(), was_aired=values["was_aired"], link=values["link"], photo=photo,
                note=values["note"],
            )  # fmt: skip
            messages.success(request, _("Recorded, attested by you."))
            return redirect(f"/air-log/?on={timezone.localdate(airing.due_at)}")
    status = 422 if form.errors else 200
    needs_evidence = airing.outlet.kind != OutletKind.LOUDSPEAKERS
    context = {"airing": airing, "form": form, "needs_evidence": needs_evidence}
    return render(request, "bulletins/attest.html", context, status=status)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def attestation_photo(request: OfficeRequest, pk: int) -> HttpResponse:
    """The photo of an attested airing; 404 without one."""
    content = Attestation.objects.filter(airing=pk).values_list("photo", flat=True).first()
    if content is None:
        raise Http404
    response = HttpResponse(bytes(content), content_type="image/jpeg")
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _open_outlets() -> list[Outlet]:
    return list(Outlet.objects.filter(closed_at=None).select_related("agency"))
