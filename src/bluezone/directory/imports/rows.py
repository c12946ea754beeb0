# SPDX-License-Identifier: Apache-2.0
"""Read the rows of an imported list of units or agencies, before they are compared with the directory."""

import dataclasses
import datetime
import functools
import re
from collections.abc import Mapping
from typing import ClassVar, TypeVar

from django.utils.translation import override

from bluezone.directory.imports.files.raw_sheets import NotACount, NotADay, cell_count, cell_day, cell_text
from bluezone.directory.imports.tables import Row
from bluezone.directory.kinds import AgencyKind, Quantity, UnitKind
from bluezone.directory.records.entries import DenominatorEntry
from bluezone.refusal import Refused
from bluezone.vietnamese.contact_cells import phone_of_number, read_email, read_phone
from bluezone.vietnamese.spelling import fold

_Kind = TypeVar("_Kind", UnitKind, AgencyKind)

MAX_CODE_CHARACTERS = 40
MAX_NAME_CHARACTERS = 200
MAX_SHORT_NAME_CHARACTERS = 80
MAX_SOURCE_CHARACTERS = 200

_QUANTITIES = (Quantity.POPULATION, Quantity.HOUSEHOLDS, Quantity.SMARTPHONES, Quantity.VENUES, Quantity.STAFF)
# Folded words for kinds of units.
UNIT_WORDS: Mapping[str, UnitKind] = {
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
    "dac khu": UnitKind.ZONE,
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
# Folded beginnings of agency names; the longest that matches counts.
_BEGINNINGS: Mapping[AgencyKind, str] = {
    AgencyKind.COMMITTEE: "ubnd, uy ban nhan dan",
    AgencyKind.DEPARTMENT: (
        "so, phong, van phong, vp, chi cuc, thanh tra, ban, ban dan toc, hdnd, hoi dong nhan "
        "dan, trung tam phuc vu hanh chinh cong"
    ),
    AgencyKind.UNION: (
        "hoi, doan, lien doan, lien minh, cong doan, mttq, mat tran, ub mttq, uy ban mttq, uy "
        "ban mat tran, ubmttq, ban thuong truc uy ban mttq"
    ),
    AgencyKind.PARTY: (
        "tinh uy, thanh uy, huyen uy, dang uy, ban to chuc, ban tuyen giao, ban dan van, uy "
        "ban kiem tra, van phong tinh uy, van phong dang uy, van phong thanh uy, ban xay dung "
        "dang"
    ),
    AgencyKind.MEDIA: "dai, bao, trung tam van hoa, trung tam truyen thong, co quan bao",
    AgencyKind.HEALTH: (
        "tram y te, tyt, trung tam y te, ttyt, benh vien, bv, phong kham, trung tam kiem soat benh tat, cdc"
    ),
    AgencyKind.POLICE: "cong an, don cong an, ca phuong, ca xa, ca tinh",
    AgencyKind.MILITARY: "ban chi huy, bo chi huy, ban chqs, bo chqs, don bien phong, bo doi bien phong",
    AgencyKind.SERVICE: "trung tam, ban quan ly, bql, vuon quoc gia, quy, vien, thu vien, bao tang",
    AgencyKind.BRANCH: (
        "chi cuc thue, thue, kho bac, bao hiem xa hoi, bhxh, buu dien, toa an, vien kiem sat, "
        "chi cuc thong ke, chi cuc thi hanh an, thi hanh an, ngan hang nha nuoc, hat kiem "
        "lam, cuc, hai quan, thong ke, quan ly thi truong, doi quan ly thi truong"
    ),
    AgencyKind.SCHOOL: (
        "truong, nha tre, lop mau giao, nhom tre, hoc vien, dai hoc, cao dang, th, thcs, "
        "thpt, tieu hoc, mam non, mau giao"
    ),
    AgencyKind.ENTERPRISE: (
        "cong ty, cty, doanh nghiep, hop tac xa, htx, ngan hang, dien luc, tong cong ty, tap "
        "doan, khach san, nha nghi, nha hang, sieu thi, vien thong, vnpt, viettel, mobifone, "
        "nha may, xi nghiep, ben xe"
    ),
}
_KIND_BY_BEGINNING: dict[str, AgencyKind] = {}
for _agency_kind, _names in _BEGINNINGS.items():
    _KIND_BY_BEGINNING |= dict.fromkeys(_names.split(", "), _agency_kind)
# Codes of the General Statistics Office have 2 digits for provinces, 3 for districts and 5 for communes; a spreadsheet
# program that takes such a code for a number drops its leading zeros.
_CODE_DIGITS = {UnitKind.PROVINCE: 2, UnitKind.DISTRICT: 3, UnitKind.WARD: 5, UnitKind.COMMUNE: 5, UnitKind.ZONE: 5}
_NO = frozenset({"chua", "khong", "no", "false", "0"})


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
    """The kind of a unit or agency is not one of the known words."""

    code = "import_kind_unknown"


class ImportValueInvalid(ImportRowRefused):
    """A day or a number cannot be read."""

    code = "import_value_invalid"


class ImportPhoneInvalid(ImportRowRefused):
    """A cell for a telephone number has none."""

    code = "import_phone_invalid"


class ImportEmailInvalid(ImportRowRefused):
    """A cell for an e-mail address has none."""

    code = "import_email_invalid"


class ImportPhoneMissing(ImportRowRefused):
    """A row of a list of telephone numbers has none; an empty cell would keep the stored one."""

    code = "import_phone_missing"


class ImportFigureWithoutSource(ImportRowRefused):
    """A figure has no source or no day on which it was true, or that day is in the future."""

    code = "import_figure_without_source"


class ImportRowRepeated(ImportRowRefused):
    """Two rows are about the same entry."""

    code = "import_row_repeated"


class ImportReferenceUnknown(ImportRowRefused):
    """A code in a row belongs to no unit or agency valid on the day for which it is needed."""

    code = "import_reference_unknown"


class ImportNameAmbiguous(ImportRowRefused):
    """The name in a row without a code matches several entries."""

    code = "import_name_ambiguous"


@dataclasses.dataclass(frozen=True)
class RowValues:
    """The values of a row. None, an empty tuple or an empty text keeps the stored value.

    parent, answers_to, successors: codes or names as written, not yet looked up. zeros_added: whether the code had
    lost its leading zeros. confirmed: False if a column says that the row is not confirmed. guessed_kind: the kind that
    the name suggests. further: fields that only units or only agencies have, by name.
    first_of_several: numbers and addresses from cells with more than one.
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
    confirmed: bool = True
    guessed_kind: AgencyKind | None = None
    answers_to: str = ""
    further: Mapping[str, str] = dataclasses.field(default_factory=dict)
    first_of_several: tuple[str, ...] = ()


def read_unit_row(row: Row, today: datetime.date) -> RowValues:
    """Read a row under UNIT_COLUMNS. Raises an ImportRowRefused."""
    name = line_of(row, "name", MAX_NAME_CHARACTERS)
    kind = _kind(row, UNIT_WORDS, UnitKind) or _kind_in_name(name)
    code_text = line_of(row, "code", MAX_CODE_CHARACTERS, required=False)
    code = code_text
    if kind in _CODE_DIGITS and re.fullmatch(r"[0-9]+", code_text):
        code = code_text.zfill(_CODE_DIGITS[kind])
    above = row.cells.get("parent")
    if above is None:
        above = row.cells.get("parent_name")
    phone, cut = phone_of(row, "head_phone")
    further = {"head_name": line_of(row, "head_name", 80, required=False), "head_phone": phone}
    if any(further.values()) and kind not in (UnitKind.GROUP, None):
        column = "head_name" if further["head_name"] else "head_phone"
        raise ImportValueInvalid("only a residential group has a head", column)
    values = _row_values(row, today, code, name, kind, above, code != code_text, further)
    return dataclasses.replace(values, first_of_several=(phone,) if cut else ())


def read_agency_row(row: Row, today: datetime.date) -> RowValues:
    """Read a row under AGENCY_COLUMNS. Raises an ImportRowRefused."""
    name = line_of(row, "name", MAX_NAME_CHARACTERS)
    code = line_of(row, "code", MAX_CODE_CHARACTERS, required=False)
    unit = row.cells.get("unit")
    if unit is None:
        unit = row.cells.get("unit_name")
    contacts = {"phone": phone_of(row, "phone"), "email": email_of(row)}
    further = {
        **{field: text for field, (text, _cut) in contacts.items()},
        "edxml_id": line_of(row, "edxml_id", MAX_CODE_CHARACTERS, required=False),
    }
    values = _row_values(row, today, code, name, _kind(row, _AGENCY_WORDS, AgencyKind), unit, False, further)
    answers_to = line_of(row, "answers_to", MAX_NAME_CHARACTERS, required=False)
    return dataclasses.replace(
        values,
        answers_to=answers_to,
        guessed_kind=_agency_kind_in_name(name),
        first_of_several=tuple(text for text, cut in contacts.values() if cut),
    )


def _row_values(
    row: Row,
    today: datetime.date,
    code: str,
    name: str,
    kind: UnitKind | AgencyKind | None,
    parent: object,
    zeros_added: bool,
    further: Mapping[str, str],
) -> RowValues:
    return RowValues(
        row=row.number,
        code=code,
        name=name,
        kind=kind,
        short_name=line_of(row, "short_name", MAX_SHORT_NAME_CHARACTERS, required=False) or None,
        parent=str(parent).strip() if parent is not None else None,
        valid_from=_day(row, "valid_from"),
        valid_until=_day(row, "valid_until"),
        successors=tuple(filter(None, map(str.strip, re.split(r"[;+\n]", _successors(row))))),
        denominators=_denominators(row, today),
        zeros_added=zeros_added,
        confirmed=fold(cell_text(row.cells.get("confirmed"))) not in _NO,
        further={field: text for field, text in further.items() if text},
    )


def _successors(row: Row) -> str:
    """The cell of successors; commas and spaces separate codes too, but may be part of names."""
    text = cell_text(row.cells.get("successors"))
    are_codes = re.fullmatch(r"[\w.\s;,+-]+", text) and re.search(r"\d", text) and text.isascii()
    return re.sub(r"[\s,]+", ";", text) if are_codes else text


def phone_of(row: Row, column: str) -> tuple[str, bool]:
    """The first telephone number in a cell, and whether the cell has more text.

    ("", False) if the cell is empty or has a word for "none". Raises ImportPhoneInvalid.
    """
    cell = row.cells.get(column)
    phone = read_phone(phone_of_number(cell) if isinstance(cell, int) else cell_text(cell))
    if phone is None:
        raise ImportPhoneInvalid("expected a telephone number", column)
    return phone


def email_of(row: Row) -> tuple[str, bool]:
    """The first e-mail address in the cell, and whether the cell has more text; otherwise as `phone_of`.

    Raises ImportEmailInvalid.
    """
    email = read_email(cell_text(row.cells.get("email")))
    if email is None:
        raise ImportEmailInvalid("expected an e-mail address", "email")
    return email


def _agency_kind_in_name(name: str) -> AgencyKind | None:
    """The kind that the first words of a name suggest: "Trạm Y tế phường Sông Cầu" is of kind HEALTH."""
    folded = fold(name)
    prefixes = [word for word in _KIND_BY_BEGINNING if folded == word or folded.startswith(word + " ")]
    return _KIND_BY_BEGINNING[max(prefixes, key=len)] if prefixes else None


def line_of(row: Row, column: str, limit: int, required: bool = True) -> str:
    """The text of a cell as one line of at most `limit` characters. Raises ImportTextInvalid."""
    text = " ".join(cell_text(row.cells.get(column)).split("\n"))
    if (required and not text) or len(text) > limit:
        raise ImportTextInvalid(f"{column} has {len(text)} characters, expected 1..{limit}", column)
    return text


@functools.cache
def _labels(kinds: type[_Kind]) -> Mapping[str, _Kind]:
    """Each kind by the label that pages show for it, folded, in both languages."""
    labels: dict[str, _Kind] = {}
    for language in ("en", "vi"):
        with override(language):
            labels |= {fold(str(kind.label)): kind for kind in kinds}
    return labels


def _kind(row: Row, words: Mapping[str, _Kind], kinds: type[_Kind]) -> _Kind | None:
    text = fold(cell_text(row.cells.get("kind")))
    if not text:
        return None
    words = {**_labels(kinds), **words}
    if text not in words:
        raise ImportKindUnknown(f"kind is none of: {', '.join(sorted(set(words.values())))}", "kind")
    return words[text]


def _kind_in_name(name: str) -> UnitKind | None:
    """The kind in a name such as "phường Sông Cầu"; the longest word that begins the name counts."""
    folded = fold(name)
    prefixes = [word for word in UNIT_WORDS if folded.startswith(word + " ")]
    return UNIT_WORDS[max(prefixes, key=len)] if prefixes else None


def proper_name(name: str) -> str:
    """The folded name of a unit without the word for its kind: "phường Sông Cầu" is "song cau"."""
    folded = fold(name)
    words = [word for word in UNIT_WORDS if folded.startswith(word + " ")]
    return folded[len(max(words, key=len, default="")) :].strip()


def _day(row: Row, column: str) -> datetime.date | None:
    try:
        return cell_day(row.cells.get(column))
    except NotADay as error:
        raise ImportValueInvalid(f"{column}: {error.message}", column) from error


def _denominators(row: Row, day: datetime.date) -> tuple[DenominatorEntry, ...]:
    figures: dict[Quantity, int] = {}
    for quantity in _QUANTITIES:
        try:
            count = cell_count(row.cells.get(quantity.value))
        except NotACount as error:
            raise ImportValueInvalid(f"{quantity.value}: {error.message}", quantity.value) from error
        if count is not None:
            figures[quantity] = count
    if not figures:
        return ()
    return tuple(_figure(row, quantity, count, day) for quantity, count in figures.items())


def _figure(row: Row, quantity: Quantity, count: int, day: datetime.date) -> DenominatorEntry:
    prefix = f"{quantity.value}_" if row.cells.get(f"{quantity.value}_source") is not None else ""
    source = line_of(row, f"{prefix}source", MAX_SOURCE_CHARACTERS, required=False)
    as_of = _day(row, f"{prefix}as_of")
    if not source or as_of is None:
        raise ImportFigureWithoutSource("figures need a source and the day they were true", "source")
    if as_of > day:
        raise ImportFigureWithoutSource(f"figures as of {as_of}, which is after {day}", "as_of")
    return DenominatorEntry(quantity, count, source, as_of)
