# SPDX-License-Identifier: Apache-2.0
"""What the pages read; each is a constant number of queries, whatever the number of agencies and reports."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from bluezone.agencies.folding import fold
from bluezone.agencies.models import AdminUnit, Agency
from bluezone.rollout.directives.models import (
    ChangeRequest,
    Directive,
    DirectiveState,
    Dispatch,
    DispatchState,
    Report,
    ReportState,
    Task,
    TaskParty,
)
from bluezone.rollout.directives.periods import Period
from bluezone.rollout.directives.reporting import task_periods

_NOT_RECEIVED = (DispatchState.ARRIVED, DispatchState.SENT_BACK)
# Hours after which a dispatch that nobody has received is a reminder, and is told to the agency above.
REMIND_HOURS, ESCALATE_HOURS = 24, 48


@dataclass(frozen=True)
class Rates:
    """Reports of one period: expected of so many agencies, made (not returned), and made in time."""

    expected: int
    actual: int
    on_time: int

    @property
    def share(self) -> float | None:
        """Percent made; None where none is expected."""
        return round(100 * self.actual / self.expected, 1) if self.expected else None

    @property
    def share_on_time(self) -> float | None:
        """Percent made in time."""
        return round(100 * self.on_time / self.expected, 1) if self.expected else None


@dataclass
class Late:
    """An agency that is behind, what with, and whom to call: its own office, then the one above."""

    agency: Agency
    not_received: bool = False
    tasks: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)


def directives(issuers: QuerySet[Agency], words: str = "", state: str = "") -> QuerySet[Directive]:
    """Directives of some issuers, newest first, without their texts; counts are read by `counts`."""
    found = (
        Directive.objects.filter(issuer__in=issuers, from_file=False)
        .select_related("campaign")
        .defer("text", "proposal")
    )
    if state:
        found = found.filter(state=state)
    return _matching(found, words)


def replaceable(directive: Directive, words: str) -> QuerySet[Directive]:
    """Documents of the same issuer that a draft can replace or revoke: issued and in force, newest first."""
    found = Directive.objects.filter(issuer=directive.issuer_id, state=DirectiveState.ISSUED, from_file=False)
    return _matching(found.exclude(pk=directive.pk).defer("text", "proposal"), words)


def _matching(found: QuerySet[Directive], words: str) -> QuerySet[Directive]:
    for word in fold(words).split():
        found = found.filter(folded__contains=word)
    return found


def counts(directive_ids: Iterable[int]) -> dict[int, dict[str, int]]:
    """For each directive: recipients, how many have received it, how many are done."""
    rows = (
        Dispatch.objects.filter(directive__in=list(directive_ids))
        .order_by()
        .values("directive")
        .annotate(
            sent=Count("pk"),
            received=Count("pk", filter=~Q(state__in=_NOT_RECEIVED)),
            done=Count("pk", filter=Q(state=DispatchState.DONE)),
        )
    )
    return {row.pop("directive"): row for row in rows}


def inbox(agencies: QuerySet[Agency], state: str = "") -> QuerySet[Dispatch]:
    """What some agencies have got, newest first."""
    found = (
        Dispatch.objects.filter(agency__in=agencies)
        .select_related("directive", "agency")
        .defer("directive__text", "directive__proposal")
    )
    if state == "open":
        return found.exclude(state=DispatchState.DONE).filter(directive__state=DirectiveState.ISSUED)
    return found.filter(state=state) if state else found


def tasks_for(dispatch: Dispatch) -> list[TaskParty]:
    """What the directive asks of this agency; for one that others passed it on to, what it asks of those."""
    parties = TaskParty.objects.filter(task__directive=dispatch.directive_id).select_related("task")
    own = list(parties.filter(agency=dispatch.agency_id).order_by("task__position"))
    if own or dispatch.parent is None:
        return own
    return list(parties.filter(agency=dispatch.parent.agency_id).order_by("task__position"))


def recipients(directive: Directive, state: str = "", under: AdminUnit | None = None) -> QuerySet[Dispatch]:
    """To whom a directive went, and where it stands there, late ones first."""
    found = directive.dispatches.select_related("agency__parent", "agency__unit").order_by(
        "-purpose", "agency__unit__path", "agency__name"
    )
    if state:
        found = found.filter(state=state)
    return found.filter(agency__unit__path__startswith=under.path) if under else found


def rates(task: Task, period: Period, under: AdminUnit | None = None) -> Rates:
    """Expected, actual and on-time reports of a task for a period, in a subtree of units."""
    parties = task.parties.all()
    reports = Report.objects.filter(task=task, period=period.first).exclude(state=ReportState.RETURNED)
    if under:
        parties = parties.filter(agency__unit__path__startswith=under.path)
        reports = reports.filter(agency__unit__path__startswith=under.path)
    found = reports.aggregate(actual=Count("pk"), on_time=Count("pk", filter=Q(on_time=True)))
    return Rates(parties.count(), found["actual"], found["on_time"])


def reporters(task: Task, period: Period, under: AdminUnit | None = None) -> QuerySet[TaskParty]:
    """Agencies of a task, those without a report for the period first."""
    reported = Report.objects.filter(task=task, agency=OuterRef("agency"), period=period.first).exclude(
        state=ReportState.RETURNED
    )
    parties = task.parties.select_related("agency__unit", "agency__parent").annotate(has_reported=Exists(reported))
    if under:
        parties = parties.filter(agency__unit__path__startswith=under.path)
    return parties.order_by("has_reported", "agency__unit__path", "agency__name")


def reports_of(task: Task, period: Period, agency_ids: Iterable[int]) -> dict[int, Report]:
    """Reports of a period by agency, for the agencies of one page."""
    found = Report.objects.filter(task=task, period=period.first, agency__in=list(agency_ids))
    return {report.agency_id: report for report in found.prefetch_related("evidence")}


def open_requests(directive: Directive) -> QuerySet[ChangeRequest]:
    """What agencies ask for and nobody has answered."""
    return ChangeRequest.objects.filter(task__directive=directive, state=ChangeRequest.State.OPEN).select_related(
        "task", "agency"
    )


def late(directive: Directive, now: datetime.datetime, today: datetime.date) -> list[Late]:
    """Agencies behind: not received after a day, a task past its due day, a report not made in time."""
    found: dict[int, Late] = {}

    def behind(agency: Agency) -> Late:
        return found.setdefault(agency.pk, Late(agency))

    since = now - datetime.timedelta(hours=REMIND_HOURS)
    standing = {one.agency_id: one for one in directive.dispatches.select_related("agency__parent", "agency__unit")}
    for one in standing.values():
        if one.purpose == "action" and one.state in _NOT_RECEIVED and one.arrived_at <= since:
            behind(one.agency).not_received = True
    made = set(
        Report.objects.filter(task__directive=directive)
        .exclude(state=ReportState.RETURNED)
        .values_list("task", "agency", "period")
    )
    tasks = list(directive.tasks.prefetch_related("parties__agency__parent", "parties__agency__unit"))
    for task in tasks:
        owed = [period for period in task_periods(task, today) if period.due < today]
        for party in task.parties.all():
            due = party.due or task.due
            dispatch = standing.get(party.agency_id)
            if due and due < today and (dispatch is None or dispatch.state != DispatchState.DONE):
                behind(party.agency).tasks.append(task.label)
            if any((task.pk, party.agency_id, period.first) not in made for period in owed):
                behind(party.agency).reports.append(task.label)
    return sorted(found.values(), key=lambda one: (one.agency.unit.path, one.agency.name))
