# SPDX-License-Identifier: Apache-2.0
"""Asking for a locked week of the staff report to be opened again, and the office's answer."""

import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from bluezone.accounts import undoing
from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.accounts.models import User
from bluezone.accounts.scoping import require
from bluezone.accounts.training import practised
from bluezone.agencies.models import Agency
from bluezone.refusal import Refused
from bluezone.rollout.coverage import Week
from bluezone.rollout.staffing import reopening
from bluezone.rollout.staffing.asking import chosen_week
from bluezone.rollout.staffing.models import WeekRequest
from bluezone.rollout.staffing.recording import REOPENED_DAYS

DAY = datetime.timedelta(days=1)


@practised
@require_POST
@audience(Audience.STAFF_REPORTERS)
def ask(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask for the week of `?week=`: 302 back to the report."""
    agency = get_object_or_404(Agency.objects.select_related("unit"), pk=pk)
    require(request.user, Audience.STAFF_REPORTERS.value or (), agency=agency)
    now, reason = timezone.now(), " ".join(request.POST.get("reason", "").split())
    week = chosen_week(request, Week.of(timezone.localdate(now)))
    try:
        if reason:
            reopening.ask(agency, week, reason, request.user, now)
            messages.success(request, _("The request is sent to the office. The answer appears on this page."))
        else:
            messages.error(request, _("Say why the week is to be opened again. Nothing was sent."))
    except Refused as refused:
        messages.error(request, _sentence(refused))
    return redirect(f"{reverse('staff-report', args=[pk])}?week={week}")


@practised
@require_POST
@audience(Audience.STAFF_REPORTERS)
def answer(request: OfficeRequest, pk: int) -> HttpResponse:
    """Open the week until a day, or decline: 302 to the agency table, 403 for the agency itself."""
    asked = get_object_or_404(WeekRequest.objects.select_related("agency__unit"), pk=pk)
    if not reopening.may_answer(request.user, asked.agency):
        raise PermissionDenied
    now, text = timezone.now(), request.POST.get("answer", "").strip()
    usual = timezone.localdate(now) + DAY * (REOPENED_DAYS - 1)
    until = (_day(request.POST.get("until", "")) or usual) if request.POST.get("granted") == "1" else None
    try:
        opened = reopening.answer(asked, until, text, request.user, now)
        messages.success(request, _("The answer is sent."))
        undoing.offer(request, "week-answered", now, asked=pk, opened=opened.pk if opened else None)
    except Refused as refused:
        messages.error(request, _sentence(refused))
    return redirect(f"{reverse('staff')}?week={Week.of(asked.week)}")


@undoing.reverser("week-answered")
def _let_the_request_wait(user: User, values: dict[str, Any], now: datetime.datetime) -> None:
    reopening.take_answer_back(values["asked"], values["opened"], user, now)


def _day(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def _sentence(refused: Refused) -> str:
    return {
        "week_not_locked": _("This week is open: enter the numbers. Nothing was sent."),
        "week_request_open": _("The agency waits for the answer to an earlier request."),
        "week_request_answered": _("Somebody has answered this request already."),
        "week_day_wrong": _("Choose a day from today on and at most a month ahead. Nothing was changed."),
    }.get(refused.code) or _("This week cannot be asked for. Nothing was sent.")
