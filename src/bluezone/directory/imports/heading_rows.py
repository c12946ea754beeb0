# SPDX-License-Identifier: Apache-2.0
"""Find the heading row of a list below its title rows, in any spelling and any legacy font."""

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import get_language

from bluezone.directory.imports.files.raw_sheets import (
    RawCell,
    RawRow,
    RawSheet,
    SpreadsheetColumnsMissing,
    SpreadsheetHeaderMissing,
    SpreadsheetHeadingMerged,
    SpreadsheetHeadingRepeated,
    column_letter,
)
from bluezone.vietnamese.legacy_fonts import LEGACY_ENCODINGS, TextEncoding, detect, to_unicode
from bluezone.vietnamese.spelling import fold

# Letterhead, title, "Kèm theo Công văn số …", unit of measure: real lists have up to a dozen rows above the headings.
ROWS_SEARCHED = 25
_CELL_PATTERNS = {
    "email": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "edxml_id": re.compile(r"\d{2,3}\.\d{2}(\.\d{2})?\.[A-Z]\d{2}|[A-Z]\d{2}(\.\d{1,3}){1,3}"),
    "phone": re.compile(r"\+?[0-9][0-9 .()-]{7,14}[0-9]"),
}
# Between a heading that is merged over several columns and the one below it.
_HEADING_SEPARATOR = "\x1f"
# Words below a merged heading for the total of the other columns.
_WHOLE = frozenset(("tong so", "tong", "tong cong", "ts", "chung", "total"))


@dataclasses.dataclass(frozen=True)
class Column:
    """A column that the caller wants to read.

    name:     the caller's name for it.
    headings: its spellings, in any case, with or without diacritics; the first is used in empty and exported lists,
              the last is the English one.
    required: whether a list without it is refused.
    choices:  values and labels of its cells, if a page offers a choice.
    begins:   folded beginnings of longer headings that mean this column, if no heading matches exactly.
    above:    pattern for a folded section heading or sheet name that gives the value if the list has no such column.
    """

    name: str
    headings: tuple[str, ...]
    required: bool = False
    choices: Sequence[tuple[str, Any]] = ()
    begins: tuple[str, ...] = ()
    above: re.Pattern[str] | None = None

    @property
    def label(self) -> str:
        """The heading in the language of the page."""
        return self.headings[-1 if get_language() == "en" else 0]


@dataclasses.dataclass(frozen=True)
class Header:
    """The heading row: its number, the column index of each name, and the unused headings by column index."""

    row: int
    places: dict[str, int]
    ignored: dict[int, str]


def heading_key(text: str) -> str:
    """A heading in the form that is compared: folded letters and digits, so that "Mã đơn vị (*)" is "ma don vi"."""
    return " ".join(re.findall(r"[a-z0-9]+", fold(text)))


def find_header(
    sheet: RawSheet, columns: Sequence[Column], remembered: Mapping[str, str] | None = None
) -> Header | None:
    """The row, among the first ones, with most of the headings; None if no row has two of them.

    Headings on two rows, the upper one merged over several columns, count as one row. remembered: the column that a
    person chose for a heading, by `heading_key`: its name, or "" for none.
    Raises SpreadsheetHeadingRepeated, SpreadsheetColumnsMissing or SpreadsheetHeadingMerged for a heading row that
    cannot be used.
    """
    meaning = _names_by_key(columns) | dict(remembered or {})
    begins = _names_by_beginning(columns)
    row: RawRow | None = None
    names: dict[int, str] = {}
    for candidate in _candidates(sheet):
        recognised = _recognised(candidate, meaning, begins)
        # A row joined to the one above it is preferred to the row alone, since it has a heading over every column.
        more = len(set(recognised.values())) - len(set(names.values()))
        if more > 0 or (more == 0 and names and _is_joined(candidate)):
            row = candidate
            names = recognised
    if row is None or len(set(names.values())) < min(2, len(columns)):
        return None
    places: dict[str, int] = {}
    for index, name in names.items():
        if name in places:
            first = column_letter(places[name])
            second = column_letter(index)
            raise SpreadsheetHeadingRepeated(f"row {row.number}: columns {first} and {second} mean the same ({name})")
        if name:
            places[name] = index
    missing = [column.headings[0] for column in missing_columns(columns, places)]
    if missing:
        raise SpreadsheetColumnsMissing(f"row {row.number} has the headings, but none for: {', '.join(missing)}")
    _refuse_values_without_heading(sheet, row)
    used = set(places.values())
    ignored = {i: _heading_text(cell) for i, cell in enumerate(row.cells) if i not in used and not is_blank(cell)}
    return Header(row.number, places, ignored)


