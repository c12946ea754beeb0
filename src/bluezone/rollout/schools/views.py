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
from bluezone.directory.request_parameters import chosen, chosen_unit
from bluezone.directory.scopes import OutsideScope, granted, units_of
from bluezone.duties.duty import Matter, Pile, shorten
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.models import User
from bluezone.identity.objects import Whose, touches
from bluezone.media_types import XLSX
from bluezone.paper.qr_codes import screen_qr
from bluezone.paper.tables import ColumnKind, ExportColumn, ExportSheet, write_xlsx
from bluezone.rollout.coverage.api import Week, week_or
from bluezone.rollout.schools import queries, school_calendar
from bluezone.rollout.schools.class_reports import record_all
from bluezone.rollout.schools.classes import catalogue, class_links
from bluezone.rollout.schools.duty import CLASS_REPORTERS
from bluezone.rollout.schools.forms import ClassForm, ClassListForm, CountsForm, sentence_of
from bluezone.rollout.schools.models import NAMES, Channel, ClassReport, SchoolBreak, SchoolClass, WeekOpening
from bluezone.rollout.schools.queries import SchoolRow
from bluezone.rollout.schools.school_calendar import shown, year_of
from bluezone.training import practised, practising

# Head, officer in charge, clerk and administrator: who reports the staff of a school also keeps its classes.
KEEPERS = STAFF_REPORTERS.roles


def latest_week() -> Week:
    """This week, or the last one in which there were agencies."""
    return Week.of(day_to_show(Agency, timezone.localdate()))


def chosen_week(request: HttpRequest) -> Week:
    """The week of `?week=2020-W33`, or the latest."""
    return week_or(request.GET.get("week", ""), latest_week())


def own_schools(request: OfficeRequest) -> frozenset[int]:
    """Primary keys of the agencies in which the reader holds a role that keeps classes.

    Only there: whoever works above the schools enters nothing for them and sees sums, as the whole city does.
    """
    return own_schools_of(request.user)


def own_schools_of(user: User) -> frozenset[int]:
    """The same of a person."""
    held = granted(user, KEEPERS)
    return frozenset(grant.agency_id for grant in held if grant.agency_id is not None)


def keeps_classes(request: OfficeRequest, school: Agency) -> bool:
    """Whether the reader keeps the classes of a school, and so sees them one by one."""
    return school.pk in own_schools(request)


def oversees(request: OfficeRequest, school: Agency) -> bool:
    """Whether the reader works above a school: may open locked weeks for it and send its numbers back."""
    return oversees_as(request.user, school)


def oversees_as(user: User, school: Agency) -> bool:
    """The same of a person."""
    for grant in granted(user, KEEPERS):
        above = grant.agency or grant.unit
        reaches = above is None or school.is_under(above)
        if reaches and grant.agency_id != school.pk:
            return True
    return False


def _serves_schools(agency: Agency) -> bool:
    """Whether an agency is a People's Committee or a department of one; a school has departments too."""
    of = agency.parent if agency.kind == AgencyKind.DEPARTMENT else agency
    return of is None or of.kind == AgencyKind.COMMITTEE


def units_closed_by(request: OfficeRequest, on: datetime.date) -> QuerySet[AdminUnit]:
    """Units for whose schools the reader may say that there is no school: where a role reaches, and what the committee
    or department serves in which one is held.
    """
    serving = {
        grant.agency.unit_id
        for grant in granted(request.user, KEEPERS)
        if grant.agency and _serves_schools(grant.agency)
    }
    reached = units_of(request.user, KEEPERS).values("pk")
    found = AdminUnit.objects.in_force(on).filter(Q(pk__in=serving) | Q(pk__in=reached))
    return found.filter(kind__in=[UnitKind.DISTRICT, *WARDS]).order_by("path")


def school_of(pk: int) -> Agency:
    """A school with its unit. Raises Http404."""
    return get_object_or_404(Agency.objects.select_related("unit"), pk=pk, kind=AgencyKind.SCHOOL)


