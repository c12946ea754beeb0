# SPDX-License-Identifier: Apache-2.0
"""What is done to the numbers of classes: reported, corrected by a further version, sent back with a reason."""

import datetime
from collections.abc import Sequence
from dataclasses import asdict

from django.db import transaction
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.directory.models import Agency
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.coverage.api import Week
from bluezone.rollout.schools.models import NAMES, Channel, ClassCounts, ClassReport, SchoolClass
from bluezone.rollout.schools.weeks.school_calendar import check_open, year_of

LINK_ACTOR = "class link"


class ClassOutOfYear(Refused):
    """A class of another school year, another school, or one that has ended."""

    code = "class_out_of_year"


class ReturnRefused(Refused):
    """Numbers that cannot be sent back: there are none, they are back already, or no reason was given."""

    code = "class_return_refused"


def record_all(
    school: Agency,
    said: Sequence[tuple[SchoolClass, ClassCounts]],
    week: Week,
    channel: Channel,
    by: User | None,
    now: datetime.datetime,
) -> int:
    """Store what was counted in classes of a school, read with its unit, in a week: all or nothing.

    The same numbers again change nothing, unless they were sent back. by: None for a class link.
    Returns how many classes have new numbers. Raises SchoolWeekClosed, ClassOutOfYear.
    """
    with transaction.atomic():
        # Two who report one class at once wait for each other here; SQLite lets one write at a time anyway.
        held = SchoolClass.objects.select_for_update().filter(pk__in=[one.pk for one, _counts in said])
        classes = {one.pk: one for one in held}
        check_open(school, week, timezone.localdate(now))
        for one, _counts in said:
            _check_class(classes.get(one.pk), school, week)
        current = {
            report.school_class_id: report
            for report in ClassReport.objects.filter(school_class__in=classes, week=week.first_day, is_current=True)
        }
        stored = sum(_store(one, current.get(one.pk), week, counts, channel, by, now) for one, counts in said)
        if stored:
            hash_chain.record(
                by.username if by else LINK_ACTOR, "classes_reported", school.key, now=now, week=str(week),
                classes=stored, channel=str(channel),
            )  # fmt: skip
    return stored


def send_back(reports: Sequence[ClassReport], reason: str, by: User, now: datetime.datetime) -> int:
    """Send numbers of one school back to be corrected: they count in no sum until new ones come.

    reports: read with school_class__school__unit. Returns how many were sent back.
    Raises ReturnRefused, SchoolWeekClosed where the week takes no correction any more.
    """
    reason = " ".join(reason.split())[:200]
    if not reason:
        raise ReturnRefused("no reason was given")
    with transaction.atomic():
        held = ClassReport.objects.select_for_update(of=("self",)).filter(
            pk__in=[report.pk for report in reports], is_current=True, returned_at=None
        )
        found = list(held.select_related("school_class__school__unit"))
        if not found:
            raise ReturnRefused("there are no numbers to send back")
        school = found[0].school_class.school
        week = Week(found[0].week)
        check_open(school, week, timezone.localdate(now))
        for report in found:
            report.returned_at, report.return_reason, report.returned_by = now, reason, by
            report.save(update_fields=["returned_at", "return_reason", "returned_by"])
        hash_chain.record(by.username, "classes_returned", school.key, now=now, week=str(week), classes=len(found))
    return len(found)


def _check_class(one: SchoolClass | None, school: Agency, week: Week) -> None:
    if one is None or one.school_id != school.pk or one.year != year_of(week):
        raise ClassOutOfYear("the class is none of this school and year")
    if one.ended_on is not None and one.ended_on < week.first_day:
        raise ClassOutOfYear("the class has ended")


def _store(
    one: SchoolClass,
    before: ClassReport | None,
    week: Week,
    counts: ClassCounts,
    channel: Channel,
    by: User | None,
    now: datetime.datetime,
) -> bool:
    if before is not None:
        if before.returned_at is None and all(getattr(before, name) == getattr(counts, name) for name in NAMES):
            return False
        before.is_current = False
        before.save(update_fields=["is_current"])
    ClassReport.objects.create(
        school_class=one,
        week=week.first_day,
        version=before.version + 1 if before else 1,
        channel=channel,
        reported_by=by,
        reported_at=now,
        **asdict(counts),
    )
    return True
