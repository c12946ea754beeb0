# SPDX-License-Identifier: Apache-2.0
"""Read a CSV, XLSX, XLS or ODS list as rows under the caller's columns; CSV as Vietnamese offices save it."""

import csv
import dataclasses
import io
import math
import re
import unicodedata
from collections import ChainMap, Counter
from collections.abc import Mapping, Sequence, Set
from itertools import chain, pairwise
from typing import Any, BinaryIO

from bluezone.confinement import LimitExceeded, RefusedInside, run_confined
from bluezone.directory.imports.headings import (
    Column,
    Header,
    find_header,
    header_at,
    is_blank,
    missing_header_refusal,
)
from bluezone.directory.imports.raw_sheets import (
    MAX_CELL_CHARACTERS,
    MAX_COLUMNS,
    MAX_FILE_BYTES,
    MAX_ROWS,
    SHEET_ROWS,
    Cell,
    RawCell,
    RawRow,
    RawSheet,
    SpreadsheetCellUnreadable,
    SpreadsheetColumnsMissing,
    SpreadsheetDamaged,
    SpreadsheetEmpty,
    SpreadsheetEncodingMixed,
    SpreadsheetEncodingUnknown,
    SpreadsheetRefused,
    SpreadsheetTooLarge,
    SpreadsheetTypeUnknown,
    Unreadable,
    column_letter,
    is_packed,
    sheets_from_json,
    sheets_to_json,
    unpack_sheets,
)
from bluezone.paper.tables import as_meant
from bluezone.vietnamese.legacy_fonts import (
    LEAST_SCORE,
    LEGACY_ENCODINGS,
    Change,
    TextEncoding,
    detect,
    first_contradiction,
    preview,
    to_unicode,
)
from bluezone.vietnamese.spelling import fold

_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_DELIMITERS = (",", ";", "\t")


def read_csv(data: bytes) -> RawSheet:
    """Read the rows of a CSV file; empty rows are left out, numbers stay text.

    Raises SpreadsheetEncodingUnknown, SpreadsheetEncodingMixed, SpreadsheetDamaged or SpreadsheetTooLarge.
    """
    text, encoding = decode_text(data)
    text, delimiter = _delimiter(text)
    rows = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(RawRow(line, tuple(map(as_meant, cells))))
            if len(rows) > MAX_ROWS:
                raise SpreadsheetTooLarge(f"more than {MAX_ROWS} rows; split the list")
            if len(cells) > MAX_COLUMNS and any(cell.strip() for cell in cells[MAX_COLUMNS:]):
                raise SpreadsheetTooLarge(f"line {line} has more than {MAX_COLUMNS} columns")
            line = reader.line_num + 1
    except csv.Error as error:
        raise SpreadsheetDamaged(f"the row that begins on line {line} is cut off or wrongly quoted") from error
    return RawSheet("", tuple(rows), encoding)


