# SPDX-License-Identifier: Apache-2.0
"""Asking for a locked period to be opened again, and the issuer's answer."""

import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.models import User
from bluezone.identity.objects import Whose, touches
from bluezone.rollout.directives import permissions, sentences
from bluezone.rollout.directives.duty import DIRECTIVE_CLERKS
from bluezone.rollout.directives.models import PeriodRequest, TaskParty
from bluezone.rollout.directives.periods import USUAL_DAYS_REOPENED
from bluezone.rollout.directives.reports import agency_reports, reopenings
from bluezone.training import practised


@practised
@require_POST
@audience(SIGNED_IN)
@touches(Whose.AGENCY.by(*permissions.HANDLERS))
def ask(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask for the period of `?period=`: 302 back to the report. pk: of the task's party."""
    party = get_object_or_404(TaskParty.objects.select_related("task__directive", "agency__unit"), pk=pk)
    permissions.require_handler(request.user, party.agency)
    now, reason = timezone.now(), " ".join(request.POST.get("reason", "").split())
    first = _day(request.GET.get("period", ""))
    periods = agency_reports.task_periods(party.task, timezone.localdate(now))
    period = next((one for one in periods if one.first == first), None)
    if period is None:
        raise Http404("the task has no such period")
    with acts.tell_refusals(request, sentences.sentence_of):
        if reason:
            reopenings.ask(party.task, party.agency, period, reason, request.user, now)
            messages.success(request, _("The request is sent to the issuer. The answer appears on this page."))
        else:
            messages.error(request, _("Say why the period is to be opened again. Nothing was sent."))
    return redirect(f"{reverse('task-report', args=[pk])}?period={period.first}")


@practised
@require_POST
@audience(DIRECTIVE_CLERKS)
@touches(Whose.AGENCY)
def answer(request: OfficeRequest, pk: int) -> HttpResponse:
    """Open the period until a day, or decline: 302 to the directive."""
    asked = get_object_or_404(PeriodRequest.objects.select_related("task__directive__issuer__unit"), pk=pk)
    permissions.require_clerk(request.user, asked.task.directive.issuer)
    now, text = timezone.now(), request.POST.get("answer", "").strip()
    usual = timezone.localdate(now) + datetime.timedelta(days=USUAL_DAYS_REOPENED - 1)
    until = (_day(request.POST.get("until", "")) or usual) if request.POST.get("granted") == "1" else None
    with acts.tell_refusals(request, sentences.sentence_of):
        reopenings.answer(asked, until, text, request.user, now)
        messages.success(request, _("The answer is sent."))
        acts.offer(request, "period-answered", now, asked=pk)
    return redirect("directive", asked.task.directive_id)


def let_the_request_wait(user: User, values: dict[str, Any], now: datetime.datetime) -> None:
    """Undo the answer to a request to reopen a period."""
    reopenings.take_answer_back(values["asked"], user, now)


def _day(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None
