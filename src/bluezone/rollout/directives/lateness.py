# SPDX-License-Identifier: Apache-2.0
"""Who is behind with a directive: found among thousands of agencies by a few queries, read in full for one page."""

import datetime
from collections import defaultdict
from dataclasses import dataclass, field

from django.db.models import Count, Q, QuerySet

from bluezone.agencies.models import Agency
from bluezone.rollout.directives.models import Directive, DispatchState, Report, ReportState, Task, TaskParty
from bluezone.rollout.directives.queries import NOT_RECEIVED, REMIND_HOURS
from bluezone.rollout.directives.reporting import task_periods


@dataclass
class Late:
    """What an agency is behind with: labels of tasks past their day, and of tasks with a report not made in time."""

    not_received: bool = False
    tasks: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)


def late(directive: Directive, now: datetime.datetime, today: datetime.date) -> dict[int, Late]:
    """By agency: not received after a day, a task past its due day, a report whose period is past and not made."""
    found: dict[int, Late] = defaultdict(Late)
    since = now - datetime.timedelta(hours=REMIND_HOURS)
    waiting = directive.dispatches.filter(purpose="action", state__in=NOT_RECEIVED, arrived_at__lte=since)
    for agency in waiting.order_by().values_list("agency", flat=True):
        found[agency].not_received = True
    done = set(directive.dispatches.filter(state=DispatchState.DONE).order_by().values_list("agency", flat=True))
    tasks = {task.pk: task for task in directive.tasks.all()}
    overdue = TaskParty.objects.filter(task__directive=directive).filter(
        Q(due__lt=today) | Q(due__isnull=True, task__due__lt=today)
    )
    for task, agency in overdue.order_by("task__position").values_list("task", "agency"):
        if agency not in done:
            found[agency].tasks.append(tasks[task].label)
    for task, agency in _unreported(tasks, today):
        found[agency].reports.append(tasks[task].label)
    return dict(found)


def in_order(agency_ids: list[int]) -> QuerySet[Agency]:
    """These agencies by territory and name, with whom to call above them."""
    agencies: QuerySet[Agency] = Agency.objects.filter(pk__in=agency_ids).select_related("unit", "parent")
    return agencies.order_by("unit__path", "name", "pk")


def _unreported(tasks: dict[int, Task], today: datetime.date) -> list[tuple[int, int]]:
    """Task and agency of every report that was owed by today and is not made."""
    owed = {
        pk: [period.first for period in task_periods(task, today) if period.due < today] for pk, task in tasks.items()
    }
    asking = [pk for pk, firsts in owed.items() if firsts]
    past = Q(pk__in=[])
    for pk in asking:
        past |= Q(task=pk, period__lte=owed[pk][-1])
    made = Report.objects.filter(past).exclude(state=ReportState.RETURNED).order_by()
    counted = {
        (task, agency): count
        for task, agency, count in made.values_list("task", "agency").annotate(count=Count("period"))
    }
    parties = TaskParty.objects.filter(task__in=asking).order_by("task__position").values_list("task", "agency")
    return [(task, agency) for task, agency in parties if counted.get((task, agency), 0) < len(owed[task])]