def kept_school(request: OfficeRequest, pk: int) -> Agency:
    """A school that the reader keeps. Raises Http404, OutsideScope (403)."""
    school = school_of(pk)
    if not keeps_classes(request, school):
        raise OutsideScope(f"the role is not held in {school.key}")
    return school


def class_of_ours(request: OfficeRequest, pk: int) -> SchoolClass:
    """A class that the reader keeps or teaches. Raises Http404, PermissionDenied (403)."""
    one = get_object_or_404(SchoolClass.objects.select_related("school__unit", "teacher"), pk=pk)
    if one.teacher_id != request.user.pk and not keeps_classes(request, one.school):
        raise PermissionDenied
    return one


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(STAFF_REPORTERS)
@touches(Whose.ITSELF)
def class_list(request: OfficeRequest, pk: int) -> HttpResponse:
    """The classes of this school year: 302 entered, 422 a line is no class. `?week=` chooses the year."""
    school, now = kept_school(request, pk), timezone.now()
    week = chosen_week(request)
    year = year_of(week)
    proposed = "\n".join(one.name for one in catalogue.carried_over(school, year))
    found = SchoolClass.objects.filter(school=school, year=year).select_related("teacher")
    form = ClassListForm(request.POST or None, initial={"classes": "" if found.exists() else proposed})
    if request.method == "POST" and form.is_valid():
        with acts.show_refusals(form, sentence_of, at="classes", of=catalogue.ClassListRefused):
            made, changed = catalogue.enter(
                school, year, catalogue.read_list(form.cleaned_data["classes"]), request.user, now
            )
            told = _("%(made)s classes are new, %(changed)s were changed.") % {"made": made, "changed": changed}
            messages.success(request, told)
            return redirect(f"{reverse('school-classes', args=[pk])}?week={week}")
    context = {
        "school": school, "week": week, "year": shown(year), "classes": found, "form": form,
        "carried": bool(proposed) and not found.exists(),
    }  # fmt: skip
    return render(request, "schools/class_list.html", context, status=422 if form.errors else 200)


@practised
@require_POST
@audience(STAFF_REPORTERS)
@touches(Whose.ITSELF)
def links(request: OfficeRequest, pk: int) -> HttpResponse:
    """Make links and PINs for the classes ticked, or for all without one; shown this once."""
    school, now = kept_school(request, pk), timezone.now()
    week = chosen_week(request)
    found = SchoolClass.objects.filter(school=school, year=year_of(week), ended_on=None)
    chosen = [
        int(text) for text in request.POST.getlist("class") if text.isascii() and text.isdigit() and len(text) < 18
    ]
    found = found.filter(pk__in=chosen) if chosen else found.filter(link_digest=None)
    made = class_links.make(school, list(found), request.user, now) if found else []
    if not made:
        messages.info(request, _("Every class has a link. Tick the classes that are to get a new one."))
        return redirect(f"{reverse('school-classes', args=[pk])}?week={week}")
    slips = [(link, screen_qr(link.address)) for link in made]
    return render(request, "schools/links.html", {"school": school, "week": week, "slips": slips})


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(CLASS_REPORTERS)
@touches(Whose.OWN, Whose.ITSELF.by(*KEEPERS))
def one_class(request: OfficeRequest, pk: int) -> HttpResponse:
    """One class and week: 302 stored, 403 not your class, 409 week closed or changed meanwhile, 422 a contradiction."""
    one, week, now = class_of_ours(request, pk), chosen_week(request), timezone.now()
    if request.method != "POST":
        return _class_page(request, one, week, CountsForm(initial=_last(one, week)), None, 200)
    with transaction.atomic():
        _hold(one)
        form = CountsForm(request.POST, initial=_last(one, week))
        if form.is_valid():
            with acts.show_refusals(form, sentence_of, conflict=True):
                record_all(one.school, [(one, form.counts)], week, Channel.OFFICE, request.user, now)
                messages.success(request, _("Stored: class %(name)s.") % {"name": one.name})
                return redirect(_after(request, one, week))
    return _class_page(request, one, week, form, None, acts.status_of(form))


def _hold(one: SchoolClass) -> None:
    """Let others who store something about a class wait, so that they see it."""
    list(SchoolClass.everything.select_for_update().filter(pk=one.pk).values_list("pk"))
    one.refresh_from_db()


