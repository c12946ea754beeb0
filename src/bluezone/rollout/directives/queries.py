# SPDX-License-Identifier: Apache-2.0
"""What the pages of directives read, each in a constant number of queries."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery

from bluezone.directory.models import AdminUnit, Agency
from bluezone.identity.models import RoleGrant
from bluezone.rollout.directives.deadlines import Period
from bluezone.rollout.directives.models import (
    Assignment,
    ChangeRequest,
    Delivery,
    Directive,
    DirectiveState,
    Dispatch,
    DispatchEvent,
    DispatchState,
    EventKind,
    PeriodRequest,
    Report,
    ReportState,
    Task,
    TaskParty,
)
from bluezone.rollout.directives.permissions import HANDLERS
from bluezone.vietnamese.spelling import fold

NOT_RECEIVED = (DispatchState.ARRIVED, DispatchState.SENT_BACK)
# The agency no longer has the document: it was recalled, or passed to the successor.
GONE = (DispatchState.RECALLED, DispatchState.HANDED_ON)
# Requests of one agency about one document that its page shows.
ASKED_SHOWN = 20


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
        .exclude(state__in=GONE)
        .order_by()
        .values("directive")
        .annotate(
            sent=Count("pk"),
            received=Count("pk", filter=~Q(state__in=(*NOT_RECEIVED, DispatchState.HANDED_OVER))),
            done=Count("pk", filter=Q(state=DispatchState.DONE)),
        )
    )
    return {row.pop("directive"): row for row in rows}


def inbox(agencies: QuerySet[Agency], state: str = "") -> QuerySet[Dispatch]:
    """What some agencies have got, newest first; `read` gives the rows of one page with what they show."""
    found = Dispatch.objects.all()
    if agencies.query.where:  # a reader of the whole city needs no look at 1,000 agencies
        found = found.filter(agency__in=agencies)
    if state == "open":
        return found.exclude(state__in=(DispatchState.DONE, *GONE)).filter(directive__state=DirectiveState.ISSUED)
    return found.filter(state=state) if state else found


def read(dispatch_ids: Iterable[int]) -> list[Dispatch]:
    """These dispatches in this order, with directive and agency, so that the last page reads no more than the first."""
    ids = list(dispatch_ids)
    found = Dispatch.objects.filter(pk__in=ids).select_related("directive", "agency")
    rows = found.defer("directive__text", "directive__proposal").in_bulk()
    return [rows[pk] for pk in ids if pk in rows]


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
    found = found.prefetch_related(Prefetch("deliveries", Delivery.objects.defer("content", "receipt")))
    if state:
        found = found.filter(state=state)
    return found.filter(agency__unit__path__startswith=under.path) if under else found


def rates(task: Task, period: Period, under: AdminUnit | None = None) -> Rates:
    """Expected, actual and on-time reports of a task for a period of the letter, in a subtree of units.

    Expected of every agency but those that received the letter later; of one that has not received it, too.
    """
    parties = _expected(task, period)
    reports = Report.objects.filter(_begin_in(period), task=task, agency__in=parties.values("agency"))
    reports = reports.exclude(state=ReportState.RETURNED)
    if under:
        parties = parties.filter(agency__unit__path__startswith=under.path)
        reports = reports.filter(agency__unit__path__startswith=under.path)
    found = reports.aggregate(actual=Count("pk"), on_time=Count("pk", filter=Q(on_time=True)))
    return Rates(parties.count(), found["actual"], found["on_time"])


def reporters(task: Task, period: Period, under: AdminUnit | None = None) -> QuerySet[TaskParty]:
    """Agencies of a task, those without a report for the period first."""
    reported = Report.objects.filter(_begin_in(period), task=task, agency=OuterRef("agency"))
    reported = reported.exclude(state=ReportState.RETURNED)
    parties = _expected(task, period).select_related("agency__unit", "agency__parent")
    parties = parties.annotate(has_reported=Exists(reported))
    if under:
        parties = parties.filter(agency__unit__path__startswith=under.path)
    return parties.order_by("has_reported", "agency__unit__path", "agency__name")


def _begin_in(period: Period) -> Q:
    """Reports for a period of an agency that begins in this period of the letter."""
    since_first_day = Q(period__gte=period.first)
    if period.last is None:
        return since_first_day
    return since_first_day & Q(period__lte=period.last)


def _expected(task: Task, period: Period) -> QuerySet[TaskParty]:
    """Who leads the task; who cooperates reports to the lead."""
    parties: QuerySet[TaskParty] = task.parties.filter(role=TaskParty.Role.LEAD)
    return parties.exclude(report_from__gt=period.last) if period.last else parties


def reports_of(task: Task, period: Period, agency_ids: Iterable[int]) -> dict[int, Report]:
    """Reports of a period by agency, for the agencies of one page."""
    found = Report.objects.filter(_begin_in(period), task=task, agency__in=list(agency_ids))
    return {report.agency_id: report for report in found.prefetch_related("evidence")}


def asked_by(dispatch: Dispatch) -> QuerySet[ChangeRequest]:
    """What this agency has asked for about the document's tasks, with the answers, newest first."""
    return ChangeRequest.objects.filter(task__directive=dispatch.directive_id, agency=dispatch.agency_id)[:ASKED_SHOWN]


