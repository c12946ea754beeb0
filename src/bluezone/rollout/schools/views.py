# SPDX-License-Identifier: Apache-2.0
"""Pages of the schools: the table of a week and its file, one school, its classes and their links."""

import datetime
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory.duty import STAFF_REPORTERS
from bluezone.directory.kinds import WARDS, AgencyKind, UnitKind
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.queries import day_to_show
from bluezone.directory.request_parameters import chosen_unit, chosen_value
from bluezone.directory.scopes import OutsideScope, grants_for, units_in_reach
from bluezone.duties.duty import Matter, Pile, shorten
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.models import User
from bluezone.identity.objects import Ownership, touches
from bluezone.media_types import XLSX
from bluezone.paper.qr_codes import screen_qr
from bluezone.paper.tables import ColumnKind, ExportColumn, ExportSheet, write_xlsx
from bluezone.rollout.report_week import Week, parse_week
from bluezone.rollout.schools import queries, school_calendar
from bluezone.rollout.schools.class_reports import record_reports
from bluezone.rollout.schools.classes import catalogue, class_links
from bluezone.rollout.schools.duty import CLASS_REPORTERS
from bluezone.rollout.schools.forms import ClassForm, ClassListForm, CountsForm, sentence_of
from bluezone.rollout.schools.models import NAMES, Channel, ClassReport, SchoolBreak, SchoolClass, WeekOpening
from bluezone.rollout.schools.queries import SchoolRow
from bluezone.rollout.schools.school_calendar import year_label, year_of
from bluezone.training import practised, practising

# Head, officer in charge, clerk and administrator: the roles that report the staff of a school also keep its classes.
KEEPERS = STAFF_REPORTERS.roles
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


def latest_week() -> Week:
    """This week, or the last one in which there were agencies."""
    return Week.of(day_to_show(Agency, timezone.localdate()))


def chosen_week(request: HttpRequest) -> Week:
    """The week of `?week=2020-W33`, or the latest."""
    return parse_week(request.GET.get("week", ""), latest_week())


def own_schools(request: OfficeRequest) -> frozenset[int]:
    """Primary keys of the agencies in which the reader has a role that keeps classes.

    Officials above the schools are not included: they enter nothing for a school and see the sums that everybody sees.
    """
    return own_schools_of(request.user)


def own_schools_of(user: User) -> frozenset[int]:
    """`own_schools` of a user."""
    grants = grants_for(user, KEEPERS)
    return frozenset(grant.agency_id for grant in grants if grant.agency_id is not None)


def keeps_classes(request: OfficeRequest, school: Agency) -> bool:
    """Whether the reader keeps the classes of a school, and so sees each of them."""
    return school.pk in own_schools(request)


def is_above(request: OfficeRequest, school: Agency) -> bool:
    """Whether the reader works above a school: may open locked weeks for it and send its numbers back."""
    return is_user_above(request.user, school)


def is_user_above(user: User, school: Agency) -> bool:
    """`is_above` for a user."""
    for grant in grants_for(user, KEEPERS):
        above = grant.agency or grant.unit
        reaches = above is None or school.is_under(above)
        if reaches and grant.agency_id != school.pk:
            return True
    return False


def _serves_schools(agency: Agency) -> bool:
    """Whether an agency is a People's Committee or a department of one; a school has departments too."""
    committee = agency.parent if agency.kind == AgencyKind.DEPARTMENT else agency
    return committee is None or committee.kind == AgencyKind.COMMITTEE


def units_closed_by(request: OfficeRequest, on: datetime.date) -> QuerySet[AdminUnit]:
    """Units in which the reader may enter breaks for all schools: those that a role reaches, and the unit that the
    reader's committee or department serves.
    """
    serving = {
        grant.agency.unit_id
        for grant in grants_for(request.user, KEEPERS)
        if grant.agency and _serves_schools(grant.agency)
    }
    reached = units_in_reach(request.user, KEEPERS).values("pk")
    units = AdminUnit.objects.valid_on(on).filter(Q(pk__in=serving) | Q(pk__in=reached))
    return units.filter(kind__in=[UnitKind.DISTRICT, *WARDS]).order_by("path")


def school_of(pk: int) -> Agency:
    """A school with its unit. Raises Http404."""
    return get_object_or_404(Agency.objects.select_related("unit"), pk=pk, kind=AgencyKind.SCHOOL)


def kept_school(request: OfficeRequest, pk: int) -> Agency:
    """A school that the reader keeps. Raises Http404, OutsideScope (403)."""
    school = school_of(pk)
    if not keeps_classes(request, school):
        raise OutsideScope(f"the role is not held in {school.key}")
    return school


