# SPDX-License-Identifier: Apache-2.0
"""What is done to staff reports: report a week, correct it by a further version, open a locked week again."""

import datetime
from collections.abc import Sequence
from dataclasses import asdict

from django.db import transaction
from django.utils import timezone

from bluezone.accounts import auditing
from bluezone.accounts.models import Act, User
from bluezone.agencies.models import Agency
from bluezone.refusal import Refused
from bluezone.rollout.coverage import Week
from bluezone.rollout.staffing.counts import NAMES, StaffCounts
from bluezone.rollout.staffing.models import StaffReport, WeekReopening

REOPENED_DAYS = 3


class PeriodLocked(Refused):
    """A report for a week after it was locked, and not opened again for this agency."""

    code = "period_locked"


class PeriodNotBegun(Refused):
    """A report for a week that is still to come."""

    code = "period_not_begun"


class AgencyOutOfForce(Refused):
    """A report for an agency that did not exist in the week."""

    code = "agency_out_of_force"


def record(
    agency: Agency, week: Week, counts: StaffCounts, by: User, now: datetime.datetime, *, training: bool = False
) -> StaffReport:
    """Store what an agency says of its staff in a week, as a further version when it has said something else before.

    The same numbers again change nothing and give the version there is, so that a second tap does no harm.
    training: made in training mode; in no figure, and not in the audit.
    Raises PeriodNotBegun, PeriodLocked, AgencyOutOfForce; nothing is stored then.
    """
    return record_all([(agency, counts)], week, by, now, training=training)[0]


def record_all(
    said: Sequence[tuple[Agency, StaffCounts]], week: Week, by: User, now: datetime.datetime, *, training: bool = False
) -> list[StaffReport]:
    """`record` for several agencies, all or none."""
    today = timezone.localdate(now)
    with transaction.atomic():
        agencies = {agency.pk: agency for agency, _counts in said}
        # Two who report one agency at once wait for each other here; SQLite lets one write at a time anyway.
        list(Agency.objects.select_for_update().filter(pk__in=agencies).order_by("pk").values_list("pk"))
        check_open(list(agencies.values()), week, today)
        before = {
            report.agency_id: report
            for report in StaffReport.everything.filter(
                agency__in=agencies, week=week.first_day, training=training, is_current=True
            )
        }
        return [
            _stored(agency, before.get(agency.pk), week, counts, by, now, training=training) for agency, counts in said
        ]


def reopen(agency: Agency, week: Week, reason: str, by: User, now: datetime.datetime) -> WeekReopening:
    """Let an agency report a locked week again, for REOPENED_DAYS days from today on. reason: not empty."""
    until = timezone.localdate(now) + datetime.timedelta(days=REOPENED_DAYS - 1)
    with transaction.atomic():
        opened = WeekReopening.objects.create(
            agency=agency, week=week.first_day, until=until, reason=reason.strip(), opened_by=by, opened_at=now
        )
        auditing.record(by.username, Act.WEEK_REOPENED, agency.key, now=now, week=str(week), until=str(until))
    return opened


def check_open(agencies: Sequence[Agency], week: Week, today: datetime.date) -> None:
    """Raise PeriodNotBegun, AgencyOutOfForce or PeriodLocked unless every agency may report the week today."""
    if today < week.first_day:
        raise PeriodNotBegun(f"week {week} begins on {week.first_day}")
    for agency in agencies:
        if not _existed(agency, week):
            raise AgencyOutOfForce(f"agency {agency.key} was not in force on {week.first_day}")
    if today < week.locks_on:
        return
    reopened = set(
        WeekReopening.objects.filter(agency__in=agencies, week=week.first_day, until__gte=today).values_list(
            "agency_id", flat=True
        )
    )
    locked = [agency.key for agency in agencies if agency.pk not in reopened]
    if locked:
        raise PeriodLocked(f"week {week} was locked on {week.locks_on} for {', '.join(locked[:5])}")


def _existed(agency: Agency, week: Week) -> bool:
    begun = agency.valid_from is None or agency.valid_from <= week.first_day
    return begun and (agency.valid_to is None or agency.valid_to > week.first_day)


def _stored(
    agency: Agency,
    before: StaffReport | None,
    week: Week,
    counts: StaffCounts,
    by: User,
    now: datetime.datetime,
    *,
    training: bool,
) -> StaffReport:
    if before is not None:
        if all(getattr(before, name) == getattr(counts, name) for name in NAMES):
            return before
        before.is_current = False
        before.save(update_fields=["is_current"])
    report = StaffReport.everything.create(
        agency=agency,
        week=week.first_day,
        version=before.version + 1 if before else 1,
        training=training,
        reported_by=by,
        reported_at=now,
        **asdict(counts),
    )
    if not training:
        auditing.record(by.username, Act.STAFF_REPORTED, agency.key, now=now, week=str(week), version=report.version)
    return report
