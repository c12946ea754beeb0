# SPDX-License-Identifier: Apache-2.0
"""Common parts of the readers of CSV, XLSX, XLS and ODS: raw rows, limits, and cells read as text, count or day."""

import dataclasses
import datetime
import enum
import json
import re
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from bluezone.refusal import Refused
from bluezone.vietnamese.legacy_fonts import TextEncoding
from bluezone.vietnamese.typed import read_count

# Several times the size of a list of a whole province (10,000 residential groups).
MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_ROWS = 20_000
MAX_COLUMNS = 64
MAX_CELL_CHARACTERS = 4_000
Cell = str | int | float | bool | datetime.date | None
# Row numbers of the second sheet start here, those of the third at twice this; no sheet has as many rows.
ROW_NUMBERS_PER_SHEET = 2**21
_PACKED_PREFIX = b"bluezone sheets 1\n"
# No count in a city's lists is larger; a larger number is a code or a phone number in the wrong column.
MAX_COUNT = 200_000_000
_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})\Z")


class UnreadableCell(enum.Enum):
    """A cell without a reliable value."""

    FORMULA_WITHOUT_VALUE = "a formula whose result is not stored in the file"
    ERROR = "an error value of the spreadsheet program"


RawCell = Cell | UnreadableCell


@dataclasses.dataclass(frozen=True)
class RawRow:
    """A row that is not empty; `number` is the one that spreadsheet programs show, from 1."""

    number: int
    cells: tuple[RawCell, ...]


@dataclasses.dataclass(frozen=True)
class RawSheet:
    """A sheet in which no headings have been found yet.

    encoding: how the file's bytes were decoded ("utf-8", "windows-1258", "xlsx", "xls", ...).
    fonts:    column index from 0 -> encoding that the legacy font of its cells suggests (not for CSV).
    merged:   cells merged over several rows: column index from 0, numbers of the first and of the last row.
    """

    title: str
    rows: tuple[RawRow, ...]
    encoding: str
    fonts: Mapping[int, TextEncoding] = dataclasses.field(default_factory=dict)
    merged: tuple[tuple[int, int, int], ...] = ()

    def rows_below(self, number: int) -> list[RawRow]:
        """The rows after row `number`; each row of a merged cell gets the cell's value."""
        rows = [list(row.cells) for row in self.rows if row.number > number]
        numbers = [row.number for row in self.rows if row.number > number]
        for column, first, last in self.merged:
            inside = rows[bisect_left(numbers, first) : bisect_right(numbers, last)]
            if inside and numbers[bisect_left(numbers, first)] == first and column < len(inside[0]):
                for cells in inside[1:]:
                    cells += [None] * (column + 1 - len(cells))
                    if cells[column] is None:
                        cells[column] = inside[0][column]
        return [RawRow(at, tuple(cells)) for at, cells in zip(numbers, rows, strict=True)]


def split_row_number(number: int) -> tuple[int, int]:
    """Return (sheet, row), both from 1 as in spreadsheet programs, for a row number in a list of several sheets."""
    sheet, row = divmod(number, ROW_NUMBERS_PER_SHEET)
    return sheet + 1, row


def pack_sheets(sheets: Sequence[RawSheet]) -> bytes:
    """Sheets as bytes to store, so that a file is parsed only once."""
    return _PACKED_PREFIX + zlib.compress(json.dumps(sheets_to_json(sheets)).encode())


def is_packed(content: bytes) -> bool:
    """Whether these bytes come from `pack_sheets`."""
    return content.startswith(_PACKED_PREFIX)


def unpack_sheets(content: bytes) -> list[RawSheet]:
    """The sheets that `pack_sheets` wrote."""
    return sheets_from_json(json.loads(zlib.decompress(content[len(_PACKED_PREFIX) :])))


def sheets_to_json(sheets: Sequence[RawSheet]) -> list[Any]:
    """Sheets as JSON values; `sheets_from_json` reads them."""
    return [
        [
            sheet.title,
            sheet.encoding,
            {str(column): str(font) for column, font in sheet.fonts.items()},
            [[row.number, [_cell_as_json(cell) for cell in row.cells]] for row in sheet.rows],
            sheet.merged,
        ]
        for sheet in sheets
    ]


def sheets_from_json(documents: list[Any]) -> list[RawSheet]:
    """The sheets that `sheets_to_json` wrote."""
    return [_sheet_from_json(*document) for document in documents]


def _sheet_from_json(title: str, encoding: str, fonts: Any, rows: Any, merged: Any = ()) -> RawSheet:
    """merged: missing in lists that were uploaded before an upgrade."""
    return RawSheet(
        title,
        tuple(RawRow(number, tuple(map(_cell_from_json, cells))) for number, cells in rows),
        encoding,
        {int(column): TextEncoding(font) for column, font in fonts.items()},
        tuple((column, first, last) for column, first, last in merged),
    )


