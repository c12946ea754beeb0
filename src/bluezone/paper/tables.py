# SPDX-License-Identifier: Apache-2.0
"""The one way a table leaves the office as CSV or XLSX: columns are typed, and no text is one a program would run.

Anyone may have typed `=cmd|…` into a name or a note; the official who opens the export must not be the one to run it.
Source: attack list, row 26.
"""

import csv
import dataclasses
import datetime
import enum
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

# What makes a spreadsheet program read a text as a formula, also in full width, as East Asian editions do.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")
MAX_CELL_CHARACTERS = 32_767  # of XLSX
CUT = " […]"

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_NOT_IN_A_TITLE = re.compile(r"[\[\]:*?/\\']")


class ColumnKind(enum.Enum):
    """What a column holds, and how a spreadsheet program shows it."""

    TEXT = "@"  # shown as typed, so that the code 01840 keeps its zero
    COUNT = "#,##0"
    DECIMAL = "#,##0.0##"
    SHARE = "0.0%"  # 0..1
    DAY = "dd/mm/yyyy"


Value = str | int | float | datetime.date | None


@dataclasses.dataclass(frozen=True)
class ExportColumn:
    """One column: its heading, as the reader sees it, and its kind."""

    heading: str
    kind: ColumnKind = ColumnKind.TEXT


@dataclasses.dataclass(frozen=True)
class ExportSheet:
    """One table.

    rows:  read once; None is an empty cell.
    notes: lines above the headings: what is counted, source, day, training mode.
    """

    title: str
    columns: Sequence[ExportColumn]
    rows: Iterable[Sequence[Value]]
    notes: Sequence[str] = ()


def inert(text: str) -> str:
    """The text with an apostrophe before it when a spreadsheet program would take it for a formula.

    One that has apostrophes of its own there gets one more, so that `as_meant` takes back exactly what was put before.
    """
    return "'" + text if text.lstrip("'").startswith(FORMULA_STARTS) else text


def as_meant(cell: str) -> str:
    """A cell of a CSV file without the apostrophe that `inert` put before it."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(FORMULA_STARTS) else cell


def write_csv(sheet: ExportSheet) -> bytes:
    """CSV as Excel opens it without asking: UTF-8 with a byte order mark, every text quoted, days as 07/08/2020.

    Raises TypeError when a value is not of its column's kind: that is a mistake in the program, not in the data.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
    for note in sheet.notes:
        writer.writerow([inert(_printable(note))])
    writer.writerow([inert(_printable(column.heading)) for column in sheet.columns])
    for row in _checked(sheet):
        writer.writerow([_csv_value(value) for value in row])
    return b"\xef\xbb\xbf" + file.getvalue().encode()


def write_xlsx(sheets: Sequence[ExportSheet]) -> bytes:
    """A workbook in which text is typed as text, whatever it begins with, and numbers and days are what they are.

    Raises TypeError when a value is not of its column's kind.
    """
    # Takes a tenth of the office's start, so whoever writes a workbook loads it.
    import openpyxl  # type: ignore[import-untyped]

    checked = [(sheet, list(_checked(sheet))) for sheet in sheets]  # first, so that no half-written file is left
    book = openpyxl.Workbook(write_only=True)
    book.properties.creator = "Bluezone"
    for sheet, rows in checked:
        page = book.create_sheet(_NOT_IN_A_TITLE.sub(" ", _printable(sheet.title))[:31] or None)
        page.freeze_panes = f"A{len(sheet.notes) + 2}"
        for number, column in enumerate(sheet.columns, 1):
            letter = openpyxl.utils.get_column_letter(number)
            page.column_dimensions[letter].width = min(max(len(column.heading) + 4, 12), 50)
        for note in sheet.notes:
            page.append([_text_cell(page, note)])
        page.append([_text_cell(page, column.heading, bold=True) for column in sheet.columns])
        for row in rows:
            page.append([_cell(page, value, column.kind) for value, column in zip(row, sheet.columns, strict=True)])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _checked(sheet: ExportSheet) -> Iterator[Sequence[Value]]:
    for row in sheet.rows:
        for value, column in zip(row, sheet.columns, strict=True):
            if value is not None and not _fits(value, column.kind):
                raise TypeError(f"column {column.heading!r} takes {column.kind.name}, got {type(value).__name__}")
        yield row


def _fits(value: object, kind: ColumnKind) -> bool:
    if kind is ColumnKind.TEXT:
        return isinstance(value, str)
    if kind is ColumnKind.DAY:
        return isinstance(value, datetime.date) and not isinstance(value, datetime.datetime)
    whole = isinstance(value, int) and not isinstance(value, bool)
    return whole if kind is ColumnKind.COUNT else whole or (isinstance(value, float) and abs(value) < float("inf"))


def _csv_value(value: Value) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, datetime.date):
        return value.strftime("%d/%m/%Y")
    return inert(_printable(value)) if isinstance(value, str) else value


def _cell(page: Any, value: Value, kind: ColumnKind) -> Any:
    if isinstance(value, str):
        return _text_cell(page, value)
    from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped]

    cell = WriteOnlyCell(page, value)
    cell.number_format = kind.value
    return cell


def _text_cell(page: Any, text: str, bold: bool = False) -> Any:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font  # type: ignore[import-untyped]

    printable = _printable(text)
    cell = WriteOnlyCell(page, printable)
    cell.data_type = "s"  # openpyxl takes "=…" for a formula and "#N/A" for an error unless told
    cell.number_format = ColumnKind.TEXT.value
    cell.quotePrefix = printable.startswith(FORMULA_STARTS)  # stays text when someone edits the cell
    if bold:
        cell.font = Font(bold=True)
    return cell


def _printable(text: str) -> str:
    """Characters that no spreadsheet file may hold become U+FFFD; what is too long for a cell is cut, visibly."""
    clean = _CONTROL.sub("\ufffd", text)
    return clean if len(clean) <= MAX_CELL_CHARACTERS - 1 else clean[: MAX_CELL_CHARACTERS - 1 - len(CUT)] + CUT
