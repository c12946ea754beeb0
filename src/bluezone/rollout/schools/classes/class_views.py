# SPDX-License-Identifier: Apache-2.0
"""The classes of a school: entered as a list, carried over, corrected, ended; their links; a teacher's own classes."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory.duty import STAFF_REPORTERS
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.objects import Whose, touches
from bluezone.paper.qr_codes import screen_qr
from bluezone.rollout.coverage.api import Week
from bluezone.rollout.schools import queries, scope
from bluezone.rollout.schools.classes import catalogue, class_links
from bluezone.rollout.schools.duty import CLASS_REPORTERS
from bluezone.rollout.schools.forms import ClassForm, ClassListForm, CountsForm
from bluezone.rollout.schools.models import Channel, ClassReport, SchoolClass
from bluezone.rollout.schools.sentences import sentence_of
from bluezone.rollout.schools.weeks import school_calendar
from bluezone.rollout.schools.weeks.class_reports import record_all
from bluezone.rollout.schools.weeks.school_calendar import shown, year_of
from bluezone.training import practised


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(STAFF_REPORTERS)
@touches(Whose.ITSELF)
def class_list(request: OfficeRequest, pk: int) -> HttpResponse:
    """The classes of this school year: 302 entered, 422 a line is no class. `?week=` chooses the year."""
    school, now = scope.kept_school(request, pk), timezone.now()
    week = scope.chosen_week(request)
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
    school, now = scope.kept_school(request, pk), timezone.now()
    week = scope.chosen_week(request)
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
@touches(Whose.OWN, Whose.ITSELF.by(*scope.KEEPERS))
def one_class(request: OfficeRequest, pk: int) -> HttpResponse:
    """One class and week: 302 stored, 403 not your class, 409 week closed, 422 numbers contradict."""
    one, week, now = scope.class_of_ours(request, pk), scope.chosen_week(request), timezone.now()
    last = _last(one, week)
    form = CountsForm(request.POST if request.method == "POST" else None, initial=last)
    if request.method == "POST" and form.is_valid():
        with acts.show_refusals(form, sentence_of, conflict=True):
            record_all(one.school, [(one, form.counts)], week, Channel.OFFICE, request.user, now)
            messages.success(request, _("Stored: class %(name)s.") % {"name": one.name})
            return redirect(_after(request, one, week))
    return _class_page(request, one, week, form, None, acts.status_of(form))


@practised
@require_POST
@audience(STAFF_REPORTERS)
@touches(Whose.ITSELF)
def correct(request: OfficeRequest, pk: int) -> HttpResponse:
    """Change or end a class: 302, 403 not your school, 422 no name of a class."""
    one, week, now = scope.class_of_ours(request, pk), scope.chosen_week(request), timezone.now()
    if not scope.keeps(request, one.school):
        raise PermissionDenied
    back = f"{reverse('school-classes', args=[one.school_id])}?week={week}"
    if "end" in request.POST:
        catalogue.end(one, timezone.localdate(now), request.user, now)
        acts.offer(request, catalogue.ENDED, now, pk=one.pk)
        messages.success(request, _("Class %(name)s has ended. What it sent stays.") % {"name": one.name})
        return redirect(back)
    form = ClassForm(request.POST, school=one.school)
    if form.is_valid():
        values = form.cleaned_data
        with acts.show_refusals(form, sentence_of, at="name", of=catalogue.ClassListRefused):
            catalogue.correct(one, values["name"], values["pupils"], values["teacher"], request.user, now)
            messages.success(request, _("Stored: class %(name)s.") % {"name": one.name})
            return redirect(back)
    one.refresh_from_db()
    return _class_page(request, one, week, CountsForm(initial=_last(one, week)), form, 422)


@practised
@require_safe
@audience(CLASS_REPORTERS)
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
    if scope.keeps(request, one.school):
        return f"{reverse('school', args=[one.school_id])}?week={week}"
    return reverse("schools-mine")


def _class_page(
    request: OfficeRequest, one: SchoolClass, week: Week, form: CountsForm, settings: ClassForm | None, status: int
) -> HttpResponse:
    keeps = scope.keeps(request, one.school)
    closed = ""
    try:
        school_calendar.check_open(one.school, week, timezone.localdate())
    except school_calendar.SchoolWeekClosed as refused:
        closed = sentence_of(refused)
    if settings is None and keeps:
        values = {"name": one.name, "pupils": one.pupils, "teacher": one.teacher_id}
        settings = ClassForm(initial=values, school=one.school)
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
