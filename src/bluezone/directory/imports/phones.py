# SPDX-License-Identifier: Apache-2.0
"""A list of telephone numbers with who has them: what it would do to the agencies and residential groups there are."""

import dataclasses
import datetime
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, TypeVar, cast

from bluezone.directory.imports.plans import Changed, Plan, changes_of, drafted_above, refuse_old_font
from bluezone.directory.imports.rows import (
    ImportNameAmbiguous,
    ImportReferenceUnknown,
    ImportRowRefused,
    ImportRowRepeated,
    WantedPhone,
    wanted_phone,
)
from bluezone.directory.imports.sent_lists import RefusedRow
from bluezone.directory.imports.tables import Table
from bluezone.directory.kinds import UnitKind
from bluezone.directory.records.entries import AgencyEntry, Directory, Entry, UnitEntry, address_of
from bluezone.vietnamese.spelling import fold

_E = TypeVar("_E", UnitEntry, AgencyEntry)


def plan_phones(directory: Directory, table: Table, day: datetime.date) -> Plan:
    """Plan the import of a list read under `rows.PHONE_COLUMNS`: telephone numbers of agencies and residential groups.

    Who is called so has to be there already; nothing else of them is changed. A number that is missing in a row is
    refused, since an empty cell would leave what is stored. Raises ImportNotReady as `plan_units` does.
    """
    refuse_old_font(table)
    owners = _Owners(directory, day)
    refused: dict[int, RefusedRow] = {}
    rows: dict[str, int] = {}
    changed, unchanged = [], []
    for row in table.rows:
        try:
            before, after = owners.with_phone(wanted_phone(row))
            if before.key in rows:
                raise ImportRowRepeated(f"row {rows[before.key]} is about the same entry", "name")
        except ImportRowRefused as refusal:
            refused[row.number] = RefusedRow(row.number, refusal.column or "", refusal.code)
            continue
        rows[before.key] = row.number
        if changes := changes_of(before, after):
            changed.append(Changed(row.number, before, after, changes))
        else:
            unchanged.append(row.number)
    after_all = {one.after.key: one.after for one in changed}
    planned = Directory(
        {key: cast(UnitEntry, after_all.get(key, unit)) for key, unit in directory.units.items()},
        {key: cast(AgencyEntry, after_all.get(key, agency)) for key, agency in directory.agencies.items()},
        directory.groups,
    )
    return Plan(
        (), tuple(changed), tuple(unchanged), tuple(refused.values()), (), table.ignored, planned, table.left_out
    )


class _Owners:
    """Agencies and residential groups as a list of telephone numbers names them: by code, name, short name, or name and
    the unit they lie in. Where the directory has ended, its last day counts.
    """

    def __init__(self, directory: Directory, day: datetime.date) -> None:
        self._units = directory.units
        groups = [unit for unit in directory.units.values() if unit.kind is UnitKind.GROUP]
        self._found: defaultdict[str, list[Entry]] = defaultdict(list)
        known: list[Entry] = [*_shown(directory.agencies.values(), day), *_shown(groups, day)]
        for entry in known:
            names = {entry.name, getattr(entry, "short_name", ""), address_of(entry, self._units)}
            for name in {entry.code or "", *map(fold, names)} - {""}:
                self._found[name].append(entry)

    def with_phone(self, wanted: WantedPhone) -> tuple[Entry, Entry]:
        """The entry that a row is about, before and after. Raises ImportReferenceUnknown or ImportNameAmbiguous."""
        found = next(filter(None, (self._found.get(one) or self._found.get(fold(one)) for one in wanted.owner)), [])
        if wanted.unit and len(found) > 1:
            found = [entry for entry in found if self._lies_in(entry, fold(wanted.unit))]
        if len(found) > 1:
            raise ImportNameAmbiguous("several are called so; give the code, or the unit it lies in", "name")
        if not found:
            raise ImportReferenceUnknown("no agency and no residential group is called so", "name")
        fields: Any = wanted.of_agency if isinstance(found[0], AgencyEntry) else wanted.of_group
        return found[0], dataclasses.replace(found[0], **fields)

    def _lies_in(self, entry: Entry, where: str) -> bool:
        above = self._units.get(drafted_above(entry))
        return above is not None and where in {
            fold(above.code or ""), fold(above.name), fold(address_of(above, self._units))
        }  # fmt: skip


def _shown(entries: Iterable[_E], day: datetime.date) -> list[_E]:
    """Those in force on a day; where there are none, those of the last day."""
    known = list(entries)
    in_force = [entry for entry in known if entry.validity.holds(day)]
    last = max((entry.validity.end for entry in known if entry.validity.end), default=None)
    return in_force or [entry for entry in known if entry.validity.end == last]
