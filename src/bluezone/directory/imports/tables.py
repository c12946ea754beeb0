# SPDX-License-Identifier: Apache-2.0
"""A CSV, XLSX or XLS list as rows under the headings a caller asks for.

Nothing is converted, computed or guessed in silence: text of a legacy font comes back as it is, with a proposal that a
person confirms (`Table.converted`), and every refusal names the row and column. Values are never repeated in refusals.
"""

import dataclasses
import unicodedata
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from bluezone.directory.imports.csv_files import read_csv
from bluezone.directory.imports.headings import Column, Header, find_header, header_missing
from bluezone.directory.imports.raw_sheets import (
    MAX_CELL_CHARACTERS,
    MAX_FILE_BYTES,
    Cell,
    RawCell,
    RawSheet,
    SpreadsheetCellUnreadable,
    SpreadsheetEmpty,
    SpreadsheetEncodingMixed,
    SpreadsheetSheetsAmbiguous,
    SpreadsheetTooLarge,
    SpreadsheetTypeUnknown,
    Unreadable,
    column_letter,
)
from bluezone.vietnamese.detection import Change, detect, first_contradiction, preview
from bluezone.vietnamese.legacy_fonts import LEGACY_ENCODINGS, TextEncoding, to_unicode

_XLS_SIGNATURE = b"\xd0\xcf\x11\xe0"
_NOT_TABLES = (
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
)


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of the list: its number in the file, and the value of each column found (None where empty).

    CSV gives text only; XLSX and XLS give text, int, float, bool and date. Text is NFC without space at its ends.
    """

    number: int
    cells: Mapping[str, Cell]


@dataclasses.dataclass(frozen=True)
class LegacyProposal:
    """Columns that seem to be typed with a legacy font, by name, and some of their texts before and after."""

    encodings: Mapping[str, TextEncoding]
    changes: tuple[Change, ...]


@dataclasses.dataclass(frozen=True)
class Table:
    """A list as read.

    header_row: number of the heading row.
    letters:    column name -> letter in the file, for sentences that point at a cell.
    ignored:    headings of columns nobody asked for; shown, so that nothing is left out unseen.
    encoding:   how bytes became text: "utf-8", "utf-16-le", "windows-1258", "windows-1252", "xlsx", "xls", ...
    legacy:     a proposal to be confirmed, or None.
    """

    rows: tuple[Row, ...]
    header_row: int
    letters: Mapping[str, str]
    ignored: tuple[str, ...]
    encoding: str
    legacy: LegacyProposal | None = None

    def converted(self) -> "Table":
        """The same list after a person confirmed the proposal; without a proposal, the list itself."""
        if self.legacy is None:
            return self
        encodings = self.legacy.encodings
        rows = tuple(
            Row(row.number, {name: _convert(cell, encodings.get(name)) for name, cell in row.cells.items()})
            for row in self.rows
        )
        return dataclasses.replace(self, rows=rows, legacy=None)

    def left_as_is(self) -> "Table":
        """The same list after a person declined the proposal."""
        return dataclasses.replace(self, legacy=None)


def read_table(source: BinaryIO, columns: Sequence[Column]) -> Table:
    """Read the one sheet of `source` that has the headings of `columns`; what the file is shows in its bytes.

    Reads at most MAX_FILE_BYTES + 1 bytes. Raises a SpreadsheetRefused of module `sheets`.
    """
    data = source.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise SpreadsheetTooLarge(f"the file has more than {MAX_FILE_BYTES // 2**20} MB; split the list")
    found = []
    for sheet in _read_sheets(data):
        header = find_header(sheet, columns)
        if header is not None:
            found.append((sheet, header))
    if not found:
        raise header_missing(columns)
    if len(found) > 1:
        titles = ", ".join(str(number) for number, _ in enumerate(found, 1))
        raise SpreadsheetSheetsAmbiguous(f"{len(found)} sheets hold such a list ({titles}); leave one in the file")
    return _table(*found[0])


def _read_sheets(data: bytes) -> list[RawSheet]:
    if data.startswith(b"PK"):
        from bluezone.directory.imports.workbooks import read_xlsx

        return read_xlsx(data)
    if data.startswith(_XLS_SIGNATURE):
        from bluezone.directory.imports.workbooks import read_xls

        return read_xls(data)
    for beginning, kind in _NOT_TABLES:
        if data.startswith(beginning):
            raise SpreadsheetTypeUnknown(f"the file is {kind}; save the list as .xlsx or .csv")
    return [read_csv(data)]


def _table(sheet: RawSheet, header: Header) -> Table:
    rows = []
    for raw in sheet.rows:
        if raw.number <= header.row:
            continue
        cells = {
            name: _cell(raw.cells[index] if index < len(raw.cells) else None, raw.number, index)
            for name, index in header.places.items()
        }
        if any(cell is not None for cell in cells.values()):
            rows.append(Row(raw.number, cells))
    if not rows:
        raise SpreadsheetEmpty(f"there is no row below the headings in row {header.row}")
    letters = {name: column_letter(index) for name, index in header.places.items()}
    fonts = {name: sheet.fonts[index] for name, index in header.places.items() if index in sheet.fonts}
    legacy = _legacy_proposal(rows, letters, fonts)
    return Table(tuple(rows), header.row, letters, tuple(header.ignored.values()), sheet.encoding, legacy)


def _cell(cell: RawCell, row: int, index: int) -> Cell:
    where = f"row {row}, column {column_letter(index)}"
    if isinstance(cell, Unreadable):
        raise SpreadsheetCellUnreadable(f"{where} holds {cell.value}; replace it by its value")
    if not isinstance(cell, str):
        return cell
    if len(cell) > MAX_CELL_CHARACTERS:
        raise SpreadsheetTooLarge(f"{where} has {len(cell)} characters, at most {MAX_CELL_CHARACTERS} are taken")
    text = unicodedata.normalize("NFC", cell.strip())
    if any(unicodedata.category(letter) in {"Cc", "Cs"} and letter not in "\t\r\n" for letter in text):
        raise SpreadsheetCellUnreadable(f"{where} holds control characters, which are no text; type it again")
    return text or None


def _legacy_proposal(
    rows: Sequence[Row], letters: Mapping[str, str], fonts: Mapping[str, TextEncoding]
) -> LegacyProposal | None:
    """Look at each column by itself, because each has its own font. Raises SpreadsheetEncodingMixed."""
    encodings: dict[str, TextEncoding] = {}
    changes: list[Change] = []
    for name, letter in letters.items():
        numbered = [(row.number, cell) for row in rows if isinstance(cell := row.cells[name], str)]
        texts = [text for _, text in numbered]
        encoding = fonts.get(name, TextEncoding.UNKNOWN)
        if encoding is TextEncoding.UNKNOWN or first_contradiction(texts, encoding) is not None:
            encoding = detect("\n".join(texts)).encoding
        if encoding in LEGACY_ENCODINGS:
            if shown := preview(texts, encoding):
                encodings[name] = encoding
                changes.extend(shown)
            continue
        for number, text in numbered:
            if detect(text).is_legacy:
                raise SpreadsheetEncodingMixed(f"row {number}, column {letter} is in another encoding than its column")
    return LegacyProposal(encodings, tuple(changes)) if encodings else None


def _convert(cell: Cell, encoding: TextEncoding | None) -> Cell:
    return to_unicode(cell, encoding) if isinstance(cell, str) and encoding is not None else cell
