# SPDX-License-Identifier: Apache-2.0
"""What an imported list would do to the directory: the entries as it would leave them, shown whole before anything is
stored, then all done or nothing.
"""

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
    Wanted,
    proper_name,
    wanted_agency,
    wanted_unit,
)
from bluezone.directory.imports.sent_lists import ImportNotReady, RefusedRow
from bluezone.directory.imports.tables import Row, Table
from bluezone.directory.kinds import AgencyKind, UnitKind
from bluezone.directory.records.changes import slug_of, unused
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
    """Something a person should look at before accepting; it does not stop the import.

    about: "zeros", "name", "kind", "area" or "several"; taken: what is taken, a value of `AgencyKind`, the key of a
    unit, or the text itself.
    """

    row: int
    about: str
    taken: str = ""


class Draft:
    """Built for one import; `entries` are the units, or the agencies, by key, and `rows` say which a row is about.

    before: the entries the list is about; units: all units (the same mapping when the list is about units).
    day:    the day of the import; "in force" means on this day unless a row gives a later one.
    taken:  keys that a new entry may not have, beside those of `before`.
    """

    def __init__(
        self, before: Mapping[str, Entry], units: Mapping[str, Entry], day: datetime.date, taken: Iterable[str] = ()
    ) -> None:
        self.before = before
        self.entries: dict[str, Entry] = dict(before)
        self.rows: dict[str, Wanted] = {}
        self.doubts: list[Doubt] = []
        self._day = day
        self._units = {} if before is units else units
        self._all_units = units
        self._about_units = before is units
        self._taken = frozenset(taken)
        self._by_code = _grouped(before.values(), lambda entry: entry.code)
        self._units_by_code = self._by_code if self._about_units else _grouped(units.values(), lambda unit: unit.code)
        self._by_name = self._named(before.values())
        self._units_by_name = self._by_name if self._about_units else self._named(units.values())
        self._said: dict[tuple[str, str, object], int] = {}

    def place(self, wanted: Wanted) -> None:
        """Find or make the entry of a row. Raises ImportRowRepeated, ImportKindUnknown or ImportNameAmbiguous.

        It is the entry with the row's code and `valid_from`, else the one with its code and `valid_until`, else the one
        with its code in force today, else one in force that has this name and no code yet. A `valid_from` still to come
        that no entry has announces a new one; that is how a code goes on after a merger. A row without a code is about
        the entry of its name, where it lies under the unit the row names.
        """
        if wanted.zeros_added:
            self.doubts.append(Doubt(wanted.row, "zeros", wanted.code))
        self.doubts += [Doubt(wanted.row, "several", text) for text in wanted.first_of_several]
        entry = self._existing(wanted) or self._new(wanted)
        if entry.key in self.rows:
            raise ImportRowRepeated(f"row {self.rows[entry.key].row} is about the same entry", "code")
        self.rows[entry.key] = wanted
        if entry.key not in self.before:
            self.entries[entry.key] = entry
            self._by_code[wanted.code or None].append(entry)
            self._by_name[name_key(wanted.name)].append(entry)

    def fill(self, key: str) -> None:
        """Write what the row says into its entry. Raises ImportReferenceUnknown."""
        wanted, entry = self.rows[key], self.entries[key]
        validity = self._validity(entry)
        fields: dict[str, Any] = {
            "name": fuller_name(wanted.name, entry.name),
            "code": wanted.code or entry.code,
            "validity": validity,
        }
        if wanted.kind is not None:
            fields["kind"] = wanted.kind
        above = "parent" if self._about_units else "unit"
        day = max(validity.start or self._day, self._day)
        if wanted.parent is not None:
            last = validity.end - datetime.timedelta(days=1) if validity.end else day
            fields[above] = self._key_of(wanted.parent, self._units_by_code, self._units_by_name, min(day, last), above)
        elif isinstance(entry, AgencyEntry) and not entry.unit:
            fields[above] = self._unit_of(wanted)
        if wanted.short_name is not None and isinstance(entry, AgencyEntry):
            fields["short_name"] = wanted.short_name
        if wanted.answers_to:
            last = validity.end - datetime.timedelta(days=1) if validity.end else day
            found = self._key_of(wanted.answers_to, self._by_code, self._by_name, min(day, last), "answers_to")
            if found == key:
                raise ImportReferenceUnknown("answers_to: an agency does not answer to itself", "answers_to")
            fields["answers_to"] = found
        if wanted.successors:
            day = validity.end or self._day
            successors = [
                self._key_of(code, self._by_code, self._by_name, day, "successors") for code in wanted.successors
            ]
            fields["successors"] = tuple(dict.fromkeys(successors))
        if wanted.denominators:
            fields["denominators"] = _with_newer(entry.denominators, wanted.denominators)
        fields |= wanted.own
        if wanted.confirmed:
            said = {"code", *(name for name in ("valid_from", "valid_until", "successors") if getattr(wanted, name))}
            fields |= {"confirmed": True, "unconfirmed": tuple(name for name in entry.unconfirmed if name not in said)}
        self.entries[key] = dataclasses.replace(entry, **fields)

    def inherit_days(self) -> None:
        """Give a new entry whose row names no first or last day those of the unit above it, however deep."""
        settled: set[str] = set(self.before)
        for start in self.rows:
            path: list[str] = []
            key = start
            while key in self.entries and key not in settled and key not in path:
                path.append(key)
                key = drafted_above(self.entries[key])
            for key in reversed(path):
                entry = self.entries[key]
                above = self._units.get(drafted_above(entry)) or self.entries.get(drafted_above(entry))
                if above is not None:
                    mine, outer = entry.validity, above.validity
                    validity = Validity(mine.start or outer.start, mine.end or outer.end)
                    self.entries[key] = dataclasses.replace(entry, validity=validity)
            settled.update(path)

    def _existing(self, wanted: Wanted) -> Entry | None:
        if not wanted.code:
            return self._existing_by_name(wanted)
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
        without_code = [entry for entry in self._in_force(wanted.name) if entry.code is None]
        return without_code[0] if len(without_code) == 1 else None

    def _existing_by_name(self, wanted: Wanted) -> Entry | None:
        """The entry of a row without a code: of its name, with its days where it gives any, else in force."""
        named = [entry for entry in self._by_name[name_key(wanted.name)] if entry.key in self.before]
        if wanted.valid_until is not None:
            ending = [entry for entry in named if entry.validity.end == wanted.valid_until]
            named = ending or [entry for entry in named if entry.validity.holds(self._day)]
        elif wanted.valid_from is not None and any(entry.validity.start == wanted.valid_from for entry in named):
            named = [entry for entry in named if entry.validity.start == wanted.valid_from]
        else:
            named = [entry for entry in named if entry.validity.holds(self._day)]
        if wanted.parent is not None:
            named = [entry for entry in named if self._lies_under(entry, wanted.parent)]
        if len(named) > 1:
            without_code = [entry for entry in named if entry.code is None]
            if len(without_code) != 1:
                raise ImportNameAmbiguous(
                    "several entries have this name; give the code, or the unit it lies in", "name"
                )
            named = without_code
        return named[0] if named else None

    def _lies_under(self, entry: Entry, text: str) -> bool:
        above = self._all_units.get(drafted_above(entry))
        if above is None:
            return False
        names = {above.code or "", name_key(above.name), name_key(address_of(above, self._all_units))}
        return bool(names & {text, text.zfill(2), text.zfill(3), text.zfill(5), name_key(text)})

    def _in_force(self, name: str) -> list[Entry]:
        return [e for e in self._by_name[name_key(name)] if e.key in self.before and e.validity.holds(self._day)]

    def _new(self, wanted: Wanted) -> Entry:
        if wanted.code and any(other.code != wanted.code for other in self._in_force(wanted.name)):
            self.doubts.append(Doubt(wanted.row, "name"))
        if not wanted.code:
            said = (name_key(wanted.name), name_key(wanted.parent or ""), wanted.valid_from)
            if said in self._said:
                raise ImportRowRepeated(f"row {self._said[said]} is about the same entry", "name")
            self._said[said] = wanted.row
        key = wanted.code or slug_of(wanted.name)
        if wanted.code and (key in self.before or wanted.valid_from is not None):
            key = f"{wanted.code}@{wanted.valid_from or self._day}"
        if not wanted.code:
            key = unused({*self.entries, *self._taken}, key)
        if self._about_units and isinstance(wanted.kind, UnitKind):
            return UnitEntry(key, wanted.name, wanted.kind, wanted.code or None)
        kind = wanted.kind or wanted.guessed_kind
        if not self._about_units and isinstance(kind, AgencyKind):
            if wanted.kind is None:
                self.doubts.append(Doubt(wanted.row, "kind", kind.value))
            return AgencyEntry(key, wanted.name, kind, unit="", code=wanted.code or None)
        raise ImportKindUnknown("a new entry needs its kind", "kind")

    def _unit_of(self, wanted: Wanted) -> str:
        """The area of work of a new agency whose row names none: the unit that its name ends with, else the province.

        Raises ImportReferenceUnknown when neither tells.
        """
        folded = name_key(wanted.name)
        in_force = [unit for unit in self._all_units.values() if unit.validity.holds(self._day)]
        named = [unit for unit in in_force if folded.endswith(" " + name_key(unit.name))]
        # "Trường THCS Suối Bạc" leaves out what Suối Bạc is; that tells where only one unit has the name.
        named = named or [unit for unit in in_force if folded.endswith(" " + proper_name(unit.name))]
        longest = max((len(unit.name) for unit in named), default=0)
        fitting = [unit for unit in named if len(unit.name) == longest]
        if not fitting:
            fitting = [unit for unit in in_force if unit.kind is UnitKind.PROVINCE]
        if len(fitting) != 1:
            raise ImportReferenceUnknown("the row names no area of work, and the name does not tell", "unit")
        self.doubts.append(Doubt(wanted.row, "area", fitting[0].key))
        return fitting[0].key

    def _validity(self, entry: Entry) -> Validity:
        """As the file leaves it, whether or not its row was filled already."""
        wanted = self.rows.get(entry.key)
        if wanted is None:
            return entry.validity
        return Validity(wanted.valid_from or entry.validity.start, wanted.valid_until or entry.validity.end)

    def _named(self, entries: Iterable[Entry]) -> defaultdict[str | None, list[Entry]]:
        return _grouped(entries, lambda entry: name_key(entry.name))

    def _key_of(
        self,
        text: str,
        by_code: Mapping[str | None, list[Entry]],
        by_name: Mapping[str | None, list[Entry]],
        day: datetime.date,
        column: str,
    ) -> str:
        """The key of the entry in force on `day` that a code or a name stands for; zeros of a code may have been lost.

        "Tổ 1, phường Sông Cầu" is the one of that name under that unit.
        """
        for written in dict.fromkeys((text, text.zfill(2), text.zfill(3), text.zfill(5))):
            for entry in by_code.get(written, ()):
                if self._validity(entry).holds(day):
                    return entry.key
        name, _, above = text.rpartition(", ")
        named = [entry for entry in by_name.get(name_key(text), ()) if self._validity(entry).holds(day)]
        if not named and name:
            named = [
                entry
                for entry in by_name.get(name_key(name), ())
                if self._validity(entry).holds(day) and self._lies_under(entry, above)
            ]
        if len(named) == 1:
            return named[0].key
        raise ImportReferenceUnknown(f"{column}: {len(named)} entries in force on {day} are called {text}", column)


