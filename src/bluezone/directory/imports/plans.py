# SPDX-License-Identifier: Apache-2.0
"""What an imported list would do to the directory: the entries as it would leave them, shown whole before anything is
stored, then all done or nothing.
"""

import dataclasses
import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from bluezone.directory.imports.rows import ImportKindUnknown, ImportRowRefused, Wanted, wanted_agency, wanted_unit
from bluezone.directory.imports.tables import Row, Table
from bluezone.directory.kinds import AgencyKind, UnitKind
from bluezone.directory.records.entries import (
    AgencyEntry,
    DenominatorEntry,
    Directory,
    Entry,
    UnitEntry,
    Validity,
    contradictions,
)
from bluezone.refusal import Refused
from bluezone.vietnamese.spelling import fold


class ImportRowRepeated(ImportRowRefused):
    """Two rows are about the same entry."""

    code = "import_row_repeated"


class ImportReferenceUnknown(ImportRowRefused):
    """A code in a row belongs to no unit or agency in force on the day it is needed."""

    code = "import_reference_unknown"


@dataclasses.dataclass(frozen=True)
class Doubt:
    """Something a person should look at before accepting; it does not stop the import."""

    row: int
    message: str


class Draft:
    """Built for one import; `entries` are the units, or the agencies, by key, and `rows` say which a row is about.

    before: the entries the list is about; units: all units (the same mapping when the list is about units).
    day:    the day of the import; "in force" means on this day unless a row gives a later one.
    """

    def __init__(self, before: Mapping[str, Entry], units: Mapping[str, Entry], day: datetime.date) -> None:
        self.before = before
        self.entries: dict[str, Entry] = dict(before)
        self.rows: dict[str, Wanted] = {}
        self.doubts: list[Doubt] = []
        self._day = day
        self._units = {} if before is units else units
        self._about_units = before is units
        in_force = [entry for entry in before.values() if entry.validity.holds(day)]
        self._by_code = _grouped(before.values(), lambda entry: entry.code)
        self._units_by_code = self._by_code if self._about_units else _grouped(units.values(), lambda unit: unit.code)
        self._by_name = _grouped(in_force, lambda entry: fold(entry.name))

    def place(self, wanted: Wanted) -> None:
        """Find or make the entry of a row. Raises ImportRowRepeated or ImportKindUnknown.

        It is the entry with the row's code and `valid_from`, else the one with its code and `valid_until`, else the one
        with its code in force today, else one in force that has this name and no code yet. A `valid_from` still to come
        that no entry has announces a new one; that is how a code goes on after a merger.
        """
        if wanted.zeros_added:
            self.doubts.append(Doubt(wanted.row, f"the code had lost its zeros and is taken as {wanted.code}"))
        entry = self._existing(wanted) or self._new(wanted)
        if entry.key in self.rows:
            raise ImportRowRepeated(f"row {self.rows[entry.key].row} is about the same entry", "code")
        self.rows[entry.key] = wanted
        if entry.key not in self.before:
            self.entries[entry.key] = entry
            self._by_code[wanted.code].append(entry)

    def fill(self, key: str) -> None:
        """Write what the row says into its entry. Raises ImportReferenceUnknown."""
        wanted, entry = self.rows[key], self.entries[key]
        validity = self._validity(entry)
        fields: dict[str, Any] = {"name": wanted.name, "code": wanted.code, "validity": validity}
        if wanted.kind is not None:
            fields["kind"] = wanted.kind
        if wanted.parent is not None:
            above = "parent" if self._about_units else "unit"
            day = max(validity.start or self._day, self._day)
            fields[above] = self._key_of(wanted.parent, self._units_by_code, day, above)
        if wanted.short_name is not None and isinstance(entry, AgencyEntry):
            fields["short_name"] = wanted.short_name
        if wanted.successors:
            day = validity.end or self._day
            found = [self._key_of(code, self._by_code, day, "successors") for code in wanted.successors]
            fields["successors"] = tuple(dict.fromkeys(found))
        if wanted.denominators:
            fields["denominators"] = _with_newer(entry.denominators, wanted.denominators)
        said = {"code", *(name for name in ("valid_from", "valid_until", "successors") if getattr(wanted, name))}
        unconfirmed = tuple(name for name in entry.unconfirmed if name not in said)
        self.entries[key] = dataclasses.replace(entry, **fields, confirmed=True, unconfirmed=unconfirmed)

    def inherit_days(self) -> None:
        """Give a new entry whose row names no first or last day those of the unit above it, however deep."""
        settled: set[str] = set(self.before)
        for start in self.rows:
            path: list[str] = []
            key = start
            while key in self.entries and key not in settled and key not in path:
                path.append(key)
                key = _drafted_above(self.entries[key])
            for key in reversed(path):
                entry = self.entries[key]
                above = self._units.get(_drafted_above(entry)) or self.entries.get(_drafted_above(entry))
                if above is not None:
                    mine, outer = entry.validity, above.validity
                    validity = Validity(mine.start or outer.start, mine.end or outer.end)
                    self.entries[key] = dataclasses.replace(entry, validity=validity)
            settled.update(path)

    def _existing(self, wanted: Wanted) -> Entry | None:
        same_code = [entry for entry in self._by_code[wanted.code] if entry.key in self.before]
        if wanted.valid_from is not None:
            for entry in same_code:
                if entry.validity.start == wanted.valid_from:
                    return entry
            if wanted.valid_from > self._day:
                return None
        for entry in same_code:
            if wanted.valid_until is not None and entry.validity.end == wanted.valid_until:
                return entry
        in_force = [entry for entry in same_code if entry.validity.holds(self._day)]
        if in_force:
            return in_force[0]
        without_code = [entry for entry in self._by_name[fold(wanted.name)] if entry.code is None]
        return without_code[0] if len(without_code) == 1 else None

    def _new(self, wanted: Wanted) -> Entry:
        if any(other.code != wanted.code for other in self._by_name[fold(wanted.name)]):
            self.doubts.append(Doubt(wanted.row, "there already is an entry of this name with another code"))
        key = wanted.code
        if key in self.before or wanted.valid_from is not None:
            key = f"{wanted.code}@{wanted.valid_from or self._day}"
        if self._about_units and isinstance(wanted.kind, UnitKind):
            return UnitEntry(key, wanted.name, wanted.kind, wanted.code)
        if not self._about_units and isinstance(wanted.kind, AgencyKind):
            return AgencyEntry(key, wanted.name, wanted.kind, unit="", code=wanted.code)
        raise ImportKindUnknown("a new entry needs its kind", "kind")

    def _validity(self, entry: Entry) -> Validity:
        """As the file leaves it, whether or not its row was filled already."""
        wanted = self.rows.get(entry.key)
        if wanted is None:
            return entry.validity
        return Validity(wanted.valid_from or entry.validity.start, wanted.valid_until or entry.validity.end)

    def _key_of(self, code: str, by_code: Mapping[str | None, list[Entry]], day: datetime.date, column: str) -> str:
        """The key of the entry in force on `day` whose code this is; zeros at its front may have been lost."""
        for written in dict.fromkeys((code, code.zfill(2), code.zfill(3), code.zfill(5))):
            for entry in by_code.get(written, ()):
                if self._validity(entry).holds(day):
                    return entry.key
        raise ImportReferenceUnknown(f"{column}: no entry with code {code} is in force on {day}", column)


