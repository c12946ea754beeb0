# SPDX-License-Identifier: Apache-2.0
"""bluezone.vietnamese.typed: what people type as a day, a time, a number."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.vietnamese.typed import (
    digits_typed,
    pasted,
    plain,
    read_count,
    read_day,
    read_days,
    read_moment,
    read_time,
    read_times,
)

TODAY = datetime.date(2020, 8, 20)
FIRST = datetime.date(2020, 9, 1)


@pytest.mark.parametrize(
    "text",
    [
        "2020-09-01", "2020/9/1", "1/9/2020", "01-09-2020", "1.9.20", "1 / 9 / 2020", "1/9", "01/09.", "ngày 1/9/2020",
        "Ngày 1 tháng 9 năm 2020", "1 tháng 9", "1–9–2020", "\u202a1/9/2020\u202c", "1/9/2020\u200b", "1\u00a0/9",
        "１/９/２０２０",
    ],
)  # fmt: skip
def test_a_day_is_read_as_offices_write_it_the_day_first(text):
    assert read_day(text, TODAY) == FIRST


@pytest.mark.parametrize(
    "text", ["31/2", "1/13", "9/2020", "9", "1/9/202", "1/9/20201", "²/9", "mai sau", "", "1/9 2/9"]
)
def test_what_is_no_day_is_none(text):
    assert read_day(text, TODAY) is None


def test_a_day_without_a_year_is_the_one_nearest_to_today_and_words_count_from_it():
    assert read_day("5/1", datetime.date(2020, 12, 20)) == datetime.date(2021, 1, 5)
    assert read_day("28/12", datetime.date(2021, 1, 5)) == datetime.date(2020, 12, 28)
    assert read_day("mai", TODAY) == read_day("Ngày mai", TODAY) == datetime.date(2020, 8, 21)
    assert read_day("hôm nay", TODAY) == TODAY
    assert read_days("2/9, 1/1 và 3/9/2020", TODAY, FIRST) == (
        datetime.date(2020, 9, 2), datetime.date(2021, 1, 1), datetime.date(2020, 9, 3),
    )  # fmt: skip
    assert read_days("2/9, x", TODAY, FIRST) is None


@pytest.mark.parametrize(
    "text",
    ["19:30", "19h30", "19g30", "19.30", "19 giờ 30", "19 giờ 30 phút", "19h30'", "1930", "7:30 tối", "7h30tối",
     "7:30 PM", "07:30 CH", "19h30 tối", "7 giờ rưỡi tối", "19:30:59", "19:30\u200b"],
)  # fmt: skip
def test_a_time_is_read_as_people_write_it(text):
    assert read_time(text) == datetime.time(19, 30)


@pytest.mark.parametrize("text", ["24:00", "25h", "7:60", "19h sáng", "12 giờ đêm", "7h3", "1:2:3", "tối", "", "7 8"])
def test_what_is_no_time_or_contradicts_itself_is_none(text):
    assert read_time(text) is None


def test_times_stand_in_one_line_and_a_moment_in_either_order():
    half = (datetime.time(5, 30), datetime.time(17, 30))
    for line in ("5:30, 17:30", "5h30 và 17h30", "5:30 17:30", "5 giờ 30; 5 giờ 30 chiều"):
        assert read_times(line) == half, line
    assert read_times("5:30, x") is None
    for text in ("2020-09-01T17:30", "1/9/2020 17:30", "17h30 ngày 1/9", "17 giờ 30, 1/9/2020", "lúc 17h30 1/9"):
        assert read_moment(text, TODAY) == datetime.datetime.combine(FIRST, half[1]), text
    assert read_moment("1.10 2.11", TODAY) is None, "it may be either"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("1500", 1500), ("1.500", 1500), ("1,500", 1500), ("1 500", 1500), ("1\u202f500", 1500), ("1.000", 1000),
        ("1.500.000", 1_500_000), ("1,5 triệu", 1_500_000), ("2 nghìn", 2000), ("2,5 ngàn", 2500), ("12 người", 12),
        ("12\u00a0em", 12), ("1.500 tờ", 1500), ("007", 7), ("−5.000", -5000), ("12\u200b", 12),
    ],
)  # fmt: skip
def test_a_number_is_read_however_it_is_written(text, count):
    assert read_count(text) == count


@pytest.mark.parametrize(
    "text",
    ["12.5", "1.50", "1.045,036", "1 5", "12.0", "12²", "½", "١٢", "12 tá", "khoảng 12", "1.500 triệu", "1e3", "", "-"],
)
def test_what_is_no_whole_number_is_none(text):
    assert read_count(text) is None


@pytest.mark.parametrize(
    "text", ["123406", "123 406", "123-406", "1 2 3 4 0 6", "l234O6", "\u202a123406\u202c", "Mã: 123406"]
)
def test_a_code_of_digits_is_read_without_what_parts_them(text):
    assert digits_typed(text) == "123406"


def test_a_text_from_word_is_as_if_it_had_been_typed():
    word = "Kính gửi\u00a0bà con Đức\u00ad Xuân:\r\n•\tRửa tay\u200b\r\n\uf0b7 Đeo khẩu trang"
    assert pasted(word) == "Kính gửi bà con Đức Xuân:\r\n- Rửa tay\r\n- Đeo khẩu trang"
    assert pasted("Ph\u00adêng") == "Ph\u00adêng", "it may be the ư of an old font"


@given(st.text())
def test_any_text_is_read_or_none(text):
    for found in (read_day(text, TODAY), read_time(text), read_count(text), read_times(text), read_moment(text, TODAY)):
        assert found is None or found is not text
    assert plain(plain(text)) == plain(text)
