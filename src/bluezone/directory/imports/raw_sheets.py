# SPDX-License-Identifier: Apache-2.0
"""What the readers of CSV, XLSX, XLS and ODS have in common: rows as found in the file, limits, and what a cell says,
a text, a count or a day.
"""

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

# A list of a whole province (10,000 residential groups) fits many times; a file beyond this is not such a list.
MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_ROWS = 20_000
MAX_COLUMNS = 64
MAX_CELL_CHARACTERS = 4_000


class Unreadable(enum.Enum):
    """A cell without a value that could be trusted."""

    FORMULA_WITHOUT_VALUE = "a formula whose result is not stored in the file"
    ERROR = "an error value of the spreadsheet program"


Cell = str | int | float | bool | datetime.date | None
RawCell = Cell | Unreadable


@dataclasses.dataclass(frozen=True)
class RawRow:
    """One row that is not empty; `number` counts as the spreadsheet program shows it, from 1."""

    number: int
    cells: tuple[RawCell, ...]


@dataclasses.dataclass(frozen=True)
class RawSheet:
    """A sheet before anyone looked for headings.

    encoding: how the file's bytes became text ("utf-8", "windows-1258", "xlsx", "xls", ...).
    fonts:    column index from 0 -> what the legacy font of its cells promises (not CSV).
    merged:   cells that are one over several rows: column index from 0, number of the first and of the last row.
    """

    title: str
    rows: tuple[RawRow, ...]
    encoding: str
    fonts: Mapping[int, TextEncoding] = dataclasses.field(default_factory=dict)
    merged: tuple[tuple[int, int, int], ...] = ()

    def rows_below(self, number: int) -> list[RawRow]:
        """The rows after one, with what is merged over several of them in each of these."""
        rows = [list(row.cells) for row in self.rows if row.number > number]
        numbers = [row.number for row in self.rows if row.number > number]
        for column, first, last in self.merged:
            inside = rows[bisect_left(numbers, first) : bisect_right(numbers, last)]
            if inside and numbers[bisect_left(numbers, first)] == first and column < len(inside[0]):
                for cells in inside[1:]:
                    cells += [None] * (column + 1 - len(cells))
                    cells[column] = inside[0][column] if cells[column] is None else cells[column]
        return [RawRow(at, tuple(cells)) for at, cells in zip(numbers, rows, strict=True)]


# Rows of the second sheet count on from here, those of the third from twice as much: more than any sheet has.
SHEET_ROWS = 2**21


def sheet_and_row(number: int) -> tuple[int, int]:
    """A row's number in a list of several sheets as the sheet, from 1, and the row in it as programs count it."""
    sheet, row = divmod(number, SHEET_ROWS)
    return sheet + 1, row


_PACKED = b"bluezone sheets 1\n"


def pack(sheets: Sequence[RawSheet]) -> bytes:
    """Sheets as bytes to be kept, so that a file is parsed once."""
    return _PACKED + zlib.compress(json.dumps(as_json(sheets)).encode())


def is_packed(content: bytes) -> bool:
    """Whether these bytes come from `pack`."""
    return content.startswith(_PACKED)


def unpack(content: bytes) -> list[RawSheet]:
    """Sheets from what `pack` wrote."""
    return as_sheets(json.loads(zlib.decompress(content[len(_PACKED) :])))


def as_json(sheets: Sequence[RawSheet]) -> list[Any]:
    """Sheets as what JSON can hold; `as_sheets` reads it."""
    return [
        [
            sheet.title,
            sheet.encoding,
            {str(column): str(font) for column, font in sheet.fonts.items()},
            [[row.number, [_packed(cell) for cell in row.cells]] for row in sheet.rows],
            sheet.merged,
        ]
        for sheet in sheets
    ]


def as_sheets(rows: list[Any]) -> list[RawSheet]:
    """Sheets from `as_json`."""
    return [
        RawSheet(
            title,
            tuple(RawRow(number, tuple(map(_unpacked, cells))) for number, cells in found),
            encoding,
            {int(column): TextEncoding(font) for column, font in fonts.items()},
            # Lists that wait since before an upgrade have none.
            tuple((column, first, last) for column, first, last in (merged[0] if merged else ())),
        )
        for title, encoding, fonts, found, *merged in rows
    ]


def _packed(cell: RawCell) -> Any:
    if isinstance(cell, Unreadable):
        return {"unreadable": cell.name}
    return {"day": cell.isoformat()} if isinstance(cell, datetime.date) else cell


def _unpacked(cell: Any) -> RawCell:
    if isinstance(cell, dict):
        if "day" in cell:
            return datetime.date.fromisoformat(cell["day"])
        return Unreadable[cell["unreadable"]]
    found: RawCell = cell
    return found


