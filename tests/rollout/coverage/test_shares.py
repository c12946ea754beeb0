# SPDX-License-Identifier: Apache-2.0
"""How pages write shares: with a comma in Vietnamese, with a point in English and in a drawing."""

import datetime

import pytest
from django.utils import translation

from bluezone.rollout.coverage import shares
from bluezone.rollout.coverage.api import Interval
from bluezone.rollout.report_week import Week

WRITTEN = [
    (shares.percent, 0.318, "31,8%", "31.8%"),
    (shares.percent, None, "–", "–"),
    (shares.percent_short, 0.25, "25%", "25%"),
    (shares.percent_short, 0.125, "12,5%", "12.5%"),
    (shares.grouped, 1234567, "1.234.567", "1,234,567"),
    (shares.range_of, Interval(0.297, 0.339), "29,7–33,9%", "29.7–33.9%"),
    (shares.points, 3.2, "+3,2 điểm %", "+3.2 points"),
    (shares.points, 0.1, "+0,1 điểm %", "+0.1 points"),
    (shares.points, -0.3, "−0,3 điểm %", "−0.3 points"),
    (shares.points, -0.04, "±0,0 điểm %", "±0.0 points"),
    (shares.points, 0.04, "±0,0 điểm %", "±0.0 points"),
    (shares.days, Week(datetime.date(2020, 8, 10)), "10–16/8/2020", "10–16 August 2020"),
]
DRAWN = [
    (shares.of_hundred, 0.318, "31.8"),
    (shares.of_hundred, None, "0.0"),
    (shares.width_of, Interval(0.2, 0.35), "15.0"),
    (shares.width_of, Interval(0.2, 0.2), "1.0"),
    (shares.axis, 12.34, "12.3"),
    (shares.of_parameter, "running", "of=running"),
    (shares.of_parameter, "staff-report", "of=staff-report"),
    (shares.of_parameter, "", ""),
    (shares.of_parameter, "a&b=c", ""),
    (shares.of_parameter, "đạt", ""),
]


@pytest.mark.parametrize(("write", "value", "vietnamese", "english"), WRITTEN)
def test_a_number_is_written_as_the_reader_writes_it(write, value, vietnamese, english):
    with translation.override("vi"):
        assert write(value).replace("\xa0", " ") == vietnamese
    with translation.override("en"):
        assert write(value) == english


@pytest.mark.parametrize(("write", "value", "drawn"), DRAWN)
def test_what_a_drawing_or_an_address_reads_is_the_same_in_every_language(write, value, drawn):
    for language in ("vi", "en"):
        with translation.override(language):
            assert write(value) == drawn