def own_class(request: OfficeRequest, pk: int) -> SchoolClass:
    """A class that the reader keeps or teaches. Raises Http404, PermissionDenied (403)."""
    school_class = get_object_or_404(SchoolClass.objects.select_related("school__unit", "teacher"), pk=pk)
    if school_class.teacher_id != request.user.pk and not keeps_classes(request, school_class.school):
        raise PermissionDenied
    return school_class


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(STAFF_REPORTERS)
@touches(Ownership.ITSELF)
def class_list(request: OfficeRequest, pk: int) -> HttpResponse:
    """The classes of a school year, that of `?week=`: 302 entered, 422 a line is not a class."""
    school = kept_school(request, pk)
    now = timezone.now()
    week = chosen_week(request)
    year = year_of(week)
    proposal = "\n".join(entry.name for entry in catalogue.carry_over(school, year))
    classes = SchoolClass.objects.filter(school=school, year=year).select_related("teacher")
    form = ClassListForm(request.POST or None, initial={"classes": "" if classes.exists() else proposal})
    if request.method == "POST" and form.is_valid():
        with acts.refusals_as_form_errors(form, sentence_of, field="classes", kinds=catalogue.ClassListRefused):
            added, changed = catalogue.enter_classes(
                school, year, catalogue.read_list(form.cleaned_data["classes"]), request.user, now
            )
            notice = _("%(made)s classes added, %(changed)s changed.") % {"made": added, "changed": changed}
            messages.success(request, notice)
            return redirect(f"{reverse('school-classes', args=[pk])}?week={week}")
    context = {
        "school": school,
        "week": week,
        "year": year_label(year),
        "classes": classes,
        "form": form,
        "carried": bool(proposal) and not classes.exists(),
    }
    return render(request, "schools/class_list.html", context, status=422 if form.errors else 200)


@practised
@require_POST
@audience(STAFF_REPORTERS)
@touches(Ownership.ITSELF)
def links(request: OfficeRequest, pk: int) -> HttpResponse:
    """Make links and PINs for the ticked classes, without a tick for all that have none; shown only once."""
    school = kept_school(request, pk)
    now = timezone.now()
    week = chosen_week(request)
    classes = SchoolClass.objects.filter(school=school, year=year_of(week), ended_on=None)
    ticked = ticked_classes(request)
    classes = classes.filter(pk__in=ticked) if ticked else classes.filter(link_digest=None)
    new_links = class_links.make_links(school, list(classes), request.user, now) if classes else []
    if not new_links:
        messages.info(request, _("Every class has a link. Tick the classes that should get a new one."))
        return redirect(f"{reverse('school-classes', args=[pk])}?week={week}")
    slips = [(link, screen_qr(link.address)) for link in new_links]
    return render(request, "schools/links.html", {"school": school, "week": week, "slips": slips})


def ticked_classes(request: HttpRequest) -> list[int]:
    """The primary keys of the classes that are ticked in a form."""
    texts = request.POST.getlist("class")
    return [int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 18]


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(CLASS_REPORTERS)
@touches(Ownership.OWN, Ownership.ITSELF.for_roles(*KEEPERS))
def one_class(request: OfficeRequest, pk: int) -> HttpResponse:
    """One class and week: 302 stored, 403 not your class, 409 week closed or changed meanwhile, 422 a contradiction."""
    school_class = own_class(request, pk)
    week = chosen_week(request)
    now = timezone.now()
    if request.method != "POST":
        return _class_page(request, school_class, week, CountsForm(initial=_initial(school_class, week)), None, 200)
    with transaction.atomic():
        _lock(school_class)
        form = CountsForm(request.POST, initial=_initial(school_class, week))
        if form.is_valid():
            with acts.refusals_as_form_errors(form, sentence_of, conflict=True):
                record_reports(
                    school_class.school, [(school_class, form.counts)], week, Channel.OFFICE, request.user, now
                )
                messages.success(request, _("Stored: class %(name)s.") % {"name": school_class.name})
                return redirect(_next_page(request, school_class, week))
    return _class_page(request, school_class, week, form, None, acts.form_status(form))


def _lock(school_class: SchoolClass) -> None:
    """Lock the row of a class until the transaction ends, so that others who change it see what it stores."""
    list(SchoolClass.everything.select_for_update().filter(pk=school_class.pk).values_list("pk"))
    school_class.refresh_from_db()


