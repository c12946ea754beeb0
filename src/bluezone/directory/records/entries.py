# SPDX-License-Identifier: Apache-2.0
"""Administrative units, agencies and recipient groups as values, and a city's consistent directory of them."""

import dataclasses
import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bluezone.directory.kinds import WARDS, AgencyKind, Purpose, Quantity, UnitKind
from bluezone.refusal import Refused

# The kinds of unit that may be directly above each kind; a province has none.
PARENT_KINDS: Mapping[UnitKind, frozenset[UnitKind]] = {
    UnitKind.PROVINCE: frozenset(),
    UnitKind.DISTRICT: frozenset({UnitKind.PROVINCE}),
    UnitKind.WARD: frozenset({UnitKind.DISTRICT, UnitKind.PROVINCE}),  # under the province since 2025
    UnitKind.COMMUNE: frozenset({UnitKind.DISTRICT, UnitKind.PROVINCE}),
    UnitKind.ZONE: frozenset({UnitKind.PROVINCE}),
    UnitKind.GROUP: frozenset(WARDS),
}


@dataclasses.dataclass(frozen=True)
class Validity:
    """The days of an entry: from `start` (None: unknown, long ago) to the day before `end` (None: open)."""

    start: datetime.date | None = None
    end: datetime.date | None = None

    def includes(self, day: datetime.date) -> bool:
        """True if the entry is valid on `day`."""
        return (self.start is None or self.start <= day) and (self.end is None or day < self.end)

    def overlaps(self, other: "Validity") -> bool:
        """True if there is a day on which both are valid."""
        return _before(self.start, other.end) and _before(other.start, self.end)

    def within(self, outer: "Validity") -> bool:
        """True if `outer` is valid on every day on which this one is."""
        begins = outer.start is None or (self.start is not None and outer.start <= self.start)
        ends = outer.end is None or (self.end is not None and self.end <= outer.end)
        return begins and ends


def _before(start: datetime.date | None, end: datetime.date | None) -> bool:
    return start is None or end is None or start < end


@dataclasses.dataclass(frozen=True)
class DenominatorEntry:
    """The denominator of a share, always with its source and the day it was true.

    value:  0 or more.
    source: who counted, in words ("Chi cục Thống kê thành phố").
    as_of:  the day the number was true.
    """

    quantity: Quantity
    value: int
    source: str
    as_of: datetime.date


@dataclasses.dataclass(frozen=True)
class UnitEntry:
    """An administrative unit during one period of validity.

    key:         our own name for the entry, unique for ever.
    code:        number of the General Statistics Office, unique on any one day; None if unknown or nonexistent.
    parent:      key of the unit above, None for a province.
    successors:  keys of the units that took over.
    confirmed:   False while the city has not confirmed the entry. unconfirmed: fields that it has not confirmed.
    head_name, head_phone: only of a residential group.
    """

    key: str
    name: str
    kind: UnitKind
    code: str | None = None
    parent: str | None = None
    validity: Validity = Validity()
    successors: tuple[str, ...] = ()
    denominators: tuple[DenominatorEntry, ...] = ()
    confirmed: bool = True
    unconfirmed: tuple[str, ...] = ()
    head_name: str = ""
    head_phone: str = ""


@dataclasses.dataclass(frozen=True)
class AgencyEntry:
    """An agency during one period of validity; fields not described here are as in UnitEntry.

    unit: key of the unit that it serves. edxml_id: its identifier on the national document axis (QCVN 102:2016), None
    until the city enters it. answers_to: key of the agency above it; None keeps the stored one, and gives a new agency
    the usual one of its kind.
    """

    key: str
    name: str
    kind: AgencyKind
    unit: str
    code: str | None = None
    short_name: str = ""
    edxml_id: str | None = None
    validity: Validity = Validity()
    successors: tuple[str, ...] = ()
    denominators: tuple[DenominatorEntry, ...] = ()
    confirmed: bool = True
    unconfirmed: tuple[str, ...] = ()
    answers_to: str | None = None
    email: str = ""
    phone: str = ""


