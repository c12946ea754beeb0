# SPDX-License-Identifier: Apache-2.0
"""What one row of an imported list of units or agencies asks for, before it meets what is already there."""

import dataclasses
import datetime
import re
from collections.abc import Mapping
from typing import ClassVar, TypeVar

from bluezone.directory.imports.headings import Column
from bluezone.directory.imports.raw_sheets import NotACount, NotADay, count_of, day_of, text_of
from bluezone.directory.imports.tables import Row
from bluezone.directory.kinds import AgencyKind, Quantity, UnitKind
from bluezone.directory.records.entries import DenominatorEntry
from bluezone.refusal import Refused
from bluezone.vietnamese.spelling import fold

_Kind = TypeVar("_Kind", UnitKind, AgencyKind)

MAX_CODE_CHARACTERS = 40
MAX_NAME_CHARACTERS = 200
MAX_SHORT_NAME_CHARACTERS = 80
MAX_SOURCE_CHARACTERS = 200

_DATES = (
    Column("valid_from", ("Hiệu lực từ ngày", "Từ ngày", "Ngày hiệu lực", "Valid from")),
    Column("valid_until", ("Hết hiệu lực từ ngày", "Đến ngày", "Ngày hết hiệu lực", "Valid until")),
    Column("successors", ("Mã đơn vị kế thừa", "Đơn vị kế thừa", "Kế thừa", "Sáp nhập vào", "Successors", "Successor")),
)
_FIGURE = (
    Column("source", ("Nguồn số liệu", "Nguồn", "Source")),
    Column("as_of", ("Ngày số liệu", "Thời điểm số liệu", "Tính đến ngày", "As of")),
)
UNIT_COLUMNS = (
    Column("code", ("Mã đơn vị", "Mã", "Mã ĐVHC", "Mã đơn vị hành chính", "Code", "Unit code"), required=True),
    Column("name", ("Tên đơn vị", "Tên", "Tên đơn vị hành chính", "Đơn vị", "Name", "Unit name"), required=True),
    Column("kind", ("Loại", "Cấp", "Loại đơn vị", "Kind", "Type", "Level")),
    Column("parent", ("Mã đơn vị cấp trên", "Mã cấp trên", "Cấp trên", "Trực thuộc", "Parent", "Parent code")),
    *_DATES,
    Column("population", ("Dân số", "Số nhân khẩu", "Nhân khẩu", "Population")),
    Column("households", ("Số hộ", "Hộ", "Số hộ dân", "Households")),
    Column("smartphones", ("Số điện thoại thông minh", "Điện thoại thông minh", "Số máy thông minh", "Smartphones")),
    *_FIGURE,
)
AGENCY_COLUMNS = (
    Column("code", ("Mã cơ quan", "Mã đơn vị", "Mã", "Code", "Agency code"), required=True),
    Column("name", ("Tên cơ quan", "Tên đơn vị", "Cơ quan, đơn vị", "Tên", "Name", "Agency name"), required=True),
    Column("short_name", ("Tên viết tắt", "Viết tắt", "Tên ngắn", "Short name")),
    Column("kind", ("Loại", "Loại cơ quan", "Khối", "Kind", "Type")),
    Column("unit", ("Mã đơn vị hành chính", "Mã địa bàn", "Địa bàn", "Unit", "Unit code")),
    *_DATES,
    Column("staff", ("Số cán bộ", "Số cán bộ, công chức, viên chức", "Biên chế", "Số người", "Staff")),
    *_FIGURE,
)
_QUANTITIES = (Quantity.POPULATION, Quantity.HOUSEHOLDS, Quantity.SMARTPHONES, Quantity.STAFF)

# Written as folded; longer words first where one begins another.
_UNIT_WORDS: Mapping[str, UnitKind] = {
    "tinh": UnitKind.PROVINCE,
    "thanh pho truc thuoc trung uong": UnitKind.PROVINCE,
    "thanh pho": UnitKind.DISTRICT,
    "thanh pho thuoc tinh": UnitKind.DISTRICT,
    "huyen": UnitKind.DISTRICT,
    "quan": UnitKind.DISTRICT,
    "thi xa": UnitKind.DISTRICT,
    "phuong": UnitKind.WARD,
    "xa": UnitKind.COMMUNE,
    "thi tran": UnitKind.COMMUNE,
    "thon": UnitKind.GROUP,
    "ban": UnitKind.GROUP,
    "to": UnitKind.GROUP,
    "to dan pho": UnitKind.GROUP,
    "khu pho": UnitKind.GROUP,
    "tieu khu": UnitKind.GROUP,
} | {kind.value: kind for kind in UnitKind}
_AGENCY_WORDS: Mapping[str, AgencyKind] = {
    "ubnd": AgencyKind.COMMITTEE,
    "uy ban nhan dan": AgencyKind.COMMITTEE,
    "phong": AgencyKind.DEPARTMENT,
    "ban": AgencyKind.DEPARTMENT,
    "van phong": AgencyKind.DEPARTMENT,
    "co quan chuyen mon": AgencyKind.DEPARTMENT,
    "doan the": AgencyKind.UNION,
    "hoi": AgencyKind.UNION,
    "dang": AgencyKind.PARTY,
    "co quan dang": AgencyKind.PARTY,
    "truyen thong": AgencyKind.MEDIA,
    "y te": AgencyKind.HEALTH,
    "cong an": AgencyKind.POLICE,
    "quan su": AgencyKind.MILITARY,
    "don vi su nghiep": AgencyKind.SERVICE,
    "nganh": AgencyKind.BRANCH,
    "nganh doc": AgencyKind.BRANCH,
    "truong": AgencyKind.SCHOOL,
    "truong hoc": AgencyKind.SCHOOL,
    "doanh nghiep": AgencyKind.ENTERPRISE,
} | {kind.value: kind for kind in AgencyKind}
# The General Statistics Office numbers provinces with 2 digits, districts with 3 and communes with 5; a spreadsheet
# program that takes such a code for a number drops its zeros.
_CODE_DIGITS = {UnitKind.PROVINCE: 2, UnitKind.DISTRICT: 3, UnitKind.WARD: 5, UnitKind.COMMUNE: 5}


