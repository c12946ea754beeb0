# SPDX-License-Identifier: Apache-2.0
"""The days that a letter names, as people write them, and those that are none."""

import datetime

import pytest

from bluezone.letters.due_dates import read_due
from bluezone.letters.letter_text import Passage
from bluezone.letters.proposal import Confidence, Doubt, Due, Every

LETTER = datetime.date(2020, 8, 7)


def read(text, letter_date=LETTER):
    return read_due(Passage(text, tuple(range(len(text)))), letter_date)


def day(year, month, day, time=None, inclusive=True):
    return Due(datetime.date(year, month, day), time, inclusive=inclusive)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("báo cáo trước ngày 15/8/2020", day(2020, 8, 15, inclusive=False)),
        ("hoàn thành chậm nhất ngày 15/8/2020", day(2020, 8, 15)),
        ("chậm nhất 17h00 ngày 14/8", day(2020, 8, 14, datetime.time(17, 0))),
        ("chậm nhất 7 giờ 30 phút, ngày 14-8-2020", day(2020, 8, 14, datetime.time(7, 30))),
        ("chậm nhất 17h ngày 14.8.2020", day(2020, 8, 14, datetime.time(17, 0))),
        ("chậm nhất 27h00 ngày 14/8/2020", day(2020, 8, 14)),
        ("hết ngày 15 tháng 8 năm 2020", day(2020, 8, 15)),
        ("đến hết ngày 15 tháng 8", day(2020, 8, 15)),
        ("hạn cuối: 01/7", day(2021, 7, 1)),
        ("hạn cuối: 01/8", day(2020, 8, 1)),
        ("trước ngày 31/9/2020, chậm nhất ngày 30/9/2020", day(2020, 9, 30)),
    ],
)
def test_a_day_is_read_with_its_hour_and_the_year_that_it_lies_in(text, due):
    assert read(text).value == due


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("thứ Sáu hằng tuần", Due(every=Every.WEEK, weekday=5)),
        ("trước 16h00 thứ 5 hàng tuần", Due(None, datetime.time(16, 0), Every.WEEK, 4, inclusive=False)),
        ("Chủ nhật hằng tuần", Due(every=Every.WEEK, weekday=7)),
        ("ngày 25 hằng tháng", Due(every=Every.MONTH, day_of_month=25)),
        ("trước ngày 1 hằng tháng", Due(every=Every.MONTH, day_of_month=1, inclusive=False)),
        ("ngày 31 mỗi quý", Due(every=Every.QUARTER, day_of_month=31)),
        ("ngày 32 hằng tháng", Due(every=Every.MONTH)),
        ("ngày 0 hằng tháng", Due(every=Every.MONTH)),
        ("17h00 hằng ngày", Due(time=datetime.time(17, 0), every=Every.DAY)),
    ],
)
def test_what_comes_again_is_read_with_its_day(text, due):
    assert (read(text).value, read(text).confidence) == (due, Confidence.MEDIUM)


def test_a_year_that_is_not_written_is_doubted_and_one_that_cannot_be_known_is_not_made_up():
    written, assumed = read("trước ngày 15/8/2020"), read("nộp trước ngày 15/8 nhé")

    assert (written.confidence, written.doubts) == (Confidence.HIGH, ())
    assert (assumed.confidence, assumed.doubts) == (Confidence.MEDIUM, (Doubt.YEAR_ASSUMED,))
    assert (assumed.span.start, assumed.span.end) == (4, 19)
    assert read("trước ngày 15/8", None) is None
    assert read("trước ngày 15/8, hằng tuần", None).value.every is Every.WEEK


@pytest.mark.parametrize("text", ["", "khẩn trương báo cáo", "định kỳ nhắc lại", "trước ngày 45/8/2020"])
def test_where_no_day_is_named_none_is_made_up(text):
    assert read(text) is None
