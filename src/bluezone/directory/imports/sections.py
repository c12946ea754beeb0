# SPDX-License-Identifier: Apache-2.0
"""The rows of a list that are no entries: section headings, sums, column numbers, and the foot."""

import math
import re
from collections.abc import Sequence, Set
from itertools import pairwise

from bluezone.directory.imports.files.raw_sheets import RawRow
from bluezone.directory.imports.heading_rows import is_blank
from bluezone.vietnamese.spelling import fold

# The number or mark of a section heading, or the word of a sum, alone and before a text.
_SECTION = re.compile(r"([IVX]{1,5}|[A-Z])[.)/:-]?|[*+-]|(tong|cong)( cong| so)?:?")
_NUMBERED = re.compile(r"\s*([IVX]{1,5}|[A-Z]|[0-9]{1,3})[.)/:-]\s*|\s*[*+-]\s*")
_COLUMN_NUMBER = re.compile(r"\(?([0-9]{1,2}|[A-Z])\)?")
# Text below a list: place and day, signatures, recipients.
_FOOT = re.compile(
    r"(nguoi (lap|ky|kiem tra)|thu truong|thu ky|ke toan|giam doc|hieu truong|chu tich|truong phong|chanh van phong"
    r"|(t\.?m|k\.?t|t\.?l|t\.?u\.?q)\.|noi nhan|ghi chu|\(ky)\b.*|.*\bngay .{1,6} ?thang .{1,6} ?nam\b.*",
    re.DOTALL,
)
_FOOT_ROWS = 8


def _are_consecutive(numbers: list[int]) -> bool:
    return all(after == before + 1 for before, after in pairwise(numbers))


def section_heading_value(raw: RawRow, pattern: re.Pattern[str]) -> str:
    """The value in the heading of a section, "" for any other row."""
    texts = [str(cell).strip() for cell in raw.cells if not is_blank(cell)]
    numbered = len(texts) == 2 and re.fullmatch(r"([IVX]{1,5}|[A-Z]|[0-9]{1,3})[.)]?", texts[0])
    return section_value(texts[-1], pattern) if len(texts) == 1 or numbered else ""


def section_value(text: str, pattern: re.Pattern[str]) -> str:
    """The text without its number if it matches `pattern` (of folded text), else ""."""
    if _NUMBERED.match(text):
        text = _NUMBERED.sub("", text, count=1)
    value = " ".join(text.split())
    return value if pattern.fullmatch(fold(value)) else ""


def is_no_entry(raw: RawRow, first: bool) -> bool:
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


def first_foot_row(rows: Sequence[RawRow], needed: Set[int]) -> float:
    """Number of the first row of a list's foot, infinite without one.

    The foot begins after an empty row or a sum: below the last row with a value in one of the `needed` columns (their
    indexes), or at a row of signatures among the last rows.
    """
    last = max((row.number for row in rows if any(_has_value(row, index) for index in needed)), default=0)
    for place, (before, row) in enumerate(pairwise(rows), 1):
        if row.number == before.number + 1 and not is_no_entry(before, first=False):
            continue
        texts = [fold(str(cell)) for cell in row.cells if not is_blank(cell)]
        if (needed and row.number > last) or (len(rows) - place <= _FOOT_ROWS and all(map(_FOOT.fullmatch, texts))):
            return row.number
    return math.inf


def _has_value(row: RawRow, index: int) -> bool:
    return index < len(row.cells) and not is_blank(row.cells[index])
