# SPDX-License-Identifier: Apache-2.0
"""What a campaign has come to: its directives, tasks and reports, in a constant number of queries."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from bluezone.directory.models import Agency
from bluezone.rollout.directives import queries
from bluezone.rollout.directives.models import (
    Campaign,
    Directive,
    DirectiveState,
    Dispatch,
    DispatchState,
    Report,
    ReportState,
    Task,
    TaskParty,
)


@dataclass(frozen=True)
class Figures:
    """Of one campaign: directives issued, how many agencies they went to, have received and are done with them."""

    directives: int = 0
    sent: int = 0
    received: int = 0
    done: int = 0


@dataclass(frozen=True)
class TaskRow:
    """A task of a campaign: agencies that carry it out, reports made and not returned, and in time, over all periods.

    overdue: its day is past and the directive still in force.
    """

    task: Task
    agencies: int
    reports: int
    on_time: int
    overdue: bool


def campaigns(owners: QuerySet[Agency], today: datetime.date, show: str = "") -> QuerySet[Campaign]:
    """Campaigns of some agencies, and those without an owner; show: "" all, "now" under way, "past" ended."""
    found = Campaign.objects.filter(Q(owner__in=owners) | Q(owner=None)).select_related("owner", "rests_on")
    past = Q(ends__lt=today)
    if show == "now":
        found = found.exclude(past)
    if show == "past":
        found = found.filter(past)
    return found.order_by("-begins", "name", "pk")


def figures(campaign_ids: Iterable[int]) -> dict[int, Figures]:
    """The figures of each campaign; drafts and recalled documents count nowhere."""
    ids = list(campaign_ids)
    in_force = Directive.objects.filter(campaign__in=ids, state=DirectiveState.ISSUED).order_by()
    directives = dict(in_force.values_list("campaign").annotate(count=Count("pk")))
    dispatches = Dispatch.objects.filter(directive__campaign__in=ids, directive__state=DirectiveState.ISSUED)
    rows = (
        dispatches.order_by()
        .values("directive__campaign")
        .annotate(
            sent=Count("pk"),
            received=Count("pk", filter=~Q(state__in=queries.NOT_RECEIVED)),
            done=Count("pk", filter=Q(state=DispatchState.DONE)),
        )
    )
    ways = {row.pop("directive__campaign"): row for row in rows}
    return {pk: Figures(directives=directives.get(pk, 0), **ways.get(pk, {})) for pk in ids}


def sum_of(directives: Iterable[tuple[Directive, dict[str, int] | None]]) -> Figures:
    """The figures of a campaign from the counts of its directives; drafts and recalled documents count nowhere."""
    counted = [row or {} for one, row in directives if one.state == DirectiveState.ISSUED]
    sums = {name: sum(row.get(name, 0) for row in counted) for name in ("sent", "received", "done")}
    return Figures(directives=len(counted), **sums)


def directives_of(campaign: Campaign) -> list[tuple[Directive, dict[str, int] | None]]:
    """Directives of a campaign, newest first, each with its counts."""
    found = list(campaign.directives.select_related("issuer").defer("text", "proposal").order_by("-date", "-pk"))
    counted = queries.counts(one.pk for one in found)
    return [(one, counted.get(one.pk)) for one in found]


def tasks_of(campaign: Campaign, today: datetime.date) -> list[TaskRow]:
    """Tasks of the campaign's directives in force, the next due day first."""
    tasks = Task.objects.filter(directive__campaign=campaign, directive__state=DirectiveState.ISSUED)
    found = list(
        tasks.select_related("directive")
        .defer("directive__text", "directive__proposal")
        .order_by("due", "directive", "position")[:300]
    )
    made = Report.objects.filter(task__in=[task.pk for task in found]).exclude(state=ReportState.RETURNED)
    counted = {
        row["task"]: row
        for row in made.order_by()
        .values("task")
        .annotate(reports=Count("pk"), on_time=Count("pk", filter=Q(on_time=True)))
    }
    parties = TaskParty.objects.filter(task__in=[task.pk for task in found]).order_by()
    agencies = dict(parties.values_list("task").annotate(count=Count("pk")))
    return [
        TaskRow(
            task,
            agencies.get(task.pk, 0),
            counted.get(task.pk, {}).get("reports", 0),
            counted.get(task.pk, {}).get("on_time", 0),
            overdue=task.due is not None and task.due < today,
        )
        for task in found
    ]
