# SPDX-License-Identifier: Apache-2.0
"""Planning a bulletin: the exact list before it is stored, stopping, days left out, the order, an emergency now."""

import datetime
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import EDITORS, SIGNED_IN
from bluezone.identity.objects import Whose, touches
from bluezone.refusal import Refused
from bluezone.rollout.bulletins import scope, sentences
from bluezone.rollout.bulletins.air import timetable
from bluezone.rollout.bulletins.air.planner import approved_scripts
from bluezone.rollout.bulletins.air.recurrence import Rule
from bluezone.rollout.bulletins.duty import AIRING_KEEPERS
from bluezone.rollout.bulletins.forms import EmergencyForm, ScheduleForm
from bluezone.rollout.bulletins.models import Airing, Bulletin, Language, Outlet, Schedule
from bluezone.training import practised

# As many moments as a page shows one by one.
MOST_SHOWN = 120


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Whose.AGENCY)
def new_schedule(request: OfficeRequest, pk: int) -> HttpResponse:
    """Show the exact list of a rule, then plan it: 302 to the schedule, 422 bad form or refused; 403 another's.

    302 to the bulletin, with the sentence, while no text of it is approved.
    """
    bulletin = scope.bulletin_of_ours(request, pk)
    languages = _approved_languages(bulletin)
    if not languages:
        messages.error(request, sentences.sentence_of(timetable.ScriptNotApproved("no text is approved")))
        return redirect("bulletin", pk)
    outlets = Outlet.objects.filter(closed_at=None).select_related("agency")
    first = {"first": timezone.localdate() + datetime.timedelta(days=1), "times": "5:30, 17:30"}
    form = ScheduleForm(request.POST or None, outlets=outlets, languages=languages, initial=first)
    moments: list[datetime.datetime] | None = None
    if request.method == "POST" and form.is_valid():
        with acts.show_refusals(form, sentences.sentence_of):
            rule = form.rule()
            moments = list(_moments(rule))
            if "store" in request.POST:
                values = form.cleaned_data
                made = timetable.make_schedule(
                    bulletin, list(values["outlets"]), values["languages"], rule, request.user, timezone.now()
                )
                messages.success(request, _("The schedule is in force."))
                return redirect("schedule", made.pk)
    context = {
        "bulletin": bulletin, "form": form, "moments": moments, "most": MOST_SHOWN, "languages": languages,
        "last": moments[-1] if moments else None,
    }  # fmt: skip
    return render(request, "bulletins/schedule_new.html", context, status=422 if form.errors else 200)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def schedule(request: OfficeRequest, pk: int) -> HttpResponse:
    """One schedule: its rule in words, the coming airings with the time each got, and what it meets."""
    found = _schedule(pk)
    now = timezone.now()
    coming = Airing.objects.filter(schedule=found, due_at__gte=now).select_related("outlet")
    context = {
        "schedule": found,
        "bulletin": found.bulletin,
        "coming": coming[:MOST_SHOWN],
        "languages": [Language(one).label for one in found.languages],
        "moments": None if found.at_once else list(_moments(found.rule, now)),
        "meets": _meets(found, now),
        "changes": not found.stopped_at and scope.may_change(request, found),
    }
    return render(request, "bulletins/schedule.html", context)


@practised
@require_POST
@audience(AIRING_KEEPERS)
@touches(Whose.AGENCY)
def stop(request: OfficeRequest, pk: int) -> HttpResponse:
    """Air nothing of a schedule from now on: 302 to its page; 403 another's."""
    timetable.stop(scope.schedule_of_ours(request, pk), request.user, timezone.now())
    messages.success(request, _("The schedule is stopped. What was aired stays in the log."))
    return redirect("schedule", pk)


@practised
@require_POST
@audience(AIRING_KEEPERS)
@touches(Whose.AGENCY)
def leave_out(request: OfficeRequest, pk: int) -> HttpResponse:
    """Leave a day (`?on=` in the form) out: 302 to its page; 403 another's."""
    found = scope.schedule_of_ours(request, pk)
    try:
        day = datetime.date.fromisoformat(request.POST.get("day", ""))
        timetable.leave_out(found, day, request.user, timezone.now())
    except ValueError:
        messages.error(request, _("Choose a day. Nothing was changed."))
    except Refused:
        messages.error(request, _("Nothing of this schedule is aired on that day. Nothing was changed."))
    else:
        messages.success(request, _("The day is left out."))
    return redirect("schedule", pk)


@practised
@require_POST
@audience(AIRING_KEEPERS)
@touches(Whose.AGENCY)
def put_first(request: OfficeRequest, pk: int) -> HttpResponse:
    """Air this before others of its class that it meets: 302 to its page; 403 another's."""
    timetable.put_first(scope.schedule_of_ours(request, pk), request.user, timezone.now())
    messages.success(request, _("It comes first now, among those of its class."))
    return redirect("schedule", pk)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Whose.AGENCY)
def at_once(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask where, then air an emergency bulletin now: 302 to the log, 422 refused; 403 another agency's."""
    bulletin = scope.bulletin_of_ours(request, pk)
    outlets = Outlet.objects.filter(closed_at=None).select_related("agency")
    form = EmergencyForm(request.POST or None, outlets=outlets)
    if request.method == "POST" and form.is_valid():
        with acts.show_refusals(form, sentences.sentence_of):
            timetable.air_at_once(
                bulletin, list(form.cleaned_data["outlets"]), _approved_languages(bulletin), request.user,
                timezone.now(),
            )  # fmt: skip
            messages.success(request, _("The emergency bulletin goes out now, over everything else."))
            return redirect("air-log")
    status = 422 if form.errors else 200
    return render(request, "bulletins/at_once.html", {"bulletin": bulletin, "form": form}, status=status)


def _schedule(pk: int) -> Schedule:
    schedules = Schedule.objects.select_related("bulletin__agency__unit").prefetch_related("outlets")
    found: Schedule = get_object_or_404(schedules, pk=pk)
    return found


def _approved_languages(bulletin: Bulletin) -> list[str]:
    scripts = approved_scripts([bulletin.pk])
    return [language for language in Language.values if (bulletin.pk, language) in scripts]


def _moments(rule: Rule, since: datetime.datetime | None = None) -> list[datetime.datetime]:
    """The moments of a rule from its first day (or `since`) for a year, to be counted and shown."""
    zone = ZoneInfo(timezone.get_default_timezone_name())
    begins = max(since or timezone.now(), datetime.datetime.combine(rule.first, datetime.time(), zone))
    return list(rule.moments(begins, begins + datetime.timedelta(days=366), zone))


def _meets(found: Schedule, now: datetime.datetime) -> list[Airing]:
    """Coming airings of this schedule that had to wait, or got no time, because something else plays."""
    coming = Airing.objects.filter(schedule=found, due_at__gte=now).select_related("outlet")[:500]
    return [one for one in coming if one.starts_at != one.due_at][:20]
