# SPDX-License-Identifier: Apache-2.0
"""bluezone.directory.imports.files.workbooks: workbooks that were made to do harm, and formulas."""

import io
import re
import tracemalloc
import zipfile

import openpyxl
import pytest
from tests.builders.agencies import save_workbook, with_part, write_workbook

from bluezone.directory.imports.files.raw_sheets import (
    SpreadsheetCellUnreadable,
    SpreadsheetDamaged,
    SpreadsheetHasMacros,
    SpreadsheetTooLarge,
    SpreadsheetTypeUnknown,
    UnreadableCell,
)
from bluezone.directory.imports.files.workbooks import MAX_UNPACKED_BYTES, read_xlsx
from bluezone.directory.imports.tables import Column, read_table

COLUMNS = (Column("code", ("Mã",), required=True), Column("name", ("Tên",), required=True))
GOOD = write_workbook([["Mã", "Tên"], ["1", "x"]])
SHEET = "xl/worksheets/sheet1.xml"


def sheet_xml(*rows):
    """A worksheet part written by hand."""
    head = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
    return (head + "".join(rows) + "</sheetData></worksheet>").encode()


HEADINGS = (
    '<row r="1"><c r="A1" t="inlineStr"><is><t>Mã</t></is></c><c r="B1" t="inlineStr"><is><t>Tên</t></is></c></row>'
)


def by_hand(*rows):
    return with_part(GOOD, SHEET, lambda _: sheet_xml(HEADINGS, *rows))


@pytest.mark.long
def test_a_formula_is_taken_by_the_result_that_was_stored_with_it():
    data = by_hand('<row r="2"><c r="A2"><f>1+1</f><v>2</v></c><c r="B2" t="str"><f>"x"</f><v>kết quả</v></c></row>')
    table = read_table(io.BytesIO(data), COLUMNS)

    assert table.rows[0].cells == {"code": 2, "name": "kết quả"}


@pytest.mark.long
def test_a_formula_with_an_empty_result_is_an_empty_cell():
    data = by_hand('<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="str"><f>IF(A2="","","")</f><v></v></c></row>')

    assert read_table(io.BytesIO(data), COLUMNS).rows[0].cells == {"code": 1, "name": None}


@pytest.mark.long
@pytest.mark.parametrize(
    "formula", ["=1+1", "=cmd|' /C calc'!A0", '=HYPERLINK("http://example.invalid")', "=[1]Sheet1!A1"]
)
def test_a_formula_without_a_stored_result_is_refused_and_never_computed(formula):
    data = write_workbook([["Mã", "Tên"], ["1", formula]])
    with pytest.raises(SpreadsheetCellUnreadable) as refused:
        read_table(io.BytesIO(data), COLUMNS)

    assert "row 2, column B" in str(refused.value)
    assert formula not in str(refused.value)


@pytest.mark.long
def test_a_formula_beside_the_list_does_not_matter():
    data = write_workbook([["Mã", "Tên", "Tổng"], ["1", "x", "=SUM(A1:A2)"]])

    assert read_table(io.BytesIO(data), COLUMNS).ignored == ("Tổng",)


@pytest.mark.long
def test_an_error_value_is_refused():
    data = by_hand('<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="e"><f>A1/0</f><v>#DIV/0!</v></c></row>')

    assert read_xlsx(data)[0].rows[1].cells[1] is UnreadableCell.ERROR
    with pytest.raises(SpreadsheetCellUnreadable):
        read_table(io.BytesIO(data), COLUMNS)


@pytest.mark.parametrize("part", [SHEET, "xl/media/picture.bin"])
def test_a_zip_bomb_is_refused_before_it_is_unpacked(part):
    bomb = with_part(GOOD, part, lambda old: old + b" " * MAX_UNPACKED_BYTES)
    tracemalloc.start()
    try:
        with pytest.raises(SpreadsheetTooLarge):
            read_xlsx(bomb)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert len(bomb) < 200_000
    assert most < MAX_UNPACKED_BYTES / 16


@pytest.mark.long
def test_a_bomb_whose_header_lies_about_its_size_is_refused():
    bomb = with_part(GOOD, SHEET, lambda _: sheet_xml(" " * 50_000_000))
    real, claimed = (50_000_000 + len(sheet_xml())).to_bytes(4, "little"), (5_000).to_bytes(4, "little")
    assert real in bomb
    with pytest.raises(SpreadsheetDamaged):
        read_xlsx(bomb.replace(real, claimed))


