# SPDX-License-Identifier: Apache-2.0
"""Reports on tasks: submit for an open period, return with a reason, accept; nothing is entered once it is locked; and
who is behind.

An agency asks that a locked report period be opened again (xin mở lại); the issuer opens it until a day, or not.
"""

import datetime
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.directory.models import Agency
from bluezone.identity.acts import UndoTooLate
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.directives.deadlines import REMIND_HOURS, Period, periods_of
from bluezone.rollout.directives.inbox.dispatch_acts import DirectiveNotInForce, NotAParty, RequestAnswered, RequestOpen
from bluezone.rollout.directives.models import (
    Directive,
    DispatchState,
    PeriodRequest,
    Report,
    ReportState,
    StoredFile,
    Task,
    TaskParty,
)
from bluezone.rollout.directives.queries import NOT_RECEIVED, unaware

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
        if period.locks is None or today < period.locks or is_open(task, agency, period, today):
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


LARGEST_NUMBER = 10**9


class ReportPeriodLocked(Refused):
    """The period is locked, has not begun, or is none of the task's."""

    code = "report_period_locked"


class ReportSettled(Refused):
    """The report was accepted and is changed no more, or is not there to be checked."""

    code = "report_settled"


class ReportValueWrong(Refused):
    """A number is missing, is not whole, or is of no field of the form."""

    code = "report_value_wrong"


def task_periods(task: Task, until: datetime.date, party: TaskParty | None = None) -> list[Period]:
    """Periods of a task that have begun by `until`; of one agency with its own first day and time."""
    return periods_of(task, until, party)


def _period_at(task: Task, first: datetime.date, today: datetime.date, party: TaskParty) -> Period:
    """The period that begins on `first`. Raises ReportPeriodLocked when there is none by today."""
    for period in task_periods(task, today, party):
        if period.first == first:
            return period
    raise ReportPeriodLocked("the task has no period that begins on this day")


def submit(
    task: Task,
    agency: Agency,
    first: datetime.date,
    values: Mapping[str, int],
    text: str,
    user: User,
    now: datetime.datetime,
    evidence: Sequence[StoredFile] = (),
) -> Report:
    """Store an agency's report for the period beginning on `first`, or correct it while it is not accepted.

    In time is decided by the first submission. Raises ReportPeriodLocked, ReportSettled, ReportValueWrong, NotAParty,
    DirectiveNotInForce.
    """
    today = timezone.localtime(now).date()
    numbers = _checked(task, values)
    with transaction.atomic():
        party = TaskParty.objects.select_for_update().filter(task=task, agency=agency).first()
        if party is None:
            raise NotAParty("the task does not name this agency")
        party.task = task
        period = _period_at(task, first, today, party)
        if not is_open(task, agency, period, today):
            raise ReportPeriodLocked(f"the period was locked on {period.locks}")
        if not task.directive.in_force:
            raise DirectiveNotInForce(f"the directive is {task.directive.state}")
        report = Report.objects.filter(task=task, agency=agency, period=first).first()
        if report is None:
            report = Report(task=task, agency=agency, period=first, on_time=not period.is_past(now))
        elif report.state == ReportState.ACCEPTED:
            raise ReportSettled("the report was accepted")
        report.values, report.text, report.state, report.return_reason = numbers, text, ReportState.SUBMITTED, ""
        report.submitted_by, report.submitted_at = user, now
        report.save()
        report.evidence.add(*evidence)
    return report


def give_back(report: Report, reason: str, user: User, now: datetime.datetime) -> None:
    """Return a report with a reason; until it comes again it counts as not made. Raises ReportSettled."""
    _check(report, ReportState.RETURNED, reason, user, now)


def accept(report: Report, user: User, now: datetime.datetime) -> None:
    """Accept a report. Raises ReportSettled."""
    _check(report, ReportState.ACCEPTED, "", user, now)


def take_acceptance_back(report: Report, user: User, now: datetime.datetime) -> None:
    """Make a report that the person has just accepted wait for its check again. Raises UndoTooLate."""
    with transaction.atomic():
        locked = Report.objects.select_for_update(of=("self",)).select_related("agency").get(pk=report.pk)
        if locked.state != ReportState.ACCEPTED or locked.checked_by_id != user.pk:
            raise UndoTooLate(f"the report is {locked.state}, expected accepted by the same person")
        locked.state, locked.checked_by, locked.checked_at = ReportState.SUBMITTED, None, None
        locked.save(update_fields=["state", "checked_by", "checked_at"])
        hash_chain.record(user.username, "report_returned", f"report {locked.pk}", now=now, taken_back=True)