def drafted_above(entry: Entry) -> str:
    """The key of the unit that an entry lies under or serves; "" for none."""
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
class Plan:
    """The preview of one import: every row is in exactly one of added, changed, unchanged (row numbers) and refused.

    doubts:    to be looked at; they stop nothing.
    ignored:   headings of the file from which nothing is taken.
    left_out:  rows of the file that are no entries.
    directory: what would be; only `accept` hands it out.
    """

    added: tuple[Added, ...]
    changed: tuple[Changed, ...]
    unchanged: tuple[int, ...]
    refused: tuple[RefusedRow, ...]
    doubts: tuple[Doubt, ...]
    ignored: tuple[str, ...]
    directory: Directory
    left_out: tuple[int, ...] = ()

    def accept(self) -> Directory:
        """The directory with every row done. Raises ImportNotReady while a row is refused: all or nothing."""
        if self.refused:
            raise ImportNotReady(f"{len(self.refused)} rows are refused; correct them and send the whole list again")
        return self.directory


def plan_units(directory: Directory, table: Table, day: datetime.date) -> Plan:
    """Plan the import of a list read under `importrows.UNIT_COLUMNS`; `day` is today.

    Raises ImportNotReady when the table's proposal to convert legacy text was neither confirmed nor declined.
    """
    draft = Draft(directory.units, directory.units, day, {*directory.agencies, *directory.groups})
    refused = _place_and_fill(draft, table, wanted_unit, day)
    units = cast(dict[str, UnitEntry], draft.entries)
    planned = Directory(units, directory.agencies, directory.groups)
    return _plan(draft, planned, table, refused)


