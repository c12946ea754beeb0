# SPDX-License-Identifier: Apache-2.0
"""Pages of the schools that everybody signed in reads: the table of a week and its file, and one school."""

from collections.abc import Iterable

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bluezone.directory.request_parameters import chosen, chosen_unit
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Whose, touches
from bluezone.media_types import XLSX
from bluezone.paper.tables import ColumnKind, ExportColumn, ExportSheet, write_xlsx
from bluezone.rollout.coverage.api import Week
from bluezone.rollout.schools import queries, scope
from bluezone.rollout.schools.models import NAMES, ClassReport, SchoolBreak, SchoolClass, WeekOpening
from bluezone.rollout.schools.queries import SchoolRow
from bluezone.rollout.schools.weeks import school_calendar
from bluezone.rollout.schools.weeks.school_calendar import shown, year_of
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


def listing(rows: Iterable[SchoolRow], week: Week) -> ExportSheet:
    """One row for each school; empty where nothing came or a number is kept back."""
    cells = [
        [
            row.school.name, row.school.unit.name, row.classes, row.received,
            *(getattr(row.counted, name) if row.counted else None for name in NAMES),
            f"nghỉ: {row.closed}" if row.closed else ", ".join(row.missing),
        ]
        for row in rows
    ]  # fmt: skip
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
def school_list(request: OfficeRequest) -> HttpResponse:
    """Every school of a week with its sums, and which classes have not reported."""
    week, unit = scope.chosen_week(request), chosen_unit(request)
    show = chosen(request, "show", list(queries.SHOWN)) or "all"
    words = request.GET.get("q", "").strip()[:100]
    table = queries.school_table(week, unit, show, words, request.GET.get("page"), scope.own_schools(request))
    asked = [one for one in school_calendar.requests_for(None) if scope.oversees(request, one.school)]
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
        "requests": [(one, Week.of(one.week)) for one in asked],
        "usual_until": today + school_calendar.OPENED,
    }
    return render(request, "schools/school_list.html", context)


@practised
@require_safe
@audience(SIGNED_IN)
def file(request: OfficeRequest) -> HttpResponse:
    """The table of the schools of a week as XLSX, small numbers kept back as on the page."""
    week = scope.chosen_week(request)
    rows = queries.all_rows(week, chosen_unit(request), scope.own_schools(request))
    response = HttpResponse(write_xlsx([listing(rows, week)]), content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="schools-{week}.xlsx"'
    return response


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def school(request: OfficeRequest, pk: int) -> HttpResponse:
    """One school and week: each class for its own people, for others the sums and who has not reported."""
    found, week, today = scope.school_of(pk), scope.chosen_week(request), timezone.localdate()
    keeps = scope.keeps(request, found)
    closed = ""
    try:
        school_calendar.check_open(found, week, today)
    except school_calendar.SchoolWeekClosed as refused:
        closed = refused.why
    context = {
        "school": found,
        "week": week,
        "year": shown(year_of(week)),
        "row": queries.row_of(found, week, is_own=keeps),
        "classes": _classes(found.pk, week) if keeps else [],
        "keeps": keeps,
        "oversees": scope.oversees(request, found),
        "closed": closed,
        "is_latest": week.following.first_day > today,
        "asked": WeekOpening.objects.filter(school=found, week=week.first_day).select_related("asked_by").first(),
        "breaks": _breaks(SchoolBreak.objects.filter(school=found)),
    }
    return render(request, "schools/school.html", context)


def _classes(school_id: int, week: Week) -> list[tuple[SchoolClass, ClassReport | None]]:
    """Classes of a week with what was reported last, also when it was sent back."""
    found = queries.classes_of(week).filter(school=school_id).select_related("teacher")
    said = ClassReport.objects.filter(school_class__school=school_id, week=week.first_day, is_current=True)
    by_class = {report.school_class_id: report for report in said.select_related("reported_by")}
    return [(one, by_class.get(one.pk)) for one in found]


def _breaks(found: Iterable[SchoolBreak]) -> list[tuple[SchoolBreak, Week, Week]]:
    return [(one, Week(one.first_week), Week(one.last_week)) for one in found]
