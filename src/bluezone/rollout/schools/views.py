# SPDX-License-Identifier: Apache-2.0
"""Pages of the schools: the table of a week, its file, and one school."""

from collections.abc import Iterable

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bluezone.directory.request_parameters import chosen_unit, chosen_value
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Ownership, touches
from bluezone.media_types import XLSX
from bluezone.paper.tables import ColumnKind, ExportColumn, ExportSheet, write_xlsx
from bluezone.rollout.report_week import Week
from bluezone.rollout.schools import queries, school_calendar
from bluezone.rollout.schools.models import NAMES, ClassReport, SchoolBreak, SchoolClass, WeekOpening
from bluezone.rollout.schools.page_input import chosen_week
from bluezone.rollout.schools.permissions import (
    is_own_school,
    may_reopen_for,
    own_schools,
    school_of,
)
from bluezone.rollout.schools.queries import SchoolRow
from bluezone.rollout.schools.school_calendar import year_label, year_of
from bluezone.training import practised, practising

_COLUMNS = (
    ExportColumn("Trường"),
    ExportColumn("Đơn vị hành chính"),
    ExportColumn("Số lớp", ColumnKind.COUNT),
    ExportColumn("Số lớp đã báo", ColumnKind.COUNT),
    ExportColumn("Số học sinh", ColumnKind.COUNT),
    ExportColumn("Có điện thoại thông minh", ColumnKind.COUNT),
    ExportColumn("Đang chạy", ColumnKind.COUNT),
    ExportColumn("Người thân đã giúp", ColumnKind.COUNT),
    ExportColumn("Lớp chưa báo"),
)


def schools_sheet(rows: Iterable[SchoolRow], week: Week) -> ExportSheet:
    """One row for each school; a cell is empty if nothing was reported or the number is suppressed."""
    cells = [
        [
            row.school.name,
            row.school.unit.name,
            row.classes,
            row.received,
            *(getattr(row.counted, name) if row.counted else None for name in NAMES),
            f"nghỉ: {row.closed}" if row.closed else ", ".join(row.missing),
        ]
        for row in rows
    ]
    notes = [
        f"Học sinh: số liệu nhà trường tự báo, tuần {week.in_vietnamese()}",
        "Ô trống: chưa báo cáo, hoặc số dưới 5 không hiển thị. Chỉ có số lượng, không có tên học sinh.",
    ]
    if practising():
        notes.insert(0, "CHẾ ĐỘ TẬP HUẤN: dữ liệu giả, không tính vào báo cáo.")
    return ExportSheet(f"Tuần {week}", _COLUMNS, cells, notes)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.REACHED)
def school_list(request: OfficeRequest) -> HttpResponse:
    """Every school of a week with its sums, and the classes that have not reported."""
    week = chosen_week(request)
    unit = chosen_unit(request)
    show = chosen_value(request, "show", list(queries.SHOWN)) or "all"
    words = request.GET.get("q", "").strip()[:100]
    table = queries.school_table(week, unit, show, words, request.GET.get("page"), own_schools(request))
    requests = [opening for opening in school_calendar.requests_for(None) if may_reopen_for(request, opening.school)]
    today = timezone.localdate()
    context = {
        "week": week,
        "unit": unit,
        "show": show,
        "words": words,
        "table": table,
        "page": table.page,
        "units": queries.units_to_choose(week),
        "is_latest": week.following.first_day > today,
        "is_locked": today >= week.locks_on,
        "requests": [(opening, Week.of(opening.week)) for opening in requests],
        "usual_until": today + school_calendar.OPENED,
    }
    return render(request, "schools/school_list.html", context)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.REACHED)
def download_school_table(request: OfficeRequest) -> HttpResponse:
    """The table of the schools of a week as XLSX, small numbers suppressed as on the page."""
    week = chosen_week(request)
    rows = queries.all_rows(week, chosen_unit(request), own_schools(request))
    response = HttpResponse(write_xlsx([schools_sheet(rows, week)]), content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="schools-{week}.xlsx"'
    return response


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def show_school(request: OfficeRequest, pk: int) -> HttpResponse:
    """One school and week: every class for its own people; for others the sums, and the classes without a report."""
    chosen_school = school_of(pk)
    week = chosen_week(request)
    today = timezone.localdate()
    keeps = is_own_school(request, chosen_school)
    requests = WeekOpening.objects.filter(school=chosen_school, week=week.first_day)
    closed = ""
    try:
        school_calendar.check_open(chosen_school, week, today)
    except school_calendar.SchoolWeekClosed as refused:
        closed = refused.why
    context = {
        "school": chosen_school,
        "week": week,
        "year": year_label(year_of(week)),
        "row": queries.row_of(chosen_school, week, is_own=keeps),
        "classes": _classes(chosen_school.pk, week) if keeps else [],
        "keeps": keeps,
        "oversees": may_reopen_for(request, chosen_school),
        "closed": closed,
        "is_latest": week.following.first_day > today,
        "asked": requests.select_related("asked_by").first(),
        "breaks": _breaks(SchoolBreak.objects.filter(school=chosen_school)),
    }
    return render(request, "schools/school.html", context)


def _classes(school_id: int, week: Week) -> list[tuple[SchoolClass, ClassReport | None]]:
    """The classes of a week, each with its newest report, even if that was sent back; None without one."""
    classes = queries.classes_of(week).filter(school=school_id).select_related("teacher")
    reports = ClassReport.objects.filter(school_class__school=school_id, week=week.first_day, is_current=True)
    by_class = {report.school_class_id: report for report in reports.select_related("reported_by")}
    return [(school_class, by_class.get(school_class.pk)) for school_class in classes]


def _breaks(breaks: Iterable[SchoolBreak]) -> list[tuple[SchoolBreak, Week, Week]]:
    return [(school_break, Week(school_break.first_week), Week(school_break.last_week)) for school_break in breaks]
