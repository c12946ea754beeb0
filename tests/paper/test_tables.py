# SPDX-License-Identifier: Apache-2.0
"""bluezone.paper.tables, read back as a spreadsheet program would."""

import csv
import datetime
import io
import zipfile

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluezone.paper.tables import (
    FORMULA_STARTS,
    MAX_CELL_CHARACTERS,
    ColumnKind,
    ExportColumn,
    ExportSheet,
    inert,
    write_csv,
    write_xlsx,
)

DANGEROUS = [
    "=cmd|' /C calc'!A0",
    "+84912345678",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",
    '=HYPERLINK("http://example.invalid","x")',
    '",=1+1,"',
    "#N/A",
    "'=1",
    "==",
]
EVERY_KIND = [
    ExportColumn("Mã"),
    ExportColumn("Số máy", ColumnKind.COUNT),
    ExportColumn("Điểm", ColumnKind.DECIMAL),
    ExportColumn("Tỷ lệ", ColumnKind.SHARE),
    ExportColumn("Ngày", ColumnKind.DAY),
]
ROW = ["01840", -5, 2.5, 0.25, datetime.date(2020, 8, 7)]


def read_csv(data):
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def read_cells(data, title=None):
    book = openpyxl.load_workbook(io.BytesIO(data))
    return [list(row) for row in (book[title] if title else book.worksheets[0]).iter_rows()]


@pytest.mark.parametrize("text", DANGEROUS)
def test_a_dangerous_text_is_inert_wherever_it_stands(text):
    sheet = ExportSheet(text[:20], [ExportColumn(text)], [[text]], notes=[text])

    for row in read_csv(write_csv(sheet)):
        assert row[0].removeprefix("'") in {text, text.removeprefix("'")}
        assert not row[0].startswith(FORMULA_STARTS)
        assert len(row) == 1
    for cells in read_cells(write_xlsx([sheet])):
        assert cells[0].data_type == "s"
        assert cells[0].value.replace("\r", "\n") == text.replace("\r", "\n")
        assert cells[0].number_format == "@"
        assert cells[0].quotePrefix == text.startswith(FORMULA_STARTS)


@pytest.mark.parametrize("text", DANGEROUS)
def test_no_part_of_the_workbook_holds_a_formula(text):
    data = write_xlsx([ExportSheet(text, [ExportColumn(text)], [[text]], notes=[text])])

    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert not any(b"<f>" in archive.read(name) or b"<f " in archive.read(name) for name in archive.namelist())


@pytest.mark.long
@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_any_text_comes_out_as_text_in_its_own_cell(texts):
    sheet = ExportSheet("x", [ExportColumn("a"), ExportColumn("b")], [[text, "end"] for text in texts])

    rows = read_csv(write_csv(sheet))
    assert [row[1] for row in rows[1:]] == ["end"] * len(texts)
    assert not any(row[0].startswith(FORMULA_STARTS) for row in rows)
    cells = read_cells(write_xlsx([sheet]))
    assert [row[1].value for row in cells[1:]] == ["end"] * len(texts)
    assert all(row[0].data_type == "s" or row[0].value is None for row in cells)


def test_numbers_and_days_are_typed_and_codes_keep_their_zero():
    sheet = ExportSheet("Bảng", EVERY_KIND, [ROW, [None] * 5])
    rows = read_cells(write_xlsx([sheet]))

    assert [cell.value for cell in rows[1]] == ["01840", -5, 2.5, 0.25, datetime.datetime(2020, 8, 7)]  # noqa: DTZ001
    assert [cell.number_format for cell in rows[1]] == ["@", "#,##0", "#,##0.0##", "0.0%", "dd/mm/yyyy"]
    assert rows[0][0].font.bold
    assert [cell.value for cell in rows[2]] == [None] * 5
    assert read_csv(write_csv(sheet))[1] == ["01840", "-5", "2.5", "0.25", "07/08/2020"]
    assert write_csv(sheet).endswith(b'"01840",-5,2.5,0.25,"07/08/2020"\r\n"","","","",""\r\n')


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ColumnKind.TEXT, 5),
        (ColumnKind.COUNT, "=1+1"),
        (ColumnKind.COUNT, True),
        (ColumnKind.COUNT, 1.5),
        (ColumnKind.DECIMAL, "1"),
        (ColumnKind.DECIMAL, float("nan")),
        (ColumnKind.SHARE, float("inf")),
        (ColumnKind.DAY, "07/08/2020"),
        (ColumnKind.DAY, datetime.datetime(2020, 8, 7, tzinfo=datetime.UTC)),
    ],
)
def test_a_value_of_another_kind_than_its_column_is_an_error(kind, value):
    sheet = ExportSheet("x", [ExportColumn("a", kind)], [[value]])
    with pytest.raises(TypeError):
        write_csv(sheet)
    with pytest.raises(TypeError):
        write_xlsx([sheet])


def test_characters_no_spreadsheet_may_hold_and_endless_texts_are_shown_to_be_missing():
    sheet = ExportSheet("x", [ExportColumn("a")], [["a\x00b\ud800"], ["x" * 40_000]])

    for shown in (
        [row[0] for row in read_csv(write_csv(sheet))],
        [row[0].value for row in read_cells(write_xlsx([sheet]))],
    ):
        assert shown[1] == "a\ufffdb\ufffd"
        assert len(shown[2]) < MAX_CELL_CHARACTERS
        assert shown[2].endswith("x […]")


def test_sheet_titles_are_made_fit_and_headings_stay_in_sight():
    long = "Kết quả: [tuần 10–16/8/2020] của tất cả các đơn vị"
    data = write_xlsx(
        [ExportSheet(long, EVERY_KIND, [ROW], notes=["Số liệu xác thực"]), ExportSheet("", EVERY_KIND, [])]
    )
    book = openpyxl.load_workbook(io.BytesIO(data))

    assert len(book.sheetnames[0]) <= 31
    assert book.worksheets[0].freeze_panes == "A3"
    assert [cell.value for cell in book.worksheets[0][2]] == [column.heading for column in EVERY_KIND]


@pytest.mark.parametrize("start", list("=+-@\t\r\n＝＋－＠"))
def test_every_sign_that_begins_a_formula_gets_an_apostrophe(start):
    assert inert(start + "1") == "'" + start + "1"


def test_only_the_beginning_of_a_text_makes_it_dangerous():
    assert inert("a=1") == "a=1"
    assert inert("") == ""
    assert inert("-") == "'-"
