# SPDX-License-Identifier: Apache-2.0
"""Pages of a school's weeks: enter or paste all numbers, send them back, breaks, requests to reopen a locked week, the
letter to parents and the paper form.
"""

from collections.abc import Sequence

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory.duty import STAFF_REPORTERS
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.queries import day_to_show
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.edits import SharedRows
from bluezone.identity.objects import Ownership, touches
from bluezone.identity.typed_fields import chosen_day
from bluezone.paper.pdf import pdf_response, sheet_html, write_pdf
from bluezone.paper.phrases import facts
from bluezone.protocol.languages import LANGUAGES
from bluezone.refusal import Refused
from bluezone.rollout.report_week import Week
from bluezone.rollout.schools import class_reports, page_input, permissions, queries, school_calendar
from bluezone.rollout.schools.class_reports import submit_class_reports
from bluezone.rollout.schools.classes.pasted_classes import PastedClass, read_pasted_classes
from bluezone.rollout.schools.classes.pupil_names import PupilsNamed
from bluezone.rollout.schools.forms import COUNTS, ROWS, BreakForm, PasteForm, RowForm, sentence_of
from bluezone.rollout.schools.models import NAMES, Channel, ClassReport, SchoolBreak, SchoolClass, WeekOpening
from bluezone.training import practised

# Empty lines on the form of a school that has not entered its classes.
BLANK_LINES = 20


def letter_pdf(school: Agency, language: str, directive: str) -> bytes:
    """The letter to parents as PDF. directive: its number and day as printed; "" leaves a blank to fill in.

    Raises PdfUnavailable. Source: docs/texts.md section 11.
    """
    return write_pdf(sheet_html("letter.html", facts(language), school_name=school.name, directive=directive))


def form_pdf(school: Agency, week: Week, classes: Sequence[SchoolClass]) -> bytes:
    """The A4 form of a week with one line for each class. Raises PdfUnavailable."""
    context = {
        "school": school,
        "week": week.in_vietnamese(),
        "classes": classes,
        "blank": range(0 if classes else BLANK_LINES),
        "city": facts("vi"),
    }
    return write_pdf(render_to_string("schools/print/form.html", context))


@practised
@require_POST
@audience(STAFF_REPORTERS)
@touches(Ownership.ITSELF, Ownership.OVER)
def return_reports(request: OfficeRequest, pk: int) -> HttpResponse:
    """Send back the numbers of the ticked classes, or without a tick all numbers of the school: 302, 403 not yours.

    Officials above the school see no classes; they always send all numbers back.
    """
    school = permissions.school_of(pk)
    week = page_input.chosen_week(request)
    now = timezone.now()
    keeps = permissions.is_own_school(request, school)
    if not keeps and not permissions.may_reopen_for(request, school):
        raise PermissionDenied
    reports = queries.valid_reports(week).filter(school_class__school=school)
    ticked = page_input.chosen_classes(request)
    if ticked and keeps:
        reports = reports.filter(school_class__in=ticked)
    with acts.refusals_as_messages(request, sentence_of):
        count = class_reports.return_class_reports(list(reports), request.POST.get("reason", ""), request.user, now)
        notice = ngettext(
            "%(count)s class has to send its numbers again.",
            "%(count)s classes have to send their numbers again.",
            count,
        )
        messages.success(request, notice % {"count": count})
    return _back(pk, week)


@practised
@require_POST
@audience(STAFF_REPORTERS)
@touches(Ownership.ITSELF)
def request_reopening(request: OfficeRequest, pk: int) -> HttpResponse:
    """Request that the locked week of `?week=` be reopened: 302 back to the school."""
    school = permissions.own_school(request, pk)
    week = page_input.chosen_week(request)
    with acts.refusals_as_messages(request, sentence_of):
        school_calendar.request_opening(school, week, request.POST.get("reason", ""), request.user, timezone.now())
        messages.success(request, _("The request has been sent to the office. The answer will appear on this page."))
    return _back(pk, week)


