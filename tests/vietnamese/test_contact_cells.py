# SPDX-License-Identifier: Apache-2.0
"""What people type into cells for telephone numbers and e-mail addresses."""

import pytest

from bluezone.vietnamese.contact_cells import phone_of_number, read_email, read_phone


@pytest.mark.parametrize(
    ("cell", "number", "more"),
    [
        ("0209 3870 001", "0209 3870 001", False),
        ("0209.3870.001", "0209.3870.001", False),
        ("+84 209 3870 001", "+84 209 3870 001", False),
        ("0209/3870001", "0209/3870001", False),
        ("115", "115", False),
        ("(0209) 3870 001", "0209 3870 001", False),
        ("ĐT: 0209 3870 001", "0209 3870 001", False),
        ("0209 3870 001 (máy lẻ 12)", "0209 3870 001", True),
        ("0209.3870001/0912345678", "0209.3870001", True),
        ("0209 3870 001 - 0912 345 678", "0209 3870 001", True),
        ("0912345678; 0912345679", "0912345678", True),
        ("ĐT: 0209.3870.115", "0209.3870.115", False),
        ("Số điện thoại: (0209) 3870 115", "0209 3870 115", False),
        ("0912345678\n0912345679", "0912345678", True),
        ("Không có", "", False),
        ("-", "", False),
    ],
)
def test_the_first_number_of_a_cell_is_read(cell, number, more):
    assert read_phone(cell) == (number, more)


@pytest.mark.parametrize("cell", ["gọi số lạ", "Tổ 3", "1" * 30])
def test_a_cell_without_a_number_is_none(cell):
    assert read_phone(cell) is None


@pytest.mark.parametrize(
    ("number", "phone"),
    [
        (2093870001, "02093870001"),
        (912345678, "0912345678"),
        (19001234, "19001234"),
        (1900123456, "1900123456"),
        (115, "115"),
        (6591234567, "6591234567"),
    ],
    ids=["line", "mobile", "service of eight digits", "service of ten", "emergency", "from abroad"],
)
def test_a_number_gets_its_zero_back_where_one_was(number, phone):
    assert phone_of_number(number) == phone


@pytest.mark.parametrize(
    ("cell", "address", "more"),
    [
        ("a@x.vn", "a@x.vn", False),
        ("mailto:a@x.vn", "a@x.vn", False),
        ("Sở Y tế <syt@x.gov.vn>", "syt@x.gov.vn", True),
        ("a@x.vn; b@x.vn", "a@x.vn", True),
        ("chưa có", "", False),
    ],
)
def test_the_first_address_of_a_cell_is_read(cell, address, more):
    assert read_email(cell) == (address, more)


def test_a_cell_without_an_address_is_none():
    assert read_email("syt tại x.vn") is None
