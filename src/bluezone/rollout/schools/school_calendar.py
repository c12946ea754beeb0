# SPDX-License-Identifier: Apache-2.0
"""School years and school weeks: the year of a week, and whether a school owes numbers for a week.

A week is open, locked, reopened, or without school.
"""

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.directory.models import AdminUnit, Agency
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.report_week import Week
from bluezone.rollout.schools.models import SchoolBreak, WeekOpening

# Weeks of a break at most: a summer break has eleven, and a much longer one is a typing error.
MOST_WEEKS = 20
OPENED = datetime.timedelta(days=2)
MOST_OPENED_DAYS = 31
# Classes are formed in August; a week belongs to the school year of its Monday.
FIRST_MONTH = 8
# The last grades of primary, lower and upper secondary school, after which pupils leave the school.
LAST_GRADES = frozenset({5, 9, 12})
_GRADE = re.compile(r"(\D*)(\d{1,2})(.*)", re.DOTALL)


class SchoolWeekClosed(Refused):
    """No numbers are accepted for the week. why: locked, to_come, or break (no school)."""

    code = "school_week_closed"

    def __init__(self, message: str, why: str) -> None:
        super().__init__(message)
        self.why = why


class BreakRefused(Refused):
    """The weeks without school end before they begin, are too many, or have no reason."""

    code = "school_break_refused"


class OpeningRefused(Refused):
    """The week cannot be reopened.

    why: not_locked, asked (a request is open), answered (the request was), day (out of range), reason (missing).
    """

    code = "school_opening_refused"

    def __init__(self, message: str, why: str) -> None:
        super().__init__(message)
        self.why = why


@dataclass(frozen=True)
class Breaks:
    """The breaks of some weeks. rows: (primary key of the school or None, path of the unit or "", first, last, reason).

    first, last: Mondays.
    """

    rows: tuple[tuple[int | None, str, datetime.date, datetime.date, str], ...]

    def reason_for(self, school: Agency, week: Week) -> str:
        """The reason why a school has a break in a week; "" if it has none. school: read with its unit."""
        return self.reason_at(school.pk, school.unit.path, week)

    def reason_at(self, school_id: int, unit_path: str, week: Week) -> str:
        """As `reason_for`, for a school by its primary key and the path of its unit."""
        for closed_id, path, first, last, reason in self.rows:
            applies = closed_id == school_id or (path and unit_path.startswith(path))
            if applies and first <= week.first_day <= last:
                return reason
        return ""


def breaks_around(first: Week, last: Week | None = None) -> Breaks:
    """Breaks that touch the weeks from `first` to `last`, both included; one query."""
    last_monday = (last or first).first_day
    breaks = SchoolBreak.objects.filter(first_week__lte=last_monday, last_week__gte=first.first_day)
    rows = breaks.values_list("school_id", "unit__path", "first_week", "last_week", "reason")
    return Breaks(tuple((school, path or "", begins, ends, why) for school, path, begins, ends, why in rows))


def enter_break(
    holder: Agency | AdminUnit, first: Week, last: Week, reason: str, by: User, now: datetime.datetime
) -> SchoolBreak:
    """Store a break of a school, or of all schools in a unit. first, last: both included. Raises BreakRefused."""
    reason = " ".join(reason.split())[:80]
    weeks = (last.first_day - first.first_day).days // 7 + 1
    if not reason or not 1 <= weeks <= MOST_WEEKS:
        raise BreakRefused(f"{weeks} weeks, expected 1..{MOST_WEEKS} and a reason")
    values = {"school": holder} if isinstance(holder, Agency) else {"unit": holder}
    with transaction.atomic():
        school_break = SchoolBreak.objects.create(
            first_week=first.first_day, last_week=last.first_day, reason=reason, made_by=by, made_at=now, **values
        )
        hash_chain.record(
            by.username, "school_break_set", holder.key, now=now, first=str(first), last=str(last), closed=True
        )
    return school_break


def delete_break(school_break: SchoolBreak, by: User, now: datetime.datetime) -> None:
    """Delete a break; numbers are owed for its weeks again."""
    holder = school_break.school or school_break.unit
    first = str(Week(school_break.first_week))
    last = str(Week(school_break.last_week))
    with transaction.atomic():
        school_break.delete()
        hash_chain.record(
            by.username, "school_break_set", holder.key if holder else "", now=now, first=first, last=last,
            closed=False,
        )  # fmt: skip