class SpreadsheetRefused(Refused):
    """A file that cannot be taken as a table; nothing was stored."""

    code = "spreadsheet_refused"


class SpreadsheetTooLarge(SpreadsheetRefused):
    """More bytes, rows, columns or characters than a list of a city has; also what an archive would unpack to."""

    code = "spreadsheet_too_large"


class SpreadsheetTypeUnknown(SpreadsheetRefused):
    """Neither CSV nor XLSX, XLS or ODS: a file with a password, a PDF, a picture."""

    code = "spreadsheet_type_unknown"


class SpreadsheetDamaged(SpreadsheetRefused):
    """The file breaks off, or its parts contradict each other."""

    code = "spreadsheet_damaged"


class SpreadsheetHasMacros(SpreadsheetRefused):
    """A workbook with programs inside."""

    code = "spreadsheet_has_macros"


class SpreadsheetEncodingUnknown(SpreadsheetRefused):
    """Bytes that are text in none of the encodings met in Vietnamese offices."""

    code = "spreadsheet_encoding_unknown"


class SpreadsheetEncodingMixed(SpreadsheetRefused):
    """Some lines or cells are in one encoding and some in another."""

    code = "spreadsheet_encoding_mixed"


class SpreadsheetHeaderMissing(SpreadsheetRefused):
    """No row near the top holds the headings expected."""

    code = "spreadsheet_header_missing"


class SpreadsheetColumnsMissing(SpreadsheetRefused):
    """A heading row was found, but a column that is needed is not in it."""

    code = "spreadsheet_columns_missing"


class SpreadsheetHeadingRepeated(SpreadsheetRefused):
    """Two columns have headings that mean the same."""

    code = "spreadsheet_heading_repeated"


class SpreadsheetHeadingMerged(SpreadsheetRefused):
    """A column has values but no heading of its own, as under a merged heading cell."""

    code = "spreadsheet_heading_merged"


class SpreadsheetOfPeople(SpreadsheetRefused):
    """A list of people where one of agencies is taken: a telephone number in it is somebody's own."""

    code = "spreadsheet_of_people"


class SpreadsheetEmpty(SpreadsheetRefused):
    """Headings and nothing below them."""

    code = "spreadsheet_empty"


class SpreadsheetCellUnreadable(SpreadsheetRefused):
    """A cell holds an error, a formula without a stored result, or characters that are no text."""

    code = "spreadsheet_cell_unreadable"


def column_letter(index: int) -> str:
    """The name a spreadsheet program gives the column: 0 -> A, 26 -> AA."""
    letters = ""
    index += 1
    while index:
        index, place = divmod(index - 1, 26)
        letters = chr(ord("A") + place) + letters
    return letters


# No count in a city's lists is larger; a longer number is a code or a phone number in the wrong column.
MAX_COUNT = 200_000_000

_DAY = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})\Z")


class NotACount(Refused):
    """A cell that should hold a whole number of people, households or phones holds something else."""

    code = "cell_not_a_count"


class NotADay(Refused):
    """A cell that should hold a date holds something else."""

    code = "cell_not_a_day"


def text_of(cell: Cell) -> str:
    """The cell as a clerk would write it; "" for an empty one, days as 07/08/2020."""
    if cell is None:
        return ""
    if isinstance(cell, datetime.date):
        return cell.strftime("%d/%m/%Y")
    return str(cell).strip()


def count_of(cell: Cell) -> int | None:
    """A whole number from 0 to MAX_COUNT; None for an empty cell. Of text what `read_count` takes.

    A number with decimals is refused: a program that took "45.036" for 45 and a bit would be off a thousandfold.
    """
    if cell is None:
        return None
    count: int | None = None
    if isinstance(cell, int) and not isinstance(cell, bool):
        count = cell
    elif isinstance(cell, str):
        count = read_count(cell)
    if count is None or not 0 <= count <= MAX_COUNT:
        raise NotACount(f"got something that is no whole number from 0 to {MAX_COUNT}")
    return count


def day_of(cell: Cell) -> datetime.date | None:
    """A day, from a date cell or from text as 07/8/2020, 07-08-2020 or 2020-08-07; None for an empty cell."""
    if cell is None:
        return None
    if isinstance(cell, datetime.date):
        return cell
    text = text_of(cell)
    written = _DAY.match(text)
    try:
        if written:
            day, month, year = map(int, written.groups())
            return datetime.date(year, month, day)
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return datetime.date.fromisoformat(text)
    except ValueError:
        pass
    raise NotADay("got something that is no day; expected day/month/year, as in 07/8/2020")
