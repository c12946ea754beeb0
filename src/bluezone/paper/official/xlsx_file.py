# SPDX-License-Identifier: Apache-2.0
"""Write tables as XLSX in which no value can start anything: text stays text, whatever it begins with.

A spreadsheet program runs what looks like a formula ("=cmd|…", "+…", "-…", "@…"). In XLSX a cell carries its type, so
text is written with type "string", and marked with the prefix that keeps it text when someone edits the cell.
Source: OWASP, "CSV Injection"; ECMA-376 Part 1, section 18.3.1.4 (cell) and 18.8.45 (quotePrefix).
"""

import datetime
import io
import re
import zipfile
from collections.abc import Sequence
from decimal import Decimal

from openpyxl import Workbook  # type: ignore[import-untyped]
from openpyxl.cell import Cell  # type: ignore[import-untyped]
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side  # type: ignore[import-untyped]
from openpyxl.utils import get_column_letter  # type: ignore[import-untyped]
from openpyxl.worksheet.worksheet import Worksheet  # type: ignore[import-untyped]

from bluezone.paper.official.document import Column, DocumentInvalid, Table, Value
from bluezone.paper.tables import FORMULA_STARTS

_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_PROPERTIES = "docProps/core.xml"
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")
_LONGEST_TEXT = 32_767
_LONGEST_SHEET_NAME = 31

_FONT = "Times New Roman"
_HEAD_FILL = PatternFill("solid", fgColor="E7EEF7")
_THIN = Side(style="thin", color="999999")
_BORDER = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_FIXED_TIME = datetime.datetime(2020, 8, 7, tzinfo=datetime.UTC)


def write_xlsx(tables: Sequence[Table], *, zone: datetime.tzinfo, heading: Sequence[str] = ()) -> bytes:
    """Return a workbook with one sheet per table.

    zone:    the zone in which aware times are shown; a spreadsheet knows none.
    heading: lines above each table, such as the issuer and the period.
    The same tables give the same bytes. Raises DocumentInvalid for no table or a time without zone.
    """
    if not tables:
        raise DocumentInvalid("a workbook needs at least one table")
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for table in tables:
        _fill(workbook.create_sheet(_sheet_name(table.title, workbook.sheetnames)), table, heading, zone)
    workbook.properties.creator = "Bluezone"
    workbook.properties.created = workbook.properties.modified = _FIXED_TIME.replace(tzinfo=None)
    target = io.BytesIO()
    workbook.save(target)
    return _with_fixed_times(target.getvalue())


def _sheet_name(title: str, taken: Sequence[str]) -> str:
    """Return a name that a sheet may have and no other has: 31 characters, none of []:*?/\\, no quote at an end."""
    plain = re.sub(r"[\[\]:*?/\\]", " ", _FORBIDDEN.sub("", title)).strip("' ") or "Bảng"
    name, number = plain[:_LONGEST_SHEET_NAME].strip("' "), 2
    while name.casefold() in {other.casefold() for other in taken}:
        ending = f" ({number})"
        name = plain[: _LONGEST_SHEET_NAME - len(ending)] + ending
        number += 1
    return name


def _fill(sheet: Worksheet, table: Table, heading: Sequence[str], zone: datetime.tzinfo) -> None:
    line = 1
    for text in (*heading, table.title):
        _write(sheet.cell(line, 1), text, zone).font = Font(name=_FONT, bold=True, size=13)
        line += 1
    for number, column in enumerate(table.columns, 1):
        cell = _write(sheet.cell(line, number), column.title, zone)
        cell.font, cell.fill, cell.border = Font(name=_FONT, bold=True), _HEAD_FILL, _BORDER
        cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center")
        sheet.column_dimensions[get_column_letter(number)].width = _width(column, table.columns)
    sheet.freeze_panes = sheet.cell(line + 1, 1)
    sheet.print_title_rows = f"{line}:{line}"
    for row in table.rows:
        line += 1
        for number, (value, column) in enumerate(zip(row, table.columns, strict=True), 1):
            cell = _write(sheet.cell(line, number), value, zone, column.number_format)
            cell.font, cell.border = Font(name=_FONT), _BORDER
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    if table.note:
        _write(sheet.cell(line + 1, 1), table.note, zone).font = Font(name=_FONT, italic=True)
    sheet.page_setup.orientation = "landscape" if len(table.columns) > 6 else "portrait"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _width(column: Column, columns: Sequence[Column]) -> float:
    return min(60.0, max(8.0, 100.0 * column.width / sum(each.width for each in columns)))


def _write(cell: Cell, value: Value, zone: datetime.tzinfo, number_format: str = "General") -> Cell:
    """Put a value into a cell as what it is; text is never looked at as a formula."""
    match value:
        case None:
            return cell
        case str():
            # openpyxl turns text that begins with "=" into a formula; the type is set to text after the value.
            text = _FORBIDDEN.sub("", value)[:_LONGEST_TEXT]
            cell.value = text
            cell.data_type = "s"
            # No public name sets this mark in openpyxl 3.1; a test reads it back from the file.
            cell.font = Font(name=_FONT)
            cell._style.quotePrefix = text.startswith(FORMULA_STARTS)
        case datetime.datetime():
            if value.tzinfo is None:
                raise DocumentInvalid("a time without zone cannot be written")
            cell.value = value.astimezone(zone).replace(tzinfo=None)
            cell.number_format = "hh:mm dd/mm/yyyy"
        case datetime.date():
            cell.value = value
            cell.number_format = "dd/mm/yyyy"
        case bool():
            cell.value = "Có" if value else "Không"
        case int() | float() | Decimal():
            cell.value = value
            cell.number_format = number_format
    return cell


def _with_fixed_times(data: bytes) -> bytes:
    """Return the package with the same date on every part, so that the same tables give the same bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as package, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as fixed:
        for part in package.infolist():
            content = package.read(part)
            if part.filename == _PROPERTIES:
                # openpyxl writes the moment of saving over what it was told.
                content = _MODIFIED.sub(rb"\g<1>2020-08-07T00:00:00Z\g<2>", content)
            fixed.writestr(zipfile.ZipInfo(part.filename, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()
