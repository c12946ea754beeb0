# SPDX-License-Identifier: Apache-2.0
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.rollout.report_week import Week, WeekUnreadable, parse_week

AUGUST = Week(datetime.date(2020, 8, 10))


@given(st.dates(datetime.date(1990, 1, 1), datetime.date(2100, 1, 1)))
def test_every_day_lies_in_the_week_that_is_named_for_it(day):
    week = Week.of(day)

    assert week.first_day <= day <= week.last_day
    assert Week.parse(str(week)) == week
    assert week.following.previous == week


@pytest.mark.parametrize("text", ["", "2020", "2020-W54", "2020-W00", "2020-8-10", "２０２０-W33", "0000-W01"])
def test_text_that_names_no_week_is_refused(text):
    with pytest.raises(WeekUnreadable):
        Week.parse(text)
    assert parse_week(text, AUGUST) == AUGUST


def test_a_week_begins_on_a_monday():
    with pytest.raises(WeekUnreadable, match="Monday"):
        Week(datetime.date(2020, 8, 11))


def test_reports_of_a_week_are_due_on_monday_and_locked_on_tuesday():
    assert (AUGUST.due, AUGUST.locks_on) == (datetime.date(2020, 8, 17), datetime.date(2020, 8, 18))


def test_its_days_are_written_as_in_letters():
    assert AUGUST.in_vietnamese() == "10–16/8/2020"
    assert Week(datetime.date(2020, 7, 27)).in_vietnamese() == "27/7–2/8/2020"
    assert Week(datetime.date(2020, 12, 28)).in_vietnamese() == "28/12/2020–3/1/2021"
    assert AUGUST.in_english() == "10–16 August 2020"
    assert Week(datetime.date(2020, 12, 28)).in_english() == "28 December 2020 – 3 January 2021"
