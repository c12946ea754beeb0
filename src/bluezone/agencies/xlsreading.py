# SPDX-License-Identifier: Apache-2.0
"""Old workbooks (.xls, Excel 97 to 2003), which wards still send: read as XLSX is, nothing in them run or computed.

A formula is taken by the result that Excel stored. Workbooks with macros or a password are refused.
"""

import datetime
import io
from collections import Counter
from typing import Any

import xlrd  # type: ignore[import-untyped]

from bluezone.agencies.legacytext import TextEncoding, encoding_of_font
from bluezone.agencies.sheets import (
    MAX_COLUMNS,
    MAX_ROWS,
    RawCell,
    RawRow,
    RawSheet,
    SpreadsheetDamaged,
    SpreadsheetHasMacros,
    SpreadsheetRefused,
    SpreadsheetTooLarge,
    SpreadsheetTypeUnknown,
    Unreadable,
)
from bluezone.agencies.xlsxreading import legacy_fonts

SIGNATURE = b"\xd0\xcf\x11\xe0"
# The name of the storage in which Excel keeps programs, as the directory of the file spells it.
_MACROS = "_VBA_PROJECT_CUR".encode("utf-16-le")
_VISIBLE = 0


def read_xls(data: bytes) -> list[RawSheet]:
    """Read every visible sheet that holds anything.

    Raises SpreadsheetTooLarge, SpreadsheetTypeUnknown, SpreadsheetHasMacros or SpreadsheetDamaged.
    """
    if _MACROS in data:
        raise SpreadsheetHasMacros("the workbook holds macros; save it as .xlsx, which has none")
    try:
        # Where a file contradicts itself, xlrd writes to a log of its own; nobody reads that here.
        book = xlrd.open_workbook(
            file_contents=data, logfile=io.StringIO(), formatting_info=True, ragged_rows=True, on_demand=False
        )
        rows_left = MAX_ROWS
        sheets = []
        for sheet in book.sheets():
            if sheet.visibility == _VISIBLE:
                found = _read_sheet(book, sheet, rows_left)
                rows_left -= len(found.rows)
                sheets.append(found)
    except SpreadsheetRefused:
        raise
    except xlrd.XLRDError as error:
        raise SpreadsheetTypeUnknown(
            f"the file is no .xls workbook, or has a password ({error}); save the list as .xlsx without one"
        ) from error
    except Exception as error:  # xlrd raises whatever a contradiction in the file leads to
        raise SpreadsheetDamaged(f"the workbook cannot be read ({type(error).__name__}); save it again") from error
    return [sheet for sheet in sheets if sheet.rows]


def _read_sheet(book: Any, sheet: Any, rows_left: int) -> RawSheet:
    rows: list[RawRow] = []
    fonts: dict[int, Counter[TextEncoding]] = {}
    for index in range(sheet.nrows):
        cells = [_value(book, cell) for cell in sheet.row(index)]
        while cells and cells[-1] is None:
            cells.pop()
        if not cells:
            continue
        if len(cells) > MAX_COLUMNS:
            raise SpreadsheetTooLarge(f"row {index + 1} has more than {MAX_COLUMNS} columns")
        if len(rows) >= rows_left:
            raise SpreadsheetTooLarge(f"more than {MAX_ROWS} rows; split the list")
        rows.append(RawRow(index + 1, tuple(cells)))
        for column, text in enumerate(cells):
            if isinstance(text, str) and not text.isascii():
                fonts.setdefault(column, Counter())[_font(book, sheet.cell_xf_index(index, column))] += 1
    return RawSheet(sheet.name, tuple(rows), "xls", legacy_fonts(fonts))


def _value(book: Any, cell: Any) -> RawCell:
    if cell.ctype in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
        return None
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return Unreadable.ERROR
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return bool(cell.value)
    if cell.ctype == xlrd.XL_CELL_TEXT:
        return str(cell.value) or None
    number = float(cell.value)
    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            moment = xlrd.xldate.xldate_as_datetime(number, book.datemode)
        except (ValueError, OverflowError):
            return Unreadable.ERROR
        return moment.date() if moment.time() == datetime.time() else str(moment)
    return int(number) if number.is_integer() else number


def _font(book: Any, form: int) -> TextEncoding:
    return encoding_of_font(book.font_list[book.xf_list[form].font_index].name)
