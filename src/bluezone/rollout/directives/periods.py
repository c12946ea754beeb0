# SPDX-License-Identifier: Apache-2.0
"""Report periods of a task: when each begins, when its report is due, when it is locked. Pure.

Source: expected, actual and on-time reports and expiry days as DHIS2 has them.
"""

import calendar
import datetime
from dataclasses import dataclass

DAY = datetime.timedelta(days=1)
# How long a locked period is opened again where the office names no day.
USUAL_DAYS_REOPENED = 3
# Ten years of weeks; no directive runs longer.
_MOST_PERIODS = 530


@dataclass(frozen=True)
class Period:
    """One period. first, last: its days; due: last day in time; locks: first day on which nothing is entered."""

    first: datetime.date
    last: datetime.date
    due: datetime.date
    locks: datetime.date

    def is_open(self, day: datetime.date) -> bool:
        """Whether a report is taken on `day`: from its first day until it is locked."""
        return self.first <= day < self.locks


def periods_of(
    every: str,
    begins: datetime.date | None,
    due: datetime.date | None,
    days_to_report: int,
    days_to_lock: int,
    until: datetime.date,
) -> list[Period]:
    """Periods that have begun by `until`, oldest first.

    every: "", "once", "week" (seven days from `begins`) or "month" (from `begins`, then calendar months).
    days_to_report, days_to_lock: after the last day; a report of "once" is due on `due`.
    """
    if not every or begins is None:
        return []
    found: list[Period] = []
    first = begins
    while first <= until and len(found) < _MOST_PERIODS:
        last = _last(every, first, due)
        grace = 0 if every == "once" else days_to_report
        found.append(Period(first, last, last + DAY * grace, last + DAY * (days_to_lock + 1)))
        if every == "once":
            break
        first = last + DAY
    return found


def _last(every: str, first: datetime.date, due: datetime.date | None) -> datetime.date:
    if every == "week":
        return first + 6 * DAY
    if every == "month":
        return first.replace(day=calendar.monthrange(first.year, first.month)[1])
    return max(first, due or first + 6 * DAY)
