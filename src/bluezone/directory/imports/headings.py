# SPDX-License-Identifier: Apache-2.0
"""Find the heading row of a list under its title rows, whatever spelling or font the headings are in."""

import dataclasses
import re
from collections.abc import Sequence

from bluezone.directory.imports.raw_sheets import (
    RawRow,
    RawSheet,
    SpreadsheetColumnsMissing,
    SpreadsheetHeaderMissing,
    SpreadsheetHeadingMerged,
    SpreadsheetHeadingRepeated,
    column_letter,
)
from bluezone.vietnamese.legacy_fonts import TextEncoding, to_unicode
from bluezone.vietnamese.spelling import fold

# Letterhead, title, "Kèm theo Công văn số …", unit of measure: real lists have up to a dozen lines above the headings.
ROWS_SEARCHED = 25


@dataclasses.dataclass(frozen=True)
class Column:
    """A column a reader asks for.

    name:     how the caller calls it.
    headings: spellings that mean it, in any case, with or without marks; the first is shown in refusals.
    required: True when a list without it is refused.
    """

    name: str
    headings: tuple[str, ...]
    required: bool = False


@dataclasses.dataclass(frozen=True)
class Header:
    """Where the headings are: row number, column index of each name found, and headings nobody asked for by index."""

    row: int
    places: dict[str, int]
    ignored: dict[int, str]


def heading_key(text: str) -> str:
    """What is compared: folded, letters and digits only, so that "Mã đơn vị (*)" is "Ma don vi"."""
    return " ".join(re.findall(r"[a-z0-9]+", fold(text)))


def find_header(sheet: RawSheet, columns: Sequence[Column]) -> Header | None:
    """The row among the first that holds most of the headings, or None when no row holds two of them.

    Raises SpreadsheetHeadingRepeated, SpreadsheetColumnsMissing or SpreadsheetHeadingMerged for a row that was
    found but cannot be used.
    """
    meaning = {heading_key(spelling): column.name for column in columns for spelling in column.headings}
    candidates = [(row, _recognised(row, meaning)) for row in sheet.rows[:ROWS_SEARCHED]]
    row, found = max(candidates, key=lambda candidate: len(set(candidate[1].values())), default=(None, {}))
    if row is None or len(set(found.values())) < min(2, len(columns)):
        return None
    places: dict[str, int] = {}
    for index, name in found.items():
        if name in places:
            first, second = column_letter(places[name]), column_letter(index)
            raise SpreadsheetHeadingRepeated(f"row {row.number}: columns {first} and {second} mean the same ({name})")
        places[name] = index
    missing = [column.headings[0] for column in columns if column.required and column.name not in places]
    if missing:
        raise SpreadsheetColumnsMissing(f"row {row.number} has the headings, but none for: {', '.join(missing)}")
    _refuse_values_without_heading(sheet, row)
    ignored = {i: str(cell).strip() for i, cell in enumerate(row.cells) if i not in found and not _blank(cell)}
    return Header(row.number, places, ignored)


def header_missing(columns: Sequence[Column]) -> SpreadsheetHeaderMissing:
    """The refusal for a file in which no sheet has headings."""
    expected = ", ".join(column.headings[0] for column in columns)
    return SpreadsheetHeaderMissing(f"none of the first {ROWS_SEARCHED} rows holds the headings; expected: {expected}")


def _recognised(row: RawRow, meaning: dict[str, str]) -> dict[int, str]:
    found = {}
    for index, cell in enumerate(row.cells):
        if not isinstance(cell, str):
            continue
        readings = (cell, to_unicode(cell, TextEncoding.TCVN3), to_unicode(cell, TextEncoding.VNI))
        name = next((meaning[key] for key in map(heading_key, readings) if key in meaning), None)
        if name is not None:
            found[index] = name
    return found


def _refuse_values_without_heading(sheet: RawSheet, header: RawRow) -> None:
    """A heading merged over several columns leaves all but the first without one; guessing would shift the numbers."""
    for row in sheet.rows:
        if row.number <= header.number:
            continue
        for index, cell in enumerate(row.cells):
            if not _blank(cell) and (index >= len(header.cells) or _blank(header.cells[index])):
                where = f"row {row.number}, column {column_letter(index)}"
                raise SpreadsheetHeadingMerged(
                    f"{where} has a value, but row {header.number} has no heading there (merged heading cells?); "
                    "give every column its own heading"
                )


def _blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())
