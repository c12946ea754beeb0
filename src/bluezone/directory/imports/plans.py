# SPDX-License-Identifier: Apache-2.0
"""Plan an import: the entries as the list would leave them. A preview shows all of them; then all or none is stored."""

import dataclasses
import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from bluezone.directory.imports.rows import (
    ImportKindUnknown,
    ImportNameAmbiguous,
    ImportReferenceUnknown,
    ImportRowRefused,
    ImportRowRepeated,
    RowValues,
    proper_name,
    read_agency_row,
    read_unit_row,
)
from bluezone.directory.imports.sent_lists import ImportNotReady, RefusedRow
from bluezone.directory.imports.tables import Row, Table
from bluezone.directory.kinds import AgencyKind, UnitKind
from bluezone.directory.records.changes import free_key, slug_of
from bluezone.directory.records.entries import (
    AgencyEntry,
    DenominatorEntry,
    Directory,
    Entry,
    UnitEntry,
    Validity,
    address_of,
    contradictions,
)
from bluezone.vietnamese.spelling import fuller_name, name_key


@dataclasses.dataclass(frozen=True)
class Doubt:
    """Something a person should check before accepting; it does not stop the import.

    about: "zeros", "name", "kind", "area" or "several"; taken: the value that the plan uses, which is a value of
    `AgencyKind`, the key of a unit, or the text itself.
    """

    row: int
    about: str
    taken: str = ""