@practised
@require_POST
@audience(STAFF_REPORTERS)
@touches(Ownership.ITSELF)
def correct(request: OfficeRequest, pk: int) -> HttpResponse:
    """Change or end a class: 302, 403 not your school, 409 changed meanwhile, 422 not the name of a class."""
    school_class = own_class(request, pk)
    week = chosen_week(request)
    now = timezone.now()
    if not keeps_classes(request, school_class.school):
        raise PermissionDenied
    back = f"{reverse('school-classes', args=[school_class.school_id])}?week={week}"
    if "end" in request.POST:
        catalogue.end_class(school_class, timezone.localdate(now), request.user, now)
        acts.offer_undo(request, catalogue.ENDED, now, pk=school_class.pk)
        messages.success(request, _("Class %(name)s has ended. What it sent stays.") % {"name": school_class.name})
        return redirect(back)
    with transaction.atomic():
        _lock(school_class)
        form = _settings(school_class, request.POST)
        if form.is_valid():
            values = form.cleaned_data
            with acts.refusals_as_form_errors(form, sentence_of, field="name", kinds=catalogue.ClassListRefused):
                catalogue.correct_class(
                    school_class, values["name"], values["pupils"], values["teacher"], request.user, now
                )
                messages.success(request, _("Stored: class %(name)s.") % {"name": school_class.name})
                return redirect(back)
    school_class.refresh_from_db()
    counts_form = CountsForm(initial=_initial(school_class, week))
    return _class_page(request, school_class, week, counts_form, form, acts.form_status(form))


def _settings(school_class: SchoolClass, typed: QueryDict | None = None) -> ClassForm:
    initial = {"name": school_class.name, "pupils": school_class.pupils, "teacher": school_class.teacher_id}
    return ClassForm(typed, initial=initial, school=school_class.school)


@practised
@require_safe
@audience(CLASS_REPORTERS)
@touches(Ownership.OWN)
def mine(request: OfficeRequest) -> HttpResponse:
    """The classes for which a teacher reports, with the weeks that are open."""
    today = timezone.localdate()
    classes = SchoolClass.objects.filter(teacher=request.user, ended_on=None, year__gte=year_of(today))
    rows = []
    for school_class in classes.select_related("school__unit"):
        weeks = school_calendar.open_weeks(school_class.school, today)
        sent = set(
            ClassReport.objects.filter(
                school_class=school_class,
                is_current=True,
                returned_at=None,
                week__in=[week.first_day for week in weeks],
            ).values_list("week", flat=True)
        )
        weeks = [week for week in weeks if year_of(week) == school_class.year]
        rows.append((school_class, [(week, week.first_day in sent) for week in weeks]))
    return render(request, "schools/mine.html", {"rows": rows})


def _initial(school_class: SchoolClass, week: Week) -> dict[str, int | None]:
    """Initial values of a form: the numbers of this week, or those of an earlier week that seldom change."""
    last = ClassReport.objects.filter(school_class=school_class, week__lte=week.first_day, is_current=True).first()
    if last is None:
        return {"pupils": school_class.pupils}
    if last.week == week.first_day:
        return {name: getattr(last, name) for name in ("pupils", "with_smartphone", "running", "relatives")}
    pupils = school_class.pupils if school_class.pupils is not None else last.pupils
    return {"pupils": pupils, "with_smartphone": last.with_smartphone}


def _next_page(request: OfficeRequest, school_class: SchoolClass, week: Week) -> str:
    if keeps_classes(request, school_class.school):
        return f"{reverse('school', args=[school_class.school_id])}?week={week}"
    return reverse("schools-mine")


def _class_page(
    request: OfficeRequest,
    school_class: SchoolClass,
    week: Week,
    form: CountsForm,
    settings: ClassForm | None,
    status: int,
) -> HttpResponse:
    keeps = keeps_classes(request, school_class.school)
    closed = ""
    try:
        school_calendar.check_open(school_class.school, week, timezone.localdate())
    except school_calendar.SchoolWeekClosed as refused:
        closed = sentence_of(refused)
    if settings is None and keeps:
        settings = _settings(school_class)
    reports = ClassReport.objects.filter(school_class=school_class, week=week.first_day)
    context: dict[str, Any] = {
        "one": school_class,
        "school": school_class.school,
        "week": week,
        "form": form,
        "settings": settings,
        "keeps": keeps,
        "closed": closed,
        "is_latest": week.following.first_day > timezone.localdate(),
        "versions": reports.select_related("reported_by", "returned_by"),
        "years_fit": queries.classes_of(week).filter(pk=school_class.pk).exists(),
    }
    return render(request, "schools/class.html", context, status=status)


def stored_notice(count: int) -> str:
    """The notice that says how many classes were stored."""
    return ngettext("%(count)s class is stored.", "%(count)s classes are stored.", count) % {"count": count}