class ImportRowRefused(Refused):
    """A row that cannot be used; `column` is the name of the column at fault, or None for the whole row."""

    code: ClassVar[str] = "import_row_refused"

    def __init__(self, message: str, column: str | None = None) -> None:
        super().__init__(message)
        self.column = column


class ImportTextInvalid(ImportRowRefused):
    """A code or name is missing, too long, or not one line."""

    code = "import_text_invalid"


class ImportKindUnknown(ImportRowRefused):
    """The kind of a unit or agency is none of the words known."""

    code = "import_kind_unknown"


class ImportValueInvalid(ImportRowRefused):
    """A date or a count cannot be read."""

    code = "import_value_invalid"


class ImportFigureWithoutSource(ImportRowRefused):
    """A figure came without its source or the day it was true; or that day is still to come."""

    code = "import_figure_without_source"


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What a row asks for. None (and for tuples: empty) means that the row says nothing and what is there stays.

    parent, successors: codes as written, still to be found. zeros_added: the code was a number that had lost its zeros.
    """

    row: int
    code: str
    name: str
    kind: UnitKind | AgencyKind | None
    short_name: str | None
    parent: str | None
    valid_from: datetime.date | None
    valid_until: datetime.date | None
    successors: tuple[str, ...]
    denominators: tuple[DenominatorEntry, ...]
    zeros_added: bool = False


def wanted_unit(row: Row, day: datetime.date) -> Wanted:
    """Read a row under UNIT_COLUMNS; `day` is today. Raises an ImportRowRefused."""
    name = _line(row, "name", MAX_NAME_CHARACTERS)
    kind = _kind(row, _UNIT_WORDS) or _kind_in_name(name)
    written = _line(row, "code", MAX_CODE_CHARACTERS)
    code = written
    if kind in _CODE_DIGITS and re.fullmatch(r"[0-9]+", written):
        code = written.zfill(_CODE_DIGITS[kind])
    return _wanted(row, day, code, name, kind, row.cells.get("parent"), code != written)


def wanted_agency(row: Row, day: datetime.date) -> Wanted:
    """Read a row under AGENCY_COLUMNS; `day` is today. Raises an ImportRowRefused."""
    name = _line(row, "name", MAX_NAME_CHARACTERS)
    code = _line(row, "code", MAX_CODE_CHARACTERS)
    return _wanted(row, day, code, name, _kind(row, _AGENCY_WORDS), row.cells.get("unit"), False)


def _wanted(
    row: Row,
    day: datetime.date,
    code: str,
    name: str,
    kind: UnitKind | AgencyKind | None,
    parent: object,
    zeros_added: bool,
) -> Wanted:
    return Wanted(
        row=row.number,
        code=code,
        name=name,
        kind=kind,
        short_name=_line(row, "short_name", MAX_SHORT_NAME_CHARACTERS, required=False) or None,
        parent=str(parent).strip() if parent is not None else None,
        valid_from=_day(row, "valid_from"),
        valid_until=_day(row, "valid_until"),
        successors=tuple(re.findall(r"[^\s;,+]+", text_of(row.cells.get("successors")))),
        denominators=_denominators(row, day),
        zeros_added=zeros_added,
    )


def _line(row: Row, column: str, limit: int, required: bool = True) -> str:
    text = text_of(row.cells.get(column))
    if (required and not text) or len(text) > limit or "\n" in text:
        raise ImportTextInvalid(f"{column} has {len(text)} characters, expected one line of 1..{limit}", column)
    return text


def _kind(row: Row, words: Mapping[str, _Kind]) -> _Kind | None:
    text = fold(text_of(row.cells.get("kind")))
    if not text:
        return None
    if text not in words:
        raise ImportKindUnknown(f"kind is none of: {', '.join(sorted(set(words.values())))}", "kind")
    return words[text]


def _kind_in_name(name: str) -> UnitKind | None:
    """ "phường Sông Cầu" says what it is; the longest word that begins the name counts ("thị xã" before "xã")."""
    folded = fold(name)
    fitting = [word for word in _UNIT_WORDS if folded.startswith(word + " ")]
    return _UNIT_WORDS[max(fitting, key=len)] if fitting else None


def _day(row: Row, column: str) -> datetime.date | None:
    try:
        return day_of(row.cells.get(column))
    except NotADay as error:
        raise ImportValueInvalid(f"{column}: {error.message}", column) from error


def _denominators(row: Row, day: datetime.date) -> tuple[DenominatorEntry, ...]:
    figures: dict[Quantity, int] = {}
    for quantity in _QUANTITIES:
        try:
            count = count_of(row.cells.get(quantity.value))
        except NotACount as error:
            raise ImportValueInvalid(f"{quantity.value}: {error.message}", quantity.value) from error
        if count is not None:
            figures[quantity] = count
    if not figures:
        return ()
    source, as_of = _line(row, "source", MAX_SOURCE_CHARACTERS, required=False), _day(row, "as_of")
    if not source or as_of is None:
        raise ImportFigureWithoutSource("figures need a source and the day they were true", "source")
    if as_of > day:
        raise ImportFigureWithoutSource(f"figures as of {as_of}, which is after {day}", "as_of")
    return tuple(DenominatorEntry(quantity, count, source, as_of) for quantity, count in figures.items())
