# SPDX-License-Identifier: Apache-2.0
"""Requests of agencies to reopen a locked week, and the answers."""

import datetime

from django.db import transaction
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.directory.models import Agency
from bluezone.directory.scopes import agencies_in_reach, grants_for
from bluezone.identity.acts import UndoTooLate
from bluezone.identity.models import Role, User
from bluezone.refusal import Refused
from bluezone.rollout.report_week import Week
from bluezone.rollout.staffing.models import StaffReport, WeekReopening, WeekRequest
from bluezone.rollout.staffing.staff_reports import PeriodLocked, check_open

MOST_DAYS = 31
REQUESTS_AT_ONCE = 10


class WeekNotLocked(Refused):
    """The week is open, so that it need not be reopened."""

    code = "week_not_locked"


class WeekRequestOpen(Refused):
    """The agency has a request without an answer already."""

    code = "week_request_open"


class WeekRequestAnswered(Refused):
    """Somebody has answered the request already."""

    code = "week_request_answered"


class WeekDayWrong(Refused):
    """The last day of the reopening is past, or more than a month ahead."""

    code = "week_day_wrong"


def may_answer(user: User, agency: Agency) -> bool:
    """Whether a user may reopen a week for an agency.

    Administrators may for the agencies in their scope, clerks only for agencies below their own agency or unit.
    """
    for grant in grants_for(user, (Role.ADMIN, Role.CLERK)):
        above = grant.agency or grant.unit
        reaches = above is None or agency.is_under(above)
        itself = grant.agency_id == agency.pk or (grant.unit_id is not None and grant.unit_id == agency.unit_id)
        if reaches and (grant.role == Role.ADMIN or not itself):
            return True
    return False


def request_reopening(agency: Agency, week: Week, reason: str, by: User, now: datetime.datetime) -> WeekRequest:
    """Request that a locked week be reopened. reason: not empty.

    Raises WeekNotLocked, WeekRequestOpen, PeriodNotBegun, AgencyOutOfForce.
    """
    with transaction.atomic():
        # Two requests of the same agency wait for each other here, so that the second sees the first.
        list(Agency.objects.select_for_update().filter(pk=agency.pk).values_list("pk"))
        try:
            check_open([agency], week, timezone.localdate(now))
        except PeriodLocked:
            pass
        else:
            raise WeekNotLocked(f"week {week} is open")
        if WeekRequest.objects.filter(agency=agency, week=week.first_day, state=WeekRequest.State.OPEN).exists():
            raise WeekRequestOpen("the agency waits for the answer to an earlier request")
        return WeekRequest.objects.create(
            agency=agency, week=week.first_day, reason=reason.strip()[:200], asked_by=by, asked_at=now
        )


def answer_request(
    request: WeekRequest, until: datetime.date | None, text: str, by: User, now: datetime.datetime
) -> WeekReopening | None:
    """Reopen the week until the end of the day `until`, or decline if it is None. text: for the agency.

    Returns the reopening, None if declined. Raises WeekRequestAnswered, WeekDayWrong.
    """
    today = timezone.localdate(now)
    if until and not today <= until <= today + datetime.timedelta(days=MOST_DAYS):
        raise WeekDayWrong(f"the day is {until}, expected {today} and at most {MOST_DAYS} days more")
    with transaction.atomic():
        stored = WeekRequest.objects.select_for_update(of=("self",)).select_related("agency").get(pk=request.pk)
        if stored.state != WeekRequest.State.OPEN:
            raise WeekRequestAnswered("the request has been answered")
        stored.state = WeekRequest.State.GRANTED if until else WeekRequest.State.DECLINED
        stored.answer = text[:200]
        stored.answered_by = by
        stored.answered_at = now
        stored.save()
        if until is None:
            return None
        opened = WeekReopening.objects.create(
            agency=stored.agency, week=stored.week, until=until, reason=stored.reason, opened_by=by, opened_at=now
        )
        hash_chain.record(
            by.username, "week_reopened", stored.agency.key, now=now, week=str(Week.of(stored.week)), until=str(until)
        )
    return opened


def withdraw_answer(request: int, opened: int | None, user: User, now: datetime.datetime) -> None:
    """Withdraw the user's answer to a request, so that the request waits again.

    request, opened: primary keys of the request and of its WeekReopening, None if it was declined.
    Raises UndoTooLate if the agency has since reported or sent another request.
    """
    with transaction.atomic():
        stored = WeekRequest.objects.select_for_update(of=("self",)).select_related("agency").get(pk=request)
        agency_and_week = {"agency": stored.agency_id, "week": stored.week}
        if stored.answered_by_id != user.pk or WeekRequest.objects.filter(state="open", **agency_and_week).exists():
            raise UndoTooLate("the request was changed since, or the agency has asked again")
        if StaffReport.objects.filter(reported_at__gte=stored.answered_at, **agency_and_week).exists():
            raise UndoTooLate("the agency has reported since")
        if opened is not None:
            WeekReopening.objects.filter(pk=opened, **agency_and_week).delete()
            week = str(Week.of(stored.week))
            hash_chain.record(user.username, "week_reopened", stored.agency.key, now=now, week=week, taken_back=True)
        stored.state = WeekRequest.State.OPEN
        stored.answer = ""
        stored.answered_by = None
        stored.answered_at = None
        stored.save()


def latest_request(agency: Agency, week: Week) -> WeekRequest | None:
    """The newest request of an agency for a week, None without one."""
    return WeekRequest.objects.filter(agency=agency, week=week.first_day).first()


def open_requests(user: User) -> list[WeekRequest]:
    """The oldest requests that this user may answer: at most REQUESTS_AT_ONCE + 1, so that a page knows of more."""
    reached = agencies_in_reach(user, [Role.ADMIN, Role.CLERK])
    waiting_requests = WeekRequest.objects.filter(state=WeekRequest.State.OPEN, agency__in=reached)
    requests = waiting_requests.select_related("agency__unit", "asked_by").order_by("asked_at", "pk")[:100]
    return [request for request in requests if may_answer(user, request.agency)][: REQUESTS_AT_ONCE + 1]
