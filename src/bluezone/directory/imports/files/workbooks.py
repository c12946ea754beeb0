# SPDX-License-Identifier: Apache-2.0
"""Read XLSX, ODS and the XLS of Excel 97 to 2003 without trusting them.

Size is limited before anything is unpacked; no macro is run, no link is followed and no formula is computed.
"""

import datetime
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any
from xml.etree import ElementTree

import openpyxl  # type: ignore[import-untyped]
import xlrd  # type: ignore[import-untyped]
from openpyxl.utils import column_index_from_string  # type: ignore[import-untyped]

from bluezone.directory.imports.files.raw_sheets import (
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
    UnreadableCell,
)
from bluezone.vietnamese.legacy_fonts import LEGACY_ENCODINGS, TextEncoding, encoding_of_font

MAX_UNPACKED_BYTES = 32 * 1024 * 1024
MAX_PARTS = 1_000
# Elements cost more memory and time than their bytes suggest; a full list (20,000 rows of 20 cells) has 1.7 million.
MAX_TAGS = 3_000_000
# A file stores only cells with content, but a cell far right in every row makes the reader fill in all those before it.
MAX_CELLS = 2_000_000
LAST_ROW = 1_048_576  # of any spreadsheet program
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell [^<>]*?ref="([A-Z]{1,3})([0-9]{1,7}):\1([0-9]{1,7})"')
# The name of the storage for Excel macros, as the directory of the file spells it.
_MACROS = "_VBA_PROJECT_CUR".encode("utf-16-le")
_VISIBLE = 0


def read_xlsx(data: bytes) -> list[RawSheet]:
    """Read every visible sheet that is not empty.

    Raises SpreadsheetTooLarge, SpreadsheetTypeUnknown, SpreadsheetHasMacros or SpreadsheetDamaged.
    """
    try:
        _check_archive(data)
        values, formulas = (
            openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=stored, keep_links=False)
            for stored in (True, False)
        )
        budget = _Budget()
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            sheets = [
                _read_sheet(sheet, formulas[sheet.title], _merged(archive.read(sheet._worksheet_path)), budget)
                for sheet in values.worksheets
                if sheet.sheet_state == "visible"
            ]
    except SpreadsheetRefused:
        raise
    except Exception as error:  # openpyxl raises all kinds of errors for a damaged file
        raise SpreadsheetDamaged(f"the workbook cannot be read ({type(error).__name__}); save it again") from error
    return [sheet for sheet in sheets if sheet.rows]


def read_ods(data: bytes) -> list[RawSheet]:
    """Read every sheet that is not empty of an OpenDocument workbook, as LibreOffice writes it.

    Raises SpreadsheetTooLarge, SpreadsheetTypeUnknown, SpreadsheetHasMacros or SpreadsheetDamaged.
    """
    try:
        _check_archive(data, "content.xml")
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            root = ElementTree.fromstring(archive.read("content.xml"))  # noqa: S314 - document types are refused above
        budget = _Budget()
        hidden = {
            style.get(f"{_STYLE}name")
            for style in root.iter(f"{_STYLE}style")
            if any(properties.get(f"{_TABLE}display") == "false" for properties in style)
        }
        tables = [table for table in root.iter(f"{_TABLE}table") if table.get(f"{_TABLE}style-name") not in hidden]
        sheets = [_read_ods_sheet(table, budget) for table in tables]
    except SpreadsheetRefused:
        raise
    except Exception as error:
        raise SpreadsheetDamaged(f"the workbook cannot be read ({type(error).__name__}); save it again") from error
    return [sheet for sheet in sheets if sheet.rows]


def _read_ods_sheet(table: Any, budget: "_Budget") -> RawSheet:
    rows: list[RawRow] = []
    merged: list[tuple[int, int, int]] = []
    number = 1
    for row in table.iter(f"{_TABLE}table-row"):
        repetitions = int(row.get(f"{_TABLE}number-rows-repeated", "1"))
        cells: list[RawCell] = []
        blanks = 0
        for cell in row:
            if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
                continue
            value = _ods_value(cell)
            times = int(cell.get(f"{_TABLE}number-columns-repeated", "1"))
            if value is None:
                blanks += times
                continue
            if len(cells) + blanks + times > MAX_COLUMNS:
                raise SpreadsheetTooLarge(f"row {number} has more than {MAX_COLUMNS} columns")
            cells += [None] * blanks + [value] * times
            blanks = 0
            merged.append((len(cells) - 1, number, number + int(cell.get(f"{_TABLE}number-rows-spanned", "1")) - 1))
        if cells:
            for _ in range(repetitions):
                budget.spend(len(cells))
                budget.spend_row("")
                rows.append(RawRow(number, tuple(cells)))
                number += 1
        else:
            number += repetitions
        if number > LAST_ROW + 1:
            if cells:
                raise SpreadsheetTooLarge(f"a row has a number beyond {LAST_ROW}")
            break
    return RawSheet(table.get(f"{_TABLE}name", ""), tuple(rows), "ods", merged=_bounded(merged))


