# SPDX-License-Identifier: Apache-2.0
import datetime
import io
import re
import zipfile
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluezone.paper.official import Column, DocumentInvalid, Table, write_xlsx

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOON = datetime.datetime(2020, 8, 7, 5, 0, tzinfo=datetime.UTC)


def one_cell(value):
    table = Table("Bảng", (Column("Cột"),), ((value,),))
    sheet = openpyxl.load_workbook(io.BytesIO(write_xlsx([table], zone=ZONE))).worksheets[0]
    return sheet.cell(3, 1)


@pytest.mark.parametrize(
    "text", ["=cmd|'/c calc'!A1", "+1+1", "-2", "@SUM(A1)", '=HYPERLINK("http://x")', "\t=1", "|x"]
)
def test_text_that_looks_like_a_formula_stays_text_even_when_edited(text):
    cell = one_cell(text)

    assert (cell.value, cell.data_type, cell.quotePrefix) == (text, "s", True)


def test_no_sheet_holds_a_formula_or_a_link():
    table = Table("=1+1", (Column("=2+2"),), (("=3+3",),), "=4+4")
    data = write_xlsx([table], zone=ZONE, heading=("=5+5",))
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        parts = {name: package.read(name) for name in package.namelist()}

    assert not any(b"<f>" in part or b"hyperlink" in part for part in parts.values())
    assert not any("external" in name.lower() for name in parts)


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_any_text_comes_back_as_text_without_what_xml_cannot_hold(text):
    value = one_cell(text).value

    kept = "".join(sign for sign in text if sign in "\t\n\r" or (ord(sign) > 31 and sign not in "\ufffe\uffff"))
    assert (value or "").replace("\r\n", "\n").replace("\r", "\n") == kept.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (12, 12),
        (1.5, 1.5),
        (True, "Có"),
        (datetime.date(2020, 8, 7), datetime.datetime(2020, 8, 7)),  # noqa: DTZ001 (a spreadsheet knows no zone)
        (NOON, datetime.datetime(2020, 8, 7, 12, 0)),  # noqa: DTZ001
        (None, None),
    ],
)
def test_values_keep_their_kind_and_times_are_of_the_city(value, shown):
    assert one_cell(value).value == shown


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(DocumentInvalid):
        one_cell(NOON.replace(tzinfo=None))


def test_a_row_of_another_width_is_refused():
    with pytest.raises(DocumentInvalid, match="row 2 has 2 values"):
        Table("", (Column("a"),), (("x",), ("y", "z")))


def test_sheets_of_equal_or_forbidden_names_get_names_that_a_spreadsheet_takes():
    table = Table("Kết quả [tuần 1/2]: rất dài " * 3, (Column("a"),), ())
    names = openpyxl.load_workbook(io.BytesIO(write_xlsx([table, table], zone=ZONE))).sheetnames

    assert len(set(names)) == 2
    assert all(len(name) <= 31 and not set(name) & set("[]:*?/\\") for name in names)


def test_the_same_table_gives_the_same_bytes():
    table = Table("Bảng", (Column("Cột"),), ((1,), ("hai",)))

    written = write_xlsx([table], zone=ZONE)
    properties = zipfile.ZipFile(io.BytesIO(written)).read("docProps/core.xml")

    assert written == write_xlsx([table], zone=ZONE)
    assert re.findall(rb"\d{4}-\d\d-\d\dT[\d:]+", properties) == [b"2020-08-07T00:00:00"] * 2