@practised
@require_POST
@audience(STAFF_REPORTERS)
@touches(Whose.ITSELF)
def correct(request: OfficeRequest, pk: int) -> HttpResponse:
    """Change or end a class: 302, 403 not your school, 409 changed meanwhile, 422 no name of a class."""
    one, week, now = class_of_ours(request, pk), chosen_week(request), timezone.now()
    if not keeps_classes(request, one.school):
        raise PermissionDenied
    back = f"{reverse('school-classes', args=[one.school_id])}?week={week}"
    if "end" in request.POST:
        catalogue.end(one, timezone.localdate(now), request.user, now)
        acts.offer(request, catalogue.ENDED, now, pk=one.pk)
        messages.success(request, _("Class %(name)s has ended. What it sent stays.") % {"name": one.name})
        return redirect(back)
    with transaction.atomic():
        _hold(one)
        form = _settings(one, request.POST)
        if form.is_valid():
            values = form.cleaned_data
            with acts.show_refusals(form, sentence_of, at="name", of=catalogue.ClassListRefused):
                catalogue.correct(one, values["name"], values["pupils"], values["teacher"], request.user, now)
                messages.success(request, _("Stored: class %(name)s.") % {"name": one.name})
                return redirect(back)
    one.refresh_from_db()
    return _class_page(request, one, week, CountsForm(initial=_last(one, week)), form, acts.status_of(form))


def _settings(one: SchoolClass, typed: QueryDict | None = None) -> ClassForm:
    known = {"name": one.name, "pupils": one.pupils, "teacher": one.teacher_id}
    return ClassForm(typed, initial=known, school=one.school)


@practised
@require_safe
@audience(CLASS_REPORTERS)
@touches(Whose.OWN)
def mine(request: OfficeRequest) -> HttpResponse:
    """The classes a teacher reports, with the weeks that are open."""
    today = timezone.localdate()
    found = SchoolClass.objects.filter(teacher=request.user, ended_on=None, year__gte=year_of(today))
    rows = []
    for one in found.select_related("school__unit"):
        weeks = school_calendar.open_weeks(one.school, today)
        sent = set(
            ClassReport.objects.filter(
                school_class=one, is_current=True, returned_at=None, week__in=[week.first_day for week in weeks]
            ).values_list("week", flat=True)
        )
        rows.append((one, [(week, week.first_day in sent) for week in weeks if year_of(week) == one.year]))
    return render(request, "schools/mine.html", {"rows": rows})


def _last(one: SchoolClass, week: Week) -> dict[str, int | None]:
    """What a form begins with: this week's numbers, or from earlier ones what seldom changes."""
    last = ClassReport.objects.filter(school_class=one, week__lte=week.first_day, is_current=True).first()
    if last is None:
        return {"pupils": one.pupils}
    if last.week == week.first_day:
        return {name: getattr(last, name) for name in ("pupils", "with_smartphone", "running", "relatives")}
    return {"pupils": one.pupils if one.pupils is not None else last.pupils, "with_smartphone": last.with_smartphone}


def _after(request: OfficeRequest, one: SchoolClass, week: Week) -> str:
    if keeps_classes(request, one.school):
        return f"{reverse('school', args=[one.school_id])}?week={week}"
    return reverse("schools-mine")


def _class_page(
    request: OfficeRequest, one: SchoolClass, week: Week, form: CountsForm, settings: ClassForm | None, status: int
) -> HttpResponse:
    keeps = keeps_classes(request, one.school)
    closed = ""
    try:
        school_calendar.check_open(one.school, week, timezone.localdate())
    except school_calendar.SchoolWeekClosed as refused:
        closed = sentence_of(refused)
    if settings is None and keeps:
        settings = _settings(one)
    said = ClassReport.objects.filter(school_class=one, week=week.first_day)
    context: dict[str, Any] = {
        "one": one,
        "school": one.school,
        "week": week,
        "form": form,
        "settings": settings,
        "keeps": keeps,
        "closed": closed,
        "is_latest": week.following.first_day > timezone.localdate(),
        "versions": said.select_related("reported_by", "returned_by"),
        "years_fit": queries.classes_of(week).filter(pk=one.pk).exists(),
    }
    return render(request, "schools/class.html", context, status=status)


