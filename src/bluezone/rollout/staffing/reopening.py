# SPDX-License-Identifier: Apache-2.0
"""An agency asks that a locked week be opened again (xin mở lại); the office above opens it until a day, or not."""

import datetime

from django.db import transaction
from django.utils import timezone

from bluezone.accounts import auditing
from bluezone.accounts.models import Act, Role, User
from bluezone.accounts.scoping import agencies_of, grants_of
from bluezone.accounts.undoing import UndoTooLate
from bluezone.agencies.models import Agency
from bluezone.refusal import Refused
from bluezone.rollout.coverage import Week
from bluezone.rollout.staffing import recording
from bluezone.rollout.staffing.models import StaffReport, WeekReopening, WeekRequest

MOST_DAYS = 31
REQUESTS_AT_ONCE = 10


class WeekNotLocked(Refused):
    """The week is open or still to come; there is nothing to ask for."""

    code = "week_not_locked"


class WeekRequestOpen(Refused):
    """The agency has asked already and has no answer yet."""

    code = "week_request_open"


class WeekRequestAnswered(Refused):
    """Somebody has answered the request before."""

    code = "week_request_answered"


class WeekDayWrong(Refused):
    """The day until which a week is to be open again is past, or more than a month ahead."""

    code = "week_day_wrong"


def may_answer(user: User, agency: Agency) -> bool:
    """Whether somebody may open a week for an agency: an administrator of it, or a clerk of an office above it."""
    for grant in grants_of(user):
        above = grant.agency or grant.unit
        reaches = above is None or agency.is_under(above)
        itself = grant.agency_id == agency.pk or (grant.unit_id is not None and grant.unit_id == agency.unit_id)
        if reaches and (grant.role == Role.ADMIN or (grant.role == Role.CLERK and not itself)):
            return True
    return False


def ask(agency: Agency, week: Week, reason: str, by: User, now: datetime.datetime) -> WeekRequest:
    """Ask for a locked week. reason: not empty. Raises WeekNotLocked or WeekRequestOpen."""
    with transaction.atomic():
        # Two who ask for one agency at once wait for each other here.
        list(Agency.objects.select_for_update().filter(pk=agency.pk).values_list("pk"))
        try:
            recording.check_open([agency], week, timezone.localdate(now))
        except recording.PeriodLocked:
            pass
        else:
            raise WeekNotLocked(f"week {week} is open")
        if WeekRequest.objects.filter(agency=agency, week=week.first_day, state=WeekRequest.State.OPEN).exists():
            raise WeekRequestOpen("the agency waits for the answer to an earlier request")
        return WeekRequest.objects.create(
            agency=agency, week=week.first_day, reason=reason.strip()[:200], asked_by=by, asked_at=now
        )


def answer(
    request: WeekRequest, until: datetime.date | None, text: str, by: User, now: datetime.datetime
) -> WeekReopening | None:
    """Open the week until the end of a day, or decline (until None). Raises WeekRequestAnswered or WeekDayWrong."""
    today = timezone.localdate(now)
    if until and not today <= until <= today + datetime.timedelta(days=MOST_DAYS):
        raise WeekDayWrong(f"the day is {until}, expected {today} and at most {MOST_DAYS} days more")
    with transaction.atomic():
        held = WeekRequest.objects.select_for_update(of=("self",)).select_related("agency").get(pk=request.pk)
        if held.state != WeekRequest.State.OPEN:
            raise WeekRequestAnswered("the request has been answered")
        held.state = WeekRequest.State.GRANTED if until else WeekRequest.State.DECLINED
        held.answer, held.answered_by, held.answered_at = text[:200], by, now
        held.save()
        if until is None:
            return None
        opened = WeekReopening.objects.create(
            agency=held.agency, week=held.week, until=until, reason=held.reason, opened_by=by, opened_at=now
        )
        auditing.record(
            by.username, Act.WEEK_REOPENED, held.agency.key, now=now, week=str(Week.of(held.week)), until=str(until)
        )
    return opened


def take_answer_back(request: int, opened: int | None, user: User, now: datetime.datetime) -> None:
    """Let a request wait again that the person has just answered. opened: the WeekReopening that came of it, or None.

    Raises UndoTooLate where the agency has reported or asked again since.
    """
    with transaction.atomic():
        held = WeekRequest.objects.select_for_update(of=("self",)).select_related("agency").get(pk=request)
        same = {"agency": held.agency_id, "week": held.week}
        if held.answered_by_id != user.pk or WeekRequest.objects.filter(state="open", **same).exists():
            raise UndoTooLate("the request was changed since, or the agency has asked again")
        if StaffReport.objects.filter(reported_at__gte=held.answered_at, **same).exists():
            raise UndoTooLate("the agency has reported since")
        if opened is not None:
            WeekReopening.objects.filter(pk=opened, **same).delete()
            week = str(Week.of(held.week))
            auditing.record(user.username, Act.WEEK_REOPENED, held.agency.key, now=now, week=week, taken_back=True)
        held.state, held.answer = WeekRequest.State.OPEN, ""
        held.answered_by, held.answered_at = None, None
        held.save()


def latest(agency: Agency, week: Week) -> WeekRequest | None:
    """The last request of an agency for a week."""
    return WeekRequest.objects.filter(agency=agency, week=week.first_day).first()


def open_requests(user: User) -> list[WeekRequest]:
    """The first requests that this person may answer, oldest first, and one more where more wait than are shown."""
    reached = agencies_of(user, [Role.ADMIN, Role.CLERK])
    asked = WeekRequest.objects.filter(state=WeekRequest.State.OPEN, agency__in=reached)
    found = asked.select_related("agency__unit", "asked_by").order_by("asked_at", "pk")[:100]
    return [one for one in found if may_answer(user, one.agency)][: REQUESTS_AT_ONCE + 1]