def _ods_value(cell: Any) -> RawCell:
    kind = cell.get(f"{_OFFICE}value-type")
    text = "\n".join("".join(_ods_text(paragraph)) for paragraph in cell.findall(f"{_TEXT}p"))
    if kind is None:
        if cell.get(f"{_TABLE}formula") and not text:
            return UnreadableCell.FORMULA_WITHOUT_VALUE
        return text or None
    if text.startswith(("#", "Err:")) and cell.get(f"{_TABLE}formula"):
        return UnreadableCell.ERROR
    if kind in ("float", "currency", "percentage"):
        number = float(cell.get(f"{_OFFICE}value"))
        return int(number) if number.is_integer() else number
    if kind == "boolean":
        return bool(cell.get(f"{_OFFICE}boolean-value") == "true")
    if kind == "date":
        date_text = cell.get(f"{_OFFICE}date-value")
        return datetime.date.fromisoformat(date_text) if len(date_text) == 10 else str(date_text)
    return text or None


def _ods_text(paragraph: Any) -> Iterator[str]:
    if paragraph.text:
        yield paragraph.text
    for part in paragraph:
        if part.tag == f"{_TEXT}s":
            yield " " * min(int(part.get(f"{_TEXT}c", "1")), 100)
        elif part.tag == f"{_TEXT}tab":
            yield "\t"
        elif part.tag == f"{_TEXT}line-break":
            yield "\n"
        elif "annotation" not in part.tag:
            yield from _ods_text(part)
        if part.tail:
            yield part.tail


def _check_archive(data: bytes, content: str = "xl/workbook.xml") -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        names = {part.filename for part in parts}
        # zipfile never reads more of a part than its header states, so the sum of the headers limits the unpacked size.
        if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
            raise SpreadsheetTooLarge(f"the workbook unpacks to more than {MAX_UNPACKED_BYTES} bytes")
        if content not in names:
            raise SpreadsheetTypeUnknown("the archive is not a workbook; save the list as .xlsx or .csv")
        if any(name.lower().endswith("vbaproject.bin") or name.startswith(("Basic/", "Scripts/")) for name in names):
            raise SpreadsheetHasMacros("the workbook contains macros; save it as .xlsx, which has none")
        if len(names) < len(parts) or any(part.flag_bits & 1 for part in parts):
            raise SpreadsheetDamaged("a part of the workbook is there twice or is encrypted")
        tags = 0
        for part in parts:
            if part.filename.lower().endswith((".xml", ".rels", ".vml")):
                tags += _count_tags(archive.read(part))
        if tags > MAX_TAGS:
            raise SpreadsheetTooLarge(f"the workbook has more than {MAX_TAGS} elements")


def _count_tags(xml: bytes) -> int:
    """The number of tags. Refuses a document type, which can expand entities; no spreadsheet program writes one."""
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml or b"\0" in xml[:64]:
        raise SpreadsheetDamaged("a part of the workbook has a document type or is not UTF-8")
    return xml.count(b"<")


class _Budget:
    """The cells and rows that may still be read, in all sheets together."""

    def __init__(self) -> None:
        self.cells = MAX_CELLS
        self.rows = MAX_ROWS

    def spend(self, cells: int) -> None:
        self.cells -= cells
        if self.cells < 0:
            raise SpreadsheetTooLarge(
                f"the workbook has more than {MAX_CELLS} cells; delete the empty ones next to the list"
            )

    def spend_row(self, title: str) -> None:
        self.rows -= 1
        if self.rows < 0:
            raise SpreadsheetTooLarge(f"more than {MAX_ROWS} rows; split the list")


def _merged(sheet: bytes) -> tuple[tuple[int, int, int], ...]:
    """The cells of one column merged over several rows; openpyxl does not report them for a sheet that it streams."""
    return _bounded(
        (column_index_from_string(letters.decode()) - 1, int(first), int(last))
        for letters, first, last in _MERGED.findall(sheet)
    )


def _bounded(merged: Iterable[tuple[int, int, int]]) -> tuple[tuple[int, int, int], ...]:
    """The ranges within the columns and rows of a list, without overlaps."""
    ranges = sorted({area for area in merged if area[0] < MAX_COLUMNS and area[1] < area[2] <= LAST_ROW})
    separate: list[tuple[int, int, int]] = []
    for area in ranges:
        if not separate or separate[-1][0] != area[0] or separate[-1][2] < area[1]:
            separate.append(area)
    return tuple(separate)