def decode_text(data: bytes) -> tuple[str, str]:
    """The text of a text file, and its encoding.

    Text in a legacy font is returned as Windows-1252, unconverted; `legacy_fonts.detect` recognises it.
    Raises SpreadsheetEncodingUnknown or SpreadsheetEncodingMixed.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _decode_strictly(data[len(mark) :], encoding), encoding
    if b"\0" in data:
        encoding = _utf_16_without_mark(data)
        return _decode_strictly(data, encoding), encoding
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        _refuse_mixed_lines(data)
        return _decode_one_byte(data)


def _decode_strictly(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise SpreadsheetEncodingUnknown(f"byte {error.start} is not {encoding}, unlike the beginning") from error


def _utf_16_without_mark(data: bytes) -> str:
    """The byte order, since Latin text in UTF-16 has a zero in every other byte."""
    even = data[0::2].count(0)
    odd = data[1::2].count(0)
    if min(even, odd) * 10 > max(even, odd):
        raise SpreadsheetEncodingUnknown("the file has zero bytes, so it is not a text file")
    return "utf-16-le" if odd > even else "utf-16-be"


def _refuse_mixed_lines(data: bytes) -> None:
    lines: dict[bool, int] = {}
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            lines.setdefault(True, number)
        except UnicodeDecodeError:
            lines.setdefault(False, number)
        if len(lines) == 2:
            raise SpreadsheetEncodingMixed(f"line {lines[True]} is UTF-8 and line {lines[False]} is not")


def _decode_one_byte(data: bytes) -> tuple[str, str]:
    """Decode as windows-1258 if that spells Vietnamese; else as Windows-1252, as for text in legacy fonts."""
    vietnamese = unicodedata.normalize("NFC", data.decode("cp1258", errors="replace"))
    as_1258 = detect(vietnamese)
    western = data.decode("cp1252", errors="replace")
    as_1252 = detect(western)
    if as_1258.encoding is TextEncoding.UNICODE and as_1258.score >= LEAST_SCORE and not as_1252.is_legacy:
        text = vietnamese
        encoding = "windows-1258"
    else:
        text = western
        encoding = "windows-1252"
    if "\ufffd" in text:
        raise SpreadsheetEncodingUnknown(f"the text is not UTF-8, and not all of it is {encoding}")
    return text, encoding


def _delimiter(text: str) -> tuple[str, str]:
    """The text to read and its delimiter: the one of Excel's "sep=;" line, else the most consistent one."""
    first, _, below = text.partition("\n")
    if first.strip().lower() in {f"sep={delimiter}".strip() for delimiter in _DELIMITERS}:
        return "\n" + below, first.strip()[4:] or "\t"
    lines = text[:100_000].splitlines()[:30]
    best = max(_DELIMITERS, key=lambda delimiter: _delimiter_score(lines, delimiter))
    return text, best


def _delimiter_score(lines: list[str], delimiter: str) -> int:
    counts = Counter(line.count(delimiter) for line in lines if delimiter in line)
    return max((cells * lines_alike for cells, lines_alike in counts.items()), default=0)