def have_headings(sheets: Sequence[RawSheet], columns: Sequence[Column]) -> bool:
    """Whether one of the first rows of a sheet has a heading for each of these columns."""
    meaning = _names_by_key(columns)
    begins = _names_by_beginning(columns)
    names = {column.name for column in columns}
    for sheet in sheets:
        if any(names == set(_recognised(row, meaning, begins).values()) for row in _candidates(sheet)):
            return True
    return False


def _names_by_key(columns: Sequence[Column]) -> dict[str, str]:
    names: dict[str, str] = {}
    for column in columns:
        for spelling in column.headings:
            names[heading_key(spelling)] = column.name
    return names


def _names_by_beginning(columns: Sequence[Column]) -> dict[str, str]:
    names: dict[str, str] = {}
    for column in columns:
        names |= dict.fromkeys(column.begins, column.name)
    return names


def missing_columns(columns: Sequence[Column], places: Mapping[str, int]) -> list[Column]:
    """The required columns without a place, except those with a value that may come from a section heading."""
    return [column for column in columns if column.required and column.above is None and column.name not in places]


def header_at(sheet: RawSheet, row: int, places: Mapping[str, int]) -> Header:
    """The header that a person chose: headings down to `row` (0: none), and the place of each column."""
    heads = next(
        (candidate for candidate in _candidates(sheet, every=True) if candidate.number == row), RawRow(row, ())
    )
    used = set(places.values())
    ignored = {i: _heading_text(cell) for i, cell in enumerate(heads.cells) if i not in used and not is_blank(cell)}
    return Header(row, dict(places), ignored)


def headings_of(sheet: RawSheet, row: int) -> dict[int, str]:
    """The headings that end in `row`, by column index; a merged heading precedes the one below it."""
    rows = [candidate for candidate in _candidates(sheet, every=True) if candidate.number == row]
    if not rows:
        return {}
    return {i: _heading_text(cell) for i, cell in enumerate(rows[-1].cells) if not is_blank(cell)}


def guess_columns(sheet: RawSheet, columns: Sequence[Column], row: int) -> dict[str, int]:
    """A guess at the columns, for a person to correct: by the headings, then by the cells below them."""
    meaning = _names_by_key(columns)
    heads = headings_of(sheet, row)
    places: dict[str, int] = {}
    for exact in (True, False):
        for index, heading in heads.items():
            key = heading_key(_unicode(heading))
            if exact:
                matches = [name for spelling, name in meaning.items() if key == spelling]
            else:
                matches = [name for spelling, name in meaning.items() if spelling in key and len(spelling) > 3]
            if matches and matches[0] not in places and index not in places.values():
                places[matches[0]] = index
    names = {column.name for column in columns}
    below = [raw.cells for raw in sheet.rows if raw.number > row][:ROWS_SEARCHED]
    for index in range(max(map(len, below), default=0)):
        texts = [str(cells[index]).strip() for cells in below if index < len(cells) and not is_blank(cells[index])]
        for name, pattern in _CELL_PATTERNS.items():
            count = sum(1 for text in texts if pattern.fullmatch(text))
            if count * 2 > len(texts) and name in names - places.keys() and index not in places.values():
                places[name] = index
    return places


def missing_header_refusal(columns: Sequence[Column]) -> SpreadsheetHeaderMissing:
    """The refusal for a file without headings on any sheet."""
    expected = ", ".join(column.headings[0] for column in columns)
    return SpreadsheetHeaderMissing(f"none of the first {ROWS_SEARCHED} rows has the headings; expected: {expected}")