class Draft:
    """The state of one import. entries: the units, or the agencies, by key. rows: the row for each changed entry.

    before: the stored entries of the list's kind; units: all units (the same mapping for a list of units).
    day:    the day of the import; "valid" means on this day unless a row has a later one.
    taken:  keys that a new entry may not have, besides those of `before`.
    """

    def __init__(
        self, before: Mapping[str, Entry], units: Mapping[str, Entry], day: datetime.date, taken: Iterable[str] = ()
    ) -> None:
        self.before = before
        self.entries: dict[str, Entry] = dict(before)
        self.rows: dict[str, RowValues] = {}
        self.doubts: list[Doubt] = []
        self._day = day
        self._units = {} if before is units else units
        self._all_units = units
        self._about_units = before is units
        self._reserved = frozenset(taken)
        self._by_code = _group_by(before.values(), lambda entry: entry.code)
        self._by_name = self._group_by_name(before.values())
        if self._about_units:
            self._units_by_code = self._by_code
            self._units_by_name = self._by_name
        else:
            self._units_by_code = _group_by(units.values(), lambda unit: unit.code)
            self._units_by_name = self._group_by_name(units.values())
        self._new_rows: dict[tuple[str, str, object], int] = {}

    def find_or_make(self, values: RowValues) -> None:
        """Find or make the entry of a row. Raises ImportRowRepeated, ImportKindUnknown or ImportNameAmbiguous.

        The entry is the first of these: the one with the row's code and `valid_from`, with its code and `valid_until`,
        with its code and valid today, and the valid one with its name that has no code yet. A `valid_from` in the
        future that no entry with the code has makes a new entry, so a merger can pass on a code. A row without a code
        is about the entry with its name, below the unit that the row names.
        """
        if values.zeros_added:
            self.doubts.append(Doubt(values.row, "zeros", values.code))
        self.doubts += [Doubt(values.row, "several", text) for text in values.first_of_several]
        entry = self._find_entry(values) or self._new_entry(values)
        if entry.key in self.rows:
            raise ImportRowRepeated(f"row {self.rows[entry.key].row} is about the same entry", "code")
        self.rows[entry.key] = values
        if entry.key not in self.before:
            self.entries[entry.key] = entry
            self._by_code[values.code or None].append(entry)
            self._by_name[name_key(values.name)].append(entry)

    def fill_entry(self, key: str) -> None:
        """Write the values of its row into an entry. Raises ImportReferenceUnknown."""
        values = self.rows[key]
        entry = self.entries[key]
        validity = self._validity(entry)
        fields: dict[str, Any] = {
            "name": fuller_name(values.name, entry.name),
            "code": values.code or entry.code,
            "validity": validity,
        }
        if values.kind is not None:
            fields["kind"] = values.kind
        above = "parent" if self._about_units else "unit"
        day = max(validity.start or self._day, self._day)
        if values.parent is not None:
            last = validity.end - datetime.timedelta(days=1) if validity.end else day
            fields[above] = self._key_of(values.parent, self._units_by_code, self._units_by_name, min(day, last), above)
        elif isinstance(entry, AgencyEntry) and not entry.unit:
            fields[above] = self._guess_unit(values)
        if values.short_name is not None and isinstance(entry, AgencyEntry):
            fields["short_name"] = values.short_name
        if values.answers_to:
            last = validity.end - datetime.timedelta(days=1) if validity.end else day
            above_key = self._key_of(values.answers_to, self._by_code, self._by_name, min(day, last), "answers_to")
            if above_key == key:
                raise ImportReferenceUnknown("answers_to: an agency does not answer to itself", "answers_to")
            fields["answers_to"] = above_key
        if values.successors:
            day = validity.end or self._day
            successors = [
                self._key_of(code, self._by_code, self._by_name, day, "successors") for code in values.successors
            ]
            fields["successors"] = tuple(dict.fromkeys(successors))
        if values.denominators:
            fields["denominators"] = _with_newer(entry.denominators, values.denominators)
        fields |= values.further
        if values.confirmed:
            confirmed_fields = {
                "code",
                *(name for name in ("valid_from", "valid_until", "successors") if getattr(values, name)),
            }
            fields |= {
                "confirmed": True,
                "unconfirmed": tuple(name for name in entry.unconfirmed if name not in confirmed_fields),
            }
        self.entries[key] = dataclasses.replace(entry, **fields)

    def inherit_days(self) -> None:
        """Give new entries without first or last day those of the unit above, on every level."""
        settled: set[str] = set(self.before)
        for start in self.rows:
            path: list[str] = []
            key = start
            while key in self.entries and key not in settled and key not in path:
                path.append(key)
                key = parent_key(self.entries[key])
            for key in reversed(path):
                entry = self.entries[key]
                above = self._units.get(parent_key(entry)) or self.entries.get(parent_key(entry))
                if above is not None:
                    own = entry.validity
                    outer = above.validity
                    validity = Validity(own.start or outer.start, own.end or outer.end)
                    self.entries[key] = dataclasses.replace(entry, validity=validity)
            settled.update(path)

    def _find_entry(self, values: RowValues) -> Entry | None:
        if not values.code:
            return self._find_entry_by_name(values)
        same_code = [entry for entry in self._by_code[values.code] if entry.key in self.before]
        if values.valid_from is not None:
            for entry in same_code:
                if entry.validity.start == values.valid_from:
                    return entry
            if values.valid_from > self._day:
                return None
        for entry in same_code:
            if values.valid_until is not None and entry.validity.end == values.valid_until:
                return entry
        valid = [entry for entry in same_code if entry.validity.includes(self._day)]
        if valid:
            return valid[0]
        without_code = [entry for entry in self._valid_with_name(values.name) if entry.code is None]
        return without_code[0] if len(without_code) == 1 else None

    def _find_entry_by_name(self, values: RowValues) -> Entry | None:
        """The entry of a row without a code: with its name and its days, or valid today if it has no days."""
        matches = [entry for entry in self._by_name[name_key(values.name)] if entry.key in self.before]
        if values.valid_until is not None:
            ending = [entry for entry in matches if entry.validity.end == values.valid_until]
            matches = ending or [entry for entry in matches if entry.validity.includes(self._day)]
        elif values.valid_from is not None and any(entry.validity.start == values.valid_from for entry in matches):
            matches = [entry for entry in matches if entry.validity.start == values.valid_from]
        else:
            matches = [entry for entry in matches if entry.validity.includes(self._day)]
        if values.parent is not None:
            matches = [entry for entry in matches if self._is_below(entry, values.parent)]
        if len(matches) > 1:
            without_code = [entry for entry in matches if entry.code is None]
            if len(without_code) != 1:
                raise ImportNameAmbiguous("several entries have this name; give the code, or the unit it is in", "name")
            matches = without_code
        return matches[0] if matches else None

    def _is_below(self, entry: Entry, text: str) -> bool:
        above = self._all_units.get(parent_key(entry))
        if above is None:
            return False
        names = {above.code or "", name_key(above.name), name_key(address_of(above, self._all_units))}
        return bool(names & {text, text.zfill(2), text.zfill(3), text.zfill(5), name_key(text)})

    def _valid_with_name(self, name: str) -> list[Entry]:
        stored = [entry for entry in self._by_name[name_key(name)] if entry.key in self.before]
        return [entry for entry in stored if entry.validity.includes(self._day)]

    def _new_entry(self, values: RowValues) -> Entry:
        if values.code and any(other.code != values.code for other in self._valid_with_name(values.name)):
            self.doubts.append(Doubt(values.row, "name"))
        if not values.code:
            identity = (name_key(values.name), name_key(values.parent or ""), values.valid_from)
            if identity in self._new_rows:
                raise ImportRowRepeated(f"row {self._new_rows[identity]} is about the same entry", "name")
            self._new_rows[identity] = values.row
        key = values.code or slug_of(values.name)
        if values.code and (key in self.before or values.valid_from is not None):
            key = f"{values.code}@{values.valid_from or self._day}"
        if not values.code:
            key = free_key({*self.entries, *self._reserved}, key)
        if self._about_units and isinstance(values.kind, UnitKind):
            return UnitEntry(key, values.name, values.kind, values.code or None)
        kind = values.kind or values.guessed_kind
        if not self._about_units and isinstance(kind, AgencyKind):
            if values.kind is None:
                self.doubts.append(Doubt(values.row, "kind", kind.value))
            return AgencyEntry(key, values.name, kind, unit="", code=values.code or None)
        raise ImportKindUnknown("a new entry needs its kind", "kind")

    def _guess_unit(self, values: RowValues) -> str:
        """The area of work of a new agency if its row has none: the unit at the end of its name, else the province.

        Raises ImportReferenceUnknown if neither is unique.
        """
        folded = name_key(values.name)
        valid = [unit for unit in self._all_units.values() if unit.validity.includes(self._day)]
        matches = [unit for unit in valid if folded.endswith(" " + name_key(unit.name))]
        # "Trường THCS Suối Bạc" does not say what kind of unit Suối Bạc is; it counts if only one unit has the name.
        matches = matches or [unit for unit in valid if folded.endswith(" " + proper_name(unit.name))]
        longest = max((len(unit.name) for unit in matches), default=0)
        candidates = [unit for unit in matches if len(unit.name) == longest]
        if not candidates:
            candidates = [unit for unit in valid if unit.kind is UnitKind.PROVINCE]
        if len(candidates) != 1:
            raise ImportReferenceUnknown("the row has no area of work, and the name does not show it", "unit")
        self.doubts.append(Doubt(values.row, "area", candidates[0].key))
        return candidates[0].key

    def _validity(self, entry: Entry) -> Validity:
        """The validity of an entry after the import, whether or not `fill_entry` has been called for it."""
        values = self.rows.get(entry.key)
        if values is None:
            return entry.validity
        return Validity(values.valid_from or entry.validity.start, values.valid_until or entry.validity.end)

    def _group_by_name(self, entries: Iterable[Entry]) -> defaultdict[str | None, list[Entry]]:
        return _group_by(entries, lambda entry: name_key(entry.name))

    def _key_of(
        self,
        text: str,
        by_code: Mapping[str | None, list[Entry]],
        by_name: Mapping[str | None, list[Entry]],
        day: datetime.date,
        column: str,
    ) -> str:
        """The key of the entry valid on `day` with this code or name; leading zeros of a code may be missing.

        "Tổ 1, phường Sông Cầu" is the entry with that name below that unit.
        """
        for spelling in dict.fromkeys((text, text.zfill(2), text.zfill(3), text.zfill(5))):
            for entry in by_code.get(spelling, ()):
                if self._validity(entry).includes(day):
                    return entry.key
        name, _, above = text.rpartition(", ")
        matches = [entry for entry in by_name.get(name_key(text), ()) if self._validity(entry).includes(day)]
        if not matches and name:
            matches = [
                entry
                for entry in by_name.get(name_key(name), ())
                if self._validity(entry).includes(day) and self._is_below(entry, above)
            ]
        if len(matches) == 1:
            return matches[0].key
        raise ImportReferenceUnknown(f"{column}: {len(matches)} entries valid on {day} have the name {text}", column)


