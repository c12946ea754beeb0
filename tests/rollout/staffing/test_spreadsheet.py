# SPDX-License-Identifier: Apache-2.0
"""Rows pasted from a spreadsheet, as clerks have them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluezone.directory.models import Agency
from bluezone.rollout.staffing.counts import StaffCounts
from bluezone.rollout.staffing.pasted_rows import read_pasted_rows

NAMES = [("Phòng Nội vụ thành phố", "Phòng Nội vụ", None), ("Thành đoàn Bắc Kạn", "", "TD01"), ("Trạm", "", None)]
AGENCIES = [Agency(pk=n, name=name, short_name=short, code=code) for n, (name, short, code) in enumerate(NAMES, 1)] + [
    Agency(pk=9, name="Trạm", short_name="", code="T2")
]


def read(*lines):
    return read_pasted_rows("\n".join(lines), AGENCIES)


def test_rows_without_headings_are_read_in_the_order_of_the_form():
    rows = read("Phòng Nội vụ\t40\t30\t12\t5\t9", "TD01\t1.040\t30\t12\t5\t9")

    assert [row.agency.pk for row in rows] == [1, 2]
    assert rows[0].counts == StaffCounts(40, 30, 12, 5, 9)
    assert rows[1].counts.staff == 1040


def test_headings_may_reorder_the_columns_and_others_are_passed_over():
    rows = read(
        "TT\tĐơn vị\tĐang chạy\tTổng số\tCó ĐTTM\tGhi chú\tĐã nhắc\tBản web",
        "1\tthanh doan bac kan\t12\t40\t30\tnghỉ phép 2\t9\t5",
    )

    assert [(row.agency.pk, row.counts) for row in rows] == [(2, StaffCounts(40, 30, 12, 5, 9))]


def test_a_running_number_before_and_a_sum_below_are_passed_over():
    rows = read("1\tPhòng Nội vụ\t40\t30\t12\t5\t9", "\tTổng cộng\t40\t30\t12\t5\t9", "", "Tổng số\t1\t1\t1\t0\t0")

    assert [row.number for row in rows] == [1]


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        ("Phòng Nội vụ\t40\t30\t12\t5", "cells"),
        ("Phòng Nội vụ 40 30 12 5 9", "cells"),
        ("Phòng Ngoại vụ\t40\t30\t12\t5\t9", "unknown"),
        ("Trạm\t40\t30\t12\t5\t9", "several"),
        ("Phòng Nội vụ\t40\t30\t\t5\t9", "number"),
        ("Phòng Nội vụ\t40\t30\t12,5\t5\t9", "number"),
        ("Phòng Nội vụ\t40\t-3\t1\t0\t0", "number"),
        ("Phòng Nội vụ\t40\t41\t12\t5\t9", "counts"),
        ("Phòng Nội vụ\t40\t30\t25\t6\t0", "counts"),
    ],
)
def test_a_row_that_cannot_be_used_says_why(line, refusal):
    assert [row.refusal for row in read(line)] == [refusal]


def test_an_agency_named_twice_is_refused_in_both_rows():
    rows = read("Phòng Nội vụ\t40\t30\t12\t5\t9", "phong noi vu thanh pho\t1\t1\t1\t0\t0")

    assert [row.refusal for row in rows] == ["repeated", "repeated"]


def test_names_in_an_old_font_are_understood():
    in_tcvn3 = "Thµnh ®oµn B¾c K¹n"
    rows = read(f"{in_tcvn3}\t40\t30\t12\t5\t9")

    assert [row.agency.pk for row in rows if row.agency] == [2]


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("\t\n 0123456789.,aPhòngNộivụ=+@\x00\u200b"), max_size=200))
def test_no_text_breaks_the_reader(text):
    for row in read_pasted_rows(text, AGENCIES):
        assert bool(row.counts and row.agency) != bool(row.refusal)
