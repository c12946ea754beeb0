# SPDX-License-Identifier: Apache-2.0
"""The numbers of classes: store reports and corrections, and send numbers back."""

import datetime
from collections.abc import Sequence
from dataclasses import asdict

from django.db import transaction
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.directory.models import Agency
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.report_week import Week
from bluezone.rollout.schools.models import NAMES, Channel, ClassCounts, ClassReport, SchoolClass
from bluezone.rollout.schools.school_calendar import check_open, year_of

LINK_ACTOR = "class link"


class ClassOutOfYear(Refused):
    """The class belongs to another school year or school, or has ended."""

    code = "class_out_of_year"


class ReturnRefused(Refused):
    """The numbers cannot be sent back: there are none, they were sent back already, or the reason is missing."""

    code = "class_return_refused"


def submit_class_reports(
    school: Agency,
    counted: Sequence[tuple[SchoolClass, ClassCounts]],
    week: Week,
    channel: Channel,
    by: User | None,
    now: datetime.datetime,
) -> int:
    """Store the counts of a school's classes for a week, all or none; returns how many classes have new numbers.

    The same numbers again change nothing, unless the stored ones were sent back. school: read with its unit.
    by: the reporter, None for a class link. Raises SchoolWeekClosed, ClassOutOfYear.
    """
    with transaction.atomic():
        # The lock makes two reports for the same class wait for each other; SQLite has one writer at a time anyway.
        numbers = [school_class.pk for school_class, _counts in counted]
        locked = SchoolClass.objects.select_for_update().filter(pk__in=numbers)
        classes = {school_class.pk: school_class for school_class in locked}
        check_open(school, week, timezone.localdate(now))
        for school_class, _counts in counted:
            _check_class(classes.get(school_class.pk), school, week)
        current = {
            report.school_class_id: report
            for report in ClassReport.objects.filter(school_class__in=classes, week=week.first_day, is_current=True)
        }
        stored = 0
        for school_class, counts in counted:
            if _store(school_class, current.get(school_class.pk), week, counts, channel, by, now):
                stored += 1
        if stored:
            hash_chain.record(
                by.username if by else LINK_ACTOR, "classes_reported", school.key, now=now, week=str(week),
                classes=stored, channel=str(channel),
            )  # fmt: skip
    return stored


def return_class_reports(reports: Sequence[ClassReport], reason: str, by: User, now: datetime.datetime) -> int:
    """Send reports of one school and week back for correction; returns how many.

    They count in no sum; the next version of each replaces it.
    Raises ReturnRefused; SchoolWeekClosed if the week is closed for corrections.
    """
    reason = " ".join(reason.split())[:200]
    if not reason:
        raise ReturnRefused("no reason was given")
    with transaction.atomic():
        locked = ClassReport.objects.select_for_update(of=("self",)).filter(
            pk__in=[report.pk for report in reports], is_current=True, returned_at=None
        )
        returned = list(locked.select_related("school_class__school__unit"))
        if not returned:
            raise ReturnRefused("there are no numbers to send back")
        school = returned[0].school_class.school
        week = Week(returned[0].week)
        check_open(school, week, timezone.localdate(now))
        for report in returned:
            report.returned_at = now
            report.return_reason = reason
            report.returned_by = by
            report.save(update_fields=["returned_at", "return_reason", "returned_by"])
        hash_chain.record(by.username, "classes_returned", school.key, now=now, week=str(week), classes=len(returned))
    return len(returned)


def _check_class(school_class: SchoolClass | None, school: Agency, week: Week) -> None:
    if school_class is None or school_class.school_id != school.pk or school_class.year != year_of(week):
        raise ClassOutOfYear("the class belongs to another school or year")
    if school_class.ended_on is not None and school_class.ended_on < week.first_day:
        raise ClassOutOfYear("the class has ended")


def _store(
    school_class: SchoolClass,
    previous: ClassReport | None,
    week: Week,
    counts: ClassCounts,
    channel: Channel,
    by: User | None,
    now: datetime.datetime,
) -> bool:
    if previous is not None:
        if previous.returned_at is None and all(getattr(previous, name) == getattr(counts, name) for name in NAMES):
            return False
        previous.is_current = False
        previous.save(update_fields=["is_current"])
    ClassReport.objects.create(
        school_class=school_class,
        week=week.first_day,
        version=previous.version + 1 if previous else 1,
        channel=channel,
        reported_by=by,
        reported_at=now,
        **asdict(counts),
    )
    return True
