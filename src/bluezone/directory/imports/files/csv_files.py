# SPDX-License-Identifier: Apache-2.0
"""CSV files as Vietnamese offices save them: their encoding, delimiter and rows."""

import csv
import io
import unicodedata
from collections import Counter

from bluezone.directory.imports.files.raw_sheets import (
    MAX_COLUMNS,
    MAX_ROWS,
    RawRow,
    RawSheet,
    SpreadsheetDamaged,
    SpreadsheetEncodingMixed,
    SpreadsheetEncodingUnknown,
    SpreadsheetTooLarge,
)
from bluezone.paper.tables import as_meant
from bluezone.vietnamese.legacy_fonts import LEAST_SCORE, TextEncoding, detect

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
    """Decode a text file; returns its text and its encoding.

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
