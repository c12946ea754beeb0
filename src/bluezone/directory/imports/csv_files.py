# SPDX-License-Identifier: Apache-2.0
"""CSV as Vietnamese offices save it: UTF-8 or UTF-16, windows-1258, or bytes that only a legacy font shows right."""

import csv
import io
import unicodedata
from collections import Counter

from bluezone.directory.imports.raw_sheets import (
    MAX_COLUMNS,
    MAX_ROWS,
    RawRow,
    RawSheet,
    SpreadsheetDamaged,
    SpreadsheetEncodingMixed,
    SpreadsheetEncodingUnknown,
    SpreadsheetTooLarge,
)
from bluezone.vietnamese.detection import LEAST_SCORE, detect
from bluezone.vietnamese.legacy_fonts import TextEncoding

_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_DELIMITERS = (",", ";", "\t")


def read_csv(data: bytes) -> RawSheet:
    """Read the rows of a CSV file; empty rows are left out, numbers stay text.

    Raises SpreadsheetEncodingUnknown, SpreadsheetEncodingMixed, SpreadsheetDamaged or SpreadsheetTooLarge.
    """
    text, encoding = decode(data)
    text, delimiter = _delimiter(text)
    rows = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(RawRow(line, tuple(cells)))
            if len(rows) > MAX_ROWS:
                raise SpreadsheetTooLarge(f"more than {MAX_ROWS} rows; split the list")
            if len(cells) > MAX_COLUMNS and any(cell.strip() for cell in cells[MAX_COLUMNS:]):
                raise SpreadsheetTooLarge(f"line {line} has more than {MAX_COLUMNS} columns")
            line = reader.line_num + 1
    except csv.Error as error:
        raise SpreadsheetDamaged(f"the row that begins on line {line} is not closed or not quoted as CSV is") from error
    return RawSheet("", tuple(rows), encoding)


def decode(data: bytes) -> tuple[str, str]:
    """Bytes of a text file as text, and the encoding that was taken.

    Text of a legacy font comes back in its Windows-1252 view, unconverted, for `vietnamese.detection` to find.
    Raises SpreadsheetEncodingUnknown or SpreadsheetEncodingMixed.
    """
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _strictly(data[len(mark) :], encoding), encoding
    if b"\0" in data:
        encoding = _utf_16_without_mark(data)
        return _strictly(data, encoding), encoding
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        _refuse_mixed_lines(data)
        return _decode_one_byte(data)


def _strictly(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise SpreadsheetEncodingUnknown(f"byte {error.start} is not {encoding}, as the beginning promises") from error


def _utf_16_without_mark(data: bytes) -> str:
    """Latin text in UTF-16 has a zero in every other byte."""
    even, odd = data[0::2].count(0), data[1::2].count(0)
    if min(even, odd) * 10 > max(even, odd):
        raise SpreadsheetEncodingUnknown("the file holds zero bytes, so it is no text file")
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
    """windows-1258 when it then spells Vietnamese; else Windows-1252, which is also the view of the legacy fonts."""
    vietnamese = unicodedata.normalize("NFC", data.decode("cp1258", errors="replace"))
    as_1258 = detect(vietnamese)
    western = data.decode("cp1252", errors="replace")
    as_1252 = detect(western)
    if as_1258.encoding is TextEncoding.UNICODE and as_1258.score >= LEAST_SCORE and not as_1252.is_legacy:
        text, encoding = vietnamese, "windows-1258"
    else:
        text, encoding = western, "windows-1252"
    if "\ufffd" in text:
        raise SpreadsheetEncodingUnknown(f"the text is not UTF-8, and not all of it is {encoding}")
    return text, encoding


def _delimiter(text: str) -> tuple[str, str]:
    """The delimiter that splits most of the first lines into the same number of cells; Excel's "sep=;" is obeyed."""
    first, _, rest = text.partition("\n")
    if first.strip().lower() in {f"sep={delimiter}".strip() for delimiter in _DELIMITERS}:
        return "\n" + rest, first.strip()[4:] or "\t"
    lines = text[:100_000].splitlines()[:30]
    best = max(_DELIMITERS, key=lambda delimiter: _agreement(lines, delimiter))
    return text, best


def _agreement(lines: list[str], delimiter: str) -> int:
    counts = Counter(line.count(delimiter) for line in lines if delimiter in line)
    return max((cells * lines_alike for cells, lines_alike in counts.items()), default=0)
