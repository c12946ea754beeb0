# SPDX-License-Identifier: Apache-2.0
"""An agency asks that a locked report period be opened again (xin mở lại); the issuer opens it until a day, or not."""

import datetime

from django.db import transaction
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.directory.models import Agency
from bluezone.identity.acts import UndoTooLate
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.directives.inbox.dispatch_acts import DirectiveNotInForce, NotAParty, RequestAnswered, RequestOpen
from bluezone.rollout.directives.models import PeriodRequest, Report, Task, TaskParty
from bluezone.rollout.directives.queries import Period

# How long a period is opened again at most.
MOST_DAYS = 31


class PeriodNotLocked(Refused):
    """The period is open, or has not begun; there is nothing to ask for."""

    code = "period_not_locked"


class ReopeningWrong(Refused):
    """The day until which a period is to be open again is past, or more than a month ahead."""

    code = "reopening_wrong"


def is_open(task: Task, agency: Agency, period: Period, today: datetime.date) -> bool:
    """Whether an agency may enter its report for a period: it is not locked, or was opened again for this agency."""
    return period.is_open(today) or (period.first <= today and reopened_until(task, agency, period, today) is not None)


def reopened_until(task: Task, agency: Agency, period: Period, today: datetime.date) -> datetime.date | None:
    """The last day on which a locked period is open again for an agency, None where it is not."""
    granted = PeriodRequest.objects.filter(
        task=task, agency=agency, period=period.first, state=PeriodRequest.State.GRANTED, until__gte=today
    )
    return granted.order_by("-until").values_list("until", flat=True).first()


def ask(task: Task, agency: Agency, period: Period, reason: str, user: User, now: datetime.datetime) -> PeriodRequest:
    """Ask for a locked period. reason: not empty.

    Raises NotAParty, DirectiveNotInForce, PeriodNotLocked or RequestOpen.
    """
    today = timezone.localdate(now)
    with transaction.atomic():
        if not TaskParty.objects.select_for_update().filter(task=task, agency=agency).exists():
            raise NotAParty("the task does not name this agency")
        if not task.directive.in_force:
            raise DirectiveNotInForce(f"the directive is {task.directive.state}")
        if today < period.locks or is_open(task, agency, period, today):
            raise PeriodNotLocked("the period is open")
        asked = PeriodRequest.objects.filter(task=task, agency=agency, period=period.first)
        if asked.filter(state=PeriodRequest.State.OPEN).exists():
            raise RequestOpen("the agency waits for the answer to an earlier request")
        return PeriodRequest.objects.create(
            task=task, agency=agency, period=period.first, reason=reason.strip()[:300], asked_by=user, asked_at=now
        )


def answer(request: PeriodRequest, until: datetime.date | None, text: str, user: User, now: datetime.datetime) -> None:
    """Open the period until the end of a day, or decline (until None). Raises RequestAnswered or ReopeningWrong."""
    today = timezone.localdate(now)
    if until and not today <= until <= today + datetime.timedelta(days=MOST_DAYS):
        raise ReopeningWrong(f"the day is {until}, expected {today} and at most {MOST_DAYS} days more")
    with transaction.atomic():
        locked = PeriodRequest.objects.select_for_update(of=("self",)).select_related("agency").get(pk=request.pk)
        if locked.state != PeriodRequest.State.OPEN:
            raise RequestAnswered("the request has been answered")
        locked.state = PeriodRequest.State.GRANTED if until else PeriodRequest.State.DECLINED
        locked.until, locked.answer, locked.answered_by, locked.answered_at = until, text[:300], user, now
        locked.save()
        if until:
            period = {"task": locked.task_id, "period": locked.period.isoformat(), "until": until.isoformat()}
            hash_chain.record(user.username, "period_reopened", locked.agency.key, now=now, **period)
    request.refresh_from_db()


def take_answer_back(request: int, user: User, now: datetime.datetime) -> None:
    """Let a request wait again that the person has just answered: the period is locked as before.

    Raises UndoTooLate where the agency has reported or asked again since.
    """
    with transaction.atomic():
        locked = PeriodRequest.objects.select_for_update(of=("self",)).select_related("agency").get(pk=request)
        same = {"task": locked.task_id, "agency": locked.agency_id, "period": locked.period}
        if locked.answered_by_id != user.pk or PeriodRequest.objects.filter(state="open", **same).exists():
            raise UndoTooLate("the request was changed since, or the agency has asked again")
        if Report.objects.filter(submitted_at__gte=locked.answered_at, **same).exists():
            raise UndoTooLate("the agency has reported since")
        if locked.state == PeriodRequest.State.GRANTED:
            period = {"task": locked.task_id, "period": locked.period.isoformat()}
            hash_chain.record(user.username, "period_reopened", locked.agency.key, now=now, taken_back=True, **period)
        locked.state, locked.until = PeriodRequest.State.OPEN, None
        locked.answer, locked.answered_by, locked.answered_at = "", None, None
        locked.save()


def latest(task: Task, agency: Agency, period: Period) -> PeriodRequest | None:
    """The last request of an agency for a period."""
    return PeriodRequest.objects.filter(task=task, agency=agency, period=period.first).first()