def _drafted_above(entry: Entry) -> str:
    return (entry.parent or "") if isinstance(entry, UnitEntry) else entry.unit


def _grouped(entries: Iterable[Entry], name: Callable[[Entry], str | None]) -> defaultdict[str | None, list[Entry]]:
    groups: defaultdict[str | None, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[name(entry)].append(entry)
    return groups


def _with_newer(old: tuple[DenominatorEntry, ...], new: tuple[DenominatorEntry, ...]) -> tuple[DenominatorEntry, ...]:
    """Figures are kept by the day they were true; a figure for the same quantity and day replaces the old one."""
    figures = {(figure.quantity, figure.as_of): figure for figure in (*old, *new)}
    return tuple(figures[place] for place in sorted(figures))


class ImportNotReady(Refused):
    """A conversion that nobody confirmed or declined, or rows that were refused; nothing was stored."""

    code = "import_not_ready"


@dataclasses.dataclass(frozen=True)
class FieldChange:
    """One field before and after, as text a person reads ("" for nothing)."""

    field: str
    before: str
    after: str


@dataclasses.dataclass(frozen=True)
class Added:
    """A row that makes a new entry."""

    row: int
    entry: Entry


@dataclasses.dataclass(frozen=True)
class Changed:
    """A row that changes an entry, field by field."""

    row: int
    before: Entry
    after: Entry
    changes: tuple[FieldChange, ...]


@dataclasses.dataclass(frozen=True)
class RefusedRow:
    """A row that cannot be done: its number, the letter of the column at fault (None: the row), code and sentence."""

    row: int
    column: str | None
    code: str
    message: str


@dataclasses.dataclass(frozen=True)
class Plan:
    """The preview of one import: every row is in exactly one of added, changed, unchanged (row numbers) and refused.

    doubts:    to be looked at; they stop nothing.
    ignored:   headings of the file from which nothing is taken.
    directory: what would be; only `accept` hands it out.
    """

    added: tuple[Added, ...]
    changed: tuple[Changed, ...]
    unchanged: tuple[int, ...]
    refused: tuple[RefusedRow, ...]
    doubts: tuple[Doubt, ...]
    ignored: tuple[str, ...]
    directory: Directory

    def accept(self) -> Directory:
        """The directory with every row done. Raises ImportNotReady while a row is refused: all or nothing."""
        if self.refused:
            raise ImportNotReady(f"{len(self.refused)} rows are refused; correct them and send the whole list again")
        return self.directory


def plan_units(directory: Directory, table: Table, day: datetime.date) -> Plan:
    """Plan the import of a list read under `importrows.UNIT_COLUMNS`; `day` is today.

    Raises ImportNotReady when the table's proposal to convert legacy text was neither confirmed nor declined.
    """
    draft = Draft(directory.units, directory.units, day)
    refused = _place_and_fill(draft, table, wanted_unit, day)
    units = cast(dict[str, UnitEntry], draft.entries)
    planned = Directory(units, directory.agencies, directory.groups)
    return _plan(draft, planned, table, refused)


def plan_agencies(directory: Directory, table: Table, day: datetime.date) -> Plan:
    """Plan the import of a list read under `importrows.AGENCY_COLUMNS`; otherwise as `plan_units`."""
    draft = Draft(directory.agencies, directory.units, day)
    refused = _place_and_fill(draft, table, wanted_agency, day)
    agencies = cast(dict[str, AgencyEntry], draft.entries)
    planned = Directory(directory.units, agencies, directory.groups)
    return _plan(draft, planned, table, refused)


def _place_and_fill(
    draft: Draft, table: Table, read: Callable[[Row, datetime.date], Wanted], day: datetime.date
) -> dict[int, RefusedRow]:
    """Every row that can be read ends in the draft; the others are returned by row number."""
    if table.legacy is not None:
        raise ImportNotReady("the list seems to be typed with an old font; confirm or decline the conversion first")
    refused: dict[int, RefusedRow] = {}
    for row in table.rows:
        try:
            draft.place(read(row, day))
        except ImportRowRefused as refusal:
            refused[row.number] = _refused(row.number, refusal, table.letters)
    for key, wanted in draft.rows.items():
        try:
            draft.fill(key)
        except ImportRowRefused as refusal:
            refused[wanted.row] = _refused(wanted.row, refusal, table.letters)
    draft.inherit_days()
    return refused


def _refused(row: int, refusal: ImportRowRefused, letters: Mapping[str, str]) -> RefusedRow:
    letter = letters.get(refusal.column or "")
    where = f"row {row}" if letter is None else f"row {row}, column {letter}"
    return RefusedRow(row, letter, refusal.code, f"{where}: {refusal.message}")


def _plan(draft: Draft, planned: Directory, table: Table, refused: dict[int, RefusedRow]) -> Plan:
    if not refused:  # rows that could not be read would only be blamed on those that name them
        refused = _contradicting(draft, planned)
    added, changed, unchanged = [], [], []
    for key, wanted in draft.rows.items():
        if wanted.row in refused:
            continue
        before, after = draft.before.get(key), draft.entries[key]
        if before is None:
            added.append(Added(wanted.row, after))
        elif changes := _changes(before, after):
            changed.append(Changed(wanted.row, before, after, changes))
        else:
            unchanged.append(wanted.row)
    return Plan(
        tuple(added),
        tuple(changed),
        tuple(unchanged),
        tuple(refused[row] for row in sorted(refused)),
        tuple(draft.doubts),
        table.ignored,
        planned,
    )


def _contradicting(draft: Draft, planned: Directory) -> dict[int, RefusedRow]:
    """What would be wrong afterwards, laid to the row about the entry, or about the unit above it, or to the first."""
    refused: dict[int, RefusedRow] = {}
    first = next(iter(draft.rows.values())).row
    for problem in contradictions(planned.units.values(), planned.agencies.values(), planned.groups.values()):
        row, key = first, problem.key
        while key:
            if key in draft.rows:
                row = draft.rows[key].row
                break
            key = _above(planned, key)
        refused.setdefault(row, RefusedRow(row, None, problem.code, f"row {row}: {problem.message}"))
    return refused


def _above(planned: Directory, key: str) -> str:
    """The key to blame next; it ends at a province and at anything that is no unit or agency."""
    if key in planned.agencies:
        return planned.agencies[key].unit
    unit = planned.units.get(key)
    return (unit.parent or "") if unit else ""


def _changes(before: Entry, after: Entry) -> tuple[FieldChange, ...]:
    old, new = _as_text(before), _as_text(after)
    return tuple(
        FieldChange(name, old.get(name, ""), new.get(name, ""))
        for name in dict.fromkeys((*old, *new))
        if old.get(name, "") != new.get(name, "")
    )


def _as_text(entry: Entry) -> dict[str, str]:
    """Every field that an import may change, each figure under its quantity and day."""
    above = {"parent": entry.parent or ""} if isinstance(entry, UnitEntry) else {"unit": entry.unit}
    short = {"short_name": entry.short_name} if isinstance(entry, AgencyEntry) else {}
    return {
        "code": entry.code or "",
        "name": entry.name,
        **short,
        "kind": entry.kind.value,
        **above,
        "valid_from": str(entry.validity.start or ""),
        "valid_until": str(entry.validity.end or ""),
        "successors": ", ".join(entry.successors),
        "confirmed": "yes" if entry.confirmed else "no",
        "unconfirmed": ", ".join(entry.unconfirmed),
        **{f"{figure.quantity.value} {figure.as_of}": _figure(figure) for figure in entry.denominators},
    }


def _figure(figure: DenominatorEntry) -> str:
    return f"{figure.value} ({figure.source})"
