# SPDX-License-Identifier: Apache-2.0
"""bluezone.directory.imports.tables: lists as offices send them, and everything else refused with a sentence."""

import contextlib
import datetime
import io
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.builders.agencies import write_workbook

from bluezone.directory.imports.files.raw_sheets import (
    MAX_FILE_BYTES,
    MAX_ROWS,
    SpreadsheetCellUnreadable,
    SpreadsheetColumnsMissing,
    SpreadsheetDamaged,
    SpreadsheetEmpty,
    SpreadsheetEncodingMixed,
    SpreadsheetEncodingUnknown,
    SpreadsheetHeaderMissing,
    SpreadsheetHeadingMerged,
    SpreadsheetHeadingRepeated,
    SpreadsheetTooLarge,
    SpreadsheetTypeUnknown,
    column_letter,
    split_row_number,
)
from bluezone.directory.imports.files.workbooks import read_xlsx
from bluezone.directory.imports.tables import Column, join_sheets, read_table
from bluezone.refusal import Refused
from bluezone.vietnamese.legacy_fonts import TextEncoding, from_unicode

COLUMNS = (
    Column("code", ("Mã đơn vị", "Mã", "Code"), required=True),
    Column("name", ("Tên đơn vị", "Tên", "Name"), required=True),
    Column("population", ("Dân số", "Population")),
)
LIST = "Mã đơn vị,Tên đơn vị,Dân số\n01840,phường Đức Xuân,9000\n01837,phường Sông Cầu,8000\n"
LEGACY_LIST = "Mã,Tên,Dân số\n01840,phường Đức Xuân,9000\n01837,phường Sông Cầu,8000\n"


def read(data, columns=COLUMNS):
    return read_table(io.BytesIO(data.encode() if isinstance(data, str) else data), columns)


def names(table):
    return [row.cells["name"] for row in table.rows]