def plan_agencies(directory: Directory, table: Table, day: datetime.date) -> Plan:
    """Plan the import of a list read under `importrows.AGENCY_COLUMNS`; otherwise as `plan_units`."""
    draft = Draft(directory.agencies, directory.units, day, {*directory.units, *directory.groups})
    refused = _place_and_fill(draft, table, wanted_agency, day)
    agencies = cast(dict[str, AgencyEntry], draft.entries)
    planned = Directory(directory.units, agencies, directory.groups)
    return _plan(draft, planned, table, refused)


def refuse_old_font(table: Table) -> None:
    """Raise ImportNotReady while a proposal to convert legacy text is neither confirmed nor declined."""
    if table.legacy is not None:
        raise ImportNotReady("the list seems to be typed with an old font; confirm or decline the conversion first")


def _place_and_fill(
    draft: Draft, table: Table, read: Callable[[Row, datetime.date], Wanted], day: datetime.date
) -> dict[int, RefusedRow]:
    """Every row that can be read ends in the draft; the others are returned by row number."""
    refuse_old_font(table)
    refused: dict[int, RefusedRow] = {}
    for row in table.rows:
        try:
            draft.place(read(row, day))
        except ImportRowRefused as refusal:
            refused[row.number] = RefusedRow(row.number, refusal.column or "", refusal.code)
    for key, wanted in draft.rows.items():
        try:
            draft.fill(key)
        except ImportRowRefused as refusal:
            refused[wanted.row] = RefusedRow(wanted.row, refusal.column or "", refusal.code)
    draft.inherit_days()
    return refused


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
        elif changes := changes_of(before, after):
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
        table.left_out,
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
        refused.setdefault(row, RefusedRow(row, "", problem.code))
    return refused


def _above(planned: Directory, key: str) -> str:
    """The key to blame next; it ends at a province and at anything that is no unit or agency."""
    if key in planned.agencies:
        return planned.agencies[key].unit
    unit = planned.units.get(key)
    return (unit.parent or "") if unit else ""


def changes_of(before: Entry, after: Entry) -> tuple[FieldChange, ...]:
    """What differs between two states of an entry, field by field."""
    old, new = _as_text(before), _as_text(after)
    return tuple(
        FieldChange(name, old.get(name, ""), new.get(name, ""))
        for name in dict.fromkeys((*old, *new))
        if old.get(name, "") != new.get(name, "")
    )


def _as_text(entry: Entry) -> dict[str, str]:
    """Every field that an import may change, each figure under its quantity and day."""
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
