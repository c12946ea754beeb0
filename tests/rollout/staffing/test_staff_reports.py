# SPDX-License-Identifier: Apache-2.0
"""Staff reports: numbers that fit, versions that stay, weeks that lock; the database holds the rules first."""

import datetime

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from tests.builders.coverage import NOW, WEEK, agency, city, staff_report
from tests.builders.office import user

from bluezone.identity.models import AuditEntry, Role
from bluezone.rollout.staffing import retention, staff_reports
from bluezone.rollout.staffing.counts import MOST_STAFF, StaffCounts, StaffCountsRefused
from bluezone.rollout.staffing.models import StaffReport

pytestmark = pytest.mark.django_db
GOOD = StaffCounts(staff=40, with_smartphone=30, running=12, web_edition=5, reminded=9)
LATE = NOW + datetime.timedelta(days=4)  # Tuesday 18 August


@pytest.fixture
def clerk():
    return user("mai", Role.ADMIN)


@pytest.fixture
def office():
    top, _wards = city("phường Đức Xuân")
    return agency("Phòng Nội vụ", top)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"with_smartphone": 41}, "with_smartphone"),
        ({"running": 31}, "running"),
        ({"web_edition": 19}, "web_edition"),
        ({"reminded": 19}, "reminded"),
        ({"staff": -1}, "staff"),
        ({"staff": MOST_STAFF + 1}, "staff"),
    ],
)
def test_numbers_that_contradict_each_other_are_refused_at_the_one_to_look_at(change, field):
    with pytest.raises(StaffCountsRefused) as refused:
        StaffCounts(**{**vars(GOOD), **change})

    assert refused.value.field == field


@pytest.mark.parametrize(
    "change",
    [
        {"with_smartphone": 41}, {"running": 31, "web_edition": 0, "reminded": 0}, {"web_edition": 19},
        {"reminded": 19}, {"running": -1}, {"version": 0}, {"week": datetime.date(2020, 8, 11)},
    ],
)  # fmt: skip
def test_the_database_itself_refuses_what_contradicts_itself(office, clerk, change):
    values = {**vars(GOOD), "week": WEEK.first_day, "version": 1, "agency": office, "reported_by": clerk, **change}

    with pytest.raises(IntegrityError), transaction.atomic():
        StaffReport.everything.create(**values)


def test_the_database_keeps_one_current_report_an_agency_and_week(office, clerk):
    staff_report(office, clerk, 5)

    with pytest.raises(IntegrityError), transaction.atomic():
        staff_report(office, clerk, 6, version=2)


@given(st.lists(st.integers(0, 60), min_size=5, max_size=5))
def test_what_the_values_allow_is_what_the_database_allows(numbers):
    names = ("staff", "with_smartphone", "running", "web_edition", "reminded")
    staff, phones, running, web, reminded = numbers
    fits = phones <= staff and running + web <= phones and running + reminded <= phones
    try:
        StaffCounts(**dict(zip(names, numbers, strict=True)))
    except StaffCountsRefused:
        assert not fits
    else:
        assert fits


def test_a_correction_is_a_further_version_and_the_first_stays_as_it_was(office, clerk):
    staff_reports.submit_staff_report(office, WEEK, GOOD, clerk, NOW)
    better = StaffCounts(40, 31, 14, 5, 9)
    staff_reports.submit_staff_report(office, WEEK, better, clerk, NOW)

    versions = StaffReport.objects.order_by("version")
    assert [(each.version, each.running, each.is_current) for each in versions] == [(1, 12, False), (2, 14, True)]
    assert [entry.details["version"] for entry in AuditEntry.objects.filter(action="staff_reported")] == [1, 2]


def test_the_same_numbers_again_make_no_version(office, clerk):
    first = staff_reports.submit_staff_report(office, WEEK, GOOD, clerk, NOW)

    assert staff_reports.submit_staff_report(office, WEEK, GOOD, clerk, NOW) == first
    assert StaffReport.objects.count() == 1


def test_a_week_is_open_until_monday_night_and_locked_on_tuesday(office, clerk):
    monday_night = datetime.datetime(2020, 8, 17, 16, 59, tzinfo=datetime.UTC)  # 23:59 in Bắc Kạn
    staff_reports.submit_staff_report(office, WEEK, GOOD, clerk, monday_night)

    with pytest.raises(staff_reports.PeriodLocked):
        staff_reports.submit_staff_report(
            office, WEEK, StaffCounts(1, 1, 1, 0, 0), clerk, monday_night + datetime.timedelta(minutes=1)
        )
    assert StaffReport.objects.get().running == 12


def test_a_locked_week_is_opened_again_for_one_agency_and_three_days(office, clerk):
    other = agency("Phòng Tư pháp", office.unit)
    staff_reports.reopen_week(office, WEEK, "Mất mạng cả tuần", clerk, LATE)
    staff_reports.submit_staff_report(office, WEEK, GOOD, clerk, LATE + datetime.timedelta(days=2))

    with pytest.raises(staff_reports.PeriodLocked):
        staff_reports.submit_staff_report(other, WEEK, GOOD, clerk, LATE)
    with pytest.raises(staff_reports.PeriodLocked):
        staff_reports.submit_staff_report(
            office, WEEK, StaffCounts(1, 1, 1, 0, 0), clerk, LATE + datetime.timedelta(days=3)
        )
    assert AuditEntry.objects.filter(action="week_reopened", subject=office.key).count() == 1


def test_a_week_to_come_and_an_agency_that_was_not_there_are_refused(office, clerk):
    ended = agency("Phòng cũ", office.unit, valid_to=datetime.date(2020, 8, 1))

    with pytest.raises(staff_reports.PeriodNotBegun):
        staff_reports.submit_staff_report(office, WEEK.following, GOOD, clerk, NOW)
    with pytest.raises(staff_reports.AgencyOutOfForce):
        staff_reports.submit_staff_report(ended, WEEK, GOOD, clerk, NOW)


def test_of_several_agencies_all_are_stored_or_none(office, clerk):
    ended = agency("Phòng cũ", office.unit, valid_to=datetime.date(2020, 8, 1))

    with pytest.raises(staff_reports.AgencyOutOfForce):
        staff_reports.submit_staff_reports([(office, GOOD), (ended, GOOD)], WEEK, clerk, NOW)
    assert not StaffReport.everything.exists()


def test_training_is_stored_beside_the_real_report_seen_by_nobody_and_erased_after_a_week(office, clerk):
    staff_reports.submit_staff_report(office, WEEK, GOOD, clerk, NOW, training=True)
    staff_reports.submit_staff_report(office, WEEK, StaffCounts(10, 9, 3, 0, 0), clerk, NOW)

    assert [report.running for report in StaffReport.objects.all()] == [3]
    assert AuditEntry.objects.filter(action="staff_reported").count() == 1
    retention.purge(NOW + datetime.timedelta(days=6))
    assert StaffReport.everything.filter(training=True).exists()
    retention.purge(NOW + datetime.timedelta(days=7))
    assert [report.training for report in StaffReport.everything.all()] == [False]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="about the SQLite file")
def test_other_programs_can_check_the_constraints_of_the_file(office, clerk):
    staff_report(office, clerk, 5)
    with connection.cursor() as cursor:
        sql = cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'staffing_staffreport'").fetchone()[0]

    assert "strftime('%w'" in sql
    assert "django_" not in sql