def _cell_as_json(cell: RawCell) -> Any:
    if isinstance(cell, UnreadableCell):
        return {"unreadable": cell.name}
    if isinstance(cell, datetime.date):
        return {"day": cell.isoformat()}
    return cell


def _cell_from_json(cell: Any) -> RawCell:
    if isinstance(cell, dict):
        if "day" in cell:
            return datetime.date.fromisoformat(cell["day"])
        return UnreadableCell[cell["unreadable"]]
    value: RawCell = cell
    return value


class SpreadsheetRefused(Refused):
    """A file that cannot be read as a table; nothing was stored."""

    code = "spreadsheet_refused"


class SpreadsheetTooLarge(SpreadsheetRefused):
    """More bytes (in an archive: unpacked bytes), rows, columns or characters than a list of a city has."""

    code = "spreadsheet_too_large"


class SpreadsheetTypeUnknown(SpreadsheetRefused):
    """The file is neither CSV nor XLSX, XLS or ODS: a file with a password, a PDF, a picture."""

    code = "spreadsheet_type_unknown"


class SpreadsheetDamaged(SpreadsheetRefused):
    """The file is cut off, or its parts contradict each other."""

    code = "spreadsheet_damaged"


class SpreadsheetHasMacros(SpreadsheetRefused):
    """A workbook with programs inside."""

    code = "spreadsheet_has_macros"


class SpreadsheetEncodingUnknown(SpreadsheetRefused):
    """Bytes that are not text in any encoding used by Vietnamese offices."""

    code = "spreadsheet_encoding_unknown"


class SpreadsheetEncodingMixed(SpreadsheetRefused):
    """Some lines or cells are in one encoding and some in another."""

    code = "spreadsheet_encoding_mixed"


class SpreadsheetHeaderMissing(SpreadsheetRefused):
    """No row near the top has the expected headings."""

    code = "spreadsheet_header_missing"


class SpreadsheetColumnsMissing(SpreadsheetRefused):
    """The heading row has no heading for a required column."""

    code = "spreadsheet_columns_missing"


class SpreadsheetHeadingRepeated(SpreadsheetRefused):
    """The headings of two columns mean the same."""

    code = "spreadsheet_heading_repeated"


class SpreadsheetHeadingMerged(SpreadsheetRefused):
    """A column has values but no heading, as below a merged heading cell."""

    code = "spreadsheet_heading_merged"


class SpreadsheetOfPeople(SpreadsheetRefused):
    """A list of people instead of agencies: its telephone numbers belong to persons."""

    code = "spreadsheet_of_people"


class SpreadsheetEmpty(SpreadsheetRefused):
    """A list without rows below its headings."""

    code = "spreadsheet_empty"


class SpreadsheetCellUnreadable(SpreadsheetRefused):
    """A cell with an error, a formula without a stored result, or characters that are not text."""

    code = "spreadsheet_cell_unreadable"


def column_letter(index: int) -> str:
    """The name of a column in spreadsheet programs: 0 -> A, 26 -> AA."""
    letters = ""
    index += 1
    while index:
        index, place = divmod(index - 1, 26)
        letters = chr(ord("A") + place) + letters
    return letters


class NotACount(Refused):
    """A cell for a number of people, households or phones has no whole number."""

    code = "cell_not_a_count"


class NotADay(Refused):
    """A cell for a date has none."""

    code = "cell_not_a_day"


def cell_text(cell: Cell) -> str:
    """The cell as a clerk would type it: "" for an empty cell, days as 07/08/2020."""
    if cell is None:
        return ""
    if isinstance(cell, datetime.date):
        return cell.strftime("%d/%m/%Y")
    return str(cell).strip()


def cell_count(cell: Cell) -> int | None:
    """A whole number from 0 to MAX_COUNT; None for an empty cell. Text is read by `read_count`.

    A number with decimals is refused: "45.036" means 45,036 in Vietnam, but a spreadsheet program may have stored it as
    a decimal number.
    """
    if cell is None:
        return None
    count: int | None = None
    if isinstance(cell, int) and not isinstance(cell, bool):
        count = cell
    elif isinstance(cell, str):
        count = read_count(cell)
    if count is None or not 0 <= count <= MAX_COUNT:
        raise NotACount(f"expected a whole number from 0 to {MAX_COUNT}")
    return count


def cell_day(cell: Cell) -> datetime.date | None:
    """A day, from a date cell or from text as 07/8/2020, 07-08-2020 or 2020-08-07; None for an empty cell."""
    if cell is None:
        return None
    if isinstance(cell, datetime.date):
        return cell
    text = cell_text(cell)
    match = _DAY.match(text)
    try:
        if match:
            day, month, year = map(int, match.groups())
            return datetime.date(year, month, day)
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return datetime.date.fromisoformat(text)
    except ValueError:
        pass
    raise NotADay("expected a day as day/month/year, as in 07/8/2020")