def _candidates(sheet: RawSheet, every: bool = False) -> Iterator[RawRow]:
    """Each of the first rows, and each joined to the row above if that has a heading over several columns."""
    above: RawRow | None = None
    for row in sheet.rows if every else sheet.rows[:ROWS_SEARCHED]:
        yield row
        if above is not None and above.number == row.number - 1:
            joined = _joined(above, row)
            if joined is not None:
                yield joined
        above = row


def _joined(above: RawRow, below: RawRow) -> RawRow | None:
    """Two rows of headings as one, with the lower heading if there is one, else the upper; None if they are no pair."""
    cells: list[RawCell] = []
    upper_heading: RawCell = None
    is_merged = False
    for index in range(max(len(above.cells), len(below.cells))):
        upper = above.cells[index] if index < len(above.cells) else None
        lower = below.cells[index] if index < len(below.cells) else None
        if not is_blank(upper):
            upper_heading = upper
        if is_blank(lower):
            cells.append(upper)
            continue
        if not isinstance(lower, str) or (upper_heading is not None and not isinstance(upper_heading, str)):
            return None
        is_merged = is_merged or is_blank(upper)
        if upper_heading is None:
            cells.append(lower)
        else:
            cells.append(f"{str(upper_heading).strip()}{_HEADING_SEPARATOR}{lower.strip()}")
    return RawRow(below.number, tuple(cells)) if is_merged else None


def _is_joined(row: RawRow) -> bool:
    return any(isinstance(cell, str) and _HEADING_SEPARATOR in cell for cell in row.cells)


def _recognised(row: RawRow, meaning: Mapping[str, str], begins: Mapping[str, str]) -> dict[int, str]:
    names: dict[int, str] = {}
    headings = {index: cell for index, cell in enumerate(row.cells) if isinstance(cell, str)}
    for index, cell in headings.items():
        name = next((meaning[key] for key in map(heading_key, _readings(cell)) if key in meaning), None)
        if name is not None:
            names[index] = name
    for index, cell in headings.items():
        keys = [heading_key(reading) for reading in _readings(cell)]
        name = next((name for start, name in begins.items() if any(key.startswith(f"{start} ") for key in keys)), None)
        if name is not None and index not in names and name not in names.values():
            names[index] = name
    return names


def _readings(heading: str) -> Iterator[str]:
    """The possible readings of a heading: in each encoding, with and without a remark in brackets.

    A heading below a merged one is read with the upper heading before and after it, and alone.
    """
    upper, separator, lower = heading.rpartition(_HEADING_SEPARATOR)
    spellings: tuple[str, ...]
    if not separator:
        spellings = (heading,)
    elif fold(lower) in _WHOLE:
        spellings = (upper,)
    else:
        spellings = (f"{upper} {lower}", f"{lower} {upper}", lower)
    for spelling in spellings:
        for text in _encodings(spelling):
            yield text
            yield re.sub(r"\(.*?\)", " ", text, flags=re.DOTALL)


def _encodings(text: str) -> tuple[str, str, str]:
    return text, to_unicode(text, TextEncoding.TCVN3), to_unicode(text, TextEncoding.VNI)


def _unicode(heading: str) -> str:
    encoding = detect(heading).encoding
    return to_unicode(heading, encoding) if encoding in LEGACY_ENCODINGS else heading


def _refuse_values_without_heading(sheet: RawSheet, header: RawRow) -> None:
    """Refuse values in a column without heading, as below a merged one; guessing could shift the numbers."""
    for row in sheet.rows:
        if row.number <= header.number:
            continue
        for index, cell in enumerate(row.cells):
            if not is_blank(cell) and (index >= len(header.cells) or is_blank(header.cells[index])):
                where = f"row {row.number}, column {column_letter(index)}"
                raise SpreadsheetHeadingMerged(
                    f"{where} has a value, but row {header.number} has no heading there (merged heading cells?); "
                    "give every column its own heading"
                )


def _heading_text(heading: RawCell) -> str:
    return " ".join(str(heading).replace(_HEADING_SEPARATOR, " ").split())


def is_blank(cell: object) -> bool:
    """Whether a cell has no visible content."""
    return cell is None or (isinstance(cell, str) and not cell.strip())