@dataclasses.dataclass(frozen=True)
class GroupEntry:
    """A "Kính gửi" or "Nơi nhận" line that means several agencies. members: their keys."""

    key: str
    name: str
    members: tuple[str, ...]
    purpose: Purpose


def denominator_on(
    denominators: tuple[DenominatorEntry, ...], quantity: Quantity, day: datetime.date
) -> DenominatorEntry | None:
    """The newest figure for `quantity` that was true by `day`, or None."""
    figures = [figure for figure in denominators if figure.quantity is quantity and figure.as_of <= day]
    return max(figures, key=lambda figure: figure.as_of, default=None)


Entry = UnitEntry | AgencyEntry


def address_of(entry: Entry, units: Mapping[str, Entry]) -> str:
    """The name that identifies an entry without a code in a list: "Tổ 1, phường Sông Cầu"."""
    key = entry.parent if isinstance(entry, UnitEntry) else entry.unit
    above = units.get(key) if key else None
    return f"{entry.name}, {above.name}" if above is not None else entry.name


class DirectoryRefused(Refused):
    """Entries that contradict each other; `key` names the entry to correct."""

    code = "directory_refused"

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


class KeyRepeated(DirectoryRefused):
    """Two entries have the same key."""

    code = "entry_key_repeated"


class CodeRepeated(DirectoryRefused):
    """Two units or two agencies have the same code on the same day."""

    code = "entry_code_repeated"


class ParentUnknown(DirectoryRefused):
    """The unit above, or an agency's unit, is missing, of the wrong level, or not valid all the time."""

    code = "entry_parent_unknown"


class UnitCycle(DirectoryRefused):
    """A unit is below itself."""

    code = "unit_cycle"


class AgencyCycle(DirectoryRefused):
    """An agency would answer to itself, directly or through others."""

    code = "agency_cycle"


class ValidityInconsistent(DirectoryRefused):
    """An entry ends before it begins, has a successor but no end, or one that begins too late or ends too early."""

    code = "entry_validity_inconsistent"


class SuccessorUnknown(DirectoryRefused):
    """A successor is not in the directory, or is the entry itself."""

    code = "entry_successor_unknown"


class GroupMemberUnknown(DirectoryRefused):
    """A recipient group has no members, or one that is not in the directory."""

    code = "group_member_unknown"


@dataclasses.dataclass(frozen=True)
class Directory:
    """All entries of a city. `build` refuses contradictions; a directory is never changed, only replaced."""

    units: Mapping[str, UnitEntry]
    agencies: Mapping[str, AgencyEntry]
    groups: Mapping[str, GroupEntry]

    @classmethod
    def build(
        cls, units: Iterable[UnitEntry], agencies: Iterable[AgencyEntry] = (), groups: Iterable[GroupEntry] = ()
    ) -> "Directory":
        """The directory of these entries. Raises the first DirectoryRefused of `contradictions`."""
        units = tuple(units)
        agencies = tuple(agencies)
        groups = tuple(groups)
        for refusal in contradictions(units, agencies, groups):
            raise refusal
        return cls(
            {unit.key: unit for unit in units},
            {agency.key: agency for agency in agencies},
            {group.key: group for group in groups},
        )

    def units_on(self, day: datetime.date) -> list[UnitEntry]:
        """Units valid on `day`, in the order of the directory."""
        return [unit for unit in self.units.values() if unit.validity.includes(day)]

    def agencies_on(self, day: datetime.date) -> list[AgencyEntry]:
        """Agencies valid on `day`, in the order of the directory."""
        return [agency for agency in self.agencies.values() if agency.validity.includes(day)]

    def subtree(self, key: str) -> list[UnitEntry]:
        """The unit `key` and everything below it, parents before children."""
        below: dict[str | None, list[UnitEntry]] = defaultdict(list)
        for unit in self.units.values():
            below[unit.parent].append(unit)
        units = [self.units[key]]
        for unit in units:
            units.extend(below[unit.key])
        return units

    def current(self, key: str, day: datetime.date) -> list[Entry]:
        """The unit or agency `key` if it is valid on `day`, else its valid successors, direct or indirect."""
        entries: Mapping[str, Entry] = self.units if key in self.units else self.agencies
        valid: dict[str, Entry] = {}
        waiting = [key]
        seen = set()
        while waiting:
            entry = entries[waiting.pop(0)]
            if entry.key in seen:
                continue
            seen.add(entry.key)
            if entry.validity.includes(day):
                valid[entry.key] = entry
            else:
                waiting.extend(entry.successors)
        return list(valid.values())