def _read_sheet(
    values_sheet: Any, formulas_sheet: Any, merged: tuple[tuple[int, int, int], ...], budget: _Budget
) -> RawSheet:
    rows = []
    fonts: dict[int, Counter[TextEncoding]] = {}
    for number, (values, formulas) in enumerate(_row_pairs(values_sheet, formulas_sheet), 1):
        if number > LAST_ROW:
            raise SpreadsheetTooLarge(f"a row has a number beyond {LAST_ROW}")
        budget.spend(len(values))
        cells = [_value(value, formula) for value, formula in zip(values, formulas, strict=True)]
        while cells and cells[-1] is None:
            cells.pop()
        if not cells:
            continue
        if len(cells) > MAX_COLUMNS:
            raise SpreadsheetTooLarge(f"row {number} has more than {MAX_COLUMNS} columns")
        budget.spend_row(values_sheet.title)
        rows.append(RawRow(number, tuple(cells)))
        for column, cell in enumerate(cells):
            if isinstance(cell, str) and not cell.isascii():
                fonts.setdefault(column, Counter())[_font(formulas[column])] += 1
    return RawSheet(values_sheet.title, tuple(rows), "xlsx", legacy_fonts(fonts), merged)


def _row_pairs(values_sheet: Any, formulas_sheet: Any) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    for sheet in (values_sheet, formulas_sheet):
        sheet.reset_dimensions()  # the size in the file may be wrong
    yield from zip(values_sheet.iter_rows(), formulas_sheet.iter_rows(), strict=True)


def _value(value_cell: Any, formula_cell: Any) -> RawCell:
    value = value_cell.value
    if value_cell.data_type == "e":
        return UnreadableCell.ERROR
    if formula_cell.data_type == "f" and value is None and value_cell.data_type != "str":
        return UnreadableCell.FORMULA_WITHOUT_VALUE
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date()
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return value
    return str(value) or None


def _font(cell: Any) -> TextEncoding:
    name = getattr(getattr(cell, "font", None), "name", None)
    return encoding_of_font(name) if name else TextEncoding.UNKNOWN


def legacy_fonts(fonts: dict[int, Counter[TextEncoding]]) -> dict[int, TextEncoding]:
    """The columns in which at least half of the cells with diacritics, including headings, are in a legacy font."""
    encodings = {}
    for column, counts in fonts.items():
        usual = max(LEGACY_ENCODINGS, key=lambda encoding: counts[encoding])
        if counts[usual] * 2 >= counts.total():
            encodings[column] = usual
    return encodings


def read_xls(data: bytes) -> list[RawSheet]:
    """Read every visible sheet that is not empty.

    Raises SpreadsheetTooLarge, SpreadsheetTypeUnknown, SpreadsheetHasMacros or SpreadsheetDamaged.
    """
    if _MACROS in data:
        raise SpreadsheetHasMacros("the workbook contains macros; save it as .xlsx, which has none")
    try:
        # xlrd logs contradictions in a file; the log is discarded.
        book = xlrd.open_workbook(
            file_contents=data, logfile=io.StringIO(), formatting_info=True, ragged_rows=True, on_demand=False
        )
        rows_left = MAX_ROWS
        sheets = []
        for sheet in book.sheets():
            if sheet.visibility == _VISIBLE:
                result = _read_xls_sheet(book, sheet, rows_left)
                rows_left -= len(result.rows)
                sheets.append(result)
    except SpreadsheetRefused:
        raise
    except xlrd.XLRDError as error:
        raise SpreadsheetTypeUnknown(
            f"the file is not a .xls workbook, or has a password ({error}); save the list as .xlsx without one"
        ) from error
    except Exception as error:  # xlrd raises all kinds of errors for a damaged file
        raise SpreadsheetDamaged(f"the workbook cannot be read ({type(error).__name__}); save it again") from error
    return [sheet for sheet in sheets if sheet.rows]


def _read_xls_sheet(book: Any, sheet: Any, rows_left: int) -> RawSheet:
    rows: list[RawRow] = []
    fonts: dict[int, Counter[TextEncoding]] = {}
    for index in range(sheet.nrows):
        cells = [_xls_value(book, cell) for cell in sheet.row(index)]
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
                fonts.setdefault(column, Counter())[_xls_font(book, sheet.cell_xf_index(index, column))] += 1
    merged = _bounded((left, top + 1, below) for top, below, left, right in sheet.merged_cells if right == left + 1)
    return RawSheet(sheet.name, tuple(rows), "xls", legacy_fonts(fonts), merged)


def _xls_value(book: Any, cell: Any) -> RawCell:
    if cell.ctype in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
        return None
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return UnreadableCell.ERROR
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return bool(cell.value)
    if cell.ctype == xlrd.XL_CELL_TEXT:
        return str(cell.value) or None
    number = float(cell.value)
    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            moment = xlrd.xldate.xldate_as_datetime(number, book.datemode)
        except (ValueError, OverflowError):
            return UnreadableCell.ERROR
        return moment.date() if moment.time() == datetime.time() else str(moment)
    return int(number) if number.is_integer() else number


def _xls_font(book: Any, form: int) -> TextEncoding:
    return encoding_of_font(book.font_list[book.xf_list[form].font_index].name)
