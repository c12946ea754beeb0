# SPDX-License-Identifier: Apache-2.0
"""The entries of a directory as an imported list would leave them.

Rows are first placed, each on its entry, and then filled, because they name each other: a merged unit and the unit that
takes over come in one file, in any order. An empty cell says nothing, so what is there stays; nothing is ever deleted.
"""

import dataclasses
import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bluezone.agencies.directory import Entry
from bluezone.agencies.entries import AgencyEntry, AgencyKind, Denominator, UnitEntry, UnitKind, Validity
from bluezone.agencies.folding import fold
from bluezone.agencies.importrows import ImportKindUnknown, ImportRowRefused, Wanted


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
                key = _above(self.entries[key])
            for key in reversed(path):
                entry = self.entries[key]
                above = self._units.get(_above(entry)) or self.entries.get(_above(entry))
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


def _above(entry: Entry) -> str:
    return (entry.parent or "") if isinstance(entry, UnitEntry) else entry.unit


def _grouped(entries: Iterable[Entry], name: Callable[[Entry], str | None]) -> defaultdict[str | None, list[Entry]]:
    groups: defaultdict[str | None, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[name(entry)].append(entry)
    return groups


def _with_newer(old: tuple[Denominator, ...], new: tuple[Denominator, ...]) -> tuple[Denominator, ...]:
    """Figures are kept by the day they were true; a figure for the same quantity and day replaces the old one."""
    figures = {(figure.quantity, figure.as_of): figure for figure in (*old, *new)}
    return tuple(figures[place] for place in sorted(figures))