@practised
@require_POST
@audience(STAFF_REPORTERS)
@touches(Ownership.OVER)
def answer_request(request: OfficeRequest, pk: int) -> HttpResponse:
    """Reopen the week until a day, or decline: 302 to the list of schools, 403 for the school itself."""
    opening = get_object_or_404(WeekOpening.objects.select_related("school__unit"), pk=pk)
    if not permissions.may_reopen_for(request, opening.school):
        raise PermissionDenied
    now = timezone.now()
    until = None
    if request.POST.get("granted") == "1":
        until = chosen_day(request.POST.get("until", ""), timezone.localdate(now) + school_calendar.OPENED)
    with acts.refusals_as_messages(request, sentence_of):
        school_calendar.answer_request(opening, until, request.user, now)
        messages.success(request, _("The answer has been sent."))
    return redirect(f"{reverse('schools')}?week={Week.of(opening.week)}")


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(STAFF_REPORTERS)
@touches(Ownership.ITSELF, Ownership.OVER)
def break_list(request: OfficeRequest) -> HttpResponse:
    """The weeks without school, and the form to enter some for a school or for all schools in a unit.

    302 entered, 403 neither your school nor your unit, 422 bad form.
    """
    form = BreakForm(request.POST or None)
    units = permissions.units_closed_by(request, day_to_show(Agency, timezone.localdate()))
    schools = (
        queries.schools_of_week(page_input.latest_week())
        .filter(pk__in=permissions.own_schools(request))
        .order_by("name")
    )
    holder = request.POST.get("holder", "") or request.GET.get("holder", "")
    if request.method == "POST" and form.is_valid():
        holders: dict[str, Agency | AdminUnit] = {
            **{f"u{unit.pk}": unit for unit in units},
            **{f"s{school.pk}": school for school in schools},
        }
        if holder not in holders:
            raise PermissionDenied
        with acts.refusals_as_form_errors(form, sentence_of):
            school_calendar.enter_break(
                holders[holder], *form.weeks, form.cleaned_data["reason"], request.user, timezone.now()
            )
            messages.success(request, _("Stored: no reports are due for these weeks."))
            return redirect("school-breaks")
    school_breaks = SchoolBreak.objects.select_related("school__unit", "unit", "made_by")
    own_units = set(units.values_list("pk", flat=True))
    own_schools = permissions.own_schools(request)
    rows = []
    for school_break in school_breaks[:200]:
        mine = school_break.unit_id in own_units or school_break.school_id in own_schools
        rows.append((school_break, Week(school_break.first_week), Week(school_break.last_week), mine))
    context = {"form": form, "units": units, "schools": schools, "rows": rows, "chosen": holder}
    return render(request, "schools/breaks.html", context, status=422 if form.errors else 200)


@practised
@require_POST
@audience(STAFF_REPORTERS)
@touches(Ownership.ITSELF)
def cancel_break(request: OfficeRequest, pk: int) -> HttpResponse:
    """Cancel weeks without school: 302, 403 not yours."""
    school_break = get_object_or_404(SchoolBreak.objects.select_related("school__unit", "unit"), pk=pk)
    if not _may_cancel(request, school_break):
        raise PermissionDenied
    school_calendar.delete_break(school_break, request.user, timezone.now())
    messages.success(request, _("Undone: reports are due for these weeks again."))
    return redirect("school-breaks")


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def print_letter(request: OfficeRequest, pk: int) -> HttpResponse:
    """The letter to parents as PDF. `?in=en`: in English. `?directive=`: number and day of the directive to print."""
    school = permissions.school_of(pk)
    language = request.GET.get("in", "")
    if language not in LANGUAGES:
        language = "vi"
    directive = " ".join(request.GET.get("directive", "").split())[:80]
    return pdf_response(letter_pdf(school, language, directive), f"letter-{pk}")


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def print_week_form(request: OfficeRequest, pk: int) -> HttpResponse:
    """The paper form of a week as PDF."""
    school = permissions.school_of(pk)
    week = page_input.chosen_week(request)
    classes = list(queries.classes_of(week).filter(school=school))
    return pdf_response(form_pdf(school, week, classes), f"classes-{pk}-{week}")


def _may_cancel(request: OfficeRequest, school_break: SchoolBreak) -> bool:
    if school_break.school is not None:
        return permissions.is_own_school(request, school_break.school)
    units = permissions.units_closed_by(request, day_to_show(Agency, timezone.localdate()))
    return school_break.unit is not None and units.filter(pk=school_break.unit.pk).exists()