def contradictions(
    units: Iterable[UnitEntry], agencies: Iterable[AgencyEntry], groups: Iterable[GroupEntry]
) -> Iterator[DirectoryRefused]:
    """Every contradiction between the entries; none if they make a directory."""
    units = tuple(units)
    agencies = tuple(agencies)
    groups = tuple(groups)
    unit_of = {unit.key: unit for unit in units}
    agency_of = {agency.key: agency for agency in agencies}
    yield from _repeated_keys((*units, *agencies, *groups))
    yield from _repeated_codes(units)
    yield from _repeated_codes(agencies)
    yield from _unit_cycles(unit_of)
    yield from _agency_cycles(agency_of)
    for unit in units:
        yield from _wrong_parent(unit, unit_of)
        yield from _inconsistent_validity(unit, unit_of)
    for agency in agencies:
        home = unit_of.get(agency.unit)
        if home is None or not agency.validity.overlaps(home.validity):
            yield ParentUnknown(agency.key, f"agency {agency.key}: unit {agency.unit!r} is not valid with it")
        yield from _inconsistent_validity(agency, agency_of)
    for group in groups:
        missing = [member for member in group.members if member not in agency_of]
        if missing or not group.members:
            yield GroupMemberUnknown(
                group.key, f"group {group.key}: {missing or 'no one'} is not in the list of agencies"
            )


def _repeated_keys(entries: Iterable[Entry | GroupEntry]) -> Iterator[DirectoryRefused]:
    seen: set[str] = set()
    for entry in entries:
        if entry.key in seen:
            yield KeyRepeated(entry.key, f"key {entry.key!r} is used twice")
        seen.add(entry.key)


def _repeated_codes(entries: Iterable[Entry]) -> Iterator[DirectoryRefused]:
    by_code: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.code is None:
            continue
        if any(entry.validity.overlaps(other.validity) for other in by_code[entry.code]):
            yield CodeRepeated(entry.key, f"code {entry.code} already belongs to another entry on the same days")
        by_code[entry.code].append(entry)


def _wrong_parent(unit: UnitEntry, unit_of: Mapping[str, UnitEntry]) -> Iterator[DirectoryRefused]:
    allowed = PARENT_KINDS[unit.kind]
    if unit.parent is None:
        if allowed:
            yield ParentUnknown(unit.key, f"{unit.kind.value} {unit.key} needs a unit above it, got none")
        return
    parent = unit_of.get(unit.parent)
    if parent is None:
        yield ParentUnknown(unit.key, f"{unit.kind.value} {unit.key}: the unit above it is not in the list")
    elif parent.kind not in allowed:
        yield ParentUnknown(unit.key, f"{unit.kind.value} {unit.key} cannot lie under a {parent.kind.value}")
    elif not unit.validity.within(parent.validity):
        yield ParentUnknown(unit.key, f"{unit.kind.value} {unit.key} is valid on days when its unit above is not")


def _inconsistent_validity(entry: Entry, entry_of: Mapping[str, Entry]) -> Iterator[DirectoryRefused]:
    start = entry.validity.start
    end = entry.validity.end
    if start is not None and end is not None and start >= end:
        yield ValidityInconsistent(entry.key, f"{entry.key} ends on {end}, which is not after its start {start}")
    for key in entry.successors:
        successor = entry_of.get(key)
        if successor is None or key == entry.key:
            yield SuccessorUnknown(entry.key, f"{entry.key}: successor {key!r} is not another entry of the list")
        elif end is None:
            yield ValidityInconsistent(entry.key, f"{entry.key} has a successor but no last day")
        elif successor.validity.start is not None and successor.validity.start > end:
            yield ValidityInconsistent(entry.key, f"{entry.key} ends on {end}, before its successor begins")
        elif successor.validity.end is not None and successor.validity.end <= end:
            yield ValidityInconsistent(entry.key, f"{entry.key} ends on {end}, after its successor has ended")