def open_requests(directive: Directive) -> QuerySet[ChangeRequest]:
    """What agencies ask for and nobody has answered, oldest first."""
    asked = ChangeRequest.objects.filter(task__directive=directive, state=ChangeRequest.State.OPEN)
    return asked.select_related("task", "agency").order_by("asked_at", "pk")


def open_period_requests(directive: Directive) -> QuerySet[PeriodRequest]:
    """Locked periods that agencies ask to have opened and nobody has answered, oldest first."""
    asked = PeriodRequest.objects.filter(task__directive=directive, state=PeriodRequest.State.OPEN)
    return asked.select_related("task", "agency", "asked_by").order_by("asked_at", "pk")


# What ends a letter at an agency, and what says after it that the agency knows.
_ENDS = (EventKind.REVOKED, EventKind.REPLACED, EventKind.RECALLED)
_KNOWS = (EventKind.RECEIVED, EventKind.AGREED, EventKind.DECLINED, EventKind.HANDED_OVER)


def unaware(dispatches: QuerySet[Dispatch]) -> QuerySet[Any]:
    """Of some dispatches those that a recall or another letter has ended, until the agency confirms that it knows.

    Each with `end`, the kind of event that ended it, and `ended_at`.
    """
    words = DispatchEvent.objects.filter(dispatch=OuterRef("pk"), what__in=(*_ENDS, *_KNOWS)).order_by("-pk")
    ended = Q(directive__state__in=(DirectiveState.REVOKED, DirectiveState.REPLACED)) | Q(state=DispatchState.RECALLED)
    return (
        dispatches.filter(ended, by_file=False)
        .exclude(state=DispatchState.HANDED_ON)
        .annotate(end=Subquery(words.values("what")[:1]), ended_at=Subquery(words.values("at")[:1]))
        .filter(end__in=_ENDS)
    )


def completions(directive: Directive) -> QuerySet[Dispatch]:
    """Agencies that have reported it done and wait for the issuer to accept that, oldest first, with what was done."""
    told = DispatchEvent.objects.filter(dispatch=OuterRef("pk"), what=EventKind.REPORTED).order_by("-pk")
    waiting = directive.dispatches.filter(state=DispatchState.REPORTED).select_related("agency")
    return waiting.annotate(done_note=Subquery(told.values("note")[:1])).order_by("changed_at", "pk")


def next_number(issuer: Agency, year: int) -> str:
    """The number after the highest that an issuer has given in a year."""
    given = Directive.objects.filter(issuer=issuer, date__year=year, from_file=False).exclude(
        state__in=(DirectiveState.DRAFT, DirectiveState.SUBMITTED)
    )
    numbers = [int(one) for one in given.values_list("number", flat=True) if one.isascii() and one.isdigit()]
    return str(max(numbers, default=0) + 1)


def left_assignments(day: datetime.date) -> QuerySet[Assignment]:
    """Assignments of people who cannot act at the agency any more: their role ended, or their account is closed."""
    grants = RoleGrant.objects.valid_on(day).filter(role__in=HANDLERS, user__is_active=True)
    here = Q(agency=OuterRef("dispatch__agency")) | Q(unit=OuterRef("dispatch__agency__unit"))
    return Assignment.objects.filter(~Exists(grants.filter(here, user=OuterRef("account"))))
