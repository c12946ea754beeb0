# SPDX-License-Identifier: Apache-2.0
"""Pages of classes: the classes of a school year, links and PINs, one class with its numbers, a teacher's classes."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory.duty import STAFF_REPORTERS
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.objects import Ownership, touches
from bluezone.paper.qr_codes import screen_qr
from bluezone.rollout.report_week import Week
from bluezone.rollout.schools import queries, school_calendar
from bluezone.rollout.schools.class_reports import submit_class_reports
from bluezone.rollout.schools.classes import catalogue, class_links
from bluezone.rollout.schools.duty import CLASS_REPORTERS
from bluezone.rollout.schools.forms import ClassForm, ClassListForm, CountsForm, sentence_of
from bluezone.rollout.schools.models import Channel, ClassReport, SchoolClass
from bluezone.rollout.schools.page_input import chosen_classes, chosen_week
from bluezone.rollout.schools.permissions import (
    KEEPERS,
    is_own_school,
    own_class,
    own_school,
)
from bluezone.rollout.schools.school_calendar import year_label, year_of
from bluezone.training import practised


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(STAFF_REPORTERS)
@touches(Ownership.ITSELF)
def class_list(request: OfficeRequest, pk: int) -> HttpResponse:
    """The classes of the school year of `?week=`, and the form to enter some: 302 entered, 422 a line is no class."""
    school = own_school(request, pk)
    now = timezone.now()
    week = chosen_week(request)
    year = year_of(week)
    proposal = "\n".join(entry.name for entry in catalogue.propose_next_year(school, year))
    classes = SchoolClass.objects.filter(school=school, year=year).select_related("teacher")
    form = ClassListForm(request.POST or None, initial={"classes": "" if classes.exists() else proposal})
    if request.method == "POST" and form.is_valid():
        with acts.refusals_as_form_errors(form, sentence_of, field="classes", kinds=catalogue.ClassListRefused):
            added, changed = catalogue.add_classes(
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
def issue_class_links(request: OfficeRequest, pk: int) -> HttpResponse:
    """Make links and PINs for the ticked classes, or without a tick for all that have no link; shown only once."""
    school = own_school(request, pk)
    now = timezone.now()
    week = chosen_week(request)
    classes = SchoolClass.objects.filter(school=school, year=year_of(week), ended_on=None)
    ticked = chosen_classes(request)
    classes = classes.filter(pk__in=ticked) if ticked else classes.filter(link_digest=None)
    new_links = class_links.issue_class_links(school, list(classes), request.user, now) if classes else []
    if not new_links:
        messages.info(request, _("Every class has a link. Tick the classes that should get a new one."))
        return redirect(f"{reverse('school-classes', args=[pk])}?week={week}")
    slips = [(link, screen_qr(link.address)) for link in new_links]
    return render(request, "schools/links.html", {"school": school, "week": week, "slips": slips})


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(CLASS_REPORTERS)
@touches(Ownership.OWN, Ownership.ITSELF.for_roles(*KEEPERS))
def submit_class_report(request: OfficeRequest, pk: int) -> HttpResponse:
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
                submit_class_reports(
                    school_class.school, [(school_class, form.counts)], week, Channel.OFFICE, request.user, now
                )
                messages.success(request, _("Stored: class %(name)s.") % {"name": school_class.name})
                return redirect(_next_page(request, school_class, week))
    return _class_page(request, school_class, week, form, None, acts.form_status(form))


def _lock(school_class: SchoolClass) -> None:
    """Lock the row of a class until the transaction ends, and read it again."""
    list(SchoolClass.everything.select_for_update().filter(pk=school_class.pk).values_list("pk"))
    school_class.refresh_from_db()


@practised
@require_POST
@audience(STAFF_REPORTERS)
@touches(Ownership.ITSELF)
def correct_class(request: OfficeRequest, pk: int) -> HttpResponse:
    """Change or end a class: 302, 403 not your school, 409 changed meanwhile, 422 not the name of a class."""
    school_class = own_class(request, pk)
    week = chosen_week(request)
    now = timezone.now()
    if not is_own_school(request, school_class.school):
        raise PermissionDenied
    back = f"{reverse('school-classes', args=[school_class.school_id])}?week={week}"
    if "end" in request.POST:
        catalogue.close_class(school_class, timezone.localdate(now), request.user, now)
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
def own_class_list(request: OfficeRequest) -> HttpResponse:
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
    """Initial values of the form: the numbers of the week; without them, the earlier ones that seldom change."""
    last = ClassReport.objects.filter(school_class=school_class, week__lte=week.first_day, is_current=True).first()
    if last is None:
        return {"pupils": school_class.pupils}
    if last.week == week.first_day:
        return {name: getattr(last, name) for name in ("pupils", "with_smartphone", "running", "relatives")}
    pupils = school_class.pupils if school_class.pupils is not None else last.pupils
    return {"pupils": pupils, "with_smartphone": last.with_smartphone}


def _next_page(request: OfficeRequest, school_class: SchoolClass, week: Week) -> str:
    if is_own_school(request, school_class.school):
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
    keeps = is_own_school(request, school_class.school)
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
