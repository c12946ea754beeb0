# SPDX-License-Identifier: Apache-2.0
"""Find the heading row of a list under its title rows, whatever spelling or font the headings are in."""

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import get_language

from bluezone.directory.imports.raw_sheets import (
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

# Letterhead, title, "Kèm theo Công văn số …", unit of measure: real lists have up to a dozen lines above the headings.
ROWS_SEARCHED = 25


@dataclasses.dataclass(frozen=True)
class Column:
    """A column a reader asks for.

    name:     how the caller calls it.
    headings: spellings that mean it, in any case, with or without marks; the first is of empty and exported lists, the
              last is the English one.
    required: True when a list without it is refused.
    choices:  what its cells can say, as values and words, where a page offers them.
    begins:   folded beginnings of longer headings that mean it, where no heading means it exactly.
    above:    where no column means it, the heading of a section or the name of a sheet above a row says it, if it is so
              when folded.
    """

    name: str
    headings: tuple[str, ...]
    required: bool = False
    choices: Sequence[tuple[str, Any]] = ()
    begins: tuple[str, ...] = ()
    above: re.Pattern[str] | None = None

    @property
    def label(self) -> str:
        """Its heading in the language of the page."""
        return self.headings[-1 if get_language() == "en" else 0]


@dataclasses.dataclass(frozen=True)
class Header:
    """Where the headings are: row number, column index of each name found, and headings nobody asked for by index."""

    row: int
    places: dict[str, int]
    ignored: dict[int, str]


def heading_key(text: str) -> str:
    """What is compared: folded, letters and digits only, so that "Mã đơn vị (*)" is "Ma don vi"."""
    return " ".join(re.findall(r"[a-z0-9]+", fold(text)))


def find_header(
    sheet: RawSheet, columns: Sequence[Column], remembered: Mapping[str, str] | None = None
) -> Header | None:
    """The row among the first that holds most of the headings, or None when no row holds two of them.

    Headings on two rows, the upper one merged over several columns, count as one row. remembered: what a person said
    that a heading means, by `heading_key`: the name of a column, or "" for none.
    Raises SpreadsheetHeadingRepeated, SpreadsheetColumnsMissing or SpreadsheetHeadingMerged for a row that was
    found but cannot be used.
    """
    meaning = {heading_key(spelling): column.name for column in columns for spelling in column.headings}
    meaning |= remembered or {}
    begins = {beginning: column.name for column in columns for beginning in column.begins}
    row, found = None, dict[int, str]()
    for candidate in _candidates(sheet):
        recognised = _recognised(candidate, meaning, begins)
        # Of a row and the same row joined to the one above it, the joined one has a heading over every column.
        more = len(set(recognised.values())) - len(set(found.values()))
        if more > 0 or (more == 0 and found and _is_joined(candidate)):
            row, found = candidate, recognised
    if row is None or len(set(found.values())) < min(2, len(columns)):
        return None
    places: dict[str, int] = {}
    for index, name in found.items():
        if name in places:
            first, second = column_letter(places[name]), column_letter(index)
            raise SpreadsheetHeadingRepeated(f"row {row.number}: columns {first} and {second} mean the same ({name})")
        if name:
            places[name] = index
    missing = [column.headings[0] for column in missing_columns(columns, places)]
    if missing:
        raise SpreadsheetColumnsMissing(f"row {row.number} has the headings, but none for: {', '.join(missing)}")
    _refuse_values_without_heading(sheet, row)
    used = set(places.values())
    ignored = {i: _shown(cell) for i, cell in enumerate(row.cells) if i not in used and not is_blank(cell)}
    return Header(row.number, places, ignored)


def have_headings(sheets: Sequence[RawSheet], columns: Sequence[Column]) -> bool:
    """Whether one of the first rows of a sheet has a heading for each of these columns."""
    meaning = {heading_key(spelling): column.name for column in columns for spelling in column.headings}
    begins = {beginning: column.name for column in columns for beginning in column.begins}
    every = {column.name for column in columns}
    return any(
        every == set(_recognised(row, meaning, begins).values()) for sheet in sheets for row in _candidates(sheet)
    )


def missing_columns(columns: Sequence[Column], places: Mapping[str, int]) -> list[Column]:
    """The columns that a list needs and that have no place; what may stand above the rows may."""
    return [one for one in columns if one.required and one.above is None and one.name not in places]


def chosen_header(sheet: RawSheet, row: int, places: Mapping[str, int]) -> Header:
    """The header that a person chose: headings down to `row` (0: none), and which column means what."""
    heads = next((one for one in _candidates(sheet, every=True) if one.number == row), RawRow(row, ()))
    used = set(places.values())
    ignored = {i: _shown(cell) for i, cell in enumerate(heads.cells) if i not in used and not is_blank(cell)}
    return Header(row, dict(places), ignored)


def headings_of(sheet: RawSheet, row: int) -> dict[int, str]:
    """The headings that end in `row`, by column index; those merged over several columns stand before their parts."""
    found = [one for one in _candidates(sheet, every=True) if one.number == row]
    return {i: _shown(cell) for i, cell in enumerate(found[-1].cells) if not is_blank(cell)} if found else {}


def propose_places(sheet: RawSheet, columns: Sequence[Column], row: int) -> dict[str, int]:
    """What the columns seem to mean, for a person to correct: by heading, then by what stands below it."""
    meaning = {heading_key(spelling): column.name for column in columns for spelling in column.headings}
    heads = headings_of(sheet, row)
    places: dict[str, int] = {}
    for exact in (True, False):
        for index, heading in heads.items():
            key = heading_key(_unicode(heading))
            fitting = [
                name for said, name in meaning.items() if (key == said if exact else said in key and len(said) > 3)
            ]
            if fitting and fitting[0] not in places and index not in places.values():
                places[fitting[0]] = index
    names = {column.name for column in columns}
    below = [one for one in sheet.rows if one.number > row][:ROWS_SEARCHED]
    for index in range(max((len(one.cells) for one in below), default=0)):
        texts = [
            str(one.cells[index]).strip() for one in below if index < len(one.cells) and not is_blank(one.cells[index])
        ]
        for name, looks in _LOOKS.items():
            alike = sum(1 for text in texts if looks.fullmatch(text))
            if alike * 2 > len(texts) and name in names - places.keys() and index not in places.values():
                places[name] = index
    return places


_LOOKS = {
    "email": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "edxml_id": re.compile(r"\d{2,3}\.\d{2}(\.\d{2})?\.[A-Z]\d{2}|[A-Z]\d{2}(\.\d{1,3}){1,3}"),
    "phone": re.compile(r"\+?[0-9][0-9 .()-]{7,14}[0-9]"),
}


def header_missing(columns: Sequence[Column]) -> SpreadsheetHeaderMissing:
    """The refusal for a file in which no sheet has headings."""
    expected = ", ".join(column.headings[0] for column in columns)
    return SpreadsheetHeaderMissing(f"none of the first {ROWS_SEARCHED} rows holds the headings; expected: {expected}")


def _candidates(sheet: RawSheet, every: bool = False) -> Iterator[RawRow]:
    """Each of the first rows, and each joined to the one above it where that has a heading over several columns."""
    above: RawRow | None = None
    for row in sheet.rows if every else sheet.rows[:ROWS_SEARCHED]:
        yield row
        if above is not None and above.number == row.number - 1:
            joined = _joined(above, row)
            if joined is not None:
                yield joined
        above = row


# Between a heading that is merged over several columns and the one below it.
_OVER = "\x1f"


def _joined(above: RawRow, below: RawRow) -> RawRow | None:
    """Two rows of headings as one: the lower one where it has a word, else the upper one; None where they are not."""
    cells: list[RawCell] = []
    over: RawCell = None
    merged = False
    for index in range(max(len(above.cells), len(below.cells))):
        upper = above.cells[index] if index < len(above.cells) else None
        lower = below.cells[index] if index < len(below.cells) else None
        if not is_blank(upper):
            over = upper
        if is_blank(lower):
            cells.append(upper)
            continue
        if not isinstance(lower, str) or (over is not None and not isinstance(over, str)):
            return None
        merged = merged or is_blank(upper)
        cells.append(lower if over is None else f"{str(over).strip()}{_OVER}{lower.strip()}")
    return RawRow(below.number, tuple(cells)) if merged else None


def _is_joined(row: RawRow) -> bool:
    return any(isinstance(cell, str) and _OVER in cell for cell in row.cells)


# Below a merged heading: the whole of what the others are parts of.
_WHOLE = frozenset(("tong so", "tong", "tong cong", "ts", "chung", "total"))


def _recognised(row: RawRow, meaning: Mapping[str, str], begins: Mapping[str, str]) -> dict[int, str]:
    found: dict[int, str] = {}
    headings = {index: cell for index, cell in enumerate(row.cells) if isinstance(cell, str)}
    for index, cell in headings.items():
        name = next((meaning[key] for key in map(heading_key, _readings(cell)) if key in meaning), None)
        if name is not None:
            found[index] = name
    for index, cell in headings.items():
        keys = [heading_key(reading) for reading in _readings(cell)]
        name = next((name for said, name in begins.items() if any(key.startswith(f"{said} ") for key in keys)), None)
        if name is not None and index not in found and name not in found.values():
            found[index] = name
    return found


def _readings(heading: str) -> Iterator[str]:
    """A heading in each encoding it may be typed in; without a remark in brackets; and without the one over it."""
    upper, over, lower = heading.rpartition(_OVER)
    spelled = (f"{upper} {lower}", f"{lower} {upper}", lower) if over else (heading,)
    if over and fold(lower) in _WHOLE:
        spelled = (upper,)
    for text in (one for said in spelled for one in _encodings(said)):
        yield text
        yield re.sub(r"\(.*?\)", " ", text, flags=re.DOTALL)


def _encodings(text: str) -> tuple[str, str, str]:
    return text, to_unicode(text, TextEncoding.TCVN3), to_unicode(text, TextEncoding.VNI)


def _unicode(heading: str) -> str:
    found = detect(heading).encoding
    return to_unicode(heading, found) if found in LEGACY_ENCODINGS else heading


def _refuse_values_without_heading(sheet: RawSheet, header: RawRow) -> None:
    """A heading merged over several columns leaves all but the first without one; guessing would shift the numbers."""
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


def _shown(heading: RawCell) -> str:
    return " ".join(str(heading).replace(_OVER, " ").split())


def is_blank(cell: object) -> bool:
    """Whether a cell holds nothing that a person would see."""
    return cell is None or (isinstance(cell, str) and not cell.strip())