@pytest.mark.parametrize(
    ("encoding", "label"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16-le"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_list_is_read_in_every_unicode_encoding(encoding, label, delimiter, newline):
    table = read(LIST.replace(",", delimiter).replace("\n", newline).encode(encoding))

    assert names(table) == ["phường Đức Xuân", "phường Sông Cầu"]
    assert table.rows[0].cells == {"code": "01840", "name": "phường Đức Xuân", "population": "9000"}
    assert [row.number for row in table.rows] == [2, 3]
    assert (table.encoding, table.legacy, table.ignored) == (label, None, ())


def test_decomposed_text_comes_back_composed():
    assert names(read(unicodedata.normalize("NFD", LIST))) == ["phường Đức Xuân", "phường Sông Cầu"]


def test_windows_1258_is_read_as_the_vietnamese_it_spells():
    tone_after_letter = "".join(
        unicodedata.normalize("NFC", base) + tone
        for base, tone in (split_tone(letter) for letter in unicodedata.normalize("NFC", LIST))
    )
    table = read(tone_after_letter.encode("cp1258"))

    assert names(table) == ["phường Đức Xuân", "phường Sông Cầu"]
    assert (table.encoding, table.legacy) == ("windows-1258", None)


def split_tone(letter):
    decomposed = unicodedata.normalize("NFD", letter)
    tones = [mark for mark in decomposed if mark in "\u0300\u0301\u0303\u0309\u0323"]
    return "".join(mark for mark in decomposed if mark not in tones), "".join(tones)


@pytest.mark.parametrize("bytes_encoding", ["cp1252", "utf-8", "utf-16"])
@pytest.mark.parametrize("font", [TextEncoding.TCVN3, TextEncoding.VNI])
def test_text_of_a_legacy_font_is_proposed_and_never_converted_unasked(bytes_encoding, font):
    legacy = from_unicode(LEGACY_LIST, font)
    table = read(legacy.encode(bytes_encoding))

    assert names(table) == [from_unicode("phường Đức Xuân", font), from_unicode("phường Sông Cầu", font)]
    assert table.legacy.encodings == {"name": font}
    assert [change.after for change in table.legacy.changes] == ["phường Đức Xuân", "phường Sông Cầu"]

    converted = table.with_conversion()
    assert names(converted) == ["phường Đức Xuân", "phường Sông Cầu"]
    assert converted.legacy is None
    assert converted.with_conversion() is converted
    assert converted.rows[0].cells["code"] == "01840"


def test_a_french_list_is_left_as_it_is():
    table = read("Code,Name\n1,Café de Noël\n2,Hôtel où naïf\n".encode("cp1252"))

    assert names(table) == ["Café de Noël", "Hôtel où naïf"]
    assert (table.encoding, table.legacy) == ("windows-1252", None)


@pytest.mark.long
def test_each_column_of_a_workbook_is_looked_at_by_itself():
    data = write_workbook(
        [
            ["Mã", "Tên", "Dân số", "Ghi chú"],
            ["01840", "ph\xadêng §øc Xu©n", 9000, "x"],
            ["01837", "S«ng CÇu", 8000, ""],
        ]
    )
    table = read(data, (*COLUMNS, Column("note", ("Ghi chú",))))

    assert table.legacy.encodings == {"name": TextEncoding.TCVN3}
    assert table.encoding == "xlsx"
    assert names(table.with_conversion()) == ["phường Đức Xuân", "Sông Cầu"]


@pytest.mark.long
def test_a_workbooks_font_tells_what_the_text_alone_cannot():
    rows = [["Mã", "Tên"], ["1", "phßng gi¸o dôc"], ["2", "phè"]]
    plain = read(write_workbook(rows))
    in_capitals = read(write_workbook(rows, fonts={"B2": ".VnTimeH", "B3": ".VnTimeH"}))
    short = [["Mã", "Tên"], ["1", "phè"]]

    assert plain.legacy.encodings == {"name": TextEncoding.TCVN3}
    assert names(in_capitals.with_conversion()) == ["PHÒNG GIÁO DỤC", "PHỐ"]
    assert read(write_workbook(short)).legacy is None
    assert names(read(write_workbook(short, fonts={"B2": ".VnTime"})).with_conversion()) == ["phố"]


@pytest.mark.long
def test_unicode_pasted_into_an_old_template_is_not_touched_because_of_its_font():
    table = read(write_workbook([["Mã", "Tên"], ["1", "phường Đức Xuân"]], fonts={"B2": ".VnTime"}))

    assert table.legacy is None


@pytest.mark.long
def test_title_rows_above_the_headings_and_columns_nobody_asked_for_are_no_obstacle():
    table = read(
        write_workbook(
            [
                ["ỦY BAN NHÂN DÂN", None, None, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"],
                ["THÀNH PHỐ BẮC KẠN"],
                [],
                [None, "DANH SÁCH ĐƠN VỊ"],
                [],
                ["STT", "TÊN ĐƠN VỊ (*)", "ma  don vi", "Dân\nsố", "Ghi chú"],
                [1, "phường Đức Xuân", "01840", 9000.0, "mới"],
                [],
                [2, "phường Sông Cầu", "01837", None, None],
            ]
        )
    )

    assert (table.header_row, table.letters) == (6, {"name": "B", "code": "C", "population": "D"})
    assert table.ignored == ("STT", "Ghi chú")
    assert [row.number for row in table.rows] == [7, 9]
    assert table.rows[0].cells["population"] == 9000
    assert table.rows[1].cells["population"] is None


@pytest.mark.parametrize("numbers", ["1,2,3", "(1),(2),(3)", "A,B,C"])
def test_the_numbers_of_three_columns_below_the_headings_are_no_entry(numbers):
    table = read(LIST.replace("\n", f"\n{numbers}\n", 1))

    assert names(table) == ["phường Đức Xuân", "phường Sông Cầu"]


@pytest.mark.parametrize("font", [TextEncoding.TCVN3, TextEncoding.VNI])
def test_headings_typed_with_a_legacy_font_are_found(font):
    heading = from_unicode("Mã đơn vị,Tên đơn vị,Dân số", font)

    assert read(f"{heading}\n1,abc,5\n").letters == {"code": "A", "name": "B", "population": "C"}


@pytest.mark.long
@pytest.mark.parametrize(
    ("rows", "refusal", "words"),
    [
        ([["a", "b"], ["c", "d"]], SpreadsheetHeaderMissing, "Mã đơn vị"),
        ([["Mã", "Dân số"], ["1", "2"]], SpreadsheetColumnsMissing, "Tên đơn vị"),
        ([["Mã", "Tên", "Mã đơn vị"], ["1", "x", "2"]], SpreadsheetHeadingRepeated, "columns A and C"),
        ([["Mã", "Tên"]], SpreadsheetEmpty, "row 1"),
        ([["Mã", "Tên", None], ["1", "x", None], ["2", "y", 7]], SpreadsheetHeadingMerged, "row 3, column C"),
        ([["Mã", "Tên"], ["1", "x"], ["2", "y", None, "7"]], SpreadsheetHeadingMerged, "row 3, column D"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused_and_the_place_named(rows, refusal, words):
    for data in (
        write_workbook(rows),
        "\n".join(",".join("" if cell is None else str(cell) for cell in row) for row in rows),
    ):
        with pytest.raises(refusal) as refused:
            read(data)
        assert words in str(refused.value)


@pytest.mark.long
def test_two_sheets_that_both_hold_the_list_are_one_list():
    head = ["Mã", "Tên"]
    table = read(write_workbook([head, ["1", "x"]], [["Phụ lục"], head, ["2", "y"]]))

    assert names(table) == ["x", "y"]
    assert [split_row_number(row.number) for row in table.rows] == [(1, 2), (2, 3)]
    assert len(read(write_workbook([["Ghi chú"]], [head, ["1", "x"]])).rows) == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (LIST.encode() + "01834,ph\xadêng §øc Xu©n,1\n".encode("cp1252"), "line 1 is UTF-8 and line 4 is not"),
        ("Mã,Tên\n1,phường Đức Xuân\n2,S«ng CÇu\n", "row 3, column B"),
        ("Mã,Tên\n1,Soâng Caàu\n2,phường Đức Xuân\n3,Hueá\n", "row 2, column B"),
    ],
)
def test_mixed_encodings_are_refused_and_the_place_named(data, words):
    with pytest.raises(SpreadsheetEncodingMixed) as refused:
        read(data)

    assert words in str(refused.value)


@pytest.mark.long
@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"\xff\xfeM\x00\xe3", SpreadsheetEncodingUnknown),
        (b"Code,Name\n1,\x81\x8d\x8f\n", SpreadsheetEncodingUnknown),
        (b"\x00\x01\x02\x03\x00\x00", SpreadsheetEncodingUnknown),
        (b"\xd0\xcf\x11\xe0" + bytes(600), SpreadsheetTypeUnknown),
        (b"%PDF-1.7", SpreadsheetTypeUnknown),
        (b"\x89PNG\r\n", SpreadsheetTypeUnknown),
        (b"PK\x03\x04rubbish", SpreadsheetDamaged),
        (b'Code,Name\n1,"never closed\n2,x\n', SpreadsheetDamaged),
        (b'Code,Name\n1,"closed" too soon\n', SpreadsheetDamaged),
        (b"Code,Name\n1,a\x07b\n", SpreadsheetCellUnreadable),
        (b"Code,Name\n1," + b"x" * 5_000, SpreadsheetTooLarge),
        (b"", SpreadsheetHeaderMissing),
    ],
)
def test_what_is_no_list_is_refused(data, refusal):
    with pytest.raises(refusal):
        read(data)


def test_a_file_of_100_mb_is_refused_after_reading_no_more_than_the_limit():
    class Endless(io.RawIOBase):
        taken = 0

        def read(self, size=-1):
            assert 0 <= size <= MAX_FILE_BYTES + 1
            self.taken += size
            return b"x" * size

    file = Endless()
    with pytest.raises(SpreadsheetTooLarge):
        read_table(file, COLUMNS)
    assert file.taken <= MAX_FILE_BYTES + 1


def test_too_many_rows_are_refused():
    rows = "".join(f"{n},x\n" for n in range(MAX_ROWS + 1))
    with pytest.raises(SpreadsheetTooLarge):
        read("Code,Name\n" + rows)


def test_a_spreadsheet_programs_own_delimiter_line_is_obeyed():
    assert names(read("sep=;\r\nMã;Tên\r\n1;a, b, c\r\n2;d, e, f\r\n")) == ["a, b, c", "d, e, f"]


def test_a_quoted_cell_may_hold_lines_and_the_row_is_numbered_where_it_begins():
    table = read('Mã,Tên\n1,"hai\ndòng"\n2,x\n')

    assert [(row.number, row.cells["name"]) for row in table.rows] == [(2, "hai\ndòng"), (4, "x")]


def test_formulas_in_csv_stay_text():
    assert names(read("Mã,Tên\n1,\"=cmd|' /C calc'!A0\"\n")) == ["=cmd|' /C calc'!A0"]


@pytest.mark.long
def test_dates_and_numbers_of_a_workbook_keep_their_type():
    columns = (Column("day", ("Ngày",)), Column("count", ("Số hộ",)), Column("yes", ("Có",)))
    table = read(write_workbook([["Ngày", "Số hộ", "Có"], [datetime.date(2020, 8, 7), 12.5, True]]), columns)

    assert table.rows[0].cells == {"day": datetime.date(2020, 8, 7), "count": 12.5, "yes": True}


@given(st.binary(max_size=2_000))
def test_any_bytes_are_read_or_refused(data):
    with contextlib.suppress(Refused):
        read(data)


@given(st.binary(max_size=300), st.sampled_from(["utf-8", "utf-16", "cp1252", "cp1258"]))
def test_any_bytes_under_good_headings_are_read_or_refused(data, encoding):
    with contextlib.suppress(Refused):
        read("Code,Name\n".encode(encoding) + data)


WORKBOOK = write_workbook([["Mã", "Tên"], ["1", "phường Đức Xuân"]])


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(WORKBOOK) - 1), st.binary(min_size=1, max_size=40))
def test_a_workbook_with_any_bytes_overwritten_is_read_or_refused(start, patch):
    with contextlib.suppress(Refused):
        # In this process: a hundred and fifty of their own would take a minute.
        join_sheets(read_xlsx(WORKBOOK[:start] + patch + WORKBOOK[start + len(patch) :]), COLUMNS)


@pytest.mark.parametrize(("index", "letter"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")])
def test_columns_are_named_as_the_spreadsheet_program_names_them(index, letter):
    assert column_letter(index) == letter
