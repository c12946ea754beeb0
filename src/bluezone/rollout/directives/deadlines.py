# SPDX-License-Identifier: Apache-2.0
"""When things are due: the reports of each period of a task, and the receipt of a dispatch."""

import calendar
import datetime
from dataclasses import dataclass

from bluezone.rollout.directives.models import Deadline, Report, Task, TaskParty

DAY = datetime.timedelta(days=1)
# A dispatch that no one has received is a reminder after 24 hours; after 48 hours the agency above is notified.
REMIND_HOURS = 24
ESCALATE_HOURS = 48
# How long a locked period is opened again if the office names no day.
USUAL_DAYS_REOPENED = 3
# Ten years of weeks; no directive runs longer.
_MOST_PERIODS = 530


@dataclass(frozen=True)
class Period:
    """One period of a task, for which an agency makes one report.

    first, last: its first and last day; last is None while no end is set.
    due: a report made after this is late; None if none is late.
    locks: the first day on which no report is accepted; None if it is never locked.
    """

    first: datetime.date
    last: datetime.date | None
    due: Deadline | None
    locks: datetime.date | None

    def is_open(self, day: datetime.date) -> bool:
        """Whether a report is accepted on `day`: from the period's first day until it is locked."""
        return self.first <= day and (self.locks is None or day < self.locks)

    def is_past(self, now: datetime.datetime) -> bool:
        """Whether a report made now is late."""
        return self.due is not None and now >= self.due.moment


def periods_of(task: Task, until: datetime.date, party: TaskParty | None = None) -> list[Period]:
    """The periods of a task that begin by `until`, oldest first; none before the letter is sent.

    A weekly period is seven days. The first monthly period ends with its calendar month; the next ones are calendar
    months. A task with a single report has one period. A report is due some days after its period, but not after the
    letter's deadline if that is within the period.

    party: an agency with this task. Its periods begin on the day on which it received the letter, and its deadline
        may have been extended. Without it, the periods are those of the letter. In each period of the letter one
        period of the agency begins.
    """
    if not task.report_every or task.report_from is None:
        return []
    ends = party.deadline if party else task.deadline
    if task.report_every == Task.Every.ONCE:
        return [_single_period(task, task.report_from, ends)] if task.report_from <= until else []
    periods: list[Period] = []
    first = (party.report_from if party else None) or task.report_from
    while first <= until and (ends is None or first <= ends.day) and len(periods) < _MOST_PERIODS:
        last = _last_day(task.report_every, first)
        due = Deadline(last + DAY * task.days_to_report)
        if ends and ends.moment < due.moment and first <= ends.day <= last:
            due = ends
        periods.append(Period(first, last, due, last + DAY * (task.days_to_lock + 1)))
        first = last + DAY
    return periods


def _single_period(task: Task, first: datetime.date, ends: Deadline | None) -> Period:
    if ends is None:
        return Period(first, None, None, None)
    last = max(first, ends.day)
    return Period(first, last, ends, last + DAY * (task.days_to_lock + 1))


def _last_day(every: str, first: datetime.date) -> datetime.date:
    if every == Task.Every.WEEK:
        return first + 6 * DAY
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def begin_periods(party: TaskParty, today: datetime.date) -> None:
    """Begin an agency's periods today, the day on which it received the letter, unless it has reported before."""
    task = party.task
    if task.report_from is None or Report.objects.filter(task=task, agency=party.agency_id).exists():
        return
    party.report_from = max(task.report_from, today)
    party.save(update_fields=["report_from"])