def parent_key(entry: Entry) -> str:
    """The key of the unit above an entry or served by it; "" for none."""
    if isinstance(entry, UnitEntry):
        return entry.parent or ""
    return entry.unit


def _group_by(entries: Iterable[Entry], name: Callable[[Entry], str | None]) -> defaultdict[str | None, list[Entry]]:
    groups: defaultdict[str | None, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[name(entry)].append(entry)
    return groups


def _with_newer(old: tuple[DenominatorEntry, ...], new: tuple[DenominatorEntry, ...]) -> tuple[DenominatorEntry, ...]:
    """Old and new figures; a new one replaces the old one for the same quantity and day."""
    figures = {(figure.quantity, figure.as_of): figure for figure in (*old, *new)}
    return tuple(figures[place] for place in sorted(figures))


@dataclasses.dataclass(frozen=True)
class FieldChange:
    """A field before and after, as text for people ("" for nothing)."""

    field: str
    before: str
    after: str


@dataclasses.dataclass(frozen=True)
class AddedEntry:
    """A row that makes a new entry."""

    row: int
    entry: Entry


@dataclasses.dataclass(frozen=True)
class ChangedEntry:
    """A row that changes an entry, field by field."""

    row: int
    before: Entry
    after: Entry
    changes: tuple[FieldChange, ...]


@dataclasses.dataclass(frozen=True)
class Plan:
    """The preview of an import: every row is in exactly one of added, changed, unchanged (row numbers) and refused.

    doubts:    to be checked; they stop nothing.
    ignored:   headings of unused columns.
    left_out:  rows of the file that are not entries.
    directory: the directory after the import; read it with `accept`.
    """

    added: tuple[AddedEntry, ...]
    changed: tuple[ChangedEntry, ...]
    unchanged: tuple[int, ...]
    refused: tuple[RefusedRow, ...]
    doubts: tuple[Doubt, ...]
    ignored: tuple[str, ...]
    directory: Directory
    left_out: tuple[int, ...] = ()

    def accept(self) -> Directory:
        """The directory after the import. Raises ImportNotReady if a row is refused: all or nothing."""
        if self.refused:
            raise ImportNotReady(f"{len(self.refused)} rows are refused; correct them and send the whole list again")
        return self.directory


def plan_units(directory: Directory, table: Table, day: datetime.date) -> Plan:
    """Plan the import of a list read under `known_columns.UNIT_COLUMNS`; `day` is today.

    Raises ImportNotReady if the table's proposal to convert legacy text was neither confirmed nor declined.
    """
    draft = Draft(directory.units, directory.units, day, {*directory.agencies, *directory.groups})
    refused = _place_and_fill(draft, table, read_unit_row, day)
    units = cast(dict[str, UnitEntry], draft.entries)
    planned = Directory(units, directory.agencies, directory.groups)
    return _plan(draft, planned, table, refused)


def plan_agencies(directory: Directory, table: Table, day: datetime.date) -> Plan:
    """Plan the import of a list read under `known_columns.AGENCY_COLUMNS`; otherwise as `plan_units`."""
    draft = Draft(directory.agencies, directory.units, day, {*directory.units, *directory.groups})
    refused = _place_and_fill(draft, table, read_agency_row, day)
    agencies = cast(dict[str, AgencyEntry], draft.entries)
    planned = Directory(directory.units, agencies, directory.groups)
    return _plan(draft, planned, table, refused)


def refuse_old_font(table: Table) -> None:
    """Raise ImportNotReady while a proposal to convert legacy text is neither confirmed nor declined."""
    if table.legacy is not None:
        raise ImportNotReady("the list seems to be typed with an old font; confirm or decline the conversion first")


def _place_and_fill(
    draft: Draft, table: Table, read: Callable[[Row, datetime.date], RowValues], day: datetime.date
) -> dict[int, RefusedRow]:
    """Put every readable row into the draft. Returns the refused rows by row number."""
    refuse_old_font(table)
    refused: dict[int, RefusedRow] = {}
    for row in table.rows:
        try:
            draft.find_or_make(read(row, day))
        except ImportRowRefused as refusal:
            refused[row.number] = RefusedRow(row.number, refusal.column or "", refusal.code)
    for key, values in draft.rows.items():
        try:
            draft.fill_entry(key)
        except ImportRowRefused as refusal:
            refused[values.row] = RefusedRow(values.row, refusal.column or "", refusal.code)
    draft.inherit_days()
    return refused


def _plan(draft: Draft, planned: Directory, table: Table, refused: dict[int, RefusedRow]) -> Plan:
    if not refused:  # unreadable rows would cause contradictions in the rows that refer to them
        refused = _rows_with_contradictions(draft, planned)
    added = []
    changed = []
    unchanged = []
    for key, values in draft.rows.items():
        if values.row in refused:
            continue
        before = draft.before.get(key)
        after = draft.entries[key]
        if before is None:
            added.append(AddedEntry(values.row, after))
        elif changes := field_changes(before, after):
            changed.append(ChangedEntry(values.row, before, after, changes))
        else:
            unchanged.append(values.row)
    return Plan(
        tuple(added),
        tuple(changed),
        tuple(unchanged),
        tuple(refused[row] for row in sorted(refused)),
        tuple(draft.doubts),
        table.ignored,
        planned,
        table.left_out,
    )


def _rows_with_contradictions(draft: Draft, planned: Directory) -> dict[int, RefusedRow]:
    """The rows to blame for contradictions: the row of the entry, else of the nearest unit above it, else the first."""
    refused: dict[int, RefusedRow] = {}
    first = next(iter(draft.rows.values())).row
    for problem in contradictions(planned.units.values(), planned.agencies.values(), planned.groups.values()):
        row = first
        key = problem.key
        while key:
            if key in draft.rows:
                row = draft.rows[key].row
                break
            key = _above(planned, key)
        refused.setdefault(row, RefusedRow(row, "", problem.code))
    return refused


def _above(planned: Directory, key: str) -> str:
    """The key of the unit above; "" for a province and for anything that is neither unit nor agency."""
    if key in planned.agencies:
        return planned.agencies[key].unit
    unit = planned.units.get(key)
    return (unit.parent or "") if unit else ""


def field_changes(before: Entry, after: Entry) -> tuple[FieldChange, ...]:
    """The differences between two states of an entry, field by field."""
    old = _as_text(before)
    new = _as_text(after)
    return tuple(
        FieldChange(name, old.get(name, ""), new.get(name, ""))
        for name in dict.fromkeys((*old, *new))
        if old.get(name, "") != new.get(name, "")
    )


def _as_text(entry: Entry) -> dict[str, str]:
    """Every field that an import may change; a figure's name is its quantity and day."""
    above = {"parent": entry.parent or ""} if isinstance(entry, UnitEntry) else {"unit": entry.unit}
    if isinstance(entry, AgencyEntry):
        own = {
            "short_name": entry.short_name,
            "answers_to": entry.answers_to or "",
            "phone": entry.phone,
            "email": entry.email,
            "edxml_id": entry.edxml_id or "",
        }
    else:
        own = {"head_name": entry.head_name, "head_phone": entry.head_phone}
    return {
        "code": entry.code or "",
        "name": entry.name,
        **own,
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
