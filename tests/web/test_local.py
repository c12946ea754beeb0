# SPDX-License-Identifier: Apache-2.0
"""Dates and times as people write them."""

import datetime

import pytest
from django.utils import timezone, translation

from bluezone.web.templatetags.local import clock, day, fullmoment, icon, moment

MONDAY = datetime.datetime(2020, 8, 10, 0, 42, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("language", "words", "figures"),
    [("vi", "thứ Hai 10/8/2020", "07:42 10/8/2020"), ("en", "Monday 10 August 2020", "07:42 10 Aug 2020")],
)
def test_a_day_has_its_weekday_and_the_order_of_the_language(language, words, figures):
    with translation.override(language):
        assert day(MONDAY.date()) == day(MONDAY) == words
        assert fullmoment(MONDAY) == figures


def test_the_clock_is_local_and_has_24_hours():
    assert clock(MONDAY) == clock(int(MONDAY.timestamp())) == "07:42"


def test_a_moment_names_its_day_unless_it_is_today():
    noon = timezone.localtime().replace(hour=12, minute=0)
    with translation.override("vi"):
        assert moment(noon) == "12:00"
        assert moment(noon + datetime.timedelta(days=1)) == "12:00 ngày mai"
        assert moment(MONDAY) == "07:42 thứ Hai 10/8/2020"


def test_an_icon_is_hidden_from_screen_readers():
    assert 'aria-hidden="true"' in icon("warn")