def _back(pk: int, week: Week) -> HttpResponse:
    return redirect(f"{reverse('school', args=[pk])}?week={week}")


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(STAFF_REPORTERS)
@touches(Ownership.ITSELF)
def enter_reports(request: OfficeRequest, pk: int) -> HttpResponse:
    """Enter the numbers of every class of a school in a table: 302 stored, 422 with what to correct.

    409 week closed or changed meanwhile. Rows that are left out store nothing.
    """
    school = permissions.own_school(request, pk)
    week = page_input.chosen_week(request)
    if request.method != "POST":
        return _table(request, school, week, _rows(school, week, None))
    with transaction.atomic():
        # Two reports for one school wait for each other here, so that the second sees the numbers of the first.
        list(SchoolClass.objects.select_for_update().filter(school=school).order_by("pk").values_list("pk"))
        rows = _rows(school, week, request.POST)
        # The list, unlike `any`, validates every form, so that each shows its errors.
        if [form for _class, form in rows if not form.is_valid()]:
            return _table(request, school, week, rows)
        counted = [(school_class, form.counts) for school_class, form in rows if not form.is_left_out]
        try:
            stored = submit_class_reports(school, counted, week, Channel.OFFICE, request.user, timezone.now())
        except Refused as refused:
            return _table(request, school, week, rows, refused=sentence_of(refused))
    messages.success(request, stored_notice(stored))
    return redirect(f"{reverse('school', args=[pk])}?week={week}")


def _rows(school: Agency, week: Week, typed: QueryDict | None) -> list[tuple[SchoolClass, RowForm]]:
    classes = list(queries.classes_of(week).filter(school=school))
    reports = {
        report.school_class_id: report
        for report in ClassReport.objects.filter(school_class__in=classes, week=week.first_day, is_current=True)
    }
    rows = []
    for school_class in classes:
        initial = _initial(school_class, reports.get(school_class.pk))
        form = RowForm(typed, prefix=str(school_class.pk), label=school_class.name, initial=initial)
        rows.append((school_class, form))
    return rows


@practised
@sensitive_post_parameters("rows")
@require_http_methods(["GET", "HEAD", "POST"])
@audience(STAFF_REPORTERS)
@touches(Ownership.ITSELF)
def paste_reports(request: OfficeRequest, pk: int) -> HttpResponse:
    """Show what was read from the pasted rows: 200, or 422 with refused rows. With `store` in the form, store it: 302.

    409 week closed. A table that names people is discarded (422): it is neither stored nor shown again.
    """
    school = permissions.own_school(request, pk)
    week = page_input.chosen_week(request)
    form = PasteForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _pasted(request, school, week, form, None, status=422 if form.errors else 200)
    try:
        rows = read_pasted_classes(form.cleaned_data["rows"], queries.classes_of(week).filter(school=school))
    except PupilsNamed as refused:
        return _pasted(request, school, week, PasteForm(), None, refused=sentence_of(refused), status=422)
    counted = [(row.school_class, row.counts) for row in rows if row.school_class and row.counts and not row.refusal]
    complete = bool(rows) and len(counted) == len(rows)
    if "store" not in request.POST or not complete:
        return _pasted(request, school, week, form, rows, status=200 if complete else 422)
    try:
        stored = submit_class_reports(school, counted, week, Channel.PASTED, request.user, timezone.now())
    except Refused as refused:
        return _pasted(request, school, week, form, rows, refused=sentence_of(refused), status=409)
    messages.success(request, stored_notice(stored))
    return redirect(f"{reverse('school', args=[pk])}?week={week}")


def _initial(school_class: SchoolClass, report: ClassReport | None) -> dict[str, int | None]:
    if report is None:
        return {"pupils": school_class.pupils}
    return {name: getattr(report, name) for name in NAMES}


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
) -> HttpResponse:
    context = {
        "school": school,
        "week": week,
        "rows": rows,
        "closed": refused or _closed(school, week),
        "table": SharedRows([(school_class.name, form) for school_class, form in rows]),
    }
    status = 409 if refused else acts.form_status(*(form for _class, form in rows))
    return render(request, "schools/enter.html", context, status=status)


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
    pasted = rows or []
    context = {
        "school": school,
        "week": week,
        "form": form,
        "read": rows is not None,
        "rows": [row for row in pasted if not row.refusal],
        "wrong": [(row, _row_sentence(row)) for row in pasted if row.refusal],
        "nothing": rows == [],
        "refused": refused,
        "closed": "" if refused else _closed(school, week),
    }
    return render(request, "schools/paste.html", context, status=status)


def _row_sentence(row: PastedClass) -> Promise:
    return COUNTS[row.rule] if row.refusal == "counts" else ROWS[row.refusal]


def stored_notice(count: int) -> str:
    """The notice that says how many classes were stored."""
    return ngettext("%(count)s class is stored.", "%(count)s classes are stored.", count) % {"count": count}
