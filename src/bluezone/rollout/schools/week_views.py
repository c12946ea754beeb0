# SPDX-License-Identifier: Apache-2.0
"""Pages of a school's weeks: numbers typed in at once or pasted, sent back; a locked week opened again."""

from collections.abc import Sequence

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
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
from bluezone.identity.objects import Whose, touches
from bluezone.identity.typed_fields import chosen_day
from bluezone.paper.pdf import pdf_response, sheet_html, write_pdf
from bluezone.paper.phrases import facts
from bluezone.refusal import Refused
from bluezone.rollout.coverage.api import Week
from bluezone.rollout.schools import class_reports, queries, school_calendar, views
from bluezone.rollout.schools.class_reports import PastedClass, read_rows, record_all
from bluezone.rollout.schools.classes.pupil_names import PupilsNamed
from bluezone.rollout.schools.forms import COUNTS, ROWS, BreakForm, PasteForm, RowForm, sentence_of
from bluezone.rollout.schools.models import NAMES, Channel, ClassReport, SchoolBreak, SchoolClass, WeekOpening
from bluezone.rollout.schools.views import done_notice
from bluezone.training import practised

# Lines of a form for a school that has not entered its classes.
BLANK_LINES = 20
LANGUAGES = ("vi", "en")


def letter_pdf(school: Agency, language: str, directive: str) -> bytes:
    """The letter to parents with the school's name. directive: number and day as written, "" leaves room for the pen.

    Raises PdfUnavailable. Source: docs/texts.md section 11.
    """
    return write_pdf(sheet_html("letter.html", facts(language), school_name=school.name, directive=directive))


def form_pdf(school: Agency, week: Week, classes: Sequence[SchoolClass]) -> bytes:
    """The form of a week, one line a class, A4. Raises PdfUnavailable."""
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
@touches(Whose.ITSELF, Whose.OVER)
def send_back(request: OfficeRequest, pk: int) -> HttpResponse:
    """Send the numbers of the classes ticked back, or of the whole school without ticks: 302, 403 not yours.

    Whoever works above the school sees no class, and sends the whole back.
    """
    school, week, now = views.school_of(pk), views.chosen_week(request), timezone.now()
    keeps = views.keeps_classes(request, school)
    if not keeps and not views.oversees(request, school):
        raise PermissionDenied
    found = queries.valid_reports(week).filter(school_class__school=school)
    chosen = [
        int(text) for text in request.POST.getlist("class") if text.isascii() and text.isdigit() and len(text) < 18
    ]
    if chosen and keeps:
        found = found.filter(school_class__in=chosen)
    with acts.tell_refusals(request, sentence_of):
        count = class_reports.send_back(list(found), request.POST.get("reason", ""), request.user, now)
        told = ngettext(
            "%(count)s class is to send its numbers again.", "%(count)s classes are to send theirs again.", count
        )
        messages.success(request, told % {"count": count})
    return _back(pk, week)