_XLS_SIGNATURE = b"\xd0\xcf\x11\xe0"
# The first part of an OpenDocument file contains its type.
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
_NOT_TABLES = (
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
)


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of the list: its number in the file (raw_sheets.sheet_and_row), and its cells by column name.

    Empty cells are None. CSV gives only text; XLSX, XLS and ODS give text, int, float, bool and date. Text is in NFC,
    without space at its ends.
    """

    number: int
    cells: Mapping[str, Cell]


@dataclasses.dataclass(frozen=True)
class LegacyProposal:
    """Columns that seem to be in a legacy font, by name, and some of their texts before and after conversion."""

    encodings: Mapping[str, TextEncoding]
    changes: tuple[Change, ...]


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
            Row(row.number, {name: _convert(cell, encodings.get(name)) for name, cell in row.cells.items()})
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


def read_sheets(data: bytes) -> list[RawSheet]:
    """Every sheet of a file; a workbook is opened in a process without rights. Raises a SpreadsheetRefused."""
    if is_packed(data):
        return unpack_sheets(data)
    if len(data) > MAX_FILE_BYTES:
        raise SpreadsheetTooLarge(f"the file has more than {MAX_FILE_BYTES // 2**20} MB; split the list")
    for beginning, kind in _NOT_TABLES:
        if data.startswith(beginning):
            raise SpreadsheetTypeUnknown(f"the file is {kind}; save the list as .xlsx or .csv")
    if not data.startswith((b"PK", _XLS_SIGNATURE)):
        return [read_csv(data)]
    try:
        return sheets_from_json(run_confined(f"{__name__}:read_workbook", data))
    except LimitExceeded as error:
        raise SpreadsheetTooLarge(str(error)) from None
    except RefusedInside as refusal:
        kinds = {kind.code: kind for kind in SpreadsheetRefused.__subclasses__()}
        raise kinds.get(refusal.code, SpreadsheetDamaged)(refusal.message) from None


def read_workbook(data: bytes) -> list[Any]:
    """The confined part of `read_sheets`: the sheets of XLSX, ODS or XLS as `raw_sheets.sheets_to_json` writes them."""
    from bluezone.directory.imports.files import workbooks

    if data.startswith(_XLS_SIGNATURE):
        return sheets_to_json(workbooks.read_xls(data))
    return sheets_to_json(workbooks.read_ods(data) if _ODS in data[:200] else workbooks.read_xlsx(data))


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

    remembered: see `headings.find_header`. layout: a person's choice; None: find the headings.
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
    tables = [_table(sheet, header, columns, number) for number, (sheet, header) in enumerate(parts)]
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
        legacy=_joined(tables),
        left_out=tuple(chain.from_iterable(table.left_out for table in tables)),
    )


def _joined(tables: Sequence[Table]) -> LegacyProposal | None:
    proposals = [table.legacy for table in tables if table.legacy is not None]
    if not proposals:
        return None
    encodings = ChainMap(*(dict(proposal.encodings) for proposal in proposals))
    return LegacyProposal(dict(encodings), tuple(chain.from_iterable(proposal.changes for proposal in proposals)))


def _table(sheet: RawSheet, header: Header, columns: Sequence[Column], sheet_number: int) -> Table:
    rows = []
    left_out = []
    needed = {column.name for column in columns if column.required}
    above = {
        column.name: column.above for column in columns if column.above is not None and column.name not in header.places
    }
    section_values = {name: _section_value(sheet.title, pattern) for name, pattern in above.items()}
    ahead = sheet_number * SHEET_ROWS
    wide = len(header.places) + len(header.ignored) > 2
    below = sheet.rows_below(header.row)
    foot = _first_foot_row(below, {index for name, index in header.places.items() if name in needed})
    for raw in below:
        sections = {name: text for name, pattern in above.items() if (text := _section_heading_value(raw, pattern))}
        section_values |= sections
        if sections or raw.number >= foot or (wide and _is_no_entry(raw, first=raw.number == header.row + 1)):
            left_out.append(ahead + raw.number)
            continue
        cells = {
            name: _cell(raw.cells[index] if index < len(raw.cells) else None, raw.number, index)
            for name, index in header.places.items()
        }
        if any(cell is not None for cell in cells.values()):
            rows.append(Row(ahead + raw.number, {**cells, **section_values}))
    if missing := [
        column.headings[0]
        for column in columns
        if column.required and above.get(column.name) and not section_values[column.name]
    ]:
        raise SpreadsheetColumnsMissing(f"row {header.row} has the headings, but none for: {', '.join(missing)}")
    letters = {name: column_letter(index) for name, index in header.places.items()}
    fonts = {name: sheet.fonts[index] for name, index in header.places.items() if index in sheet.fonts}
    legacy = _legacy_proposal(rows, letters, fonts)
    ignored = tuple(header.ignored.values())
    return Table(tuple(rows), header.row, letters, ignored, sheet.encoding, legacy, tuple(left_out))


_SECTION = re.compile(r"([IVX]{1,5}|[A-Z])[.)/:-]?|[*+-]|(tong|cong)( cong| so)?:?")


def _are_consecutive(numbers: list[int]) -> bool:
    return all(after == before + 1 for before, after in pairwise(numbers))


_NUMBERED = re.compile(r"\s*([IVX]{1,5}|[A-Z]|[0-9]{1,3})[.)/:-]\s*|\s*[*+-]\s*")


def _section_heading_value(raw: RawRow, pattern: re.Pattern[str]) -> str:
    """The value in the heading of a section, "" for any other row."""
    texts = [str(cell).strip() for cell in raw.cells if not is_blank(cell)]
    numbered = len(texts) == 2 and re.fullmatch(r"([IVX]{1,5}|[A-Z]|[0-9]{1,3})[.)]?", texts[0])
    return _section_value(texts[-1], pattern) if len(texts) == 1 or numbered else ""


def _section_value(text: str, pattern: re.Pattern[str]) -> str:
    if _NUMBERED.match(text):
        text = _NUMBERED.sub("", text, count=1)
    value = " ".join(text.split())
    return value if pattern.fullmatch(fold(value)) else ""


_COLUMN_NUMBER = re.compile(r"\(?([0-9]{1,2}|[A-Z])\)?")


def _is_no_entry(raw: RawRow, first: bool) -> bool:
    """Whether a row is a section heading, a sum, a line of signatures, or the column numbers below the headings."""
    texts = [str(cell).strip() for cell in raw.cells if not is_blank(cell)]
    numbers = [int(digits) for digits in re.findall(r"[0-9]+", " ".join(texts))]
    if first and len(texts) > 2 and all(map(_COLUMN_NUMBER.fullmatch, texts)) and _are_consecutive(numbers):
        return True
    beginning = re.match(r"\S+", texts[0])
    folded = fold(texts[0])
    if folded.startswith(("tong cong", "tong so", "cong:")) or folded in ("cong", "tong"):
        return True
    if len(texts) == 1:
        text = texts[0]
        return text.isupper() or bool(beginning and _SECTION.fullmatch(beginning[0]))
    if len(texts) != 2 or len(texts[1]) < 4:
        return False
    if re.fullmatch(r"[IVX]{1,5}[.)]?", texts[0]):
        return True
    # "B" may be a code or somebody's name; before capitals it numbers a section.
    return bool(re.fullmatch(r"[A-Z][.)]?", texts[0])) and texts[1].isupper()


# Text below a list: place and day, signatures, recipients.
_FOOT = re.compile(
    r"(nguoi (lap|ky|kiem tra)|thu truong|thu ky|ke toan|giam doc|hieu truong|chu tich|truong phong|chanh van phong"
    r"|(t\.?m|k\.?t|t\.?l|t\.?u\.?q)\.|noi nhan|ghi chu|\(ky)\b.*|.*\bngay .{1,6} ?thang .{1,6} ?nam\b.*",
    re.DOTALL,
)
_FOOT_ROWS = 8


def _first_foot_row(rows: Sequence[RawRow], needed: Set[int]) -> float:
    """Number of the first row of a list's foot, infinite without one.

    The foot begins after an empty row or a sum: below the last row with a value in one of the `needed` columns (their
    indexes), or at a row of signatures among the last rows.
    """
    last = max((row.number for row in rows if any(_has_value(row, index) for index in needed)), default=0)
    for place, (before, row) in enumerate(pairwise(rows), 1):
        if row.number == before.number + 1 and not _is_no_entry(before, first=False):
            continue
        texts = [fold(str(cell)) for cell in row.cells if not is_blank(cell)]
        if (needed and row.number > last) or (len(rows) - place <= _FOOT_ROWS and all(map(_FOOT.fullmatch, texts))):
            return row.number
    return math.inf


def _has_value(row: RawRow, index: int) -> bool:
    return index < len(row.cells) and not is_blank(row.cells[index])


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
        raise SpreadsheetCellUnreadable(f"{where} holds control characters, which are not text; type it again")
    return text or None


def _legacy_proposal(
    rows: Sequence[Row], letters: Mapping[str, str], fonts: Mapping[str, TextEncoding]
) -> LegacyProposal | None:
    """Examine the columns one by one, because each has its own font. Raises SpreadsheetEncodingMixed."""
    encodings: dict[str, TextEncoding] = {}
    changes: list[Change] = []
    for name, letter in letters.items():
        numbered = [(row.number, cell) for row in rows if isinstance(cell := row.cells[name], str)]
        texts = [text for _, text in numbered]
        encoding = fonts.get(name, TextEncoding.UNKNOWN)
        if encoding is TextEncoding.UNKNOWN or first_contradiction(texts, encoding) is not None:
            encoding = detect("\n".join(texts)).encoding
        if encoding in LEGACY_ENCODINGS:
            if examples := preview(texts, encoding):
                encodings[name] = encoding
                changes.extend(examples)
            continue
        for number, text in numbered:
            if detect(text).is_legacy:
                raise SpreadsheetEncodingMixed(f"row {number}, column {letter} is in another encoding than its column")
    return LegacyProposal(encodings, tuple(changes)) if encodings else None


def _convert(cell: Cell, encoding: TextEncoding | None) -> Cell:
    if isinstance(cell, str) and encoding is not None:
        return to_unicode(cell, encoding)
    return cell
