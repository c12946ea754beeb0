# SPDX-License-Identifier: Apache-2.0
"""Plan the import of a list of telephone numbers of agencies and residential groups."""

import dataclasses
import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, cast

from bluezone.directory.imports.heading_rows import Column
from bluezone.directory.imports.known_columns import EMAILS_BEGIN, PHONE_HEADINGS, PHONES_BEGIN
from bluezone.directory.imports.plans import ChangedEntry, Doubt, Plan, field_changes, parent_key, refuse_old_font
from bluezone.directory.imports.rows import (
    MAX_CODE_CHARACTERS,
    MAX_NAME_CHARACTERS,
    ImportNameAmbiguous,
    ImportPhoneMissing,
    ImportReferenceUnknown,
    ImportRowRefused,
    ImportRowRepeated,
    email_of,
    line_of,
    phone_of,
)
from bluezone.directory.imports.sent_lists import RefusedRow
from bluezone.directory.imports.tables import Row, Table
from bluezone.directory.kinds import UnitKind
from bluezone.directory.records.entries import AgencyEntry, Directory, Entry, UnitEntry, address_of
from bluezone.vietnamese.spelling import name_key

_Entry = TypeVar("_Entry", UnitEntry, AgencyEntry)


PHONE_COLUMNS = (
    Column("code", ("Mã", "Mã cơ quan", "Mã đơn vị", "Mã số", "Code")),
    Column(
        "name",
        ("Chủ số máy", "Tên cơ quan, đơn vị", "Tên cơ quan", "Tên đơn vị", "Cơ quan, đơn vị", "Cơ quan/đơn vị",
         "Cơ quan", "Đơn vị", "Tên", "Tổ dân phố", "Thôn, tổ dân phố", "Tên thôn, tổ dân phố", "Tổ", "Thôn",
         "Agency", "Name", "Owner"),
        required=True,
    ),
    Column("unit", ("Địa bàn", "Trong địa bàn", "Xã, phường", "Xã/phường", "Phường, xã", "Phường/xã", "Mã địa bàn",
                    "Mã đơn vị cấp trên", "Thuộc xã, phường", "Trực thuộc", "Unit")),
    Column("head_name", ("Tổ trưởng, trưởng thôn", "Trưởng thôn, tổ trưởng", "Tổ trưởng", "Trưởng thôn", "Họ và tên",
                         "Họ tên", "Người phụ trách", "Người liên hệ", "Head")),
    Column("phone", ("Điện thoại", "Số máy", "Số máy cơ quan", "Điện thoại tổ trưởng",
                     "Điện thoại trưởng thôn, tổ trưởng", *PHONE_HEADINGS), required=True, begins=PHONES_BEGIN),
    Column("email", ("Thư điện tử", "Email", "E-mail", "Địa chỉ email", "Hộp thư", "Hộp thư công vụ", "Mail",
                     "E-mail address"), begins=EMAILS_BEGIN),
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class PhoneRow:
    """The values of a row with a telephone number. owner: code or name; unit: code or name of the unit above, or "".

    of_agency, of_group: the fields that an agency, or a residential group, gets. first_of_several: see `RowValues`.
    """

    owner: tuple[str, ...]
    unit: str
    of_agency: Mapping[str, str]
    of_group: Mapping[str, str]
    first_of_several: tuple[str, ...] = ()


def read_phone_row(row: Row) -> PhoneRow:
    """Read a row under PHONE_COLUMNS. Raises an ImportRowRefused."""
    name = line_of(row, "name", MAX_NAME_CHARACTERS)
    code = line_of(row, "code", MAX_CODE_CHARACTERS, required=False)
    phone, phone_cut = phone_of(row, "phone")
    email, email_cut = email_of(row)
    of_agency = {"phone": phone, "email": email}
    of_group = {"head_phone": phone, "head_name": line_of(row, "head_name", 80, required=False)}
    if not phone:
        raise ImportPhoneMissing("the telephone number is missing", "phone")
    return PhoneRow(
        tuple(filter(None, (code, name))),
        line_of(row, "unit", MAX_NAME_CHARACTERS, required=False),
        {field: text for field, text in of_agency.items() if text},
        {field: text for field, text in of_group.items() if text},
        tuple(text for text, cut in ((phone, phone_cut), (email, email_cut)) if cut),
    )


def plan_phones(directory: Directory, table: Table, day: datetime.date) -> Plan:
    """Plan the import of a list read under PHONE_COLUMNS: telephone numbers of agencies and residential groups.

    The owners must exist already; the import changes nothing else of them. A row without a number is refused, since an
    empty cell would keep the stored one. Raises ImportNotReady as `plan_units` does.
    """
    refuse_old_font(table)
    owners = _Owners(directory, day)
    refused: dict[int, RefusedRow] = {}
    rows: dict[str, int] = {}
    changed = []
    unchanged = []
    doubts: list[Doubt] = []
    for row in table.rows:
        try:
            values = read_phone_row(row)
            before, after = owners.with_phone(values)
            if before.key in rows:
                raise ImportRowRepeated(f"row {rows[before.key]} is about the same entry", "name")
        except ImportRowRefused as refusal:
            refused[row.number] = RefusedRow(row.number, refusal.column or "", refusal.code)
            continue
        rows[before.key] = row.number
        doubts += [Doubt(row.number, "several", text) for text in values.first_of_several]
        if changes := field_changes(before, after):
            changed.append(ChangedEntry(row.number, before, after, changes))
        else:
            unchanged.append(row.number)
    after_all = {change.after.key: change.after for change in changed}
    planned = Directory(
        {key: cast(UnitEntry, after_all.get(key, unit)) for key, unit in directory.units.items()},
        {key: cast(AgencyEntry, after_all.get(key, agency)) for key, agency in directory.agencies.items()},
        directory.groups,
    )
    return Plan(
        (),
        tuple(changed),
        tuple(unchanged),
        tuple(refused.values()),
        tuple(doubts),
        table.ignored,
        planned,
        table.left_out,
    )


class _Owners:
    """Finds agencies and residential groups by code, name, short name, or name and unit.

    If no entry is valid today, those of the last day count.
    """

    def __init__(self, directory: Directory, day: datetime.date) -> None:
        self._units = directory.units
        groups = [unit for unit in directory.units.values() if unit.kind is UnitKind.GROUP]
        self._by_name: defaultdict[str, list[Entry]] = defaultdict(list)
        candidates: list[Entry] = [*_valid_or_last(directory.agencies.values(), day), *_valid_or_last(groups, day)]
        for entry in candidates:
            names = {entry.name, getattr(entry, "short_name", ""), address_of(entry, self._units)}
            for name in {entry.code or "", *map(name_key, names)} - {""}:
                self._by_name[name].append(entry)

    def with_phone(self, values: PhoneRow) -> tuple[Entry, Entry]:
        """The entry that a row is about, before and after. Raises ImportReferenceUnknown or ImportNameAmbiguous."""
        matches: list[Entry] = []
        for name in values.owner:
            matches = self._by_name.get(name) or self._by_name.get(name_key(name)) or []
            if matches:
                break
        if values.unit and len(matches) > 1:
            matches = [entry for entry in matches if self._is_in(entry, name_key(values.unit))]
        if len(matches) > 1:
            raise ImportNameAmbiguous("several have this name; give the code, or the unit it is in", "name")
        if not matches:
            raise ImportReferenceUnknown("no agency and no residential group has this name", "name")
        fields: Any = values.of_agency if isinstance(matches[0], AgencyEntry) else values.of_group
        return matches[0], dataclasses.replace(matches[0], **fields)

    def _is_in(self, entry: Entry, where: str) -> bool:
        above = self._units.get(parent_key(entry))
        return above is not None and where in {
            name_key(above.code or ""), name_key(above.name), name_key(address_of(above, self._units))
        }  # fmt: skip


def _valid_or_last(entries: Iterable[_Entry], day: datetime.date) -> list[_Entry]:
    """The entries valid on a day; if there are none, those of the last day."""
    all_entries = list(entries)
    valid = [entry for entry in all_entries if entry.validity.includes(day)]
    last = max((entry.validity.end for entry in all_entries if entry.validity.end), default=None)
    return valid or [entry for entry in all_entries if entry.validity.end == last]