def listing(rows: Iterable[SchoolRow], week: Week) -> ExportSheet:
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
    requests = [opening for opening in school_calendar.requests_for(None) if is_above(request, opening.school)]
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
def file(request: OfficeRequest) -> HttpResponse:
    """The table of the schools of a week as XLSX, small numbers suppressed as on the page."""
    week = chosen_week(request)
    rows = queries.all_rows(week, chosen_unit(request), own_schools(request))
    response = HttpResponse(write_xlsx([listing(rows, week)]), content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="schools-{week}.xlsx"'
    return response


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def school(request: OfficeRequest, pk: int) -> HttpResponse:
    """One school and week: each class for its own people; for others the sums, and the classes without a report."""
    chosen_school = school_of(pk)
    week = chosen_week(request)
    today = timezone.localdate()
    keeps = keeps_classes(request, chosen_school)
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
        "oversees": is_above(request, chosen_school),
        "closed": closed,
        "is_latest": week.following.first_day > today,
        "asked": requests.select_related("asked_by").first(),
        "breaks": _breaks(SchoolBreak.objects.filter(school=chosen_school)),
    }
    return render(request, "schools/school.html", context)


def _classes(school_id: int, week: Week) -> list[tuple[SchoolClass, ClassReport | None]]:
    """Classes of a week with their newest report, also if it was sent back."""
    classes = queries.classes_of(week).filter(school=school_id).select_related("teacher")
    reports = ClassReport.objects.filter(school_class__school=school_id, week=week.first_day, is_current=True)
    by_class = {report.school_class_id: report for report in reports.select_related("reported_by")}
    return [(school_class, by_class.get(school_class.pk)) for school_class in classes]


def _breaks(breaks: Iterable[SchoolBreak]) -> list[tuple[SchoolBreak, Week, Week]]:
    return [(school_break, Week(school_break.first_week), Week(school_break.last_week)) for school_break in breaks]


def waiting(user: User, now: datetime.datetime) -> list[Matter]:
    """Matters of a user: classes that owe the numbers of a week, and requests to open a locked week.

    A teacher gets one matter for each class; somebody who keeps classes, one for each school and week. At most two
    weeks are open.
    """
    if not grants_for(user, CLASS_REPORTERS.roles):
        return []
    today = timezone.localdate(now)
    own = own_schools_of(user)
    matters: list[Matter] = []
    for week in (Week.of(today).previous, Week.of(today)):
        if today < week.locks_on:
            matters += _owed(user, own, week)
    requests = school_calendar.requests_for(None) if grants_for(user, KEEPERS) else []
    requests = [opening for opening in requests if is_user_above(user, opening.school)]
    if requests:
        what = ngettext("%(count)d school asks to open a week", "%(count)d schools ask to open a week", len(requests))
        what %= {"count": len(requests)}
        by = requests[0].asked_at + datetime.timedelta(days=1)
        key = f"weeks of schools {requests[0].pk}"
        matters.append(Matter(key, what, _("Answer"), reverse("schools"), by, Pile.SENT))
    return matters


def _owed(user: User, own: frozenset[int], week: Week) -> list[Matter]:
    """The numbers of an open week that a user owes as a teacher, or for their own schools."""
    sent = queries.valid_reports(week).values("school_class")
    owing = queries.classes_of(week).exclude(pk__in=sent).filter(Q(teacher=user) | Q(school__in=own))
    breaks = school_calendar.breaks_around(week)
    by = timezone.make_aware(datetime.datetime.combine(week.due + datetime.timedelta(days=1), datetime.time()))
    taught: list[Matter] = []
    of_schools: dict[int, Matter] = {}
    for school_class in owing.select_related("school__unit"):
        school = school_class.school
        if breaks.reason_for(school, week):
            continue
        if school_class.teacher_id == user.pk:
            key = f"class {school_class.pk} {week}"
            what = _("Class %(name)s, week %(week)s") % {"name": school_class.name, "week": week}
            url = f"{reverse('school-class', args=[school_class.pk])}?week={week}"
            taught.append(Matter(key, what, _("Report"), url, by, Pile.MINE, stated=True, where=school.name))
        elif school.pk not in of_schools:
            key = f"school {school.pk} {week}"
            what = _("Numbers of the classes, week %(week)s") % {"week": week}
            url = f"{reverse('school', args=[school.pk])}?week={week}"
            matter = Matter(key, what, _("Report"), url, by, Pile.AGENCY, stated=True, where=school.name)
            of_schools[school.pk] = matter
    return [
        *shorten(taught, f"{reverse('schools-mine')}?week={week}"),
        *shorten(list(of_schools.values()), f"{reverse('schools')}?week={week}"),
    ]