def _check(report: Report, to: ReportState, reason: str, user: User, now: datetime.datetime) -> None:
    with transaction.atomic():
        locked = Report.objects.select_for_update(of=("self",)).select_related("agency").get(pk=report.pk)
        if locked.state != ReportState.SUBMITTED:
            raise ReportSettled(f"the report is {locked.state}, expected submitted")
        locked.state, locked.return_reason, locked.checked_by, locked.checked_at = to, reason[:300], user, now
        locked.save(update_fields=["state", "return_reason", "checked_by", "checked_at"])
        act = "report_locked" if to == ReportState.ACCEPTED else "report_returned"
        hash_chain.record(
            user.username,
            act,
            f"report {locked.pk}",
            now=now,
            agency=locked.agency.key,
            period=locked.period.isoformat(),
        )
    report.refresh_from_db()


def _checked(task: Task, values: Mapping[str, int]) -> dict[str, int]:
    names = [field["name"] for field in task.fields]
    if set(values) != set(names):
        raise ReportValueWrong("the numbers are not those that the task asks for")
    for name in names:
        if not isinstance(values[name], int) or not 0 <= values[name] <= LARGEST_NUMBER:
            raise ReportValueWrong(f"{name} is not a whole number from 0 to {LARGEST_NUMBER}")
    return {name: values[name] for name in names}


@dataclass
class Late:
    """What an agency is behind with: labels of tasks past their day, and of tasks with a report not made in time.

    unaware: it has not confirmed that it knows of the letter's end.
    """

    not_received: bool = False
    unaware: bool = False
    tasks: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)


def late(directive: Directive, now: datetime.datetime) -> dict[int, Late]:
    """By agency: not received after a day, a task past its deadline, a report that was owed by now and is not made.

    Of a letter that has ended, who does not know that.
    """
    found: dict[int, Late] = defaultdict(Late)
    for agency in unaware(directive.dispatches.order_by()).values_list("agency", flat=True):
        found[agency].unaware = True
    if not directive.in_force:
        return dict(found)
    since = now - datetime.timedelta(hours=REMIND_HOURS)
    waiting = directive.dispatches.filter(purpose="action", state__in=NOT_RECEIVED, arrived_at__lte=since)
    for agency in waiting.order_by().values_list("agency", flat=True):
        found[agency].not_received = True
    standing = dict(directive.dispatches.order_by().values_list("agency", "state"))
    settled = (DispatchState.REPORTED, DispatchState.DONE)
    tasks = {task.pk: task for task in directive.tasks.all()}
    parties = list(TaskParty.objects.filter(task__in=tasks).order_by("task__position", "pk"))
    past: dict[tuple[int, datetime.date | None], bool] = {}  # few deadlines for many agencies
    for party in parties:
        party.task, key = tasks[party.task_id], (party.task_id, party.due)
        if key not in past:
            past[key] = party.deadline is not None and party.deadline.moment <= now
        if past[key] and standing.get(party.agency_id) not in settled:
            found[party.agency_id].tasks.append(party.task.label)
    leading = [party for party in parties if party.role == TaskParty.Role.LEAD]
    for party in _unreported(directive, leading, now):
        found[party.agency_id].reports.append(party.task.label)
    return dict(found)


def in_order(agency_ids: list[int]) -> QuerySet[Agency]:
    """These agencies by territory and name, with whom to call above them."""
    agencies: QuerySet[Agency] = Agency.objects.filter(pk__in=agency_ids).select_related("unit", "parent")
    return agencies.order_by("unit__path", "name", "pk")


def _unreported(directive: Directive, parties: Sequence[TaskParty], now: datetime.datetime) -> list[TaskParty]:
    """Parties that owe a report and have not made it: from the period on in which they received the document."""
    received = {
        agency: timezone.localdate(at)
        for agency, at in directive.dispatches.order_by().values_list("agency", "received_at")
        if at
    }
    made = set(
        Report.objects.filter(task__directive=directive)
        .exclude(state=ReportState.RETURNED)
        .order_by()
        .values_list("task", "agency", "period")
    )
    periods: dict[tuple[int, datetime.date | None, datetime.date | None], list[Period]] = {}
    late_ones = []
    for party in parties:
        since = received.get(party.agency_id)
        key = (party.task_id, party.due, party.report_from)
        if key not in periods:
            owed = task_periods(party.task, timezone.localdate(now), party)
            periods[key] = [one for one in owed if one.is_past(now)]
        if since and any(
            (party.task_id, party.agency_id, one.first) not in made
            for one in periods[key]
            if one.last is None or since <= one.last
        ):
            late_ones.append(party)
    return late_ones