def _unit_cycles(unit_of: Mapping[str, UnitEntry]) -> Iterator[DirectoryRefused]:
    for member in _members_of_cycles({key: unit.parent for key, unit in unit_of.items()}):
        yield UnitCycle(member, f"unit {member} is under itself")


def _agency_cycles(agency_of: Mapping[str, AgencyEntry]) -> Iterator[DirectoryRefused]:
    for member in _members_of_cycles({key: agency.answers_to for key, agency in agency_of.items()}):
        yield AgencyCycle(member, f"agency {member} answers to itself")


def _members_of_cycles(above: Mapping[str, str | None]) -> Iterator[str]:
    safe: set[str] = set()
    for start in above:
        path: dict[str, None] = {}
        key: str | None = start
        while key is not None and key in above and key not in safe and key not in path:
            path[key] = None
            key = above[key]
        if key in path:
            walked = list(path)
            yield from walked[walked.index(key) :]
        safe.update(path)


def write_entry(entry: UnitEntry | AgencyEntry) -> dict[str, Any]:
    """An entry as a row of a seed document, with its figures."""
    own: dict[str, Any]
    if isinstance(entry, UnitEntry):
        own = {"parent": entry.parent, "head_name": entry.head_name, "head_phone": entry.head_phone}
    else:
        own = {
            "unit": entry.unit,
            "short_name": entry.short_name,
            "edxml_id": entry.edxml_id,
            "answers_to": entry.answers_to,
            "email": entry.email,
            "phone": entry.phone,
        }
    start = entry.validity.start
    end = entry.validity.end
    return {
        "key": entry.key, "name": entry.name, "kind": entry.kind.value, "code": entry.code, **own,
        "valid_from": start and start.isoformat(), "valid_until": end and end.isoformat(),
        "successors": list(entry.successors), "confirmed": entry.confirmed, "unconfirmed": list(entry.unconfirmed),
        "figures": [
            [figure.quantity.value, figure.value, figure.source, figure.as_of.isoformat()]
            for figure in entry.denominators
        ],
    }  # fmt: skip


def read_entry(row: Mapping[str, Any]) -> UnitEntry | AgencyEntry:
    """The entry of a row that `write_entry` made."""
    return read_agency(row) if "unit" in row else read_unit(row)


def read_unit(row: Mapping[str, Any]) -> UnitEntry:
    """The unit of a row that `write_entry` made."""
    head = {name: row.get(name, "") for name in ("head_name", "head_phone")}
    return UnitEntry(kind=UnitKind(row["kind"]), parent=row.get("parent"), **head, **_shared(row))


def read_agency(row: Mapping[str, Any]) -> AgencyEntry:
    """The agency of a row that `write_entry` made."""
    return AgencyEntry(
        kind=AgencyKind(row["kind"]),
        unit=row["unit"],
        short_name=row.get("short_name", ""),
        edxml_id=row.get("edxml_id"),
        answers_to=row.get("answers_to"),
        email=row.get("email", ""),
        phone=row.get("phone", ""),
        **_shared(row),
    )


def _shared(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "key": row["key"],
        "name": row["name"],
        "code": row.get("code"),
        "validity": Validity(_day(row.get("valid_from")), _day(row.get("valid_until"))),
        "successors": tuple(row.get("successors", ())),
        "denominators": tuple(
            DenominatorEntry(Quantity(kind), value, source, datetime.date.fromisoformat(day))
            for kind, value, source, day in row.get("figures", ())
        ),
        "confirmed": row.get("confirmed", True),
        "unconfirmed": tuple(row.get("unconfirmed", ())),
    }


def _day(text: str | None) -> datetime.date | None:
    return None if text is None else datetime.date.fromisoformat(text)
