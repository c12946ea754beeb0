# SPDX-License-Identifier: Apache-2.0
"""Put the rows of a letter into reading order: a head and a foot of columns column by column, tables apart, and what
follows the signature, its annexes, apart from the letter.
"""

import dataclasses
import itertools
import re
from collections.abc import Sequence

from bluezone.letters.letter_text import Passage, Row, joined, rows_of
from bluezone.letters.letterhead import HEAD_LINES, is_addressing, title_of
from bluezone.letters.recipients import is_recipients_line
from bluezone.letters.signatures import is_signature_line
from bluezone.vietnamese.spelling import fold

_ANNEX = (
    "phu luc", "danh muc", "danh sach", "bang phan cong", "bang tong hop", "bieu mau", "phan cong nhiem vu",
    "bieu phan cong", "tien do thuc hien", "bang tien do",
)  # fmt: skip
_LONGEST_SIGNATURE_LINE = 70
_NUMBERED = re.compile(r"^(?:\d{1,2}|[IVX]{1,5}|[a-zđ])\s*[.)/]\s+\S|^Điều\s+\d")


@dataclasses.dataclass(frozen=True)
class Sheet:
    """A letter in reading order.

    lines: head, body and foot, a blank passage between paragraphs. tables: rows of cells, in the body or an annex, each
    with the title that stands above it.
    """

    lines: list[Passage]
    tables: tuple[tuple[str, list[Row]], ...]


def arrange(stored: str) -> Sheet:
    """Return the stored text of a letter in reading order."""
    rows = _unwrapped(rows_of(stored))
    head = _head_end(rows)
    foot = _foot_at(rows, head)
    annex = _annex_at(rows, foot)
    body, tables = _without_tables(rows[head:foot])
    _, annexed = _without_tables(rows[annex:])
    lines = [*_by_columns(rows[:head]), *body, *_by_columns(rows[foot:annex])]
    return Sheet(lines, tuple(tables + annexed))


def _unwrapped(rows: list[Row]) -> list[Row]:
    """The rows with "KẾ HOẠCH" put behind "PHÒNG TÀI CHÍNH -" again, where a narrow head parts them: it is no title."""
    for above, below in itertools.pairwise(rows[:HEAD_LINES]):
        for at, passage in enumerate(below):
            over = next((index for index, one in enumerate(above) if one.column == passage.column), None)
            if over is not None and above[over].text.isupper() and above[over].text.endswith(" -") and passage.text:
                above[over] = joined([above[over], passage])
                below[at] = Passage("", (), column=passage.column)
    return rows


def _head_end(rows: Sequence[Row]) -> int:
    """The index of the first row below the head: "Kính gửi", a title, or "Căn cứ"."""
    for index, row in enumerate(rows[:HEAD_LINES]):
        for passage in row:
            if is_addressing(passage) or title_of(passage) or passage.text.startswith("Căn cứ"):
                return index
            if _NUMBERED.match(passage.text) or (len(row) == 1 and len(passage.text) > 120):
                return index
    return 0


def _foot_at(rows: Sequence[Row], head: int) -> int:
    """The index where Nơi nhận or the signature begins, whichever is first.

    A decision names who decides above its body, in the words of a signature; what text still follows is no signature.
    """
    named = [index for index in range(head, len(rows)) if any(is_recipients_line(one) for one in rows[index])]
    limit = named[-1] if named else len(rows)
    text = head
    for index in range(head, limit):
        row = rows[index]
        if not named and fold(row[0].text).startswith(_ANNEX) and row[0].text.isupper():
            break
        if _is_text(joined(row)) or len(row) > 3:
            text = index
    signed = (index for index in range(text + 1, limit) if any(is_signature_line(one) for one in rows[index]))
    return next(signed, limit)


def _is_text(line: Passage) -> bool:
    whole = _NUMBERED.match(line.text) or line.text.startswith(("- ", "+ ", "Căn cứ", "Nhận được", "Trên đây"))
    return bool(whole) or (len(line.text) > _LONGEST_SIGNATURE_LINE and not _in_capitals(line.text))


def _in_capitals(text: str) -> bool:
    return sum(sign.isupper() for sign in text) > sum(sign.islower() for sign in text)


def _annex_at(rows: Sequence[Row], foot: int) -> int:
    for index in range(foot + 1, len(rows)):
        text = rows[index][0].text
        if (fold(text).startswith(_ANNEX) and text[:3].isupper()) or is_table_head(rows[index]):
            return index
    return len(rows)