@practised
@require_POST
@audience(STAFF_REPORTERS)
@touches(Whose.ITSELF)
def ask(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask for the locked week of `?week=`: 302 back to the school."""
    school, week = views.kept_school(request, pk), views.chosen_week(request)
    with acts.tell_refusals(request, sentence_of):
        school_calendar.ask(school, week, request.POST.get("reason", ""), request.user, timezone.now())
        messages.success(request, _("The request is sent to the office. The answer appears on this page."))
    return _back(pk, week)


@practised
@require_POST
@audience(STAFF_REPORTERS)
@touches(Whose.OVER)
def answer(request: OfficeRequest, pk: int) -> HttpResponse:
    """Open the week until a day, or decline: 302 to the schools, 403 for the school itself."""
    asked = get_object_or_404(WeekOpening.objects.select_related("school__unit"), pk=pk)
    if not views.oversees(request, asked.school):
        raise PermissionDenied
    now = timezone.now()
    until = None
    if request.POST.get("granted") == "1":
        until = chosen_day(request.POST.get("until", ""), timezone.localdate(now) + school_calendar.OPENED)
    with acts.tell_refusals(request, sentence_of):
        school_calendar.answer(asked, until, request.user, now)
        messages.success(request, _("The answer is sent."))
    return redirect(f"{reverse('schools')}?week={Week.of(asked.week)}")


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(STAFF_REPORTERS)
@touches(Whose.ITSELF, Whose.OVER)
def breaks(request: OfficeRequest) -> HttpResponse:
    """Weeks without school, for a school or for all schools of a unit: 302 entered, 403 not yours, 422 no weeks."""
    form = BreakForm(request.POST or None)
    units = views.units_closed_by(request, day_to_show(Agency, timezone.localdate()))
    schools = queries.schools_in_force(views.latest_week()).filter(pk__in=views.own_schools(request)).order_by("name")
    chosen = request.POST.get("holder", "") or request.GET.get("holder", "")
    if request.method == "POST" and form.is_valid():
        holders: dict[str, Agency | AdminUnit] = {
            **{f"u{one.pk}": one for one in units},
            **{f"s{one.pk}": one for one in schools},
        }
        if chosen not in holders:
            raise PermissionDenied
        with acts.show_refusals(form, sentence_of):
            school_calendar.close(
                holders[chosen], *form.weeks, form.cleaned_data["reason"], request.user, timezone.now()
            )
            messages.success(request, _("Stored: no numbers are owed for these weeks."))
            return redirect("school-breaks")
    found = SchoolBreak.objects.select_related("school__unit", "unit", "made_by")
    reached, kept = set(units.values_list("pk", flat=True)), views.own_schools(request)
    rows = [
        (one, Week(one.first_week), Week(one.last_week), one.unit_id in reached or one.school_id in kept)
        for one in found[:200]
    ]
    context = {"form": form, "units": units, "schools": schools, "rows": rows, "chosen": chosen}
    return render(request, "schools/breaks.html", context, status=422 if form.errors else 200)


@practised
@require_POST
@audience(STAFF_REPORTERS)
@touches(Whose.ITSELF)
def cancel_break(request: OfficeRequest, pk: int) -> HttpResponse:
    """Take weeks without school back: 302, 403 not yours."""
    one = get_object_or_404(SchoolBreak.objects.select_related("school__unit", "unit"), pk=pk)
    if not _may_cancel(request, one):
        raise PermissionDenied
    school_calendar.cancel(one, request.user, timezone.now())
    messages.success(request, _("Taken back: these weeks are owed again."))
    return redirect("school-breaks")


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def letter(request: OfficeRequest, pk: int) -> HttpResponse:
    """The letter to parents as PDF, `?in=en` in English; `?directive=` prints number and day of the directive."""
    school = views.school_of(pk)
    language = request.GET.get("in", "")
    directive = " ".join(request.GET.get("directive", "").split())[:80]
    return pdf_response(letter_pdf(school, language if language in LANGUAGES else "vi", directive), f"letter-{pk}")


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def form(request: OfficeRequest, pk: int) -> HttpResponse:
    """The paper form of a week as PDF, one line a class."""
    school, week = views.school_of(pk), views.chosen_week(request)
    return pdf_response(
        form_pdf(school, week, list(queries.classes_of(week).filter(school=school))), f"classes-{pk}-{week}"
    )


def _may_cancel(request: OfficeRequest, one: SchoolBreak) -> bool:
    if one.school is not None:
        return views.keeps_classes(request, one.school)
    units = views.units_closed_by(request, day_to_show(Agency, timezone.localdate()))
    return one.unit is not None and units.filter(pk=one.unit.pk).exists()


def _back(pk: int, week: Week) -> HttpResponse:
    return redirect(f"{reverse('school', args=[pk])}?week={week}")


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(STAFF_REPORTERS)
@touches(Whose.ITSELF)
def enter(request: OfficeRequest, pk: int) -> HttpResponse:
    """Every class of a school as a row: 302 stored, 409 week closed or changed meanwhile, 422 what to correct.

    Rows left empty stay out.
    """
    school, week = views.kept_school(request, pk), views.chosen_week(request)
    if request.method != "POST":
        return _table(request, school, week, _rows(school, week, None))
    with transaction.atomic():
        # Two who report the classes of one school at once wait for each other here, and see each other's numbers.
        list(SchoolClass.objects.select_for_update().filter(school=school).order_by("pk").values_list("pk"))
        rows = _rows(school, week, request.POST)
        if [form for _one, form in rows if not form.is_valid()]:
            return _table(request, school, week, rows)
        good = [(one, form.counts) for one, form in rows if not form.is_left_out]
        try:
            stored = record_all(school, good, week, Channel.OFFICE, request.user, timezone.now())
        except Refused as refused:
            return _table(request, school, week, rows, refused=sentence_of(refused))
    messages.success(request, done_notice(stored))
    return redirect(f"{reverse('school', args=[pk])}?week={week}")


def _rows(school: Agency, week: Week, typed: QueryDict | None) -> list[tuple[SchoolClass, RowForm]]:
    found = list(queries.classes_of(week).filter(school=school))
    said = {
        report.school_class_id: report
        for report in ClassReport.objects.filter(school_class__in=found, week=week.first_day, is_current=True)
    }
    return [(one, RowForm(typed, prefix=str(one.pk), label=one.name, initial=_known(one, said))) for one in found]


@practised
@sensitive_post_parameters("rows")
@require_http_methods(["GET", "HEAD", "POST"])
@audience(STAFF_REPORTERS)
@touches(Whose.ITSELF)
def paste(request: OfficeRequest, pk: int) -> HttpResponse:
    """Show what was read (200; 422 refused rows), or store it (`store`): 302, 409 week closed.

    A table in which people are named is thrown away (422): it is not stored and not shown again.
    """
    school, week = views.kept_school(request, pk), views.chosen_week(request)
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
) -> HttpResponse:
    context = {
        "school": school, "week": week, "rows": rows, "closed": refused or _closed(school, week),
        "table": SharedRows([(one.name, form) for one, form in rows]),
    }  # fmt: skip
    status = 409 if refused else acts.status_of(*(form for _one, form in rows))
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
