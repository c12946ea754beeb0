# SPDX-License-Identifier: Apache-2.0
"""bluezone.directory.imports.files.raw_sheets."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.directory.imports.files.raw_sheets import MAX_COUNT, NotACount, NotADay, cell_count, cell_day, cell_text


@pytest.mark.parametrize(
    ("cell", "count"),
    [
        (None, None),
        (0, 0),
        (45_036, 45_036),
        ("45036", 45_036),
        ("45.036", 45_036),
        ("45,036", 45_036),
        ("45\u00a0036", 45_036),
        ("1 045 036", 1_045_036),
        ("1.045.036", 1_045_036),
        ("007", 7),
    ],
)
def test_a_count_is_read_however_its_thousands_are_grouped(cell, count):
    assert cell_count(cell) == count


@pytest.mark.parametrize(
    "cell", [-1, 45.036, float("nan"), True, "45.03", "1.045,036", "-3", "1e3", "năm", "²", MAX_COUNT + 1]
)
def test_what_is_no_count_is_refused(cell):
    with pytest.raises(NotACount):
        cell_count(cell)


@pytest.mark.parametrize("cell", ["07/8/2020", "7-8-2020", "07.08.2020", "2020-08-07", datetime.date(2020, 8, 7)])
def test_a_day_is_read_however_it_is_written(cell):
    assert cell_day(cell) == datetime.date(2020, 8, 7)
    assert cell_text(cell_day(cell)) == "07/08/2020"


@pytest.mark.parametrize("cell", ["31/02/2020", "8/2020", "2020", "13/13/2020", "2020-8-7", 43_000, "hôm qua"])
def test_what_is_no_day_is_refused(cell):
    with pytest.raises(NotADay):
        cell_day(cell)


def test_an_empty_cell_is_no_day_and_empty_text():
    assert cell_day(None) is None
    assert cell_text(None) == ""


@given(st.text() | st.integers() | st.floats() | st.booleans() | st.dates() | st.none())
def test_any_cell_is_read_or_refused(cell):
    for read, refusal in ((cell_count, NotACount), (cell_day, NotADay)):
        try:
            read(cell)
        except refusal:
            continue
