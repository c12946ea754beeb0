# SPDX-License-Identifier: Apache-2.0
"""bluezone.directory.imports.files.workbooks: workbooks of Excel 97 to 2003 as wards keep them, made by xlwt."""

import datetime
import io
import random

import pytest
import xlwt

from bluezone.directory.imports.files.raw_sheets import (
    MAX_ROWS,
    SpreadsheetCellUnreadable,
    SpreadsheetDamaged,
    SpreadsheetHasMacros,
    SpreadsheetHeadingMerged,
    SpreadsheetRefused,
    SpreadsheetTooLarge,
    SpreadsheetTypeUnknown,
)
from bluezone.directory.imports.files.workbooks import _MACROS, read_xls
from bluezone.directory.imports.tables import Column, read_table
from bluezone.vietnamese.legacy_fonts import TextEncoding, from_unicode

COLUMNS = (
    Column("head", ("Chủ hộ",), required=True), Column("group", ("Tổ",), required=True),
    Column("phones", ("ĐTTM",)), Column("day", ("Ngày",)),
)  # fmt: skip
HEADINGS = ["Chủ hộ", "Tổ", "ĐTTM", "Ngày"]


def old_workbook(rows, *, font=None, merged=(), hidden=False):
    """Bytes of an .xls. font: of every cell; merged: (first row, last row, first column, last column, text)."""
    book = xlwt.Workbook()
    if hidden:
        book.add_sheet("Trang bìa").write(0, 0, "x")
        sheet = book.add_sheet("Ẩn")
        sheet.visibility = 1
    else:
        sheet = book.add_sheet("Hộ")
    style, day = xlwt.XFStyle(), xlwt.XFStyle()
    day.num_format_str = "DD/MM/YYYY"
    if font:
        style.font.name = font
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            if value is not None:
                sheet.write(number, column, value, day if isinstance(value, datetime.date) else style)
    for top, bottom, left, right, text in merged:
        sheet.write_merge(top, bottom, left, right, text, style)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def read(data):
    return read_table(io.BytesIO(data), COLUMNS)


def test_values_come_as_they_are_shown():
    row = ["Nguyễn Văn A", 5, 2.0, datetime.date(2020, 8, 7)]
    table = read(old_workbook([["Danh sách hộ"], [], HEADINGS, row, ["B", "Tổ 6", None, None]]))

    assert [dict(one.cells) for one in table.rows] == [
        {"head": "Nguyễn Văn A", "group": 5, "phones": 2, "day": datetime.date(2020, 8, 7)},
        {"head": "B", "group": "Tổ 6", "phones": None, "day": None},
    ]
    assert (table.header_row, table.encoding, table.rows[0].number) == (3, "xls", 4)


def test_a_cell_over_several_rows_counts_for_each_of_them_and_not_beyond():
    rows = [HEADINGS, ["A", None, 1, None], ["B", None, 1, None], ["C", "Tổ 6", 1, None]]
    table = read(old_workbook(rows, merged=[(1, 2, 1, 1, "Tổ 5"), (2, 2, 3, 5, "x")]))

    assert [one.cells["group"] for one in table.rows] == ["Tổ 5", "Tổ 5", "Tổ 6"]


@pytest.mark.long
@pytest.mark.parametrize("merged", [False, True])
def test_a_wards_list_in_vntime_is_read_and_under_a_merged_heading_refused_by_its_cell(merged):
    def old(text):
        return from_unicode(text, TextEncoding.TCVN3)

    title = (0, 0, 0, 3, old("Danh sách hộ gia đình"))
    rows = [[], [old("Chủ hộ"), old("Tổ")], [old("Phố"), 5]]
    if merged:
        # "Điện thoại" over two columns: which of them is meant, nobody can tell.
        rows = [[], [old("Chủ hộ"), old("Tổ")], [old("Phố"), 5, 2, 1]]
        with pytest.raises(SpreadsheetHeadingMerged, match="row 3, column D"):
            read(old_workbook(rows, font=".VnTime", merged=[title, (1, 1, 2, 3, old("Điện thoại"))]))
        return
    table = read(old_workbook(rows, font=".VnTime", merged=[title]))

    assert table.legacy.encodings == {"head": TextEncoding.TCVN3}
    assert table.with_conversion().rows[0].cells["head"] == "Phố"


@pytest.mark.long
def test_the_font_tells_what_the_text_alone_cannot():
    rows = [["Chủ hộ", "Tổ"], ["phè", 1], ["phßng gi¸o dôc", 2]]
    table = read(old_workbook(rows, font=".VnTimeH"))

    assert table.with_conversion().rows[1].cells["head"] == "PHÒNG GIÁO DỤC"


@pytest.mark.long
def test_what_is_hidden_is_not_read():
    with pytest.raises(SpreadsheetRefused):
        read(old_workbook([HEADINGS, ["A", 1]], hidden=True))


@pytest.mark.long
def test_a_formula_counts_by_its_result_and_an_error_is_named():
    # xlwt stores no result of a formula; Excel does. An error is a value of its own.
    book = xlwt.Workbook()
    sheet = book.add_sheet("Hộ")
    for column, heading in enumerate(HEADINGS[:2]):
        sheet.write(0, column, heading)
    sheet.write(1, 0, "A")
    sheet.row(1).set_cell_error(1, "#REF!")
    file = io.BytesIO()
    book.save(file)

    with pytest.raises(SpreadsheetCellUnreadable, match="row 2, column B"):
        read(file.getvalue())


@pytest.mark.long
def test_too_many_rows_are_refused():
    with pytest.raises(SpreadsheetTooLarge):
        read_xls(old_workbook([["A", 1]] * (MAX_ROWS + 1)))


@pytest.mark.long
def test_macros_and_files_that_are_no_workbook_are_refused():
    good = old_workbook([HEADINGS, ["A", 1]])
    with pytest.raises(SpreadsheetHasMacros):
        read(good + _MACROS)
    with pytest.raises(SpreadsheetTypeUnknown):
        read(good[:4] + bytes(600))


@pytest.mark.long
@pytest.mark.parametrize(("seed", "times"), [(7, 30), pytest.param(8, 400, marks=pytest.mark.slow)])
def test_a_damaged_workbook_is_refused_and_nothing_else_happens(seed, times):
    good = old_workbook([HEADINGS, *([f"Hộ {n}", n] for n in range(40))])
    drawn = random.Random(seed)
    for _ in range(times):
        data = bytearray(good)
        for _change in range(drawn.randint(1, 30)):
            data[drawn.randrange(8, len(data))] = drawn.randrange(256)
        try:
            read(bytes(data[: drawn.randint(100, len(data))]))
        except SpreadsheetRefused:
            continue
    with pytest.raises((SpreadsheetDamaged, SpreadsheetTypeUnknown)):
        read(good[: len(good) // 3])
