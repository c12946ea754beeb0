# SPDX-License-Identifier: Apache-2.0
"""A school's numbers at once: typed into a table from the paper form, or pasted from a spreadsheet."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from bluezone.directory.duty import STAFF_REPORTERS
from bluezone.directory.models import Agency
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.objects import Whose, touches
from bluezone.refusal import Refused
from bluezone.rollout.coverage.api import Week
from bluezone.rollout.schools import queries, scope
from bluezone.rollout.schools.classes.class_views import done_notice
from bluezone.rollout.schools.classes.pupil_names import PupilsNamed
from bluezone.rollout.schools.forms import PasteForm, RowForm
from bluezone.rollout.schools.models import NAMES, Channel, ClassReport, SchoolClass
from bluezone.rollout.schools.sentences import COUNTS, ROWS, sentence_of
from bluezone.rollout.schools.weeks import school_calendar
from bluezone.rollout.schools.weeks.class_reports import record_all
from bluezone.rollout.schools.weeks.spreadsheet import PastedClass, read_rows
from bluezone.training import practised


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(STAFF_REPORTERS)
@touches(Whose.ITSELF)
def enter(request: OfficeRequest, pk: int) -> HttpResponse:
    """Every class of a school as a row: 302 stored, 409 week closed, 422 what to correct; rows left empty stay out."""
    school, week = scope.kept_school(request, pk), scope.chosen_week(request)
    found = list(queries.classes_of(week).filter(school=school))
    said = {
        report.school_class_id: report
        for report in ClassReport.objects.filter(school_class__in=found, week=week.first_day, is_current=True)
    }
    data = request.POST if request.method == "POST" else None
    rows = [(one, RowForm(data, prefix=str(one.pk), label=one.name, initial=_known(one, said))) for one in found]
    if data is None:
        return _table(request, school, week, rows)
    if [form for _one, form in rows if not form.is_valid()]:
        return _table(request, school, week, rows, status=422)
    good = [(one, form.counts) for one, form in rows if not form.is_left_out]
    try:
        stored = record_all(school, good, week, Channel.OFFICE, request.user, timezone.now())
    except Refused as refused:
        return _table(request, school, week, rows, refused=sentence_of(refused), status=409)
    messages.success(request, done_notice(stored))
    return redirect(f"{reverse('school', args=[pk])}?week={week}")


@practised
@sensitive_post_parameters("rows")
@require_http_methods(["GET", "HEAD", "POST"])
@audience(STAFF_REPORTERS)
@touches(Whose.ITSELF)
def paste(request: OfficeRequest, pk: int) -> HttpResponse:
    """Show what was read (200; 422 refused rows), or store it (`store`): 302, 409 week closed.

    A table in which people are named is thrown away (422): it is not stored and not shown again.
    """
    school, week = scope.kept_school(request, pk), scope.chosen_week(request)
    form = PasteForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _pasted(request, school, week, form, None, status=422 if form.errors else 200)
    try:
        rows = read_rows(form.cleaned_data["rows"], queries.classes_of(week).filter(school=school))
    except PupilsNamed as refused:
        return _pasted(request, school, week, PasteForm(), None, refused=sentence_of(refused), status=422)
    good = [(row.school_class, row.counts) for row in rows if row.school_class and row.counts and not row.refusal]
    complete = bool(rows) and len(good) == len(rows)
    if "store" not in request.POST or not complete:
        return _pasted(request, school, week, form, rows, status=200 if complete else 422)
    try:
        stored = record_all(school, good, week, Channel.PASTED, request.user, timezone.now())
    except Refused as refused:
        return _pasted(request, school, week, form, rows, refused=sentence_of(refused), status=409)
    messages.success(request, done_notice(stored))
    return redirect(f"{reverse('school', args=[pk])}?week={week}")


def _known(one: SchoolClass, said: dict[int, ClassReport]) -> dict[str, int | None]:
    report = said.get(one.pk)
    return {name: getattr(report, name) for name in NAMES} if report else {"pupils": one.pupils}


def _closed(school: Agency, week: Week) -> str:
    try:
        school_calendar.check_open(school, week, timezone.localdate())
    except school_calendar.SchoolWeekClosed as refused:
        return sentence_of(refused)
    return ""


def _table(
    request: OfficeRequest,
    school: Agency,
    week: Week,
    rows: list[tuple[SchoolClass, RowForm]],
    *,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {"school": school, "week": week, "rows": rows, "closed": refused or _closed(school, week)}
    wrong = any(form.errors for _one, form in rows)
    return render(request, "schools/enter.html", {**context, "wrong": wrong}, status=status)


def _pasted(
    request: OfficeRequest,
    school: Agency,
    week: Week,
    form: PasteForm,
    rows: list[PastedClass] | None,
    *,
    refused: str = "",
    status: int,
) -> HttpResponse:
    read = rows or []
    context = {
        "school": school,
        "week": week,
        "form": form,
        "read": rows is not None,
        "rows": [row for row in read if not row.refusal],
        "wrong": [
            (row, COUNTS[row.rule] if row.refusal == "counts" else ROWS[row.refusal]) for row in read if row.refusal
        ],
        "nothing": rows == [],
        "refused": refused,
        "closed": "" if refused else _closed(school, week),
    }
    return render(request, "schools/paste.html", context, status=status)