def check_open(school: Agency, week: Week, today: datetime.date) -> None:
    """Check that a school may send numbers for a week today. school: read with its unit. Raises SchoolWeekClosed."""
    if today < week.first_day:
        raise SchoolWeekClosed(f"week {week} begins on {week.first_day}", "to_come")
    if breaks_around(week).reason_for(school, week):
        raise SchoolWeekClosed(f"no school in week {week}", "break")
    if today >= week.locks_on and not is_reopened(school, week, today):
        raise SchoolWeekClosed(f"week {week} was locked on {week.locks_on}", "locked")


def is_reopened(school: Agency, week: Week, today: datetime.date) -> bool:
    """Whether a locked week is open again for a school today."""
    return WeekOpening.objects.filter(school=school, week=week.first_day, state="opened", until__gte=today).exists()


def open_weeks(school: Agency, today: datetime.date) -> list[Week]:
    """The weeks for which a school may send numbers today, oldest first."""
    this_week = Week.of(today)
    openings = WeekOpening.objects.filter(school=school, state="opened", until__gte=today)
    reopened = set(openings.values_list("week", flat=True))
    weeks = sorted({this_week, this_week.previous, *map(Week, reopened)})
    breaks = breaks_around(weeks[0], this_week)
    return [
        week
        for week in weeks
        if (today < week.locks_on or week.first_day in reopened) and not breaks.reason_for(school, week)
    ]


def request_opening(school: Agency, week: Week, reason: str, by: User, now: datetime.datetime) -> WeekOpening:
    """Request that a locked week be reopened. Raises OpeningRefused."""
    reason = " ".join(reason.split())[:200]
    if not reason:
        raise OpeningRefused("no reason was given", "reason")
    with transaction.atomic():
        # Two requests of the same school wait for each other here, so that the second sees the first.
        list(Agency.objects.select_for_update().filter(pk=school.pk).values_list("pk"))
        try:
            check_open(school, week, timezone.localdate(now))
        except SchoolWeekClosed as refusal:
            if refusal.why != "locked":
                raise OpeningRefused("the week is not locked", "not_locked") from None
        else:
            raise OpeningRefused("the week is open", "not_locked")
        if WeekOpening.objects.filter(school=school, week=week.first_day, state="asked").exists():
            raise OpeningRefused("the school waits for an answer", "asked")
        return WeekOpening.objects.create(school=school, week=week.first_day, reason=reason, asked_by=by, asked_at=now)


def answer_request(request: WeekOpening, until: datetime.date | None, by: User, now: datetime.datetime) -> None:
    """Reopen the week until the end of the day `until`, or decline if it is None. Raises OpeningRefused."""
    today = timezone.localdate(now)
    if until is not None and not today <= until <= today + datetime.timedelta(days=MOST_OPENED_DAYS):
        raise OpeningRefused(f"the day is {until}, expected {today} to a month ahead", "day")
    with transaction.atomic():
        stored = WeekOpening.objects.select_for_update(of=("self",)).select_related("school").get(pk=request.pk)
        if stored.state != WeekOpening.State.ASKED:
            raise OpeningRefused("the request has been answered", "answered")
        stored.state = WeekOpening.State.OPENED if until else WeekOpening.State.DECLINED
        stored.until = until
        stored.answered_by = by
        stored.answered_at = now
        stored.save()
        if until:
            hash_chain.record(
                by.username,
                "week_reopened",
                stored.school.key,
                now=now,
                week=str(Week.of(stored.week)),
                until=str(until),
            )


def requests_for(schools: Sequence[int] | None) -> list[WeekOpening]:
    """The oldest requests without an answer, at most 100. schools: only of these schools; None for all."""
    requests = WeekOpening.objects.filter(state="asked").select_related("school__unit", "asked_by")
    if schools is not None:
        requests = requests.filter(school__in=schools)
    return list(requests.order_by("asked_at", "pk")[:100])


def year_of(day: datetime.date | Week) -> int:
    """The school year of a day or week: 2020 for 1 August 2020 to 31 July 2021."""
    first = day.first_day if isinstance(day, Week) else day
    return first.year if first.month >= FIRST_MONTH else first.year - 1


def year_label(year: int) -> str:
    """A school year as schools write it: "2020–2021"."""
    return f"{year}–{year + 1}"


def next_name(name: str) -> str | None:
    """The name of a class a year later: "6A" becomes "7A"; None if its pupils leave, or the name has no grade."""
    match = _GRADE.fullmatch(name)
    if match is None or int(match[2]) in LAST_GRADES or int(match[2]) > max(LAST_GRADES):
        return None
    return f"{match[1]}{int(match[2]) + 1}{match[3]}"