def done_notice(count: int) -> str:
    """How many classes were stored."""
    return ngettext("%(count)s class is stored.", "%(count)s classes are stored.", count) % {"count": count}


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
@touches(Whose.REACHED)
def school_list(request: OfficeRequest) -> HttpResponse:
    """Every school of a week with its sums, and which classes have not reported."""
    week, unit = chosen_week(request), chosen_unit(request)
    show = chosen(request, "show", list(queries.SHOWN)) or "all"
    words = request.GET.get("q", "").strip()[:100]
    table = queries.school_table(week, unit, show, words, request.GET.get("page"), own_schools(request))
    asked = [one for one in school_calendar.requests_for(None) if oversees(request, one.school)]
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
@touches(Whose.REACHED)
def file(request: OfficeRequest) -> HttpResponse:
    """The table of the schools of a week as XLSX, small numbers kept back as on the page."""
    week = chosen_week(request)
    rows = queries.all_rows(week, chosen_unit(request), own_schools(request))
    response = HttpResponse(write_xlsx([listing(rows, week)]), content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="schools-{week}.xlsx"'
    return response


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def school(request: OfficeRequest, pk: int) -> HttpResponse:
    """One school and week: each class for its own people, for others the sums and who has not reported."""
    found, week, today = school_of(pk), chosen_week(request), timezone.localdate()
    keeps = keeps_classes(request, found)
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
        "oversees": oversees(request, found),
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


def waiting(user: User, now: datetime.datetime) -> list[Matter]:
    """Classes that this person teaches or keeps and that owe the numbers of a week, and weeks to open again.

    One line a school and week for who keeps its classes; two weeks are open at most.
    """
    if not granted(user, CLASS_REPORTERS.roles):
        return []
    today, own = timezone.localdate(now), own_schools_of(user)
    found: list[Matter] = []
    for week in (Week.of(today).previous, Week.of(today)):
        if today >= week.locks_on:
            continue
        sent = queries.valid_reports(week).values("school_class")
        owing = queries.classes_of(week).exclude(pk__in=sent).filter(Q(teacher=user) | Q(school__in=own))
        closed, by = (
            school_calendar.breaks_around(week),
            timezone.make_aware(datetime.datetime.combine(week.due + datetime.timedelta(days=1), datetime.time())),
        )
        taught: list[Matter] = []
        of_schools: dict[int, Matter] = {}
        for one in owing.select_related("school__unit"):
            if closed.of(one.school, week):
                continue
            if one.teacher_id == user.pk:
                what = _("Class %(name)s, week %(week)s") % {"name": one.name, "week": week}
                url, key = f"{reverse('school-class', args=[one.pk])}?week={week}", f"class {one.pk} {week}"
                taught.append(Matter(key, what, _("Report"), url, by, Pile.MINE, stated=True, where=one.school.name))
                continue
            if one.school_id not in of_schools:
                what = _("Numbers of the classes, week %(week)s") % {"week": week}
                url, key = f"{reverse('school', args=[one.school_id])}?week={week}", f"school {one.school_id} {week}"
                of_schools[one.school_id] = Matter(
                    key, what, _("Report"), url, by, Pile.AGENCY, stated=True, where=one.school.name
                )
        found += shorten(taught, f"{reverse('schools-mine')}?week={week}")
        found += shorten(list(of_schools.values()), f"{reverse('schools')}?week={week}")
    asked = school_calendar.requests_for(None) if granted(user, KEEPERS) else []
    asked = [one for one in asked if oversees_as(user, one.school)]
    if asked:
        what = ngettext("%(count)d school asks to open a week", "%(count)d schools ask to open a week", len(asked))
        by, key = asked[0].asked_at + datetime.timedelta(days=1), f"weeks of schools {asked[0].pk}"
        found.append(Matter(key, what % {"count": len(asked)}, _("Answer"), reverse("schools"), by, Pile.SENT))
    return found
