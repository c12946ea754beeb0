# SPDX-License-Identifier: Apache-2.0
"""Staff reports: report a week and correct it by further versions; reopen a locked week; reports of a demo; purge."""

import datetime
from collections.abc import Sequence
from dataclasses import asdict

from django.db import transaction
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.directory.models import Agency
from bluezone.identity.demo_account import demo_account
from bluezone.identity.models import User
from bluezone.refusal import Refused
from bluezone.rollout.report_week import Week
from bluezone.rollout.staffing.counts import NAMES, StaffCounts
from bluezone.rollout.staffing.models import StaffReport, WeekReopening

REOPENED_DAYS = 3
_WEEKS = 3


class PeriodLocked(Refused):
    """The week of the report is locked, and not reopened for this agency."""

    code = "period_locked"


class PeriodNotBegun(Refused):
    """The week of the report is still to come."""

    code = "period_not_begun"


class AgencyOutOfForce(Refused):
    """The agency of the report did not exist in that week."""

    code = "agency_out_of_force"


def submit_staff_report(
    agency: Agency, week: Week, counts: StaffCounts, by: User, now: datetime.datetime, *, training: bool = False
) -> StaffReport:
    """Store the staff numbers of an agency for a week, and return the report: a further version, or the first.

    If the numbers are those of the current version, nothing is stored and that version is returned.
    training: made in training mode; such a report is in no figure and not in the audit.
    Raises PeriodNotBegun, PeriodLocked, AgencyOutOfForce; then nothing is stored.
    """
    return submit_staff_reports([(agency, counts)], week, by, now, training=training)[0]


def submit_staff_reports(
    counted: Sequence[tuple[Agency, StaffCounts]],
    week: Week,
    by: User,
    now: datetime.datetime,
    *,
    training: bool = False,
) -> list[StaffReport]:
    """As `submit_staff_report`, for several agencies, all or none; returns the reports in the same order."""
    today = timezone.localdate(now)
    with transaction.atomic():
        agencies = {agency.pk: agency for agency, _counts in counted}
        # The lock makes two reports for the same agency wait for each other; SQLite has one writer at a time anyway.
        list(Agency.objects.select_for_update().filter(pk__in=agencies).order_by("pk").values_list("pk"))
        check_open(list(agencies.values()), week, today)
        previous = {
            report.agency_id: report
            for report in StaffReport.everything.filter(
                agency__in=agencies, week=week.first_day, training=training, is_current=True
            )
        }
        return [
            _store(agency, previous.get(agency.pk), week, counts, by, now, training=training)
            for agency, counts in counted
        ]


def reopen_week(agency: Agency, week: Week, reason: str, by: User, now: datetime.datetime) -> WeekReopening:
    """Reopen a locked week for an agency, for REOPENED_DAYS days including today. reason: not empty."""
    until = timezone.localdate(now) + datetime.timedelta(days=REOPENED_DAYS - 1)
    with transaction.atomic():
        opened = WeekReopening.objects.create(
            agency=agency, week=week.first_day, until=until, reason=reason.strip(), opened_by=by, opened_at=now
        )
        hash_chain.record(by.username, "week_reopened", agency.key, now=now, week=str(week), until=str(until))
    return opened


def check_open(agencies: Sequence[Agency], week: Week, today: datetime.date) -> None:
    """Check that every agency may report for the week today. Raises PeriodNotBegun, AgencyOutOfForce, PeriodLocked."""
    if today < week.first_day:
        raise PeriodNotBegun(f"week {week} begins on {week.first_day}")
    for agency in agencies:
        if not _existed(agency, week):
            raise AgencyOutOfForce(f"agency {agency.key} was not active on {week.first_day}")
    if today < week.locks_on:
        return
    reopenings = WeekReopening.objects.filter(agency__in=agencies, week=week.first_day, until__gte=today)
    reopened = set(reopenings.values_list("agency_id", flat=True))
    locked = [agency.key for agency in agencies if agency.pk not in reopened]
    if locked:
        raise PeriodLocked(f"week {week} was locked on {week.locks_on} for {', '.join(locked[:5])}")


def _existed(agency: Agency, week: Week) -> bool:
    has_begun = agency.valid_from is None or agency.valid_from <= week.first_day
    return has_begun and (agency.valid_to is None or agency.valid_to > week.first_day)


def _store(
    agency: Agency,
    previous: StaffReport | None,
    week: Week,
    counts: StaffCounts,
    by: User,
    now: datetime.datetime,
    *,
    training: bool,
) -> StaffReport:
    if previous is not None:
        if all(getattr(previous, name) == getattr(counts, name) for name in NAMES):
            return previous
        previous.is_current = False
        previous.save(update_fields=["is_current"])
    report = StaffReport.everything.create(
        agency=agency,
        week=week.first_day,
        version=previous.version + 1 if previous else 1,
        training=training,
        reported_by=by,
        reported_at=now,
        **asdict(counts),
    )
    if not training:
        hash_chain.record(by.username, "staff_reported", agency.key, now=now, week=str(week), version=report.version)
    return report


def plant_demo_reports(now: datetime.datetime) -> None:
    """Store three weeks of reports for a demo, a little better each week; some agencies have not reported yet."""
    office = demo_account()
    for weeks_ago in reversed(range(_WEEKS)):
        then = now - datetime.timedelta(weeks=weeks_ago)
        week = Week.of(timezone.localdate(then))
        late = 4 if weeks_ago == 0 else 9
        for number, agency in enumerate(Agency.objects.order_by("pk")):
            if number % late == 3:
                continue
            staff = 24 + 7 * (number % 6)
            phones = staff - 3 - number % 4
            running = phones * (72 - 14 * weeks_ago - 3 * (number % 5)) // 100
            counts = StaffCounts(
                staff=staff, with_smartphone=phones, running=running, web_edition=number % 3, reminded=phones - running
            )
            submit_staff_report(agency, week, counts, office, then)