def _by_columns(rows: Sequence[Row]) -> list[Passage]:
    """The passages of column 0 from above, then those of column 1, and so on."""
    lines: list[Passage] = []
    for column in range(max(map(len, rows), default=0)):
        for row in rows:
            if column < len(row):
                passage = row[column]
                if passage.text or len(row) == 1:
                    lines.append(passage)
        if lines:
            lines.append(Passage("", (), column=column))
    return lines


# As many cells side by side are no head or foot of a letter.
_LEAST_COLUMNS = 4


def _without_tables(rows: Sequence[Row]) -> tuple[list[Passage], list[tuple[str, list[Row]]]]:
    """Return running text, and the tables of tasks; other tables are left out."""
    lines: list[Passage] = []
    tables: list[tuple[str, list[Row]]] = []
    table: list[Row] | None = None
    for row in rows:
        if table is None and tables and len(row) >= _LEAST_COLUMNS and len(row) == len(tables[-1][1][0]):
            # A row that the end of a page cuts in two may come as loose lines; the table goes on after it.
            table = tables[-1][1]
        if is_table_head(row):
            if table is None or [fold(cell.text) for cell in table[0]] != [fold(cell.text) for cell in row]:
                title = next((line.text for line in reversed(lines) if line.text), "")
                table = [row]
                tables.append((title, table))
            continue
        if table is not None and len(row) >= 2:
            table.append(row)
            continue
        if row == [row[0]] and row[0].is_blank and table is not None:
            continue
        table = None
        if len(row) < 4 or all(_short(cell) for cell in row[:-1]):
            lines.append(dataclasses.replace(joined(row), column=0) if len(row) > 1 else row[0])
    return lines, tables


def _short(cell: Passage) -> bool:
    return len(cell.text) <= 3


_WHAT = (
    "nhiem vu",
    "noi dung",
    "cong viec",
    "hoat dong",
    "phan viec",
    "viec phai",
    "viec can",
    "dau viec",
    "giai phap",
)
_WHO = (
    "chu tri", "thuc hien", "phu trach", "phoi hop", "don vi", "co quan", "trach nhiem", "dau moi", "phan cong",
)  # fmt: skip
_WHEN = ("thoi gian", "thoi han", "hoan thanh", "tien do", "han ", "ngay", "ket qua", "san pham")


# Who gets, asks for or is counted does nothing; "Đơn vị tính" is a unit of measure.
_NOT_IN_CHARGE = (
    "don vi tinh", "don vi nhan", "noi nhan", "nguoi nhan", "duoc ho tro", "duoc cap", "duoc phan bo", "thu huong",
    "don vi su dung", "don vi de nghi", "don vi de xuat", "don vi kien nghi", "don vi dang ky", "so nguoi",
    "don vi cung ung", "don vi duoc", "nguoi duoc", "ket qua", "san pham", "don vi den", "nguoi dan", "so don vi",
)  # fmt: skip


def is_table_head(row: Row) -> bool:
    """Return whether the row heads a table of tasks: what is to be done, and by whom or until when."""
    if len(row) < 3 or any(len(cell.text) > 60 for cell in row):
        return False
    names = [fold(cell.text) for cell in row]
    kinds = [kind_of_column(name) for name in names]
    return "what" in kinds and ("lead" in kinds or "due" in kinds)


def kind_of_column(name: str) -> str:
    """Return "number", "what", "lead", "cooperating", "due" or "other" for the folded title of a column."""
    if name in {"stt", "tt", "so tt", "so thu tu", "no"}:
        return "number"
    if name == "viec":
        return "what"
    if any(word in name for word in _NOT_IN_CHARGE):
        return "other"
    if "phoi hop" in name and "chu tri" not in name:
        return "cooperating"
    if name == "han" or name.startswith(
        ("thoi gian", "thoi han", "han ", "tien do", "ngay hoan", "hoan thanh", "thoi diem", "ngay xong", "xong truoc")
    ):
        return "due"
    if any(
        word in name
        for word in ("chu tri", "phu trach", "don vi", "co quan", "dau moi", "phan cong", "nguoi", "luc luong")
    ):
        return "lead"
    if name.startswith(_WHAT) or any(word in name for word in _WHAT):
        return "what"
    if "thuc hien" in name or "trach nhiem" in name:
        return "lead"
    return "other"
