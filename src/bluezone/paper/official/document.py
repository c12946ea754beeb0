# SPDX-License-Identifier: Apache-2.0
"""An administrative document as values; docx_file, pdf_file and xlsx_file write it out.

Source: look of Công văn 458/UBND-VP and Decree 30/2020/NĐ-CP, annex I (from memory): national title on the right,
issuer and number on the left, place and date, title and subject, text, recipients left and signature right.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from bluezone.refusal import Refused

NATIONAL_TITLE = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
MOTTO = "Độc lập - Tự do - Hạnh phúc"

# Blanks for the pen where the number or the day is written in later.
OPEN_NUMBER = "      "
OPEN_DAY = "    "

Value = str | int | float | Decimal | bool | datetime.date | datetime.datetime | None


class DocumentInvalid(Refused):
    """A document that cannot be written: a row of the wrong width, a time without zone, a table without columns."""

    code = "document_invalid"


@dataclass(frozen=True)
class Letterhead:
    """The head of a document.

    superior: the body above the issuer, or "" for a body that has none on its letters, such as a People's Committee.
    number:   None leaves room for the pen; notation: "BC-UBND".
    date:     None leaves room for the day, with the month and year of `month`.
    """

    issuer: str
    notation: str
    place: str
    date: datetime.date | None
    superior: str = ""
    number: str | None = None
    month: datetime.date | None = None

    def issuer_lines(self) -> tuple[str, ...]:
        """Return the issuer in capitals; a People's Committee on two lines, as its letters have it."""
        name = self.issuer.upper()
        committee = "ỦY BAN NHÂN DÂN"
        if name.startswith(f"{committee} "):
            return committee, name[len(committee) + 1 :]
        return (name,)

    def number_line(self) -> str:
        """Return "Số: 12/BC-UBND"."""
        return f"Số: {self.number or OPEN_NUMBER}/{self.notation}"

    def date_line(self) -> str:
        """Return "Bắc Kạn, ngày 07 tháng 8 năm 2020"; days below 10 and months 1 and 2 with a leading zero."""
        shown = self.date or self.month
        if shown is None:
            return f"{self.place}, ngày{OPEN_DAY}tháng{OPEN_DAY}năm{OPEN_DAY}"
        day = f"{self.date.day:02d}" if self.date else OPEN_DAY
        month = f"{shown.month:02d}" if shown.month < 3 else str(shown.month)
        return f"{self.place}, ngày {day} tháng {month} năm {shown.year}"


@dataclass(frozen=True)
class SignatureBlock:
    """Authority lines from top to bottom ("TM. ỦY BAN NHÂN DÂN", "KT. CHỦ TỊCH"), position, and the name below."""

    authority: tuple[str, ...]
    position: str
    name: str


@dataclass(frozen=True)
class Heading:
    """A heading inside the text."""

    text: str


@dataclass(frozen=True)
class Paragraph:
    """One paragraph."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """Paragraphs that each begin with a dash."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """A column of a table. width: share of the table's width, in any unit; numbers stand to the right."""

    title: str
    width: float = 1.0
    number_format: str = "General"


@dataclass(frozen=True)
class Table:
    """A table of values. title: above it; note: below it (denominator and source of its numbers)."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        if not self.columns:
            raise DocumentInvalid("a table needs at least one column")
        for number, row in enumerate(self.rows, 1):
            if len(row) != len(self.columns):
                raise DocumentInvalid(f"row {number} has {len(row)} values, the table has {len(self.columns)} columns")


Block = Heading | Paragraph | Bullets | Table


@dataclass(frozen=True)
class OfficialDocument:
    """A letter or report in administrative layout.

    title:      "BÁO CÁO"; "" for a công văn, whose subject then stands under its number as "V/v …".
    addressees: lines of Kính gửi; recipients: lines of Nơi nhận, each with its purpose in brackets.
    landscape:  for wide tables.
    """

    head: Letterhead
    subject: str
    body: tuple[Block, ...]
    signature: SignatureBlock | None
    title: str = ""
    basis: str = ""
    addressees: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    landscape: bool = False


def shown(value: Value, zone: datetime.tzinfo) -> str:
    """Return a value as Vietnamese documents write it: 1.234,5; 07/8/2020; 17:05 07/8/2020; Có; an empty text for None.

    zone: the zone in which an aware time is shown. Raises DocumentInvalid for a time without one.
    """
    match value:
        case None:
            return ""
        case bool():
            return "Có" if value else "Không"
        case datetime.datetime():
            if value.tzinfo is None:
                raise DocumentInvalid("a time without zone cannot be shown")
            local = value.astimezone(zone)
            return f"{local:%H:%M} {shown(local.date(), zone)}"
        case datetime.date():
            month = f"{value.month:02d}" if value.month < 3 else str(value.month)
            return f"{value.day:02d}/{month}/{value.year}"
        case int() | float() | Decimal():
            return f"{value:,}".translate(str.maketrans(",.", ".,"))
    return value


def is_number(value: Value) -> bool:
    """Return whether the value is a number, which stands to the right in its column."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def total_width(columns: Sequence[Column]) -> float:
    """Return the sum of the widths, so that a column's share is its width by this."""
    return sum(column.width for column in columns)
