# SPDX-License-Identifier: Apache-2.0
"""Numbers of classes: versions, locked weeks, weeks without school, numbers sent back."""

import datetime

import pytest
from django.utils import timezone
from tests.builders.schools import find_class, this_week

from bluezone.identity.models import AuditEntry
from bluezone.rollout.schools import class_reports, queries, school_calendar
from bluezone.rollout.schools.models import Channel, ClassCounts, ClassCountsRefused, ClassReport, SchoolClass
from bluezone.rollout.schools.queries import PupilsRunning
from bluezone.rollout.schools.school_calendar import next_name

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)
GOOD = ClassCounts(40, 30, 12, 20)


def store(school, by, counts=GOOD, name="6A", week=None, now=None):
    one = find_class(school, name)
    return class_reports.submit_class_reports(
        school, [(one, counts)], week or this_week(), Channel.OFFICE, by, now or timezone.now()
    )


@pytest.mark.parametrize("numbers", [(40, 41, 0, 0), (40, 30, 31, 0), (101, 0, 0, 0), (1, 1, 1, 1001), (-1, 0, 0, 0)])
def test_numbers_that_contradict_each_other_are_refused(numbers):
    with pytest.raises(ClassCountsRefused):
        ClassCounts(*numbers)


def test_a_correction_is_a_further_version_and_the_same_numbers_make_none(school, admin):
    assert [store(school, admin), store(school, admin), store(school, admin, ClassCounts(40, 30, 13, 20))] == [1, 0, 1]
    versions = ClassReport.objects.order_by("version")

    assert [(one.version, one.running, one.is_current) for one in versions] == [(1, 12, False), (2, 13, True)]
    assert list(AuditEntry.objects.values_list("action", flat=True)).count("classes_reported") == 2


def test_a_locked_week_takes_nothing_and_keeps_what_it_has_until_it_is_opened_again(school, admin):
    week, now = this_week(), timezone.now()
    store(school, admin)
    late = now + 30 * DAY
    with pytest.raises(school_calendar.SchoolWeekClosed) as refused:
        store(school, admin, ClassCounts(40, 30, 30, 20), now=late)
    assert refused.value.why == "locked"
    asked = school_calendar.request_opening(school, week, "Nộp nhầm", admin, late)
    school_calendar.answer_request(asked, timezone.localdate(late) + 2 * DAY, admin, late)
    store(school, admin, ClassCounts(40, 30, 29, 20), now=late)
    with pytest.raises(school_calendar.SchoolWeekClosed):
        store(school, admin, ClassCounts(40, 30, 28, 20), now=late + 4 * DAY)

    assert queries.valid_reports(week).get().running == 29


def test_a_week_without_school_owes_nothing_for_one_school_or_a_whole_city(town, admin):
    top, _below, (first, second) = town
    school_calendar.enter_break(first, this_week(), this_week(), "Nghỉ bão", admin, timezone.now())
    assert queries.count_reporting(this_week(), top.path) == (0, 1)
    with pytest.raises(school_calendar.SchoolWeekClosed) as refused:
        store(first, admin)
    assert refused.value.why == "break"
    school_calendar.enter_break(top, this_week(), this_week().following, "Nghỉ Tết", admin, timezone.now())

    assert queries.count_reporting(this_week(), top.path) == (0, 0)
    assert PupilsRunning().reporting(top.path, this_week()) is None
    with pytest.raises(school_calendar.SchoolWeekClosed):
        store(second, admin)


def test_numbers_sent_back_count_in_no_sum_until_they_come_again(school, admin):
    week = this_week()
    store(school, admin)
    class_reports.return_class_reports(list(queries.valid_reports(week)), "Thiếu ba em vắng mặt", admin, timezone.now())
    assert queries.school_sums(week) == []
    assert "6A" in queries.row_of(school, week, is_own=False).missing
    assert store(school, admin) == 1, "the same numbers again confirm them"

    assert queries.school_sums(week)[0].counts == (40, 30, 12, 20)


def test_a_class_of_another_school_or_year_is_refused(town, admin):
    _top, _below, (first, second) = town
    foreign = find_class(second, "6A")
    for one, week in ((foreign, this_week()), (find_class(first, "6A"), this_week())):
        if one is not foreign:
            SchoolClass.objects.filter(pk=one.pk).update(year=one.year - 1)
        with pytest.raises(class_reports.ClassOutOfYear):
            class_reports.submit_class_reports(first, [(one, GOOD)], week, Channel.OFFICE, admin, timezone.now())


def test_a_mistake_in_one_row_stores_none(town, admin):
    _top, _below, (first, second) = town
    said = [(find_class(first, "6A"), GOOD), (find_class(second, "6A"), GOOD)]
    with pytest.raises(class_reports.ClassOutOfYear):
        class_reports.submit_class_reports(first, said, this_week(), Channel.OFFICE, admin, timezone.now())

    assert not ClassReport.objects.exists()


def test_a_year_later_classes_are_a_grade_higher_and_the_last_grades_have_left():
    names = ["6A", "5B", "Lớp 7/2", "12A1", "9C", "Mầm", "10A2"]

    assert [next_name(name) for name in names] == ["7A", None, "Lớp 8/2", None, None, None, "11A2"]