def test_too_many_parts_or_elements_are_refused():
    file = io.BytesIO(GOOD)
    with zipfile.ZipFile(file, "a") as archive:
        for number in range(1_100):
            archive.writestr(f"xl/extra{number}", b"")
    with pytest.raises(SpreadsheetTooLarge):
        read_xlsx(file.getvalue())
    with pytest.raises(SpreadsheetTooLarge):
        read_xlsx(with_part(GOOD, "xl/sharedStrings.xml", lambda _: b"<sst>" + b"<si/>" * 3_100_000 + b"</sst>"))


@pytest.mark.parametrize(
    "prolog",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY secret SYSTEM "file:///etc/hostname">]>',
    ],
)
@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", "[Content_Types].xml", "docProps/core.xml"])
def test_a_document_type_in_any_part_is_refused(prolog, part):
    with pytest.raises(SpreadsheetDamaged):
        read_xlsx(with_part(GOOD, part, lambda old: prolog.encode() + re.sub(rb"^<\?xml[^>]*>", b"", old)))


def test_a_part_in_utf_16_is_refused_because_a_document_type_could_hide_in_it():
    with pytest.raises(SpreadsheetDamaged):
        read_xlsx(with_part(GOOD, SHEET, lambda old: old.decode().encode("utf-16")))


@pytest.mark.long
def test_one_cell_far_right_in_every_row_is_refused_in_time():
    rows = [f'<row r="{n}"><c r="ZZZ{n}"/></row>' for n in range(2, 20_000)]
    with pytest.raises(SpreadsheetTooLarge):
        read_xlsx(by_hand(*rows))


@pytest.mark.long
def test_a_row_number_beyond_any_spreadsheet_is_refused_in_time():
    with pytest.raises(SpreadsheetTooLarge):
        read_xlsx(by_hand('<row r="999999999999"><c><v>1</v></c></row>'))


@pytest.mark.long
def test_rows_left_out_and_a_false_size_lose_nothing():
    data = by_hand('<row r="50000"><c r="A50000"><v>1</v></c><c r="B50000"><v>2</v></c></row>')
    data = with_part(data, SHEET, lambda old: old.replace(b"<sheetData>", b'<dimension ref="A1:A1"/><sheetData>'))

    assert [row.number for row in read_table(io.BytesIO(data), COLUMNS).rows] == [50_000]


def test_a_column_too_far_right_is_refused():
    with pytest.raises(SpreadsheetTooLarge):
        read_xlsx(by_hand('<row r="2"><c r="BN2"><v>1</v></c></row>'))


def test_macros_are_refused():
    with pytest.raises(SpreadsheetHasMacros):
        read_xlsx(with_part(GOOD, "xl/vbaProject.bin", lambda _: b"\xd0\xcf\x11\xe0"))


def test_an_archive_that_is_no_workbook_is_refused():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("word/document.xml", b"<w/>")
    with pytest.raises(SpreadsheetTypeUnknown):
        read_xlsx(file.getvalue())


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_part_that_is_there_twice_is_refused():
    file = io.BytesIO(GOOD)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr(SHEET, b"<other/>")
    with pytest.raises(SpreadsheetDamaged):
        read_xlsx(file.getvalue())


def test_hidden_sheets_are_left_out():
    book = openpyxl.Workbook()
    book.active.append(["Mã", "Tên"])
    book.create_sheet("ẩn").append(["bí mật"])
    book["ẩn"].sheet_state = "hidden"

    assert len(read_xlsx(save_workbook(book))) == 1


@pytest.mark.long
def test_merged_cells_in_the_title_are_no_obstacle_and_over_headings_are_told():
    book = openpyxl.Workbook()
    for row in (["DANH SÁCH", None, None], ["Mã", "Tên", None], ["1", "x", "y"]):
        book.active.append(row)
    book.active.merge_cells("A1:C1")
    book.active.merge_cells("B2:C2")
    with pytest.raises(Exception, match="row 3, column C has a value, but row 2 has no heading there"):
        read_table(io.BytesIO(save_workbook(book)), COLUMNS)
