# SPDX-License-Identifier: Apache-2.0
"""Pages of schedules: make one by a rule, show it, stop it, leave out days; air an emergency at once."""

import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.authority import two_persons
from bluezone.directory.scopes import reaches_beyond_a_ward
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import EDITORS, SIGNED_IN
from bluezone.identity.factors.confirmation import SECOND_FACTOR_SECONDS, is_recently_confirmed
from bluezone.identity.factors.second_factors import (
    confirm_second_factor,
    redirect_to_confirmation,
    releases,
)
from bluezone.identity.objects import Ownership, touches
from bluezone.identity.typed_fields import typed_day
from bluezone.refusal import Refused
from bluezone.rollout.bulletins import permissions, sentences
from bluezone.rollout.bulletins.air import shared_emergency, timetable
from bluezone.rollout.bulletins.air.planner import approved_scripts
from bluezone.rollout.bulletins.air.recurrence import Rule
from bluezone.rollout.bulletins.duty import AIRING_KEEPERS
from bluezone.rollout.bulletins.forms import EmergencyForm, ScheduleForm
from bluezone.rollout.bulletins.models import (
    Airing,
    Bulletin,
    Importance,
    Language,
    Outlet,
    Schedule,
)
from bluezone.training import practised, practising

# How long a proof of the second factor counts when the form is sent: the reader proved it before filling in the form.
_FILLING_SECONDS = 900
# Moments that a page lists at most.
MOST_SHOWN = 120


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Ownership.AGENCY)
@releases
def new_schedule(request: OfficeRequest, pk: int) -> HttpResponse:
    """Show every moment of a rule, then store it as a schedule: 302 to the schedule.

    422 bad form or refused, 403 the bulletin of another agency. 302 to other pages: to the bulletin, with a sentence,
    if no text of it is approved; to the second factor if the reader reaches more than a ward; to the waiting act if an
    emergency beyond the reader's own ward needs a second person.
    """
    bulletin = permissions.own_bulletin(request, pk)
    languages = _approved_languages(bulletin)
    if not languages:
        messages.error(request, sentences.sentence_of(timetable.ScriptNotApproved("no text is approved")))
        return redirect("bulletin", pk)
    most_seconds = _FILLING_SECONDS if request.method == "POST" else SECOND_FACTOR_SECONDS
    proved = practising() or is_recently_confirmed(request, most_seconds)
    if not proved and reaches_beyond_a_ward(request.user, permissions.WRITERS):
        return redirect_to_confirmation(request.path)
    outlets = permissions.outlets_for(request.user, bulletin)
    initial = {"first": timezone.localdate() + datetime.timedelta(days=1), "times": "5:30, 17:30"}
    form = ScheduleForm(request.POST or None, outlets=outlets, languages=languages, initial=initial)
    moments: list[datetime.datetime] | None = None
    if request.method == "POST" and form.is_valid():
        with acts.refusals_as_form_errors(form, sentences.sentence_of):
            rule = form.rule()
            moments = list(_moments(rule))
            if "store" in request.POST:
                values = form.cleaned_data
                chosen = list(values["outlets"])
                if not proved and not permissions.is_heard_in_ward_only(request.user, chosen):
                    return redirect_to_confirmation(request.path)
                if bulletin.importance == Importance.EMERGENCY and _needs_second_person(request, chosen):
                    return _air_or_request_second_person(
                        request, shared_emergency.airing_values(bulletin, chosen, values["languages"], rule)
                    )
                schedule = timetable.schedule_airings(
                    bulletin, chosen, values["languages"], rule, request.user, timezone.now()
                )
                messages.success(request, _("The schedule is active."))
                return redirect("schedule", schedule.pk)
    context = {
        "bulletin": bulletin, "form": form, "moments": moments, "most": MOST_SHOWN, "languages": languages,
        "last": moments[-1] if moments else None,
    }  # fmt: skip
    return render(request, "bulletins/schedule_new.html", context, status=422 if form.errors else 200)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def show_schedule(request: OfficeRequest, pk: int) -> HttpResponse:
    """One schedule: its rule in words, the coming airings with their times, and which are delayed or displaced."""
    schedule = _find_schedule(pk)
    now = timezone.now()
    coming = Airing.objects.filter(schedule=schedule, due_at__gte=now).select_related("outlet")
    context = {
        "schedule": schedule,
        "bulletin": schedule.bulletin,
        "coming": coming[:MOST_SHOWN],
        "languages": [Language(language).label for language in schedule.languages],
        "moments": None if schedule.at_once else list(_moments(schedule.rule, now)),
        "meets": _displaced_airings(schedule, now),
        "changes": not schedule.stopped_at and permissions.may_change(request, schedule),
    }
    return render(request, "bulletins/schedule.html", context)


