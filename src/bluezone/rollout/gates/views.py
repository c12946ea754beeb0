# SPDX-License-Identifier: Apache-2.0
"""Pages of the gates that everybody signed in reads: the table of a week and its file, one gate, who is late."""

from collections.abc import Iterable

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bluezone.directory.kinds import UnitKind
from bluezone.directory.models import AdminUnit
from bluezone.directory.queries import day_to_show
from bluezone.directory.request_parameters import chosen_unit
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Whose, touches
from bluezone.media_types import XLSX
from bluezone.paper.tables import ColumnKind, ExportColumn, ExportSheet, write_xlsx
from bluezone.rollout.coverage.api import Week
from bluezone.rollout.gates import scope
from bluezone.rollout.gates.counts import queries
from bluezone.rollout.gates.counts.queries import GateRow, one_gate
from bluezone.rollout.gates.forms import TabletForm
from bluezone.rollout.gates.models import Gate

# Vietnamese in every language: the file is a form of the office and not a page.
_COLUMNS = (
    ExportColumn("Cơ quan"),
    ExportColumn("Cổng"),
    ExportColumn("Lượt vào", ColumnKind.COUNT),
    ExportColumn("Lượt ra", ColumnKind.COUNT),
    ExportColumn("Đang chạy (đã xác thực)", ColumnKind.COUNT),
    ExportColumn("Mã hợp lệ", ColumnKind.COUNT),
    ExportColumn("Đã xem màn hình", ColumnKind.COUNT),
    ExportColumn("Chưa bật hoặc chưa cài", ColumnKind.COUNT),
    ExportColumn("Có điện thoại thông minh", ColumnKind.COUNT),
    ExportColumn("Không có điện thoại thông minh", ColumnKind.COUNT),
    ExportColumn("Tỷ lệ đang chạy", ColumnKind.SHARE),
    ExportColumn("Lượt vào ghi trên giấy (tự báo)", ColumnKind.COUNT),
)


def listing(rows: Iterable[GateRow], week: Week) -> ExportSheet:
    """One row for each gate; empty where a number is kept back."""
    cells = [
        [
            row.gate.agency.name,
            row.gate.name,
            row.counted.came_in,
            row.counted.went_out,
            row.counted.proven,
            row.counted.fresh,
            row.counted.attested,
            row.counted.other,
            row.counted.with_smartphone,
            row.counted.no_smartphone,
            row.counted.share,
            row.counted.on_paper,
        ]
        for row in rows
    ]
    notes = [
        f"Lượt ra vào tại các cổng, tuần {week.in_vietnamese()}. Chỉ đếm số lượt, không ghi tên.",
        "Ba loại (đã xác thực, mã hợp lệ, đã xem màn hình) không cộng với nhau. Ô trống: số dưới 5 không hiển thị.",
        "Lượt ghi trên giấy do cơ quan tự báo, không nằm trong các cột khác.",
    ]
    return ExportSheet(f"Tuần {week}", _COLUMNS, cells, notes)


@require_safe
@audience(SIGNED_IN)
def gate_list(request: OfficeRequest) -> HttpResponse:
    """What each gate counted in a week, for a unit where one is given, and how many agencies have nominated nobody."""
    week, unit, today = scope.chosen_week(request), chosen_unit(request), timezone.localdate()
    gates, own = queries.gates_under(unit), scope.own_agencies(request)
    page, rows = queries.gate_rows(gates, week, request.GET.get("page"), own)
    context = {
        "week": week,
        "unit": unit,
        "page": page,
        "rows": rows,
        "units": AdminUnit.objects.in_force(day_to_show(AdminUnit, today))
        .exclude(kind=UnitKind.GROUP)
        .order_by("path"),
        "late": queries.without_gatekeeper(unit, today).count(),
        "is_latest": week.following.first_day > today,
        "keeps": scope.keeps(request),
        "hides_something": any(row.counted.hides_something for row in rows),
    }
    return render(request, "gates/gate_list.html", context)


@require_safe
@audience(SIGNED_IN)
def late_list(request: OfficeRequest) -> HttpResponse:
    """Agencies that have nominated nobody to record entries and exits, with the telephone to call."""
    unit = chosen_unit(request)
    found = queries.without_gatekeeper(unit, timezone.localdate())
    page = Paginator(found, queries.GATES_A_PAGE).get_page(request.GET.get("page"))
    own = scope.own_agencies(request) if scope.keeps(request) else frozenset()
    return render(request, "gates/late_list.html", {"unit": unit, "page": page, "own": own})


@require_safe
@audience(SIGNED_IN)
def file(request: OfficeRequest) -> HttpResponse:
    """The table of gates of a week as XLSX, small numbers kept back as on the page."""
    week = scope.chosen_week(request)
    gates = list(queries.gates_under(chosen_unit(request)).select_related("agency__unit"))
    rows = queries.rows_of(gates, week, scope.own_agencies(request))
    response = HttpResponse(write_xlsx([listing(rows, week)]), content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="gates-{week}.xlsx"'
    return response


@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def gate(request: OfficeRequest, pk: int) -> HttpResponse:
    """One gate and week: everything for its own agency, the sums of the week for others."""
    found = get_object_or_404(Gate.objects.select_related("agency__unit"), pk=pk)
    week, now = scope.chosen_week(request), timezone.now()
    own = frozenset({found.agency_id}) if scope.sees(request, found.agency) else frozenset()
    context = {
        "gate": found,
        "week": week,
        "is_latest": week.following.first_day > timezone.localdate(now),
        "row": queries.rows_of([found], week, own)[0],
        "keeps": scope.keeps(request, found.agency),
        "tablets": found.devices.select_related("device").order_by("device__name"),
        "tablet_form": TabletForm(gate=found),
        "shown": one_gate(found, week, now) if own else None,
    }
    return render(request, "gates/gate.html", context)
