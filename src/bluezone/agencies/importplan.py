# SPDX-License-Identifier: Apache-2.0
"""What an imported list would do to the directory: shown whole before anything is stored, then all done or nothing."""

import dataclasses
import datetime
from collections.abc import Callable, Mapping
from typing import cast

from bluezone.agencies.directory import Directory, Entry, contradictions
from bluezone.agencies.entries import AgencyEntry, Denominator, UnitEntry
from bluezone.agencies.importdraft import Doubt, Draft
from bluezone.agencies.importrows import ImportRowRefused, Wanted, wanted_agency, wanted_unit
from bluezone.agencies.spreadsheets import Row, Table
from bluezone.refusal import Refused


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


def _figure(figure: Denominator) -> str:
    return f"{figure.value} ({figure.source})"