@practised
@require_POST
@audience(AIRING_KEEPERS)
@touches(Ownership.AGENCY)
def stop_schedule(request: OfficeRequest, pk: int) -> HttpResponse:
    """Stop a schedule: 302 to its page, 403 that of another agency."""
    timetable.stop_schedule(permissions.own_schedule(request, pk), request.user, timezone.now())
    messages.success(request, _("The schedule has been stopped. What was aired stays in the log."))
    return redirect("schedule", pk)


@practised
@require_POST
@audience(AIRING_KEEPERS)
@touches(Ownership.AGENCY)
def leave_out_day(request: OfficeRequest, pk: int) -> HttpResponse:
    """Leave the day in the form's field `day` out of a schedule: 302 to the schedule, 403 that of another agency."""
    schedule = permissions.own_schedule(request, pk)
    day = typed_day(request.POST.get("day", ""))
    if day is None:
        messages.error(request, _("Choose a day. Nothing was changed."))
        return redirect("schedule", pk)
    try:
        timetable.leave_out_day(schedule, day, request.user, timezone.now())
    except Refused:
        messages.error(request, _("This schedule airs nothing on that day. Nothing was changed."))
    else:
        messages.success(request, _("The day has been left out."))
    return redirect("schedule", pk)


@practised
@require_POST
@audience(AIRING_KEEPERS)
@touches(Ownership.AGENCY)
def put_schedule_first(request: OfficeRequest, pk: int) -> HttpResponse:
    """Air a schedule before others of its class that overlap with it: 302 to its page, 403 that of another agency."""
    timetable.put_schedule_first(permissions.own_schedule(request, pk), request.user, timezone.now())
    messages.success(request, _("It now comes first among the bulletins of its class."))
    return redirect("schedule", pk)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(EDITORS)
@touches(Ownership.AGENCY)
@confirm_second_factor
def air_now(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask where, then air an emergency bulletin at once: 302 to the log, 422 refused, 403 that of another agency.

    302 to the waiting act if it is heard beyond the reader's own ward and so needs a second person.
    """
    bulletin = permissions.own_bulletin(request, pk)
    form = EmergencyForm(request.POST or None, outlets=permissions.outlets_for(request.user, bulletin))
    if request.method == "POST" and form.is_valid():
        with acts.refusals_as_form_errors(form, sentences.sentence_of):
            chosen = list(form.cleaned_data["outlets"])
            if _needs_second_person(request, chosen):
                timetable.check_emergency(bulletin, _approved_languages(bulletin))
                return _air_or_request_second_person(
                    request, shared_emergency.airing_values(bulletin, chosen, _approved_languages(bulletin))
                )
            timetable.air_at_once(bulletin, chosen, _approved_languages(bulletin), request.user, timezone.now())
            messages.success(request, _("The emergency bulletin is being aired now and interrupts everything else."))
            return redirect("air-log")
    status = 422 if form.errors else 200
    return render(request, "bulletins/at_once.html", {"bulletin": bulletin, "form": form}, status=status)


def _needs_second_person(request: OfficeRequest, outlets: list[Outlet]) -> bool:
    """Whether an emergency at these outlets needs a second person; in training nothing is aired."""
    return not practising() and not permissions.is_heard_in_ward_only(request.user, outlets)


def _air_or_request_second_person(request: OfficeRequest, values: dict[str, Any]) -> HttpResponse:
    """Request a second person for the emergency; air it at once if the reader has broken the glass and acts alone."""
    act, _made = two_persons.perform_or_request("emergency-aired", request.user, values, timezone.now())
    if act is None:
        messages.success(request, _("The emergency bulletin is being aired now and interrupts everything else."))
        return redirect("air-log")
    messages.warning(request, _("Nothing is aired yet: a second person has to confirm it."))
    return redirect("waiting-act", act.pk)


def _find_schedule(pk: int) -> Schedule:
    schedules = Schedule.objects.select_related("bulletin__agency__unit").prefetch_related("outlets")
    schedule: Schedule = get_object_or_404(schedules, pk=pk)
    return schedule


def _approved_languages(bulletin: Bulletin) -> list[str]:
    scripts = approved_scripts([bulletin.pk])
    languages = [language for language in Language.values if (bulletin.pk, language) in scripts]
    # A station is relayed once, not once for each language of the text that replaces it.
    if bulletin.relay:
        return languages[:1]
    return languages


def _moments(rule: Rule, since: datetime.datetime | None = None) -> list[datetime.datetime]:
    """The moments of a rule for a year, from its first day or `since` (default now), whichever is later."""
    zone = ZoneInfo(timezone.get_default_timezone_name())
    begins = max(since or timezone.now(), datetime.datetime.combine(rule.first, datetime.time(), zone))
    return list(rule.moments(begins, begins + datetime.timedelta(days=366), zone))


def _displaced_airings(schedule: Schedule, now: datetime.datetime) -> list[Airing]:
    """Coming airings of this schedule that are delayed or have no time, because something else plays."""
    coming = Airing.objects.filter(schedule=schedule, due_at__gte=now).select_related("outlet")[:500]
    return [airing for airing in coming if airing.starts_at != airing.due_at][:20]
