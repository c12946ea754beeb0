# SPDX-License-Identifier: Apache-2.0
"""Read the sheets of a CSV, XLSX, XLS or ODS file as one list, with its rows under the caller's columns."""

import dataclasses
import unicodedata
from collections import ChainMap
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import BinaryIO

from bluezone.directory.imports.files.file_types import read_sheets
from bluezone.directory.imports.files.raw_sheets import (
    MAX_CELL_CHARACTERS,
    MAX_FILE_BYTES,
    ROW_NUMBERS_PER_SHEET,
    Cell,
    RawCell,
    RawRow,
    RawSheet,
    SpreadsheetCellUnreadable,
    SpreadsheetColumnsMissing,
    SpreadsheetEmpty,
    SpreadsheetTooLarge,
    UnreadableCell,
    column_letter,
)
from bluezone.directory.imports.heading_rows import (
    Column,
    Header,
    find_header,
    header_at,
    missing_header_refusal,
)
from bluezone.directory.imports.legacy_columns import LegacyProposal, convert_cell, join_proposals, propose_conversion
from bluezone.directory.imports.sections import first_foot_row, is_no_entry, section_heading_value, section_value


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of the list: its number in the file (raw_sheets.sheet_and_row), and its cells by column name.

    Empty cells are None. CSV gives only text; XLSX, XLS and ODS give text, int, float, bool and date. Text is in NFC,
    without space at its ends.
    """

    number: int
    cells: Mapping[str, Cell]


@dataclasses.dataclass(frozen=True)
class Table:
    """A list as read.

    header_row: number of the heading row.
    letters:    column name -> letter in the file, for sentences about a cell.
    ignored:    headings of unused columns; pages list them, so that nothing is left out unnoticed.
    encoding:   how bytes were decoded: "utf-8", "utf-16-le", "windows-1258", "windows-1252", "xlsx", "xls", ...
    legacy:     a proposal to confirm, or None.
    left_out:   rows that are not entries: section headings, sums, signatures below the list.
    """

    rows: tuple[Row, ...]
    header_row: int
    letters: Mapping[str, str]
    ignored: tuple[str, ...]
    encoding: str
    legacy: LegacyProposal | None = None
    left_out: tuple[int, ...] = ()

    def with_conversion(self) -> "Table":
        """The list with the confirmed proposal applied; without a proposal, the list itself."""
        if self.legacy is None:
            return self
        encodings = self.legacy.encodings
        rows = tuple(
            Row(row.number, {name: convert_cell(cell, encodings.get(name)) for name, cell in row.cells.items()})
            for row in self.rows
        )
        return dataclasses.replace(self, rows=rows, legacy=None)

    def without_conversion(self) -> "Table":
        """The list without the declined proposal."""
        return dataclasses.replace(self, legacy=None)


def read_table(source: BinaryIO, columns: Sequence[Column]) -> Table:
    """Read the list with these columns from `source`, of any file type.

    Reads at most MAX_FILE_BYTES + 1 bytes. Raises a SpreadsheetRefused.
    """
    return join_sheets(read_sheets(source.read(MAX_FILE_BYTES + 1)), columns)


@dataclasses.dataclass(frozen=True)
class Layout:
    """The place of a list, chosen by a person.

    sheets: indexes from 0. header_row: last row of headings, 0 for none. places: column name -> index from 0.
    """

    sheets: tuple[int, ...]
    header_row: int
    places: Mapping[str, int]


def join_sheets(
    sheets: Sequence[RawSheet],
    columns: Sequence[Column],
    remembered: Mapping[str, str] | None = None,
    layout: Layout | None = None,
) -> Table:
    """The list in these sheets, joined from all sheets that have one.

    remembered: see `heading_rows.find_header`. layout: a person's choice; None: find the headings.
    Raises a SpreadsheetRefused.
    """
    if layout is not None:
        chosen = [sheets[index] for index in layout.sheets if index < len(sheets)]
        parts = [(sheet, header_at(sheet, layout.header_row, layout.places)) for sheet in chosen]
    else:
        searched = [(sheet, find_header(sheet, columns, remembered)) for sheet in sheets]
        parts = [(sheet, header) for sheet, header in searched if header is not None]
    if not parts:
        raise missing_header_refusal(columns)
    tables = [_read_sheet(sheet, header, columns, number) for number, (sheet, header) in enumerate(parts)]
    rows = tuple(chain.from_iterable(table.rows for table in tables))
    if not rows:
        raise SpreadsheetEmpty(f"there is no row below the headings in row {tables[0].header_row}")
    first = tables[0]
    if len(tables) == 1:
        return first
    return dataclasses.replace(
        first,
        rows=rows,
        letters=dict(ChainMap(*(dict(table.letters) for table in tables))),
        ignored=tuple(dict.fromkeys(chain.from_iterable(table.ignored for table in tables))),
        legacy=join_proposals(table.legacy for table in tables),
        left_out=tuple(chain.from_iterable(table.left_out for table in tables)),
    )


def _read_sheet(sheet: RawSheet, header: Header, columns: Sequence[Column], sheet_number: int) -> Table:
    """The list of one sheet. sheet_number: from 0, so that row numbers of different sheets differ."""
    above = {
        column.name: column.above for column in columns if column.above is not None and column.name not in header.places
    }
    section_values = {name: section_value(sheet.title, pattern) for name, pattern in above.items()}
    required = {column.name for column in columns if column.required}
    first_number = sheet_number * ROW_NUMBERS_PER_SHEET
    is_wide = len(header.places) + len(header.ignored) > 2
    below = sheet.rows_below(header.row)
    foot = first_foot_row(below, {index for name, index in header.places.items() if name in required})
    rows = []
    left_out = []
    for raw in below:
        sections = {name: text for name, pattern in above.items() if (text := section_heading_value(raw, pattern))}
        section_values |= sections
        is_first = raw.number == header.row + 1
        if sections or raw.number >= foot or (is_wide and is_no_entry(raw, first=is_first)):
            left_out.append(first_number + raw.number)
            continue
        cells = {name: _cell_at(raw, index) for name, index in header.places.items()}
        if any(cell is not None for cell in cells.values()):
            rows.append(Row(first_number + raw.number, {**cells, **section_values}))
    _require_section_values(columns, header, above, section_values)
    letters = {name: column_letter(index) for name, index in header.places.items()}
    fonts = {name: sheet.fonts[index] for name, index in header.places.items() if index in sheet.fonts}
    legacy = propose_conversion({name: _texts_of(rows, name) for name in letters}, letters, fonts)
    ignored = tuple(header.ignored.values())
    return Table(tuple(rows), header.row, letters, ignored, sheet.encoding, legacy, tuple(left_out))


def _require_section_values(
    columns: Sequence[Column], header: Header, above: Mapping[str, object], section_values: Mapping[str, str]
) -> None:
    """Raise SpreadsheetColumnsMissing if a required column is neither in the headings nor in a section heading."""
    missing = [
        column.headings[0]
        for column in columns
        if column.required and above.get(column.name) and not section_values[column.name]
    ]
    if missing:
        raise SpreadsheetColumnsMissing(f"row {header.row} has the headings, but none for: {', '.join(missing)}")


def _texts_of(rows: Sequence[Row], column: str) -> list[tuple[int, str]]:
    return [(row.number, cell) for row in rows if isinstance(cell := row.cells[column], str)]


def _cell_at(raw: RawRow, index: int) -> Cell:
    if index >= len(raw.cells):
        return None
    return _cell(raw.cells[index], raw.number, index)


def _cell(cell: RawCell, row: int, index: int) -> Cell:
    where = f"row {row}, column {column_letter(index)}"
    if isinstance(cell, UnreadableCell):
        raise SpreadsheetCellUnreadable(f"{where} holds {cell.value}; replace it by its value")
    if not isinstance(cell, str):
        return cell
    if len(cell) > MAX_CELL_CHARACTERS:
        raise SpreadsheetTooLarge(f"{where} has {len(cell)} characters, at most {MAX_CELL_CHARACTERS} are taken")
    text = unicodedata.normalize("NFC", cell.strip())
    if any(unicodedata.category(letter) in {"Cc", "Cs"} and letter not in "\t\r\n" for letter in text):
        raise SpreadsheetCellUnreadable(f"{where} holds control characters, which are not text; type it again")
    return text or None
