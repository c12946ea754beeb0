# SPDX-License-Identifier: Apache-2.0
"""Store a directory that was planned: check the whole, then write what differs, in one transaction.

Every change of units and agencies goes through `rewrite`, be it a form, an import or the seed, so the rules of
directory.py hold for all rows whatever door a change came by.
"""

from collections.abc import Callable, Iterable
from typing import Any

from django.db import connection, transaction

from bluezone.agencies import entries
from bluezone.agencies.directory import Directory
from bluezone.agencies.folding import fold
from bluezone.agencies.models import (
    AdminUnit,
    Agency,
    AgencySuccession,
    Denominator,
    Entry,
    RecipientGroup,
    UnitKind,
    UnitSuccession,
)
from bluezone.agencies.reading import keys_by_pk, stored_directory

# All writers take the same PostgreSQL lock; on SQLite a transaction holds the whole store anyway.
_DIRECTORY_LOCK = 1113211203
_SHARED = ["code", "name", "folded", "valid_from", "valid_to", "confirmed", "unconfirmed", "kind"]


def rewrite(change: Callable[[Directory], Directory]) -> tuple[set[str], set[str]]:
    """Store what `change` makes of the stored directory: keys of the units, and of the agencies, that differ.

    change: takes the directory as it is now, gives the one that should be; it never drops an entry.
    Raises a DirectoryRefused when the result contradicts itself, and whatever `change` raises; nothing is stored then.
    """
    with transaction.atomic():
        lock_directory()
        before = stored_directory()
        planned = change(before)
        after = Directory.build(planned.units.values(), planned.agencies.values(), planned.groups.values())
        units = [unit for key, unit in after.units.items() if before.units.get(key) != unit]
        agencies = [agency for key, agency in after.agencies.items() if before.agencies.get(key) != agency]
        _write_units(units)
        _write_agencies(agencies)
        _write_groups([group for key, group in after.groups.items() if before.groups.get(key) != group])
        return {unit.key for unit in units}, {agency.key for agency in agencies}


def lock_directory() -> None:
    """Let one transaction at a time change the directory."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_DIRECTORY_LOCK])


def rewrite_paths(model: Any) -> None:
    """Bring every path in line with the parents."""
    manager = model.objects
    parents = dict(manager.values_list("pk", "parent_id"))
    paths: dict[int, str] = {}

    def path(pk: int) -> str:
        if pk not in paths:
            parent = parents[pk]
            paths[pk] = f"{path(parent) if parent else ''}{pk}/"
        return paths[pk]

    wrong = [row for row in manager.only("pk", "path") if row.path != path(row.pk)]
    for row in wrong:
        row.path = path(row.pk)
    manager.bulk_update(wrong, ["path"], batch_size=200)


def _write_units(changed: list[entries.UnitEntry]) -> None:
    """Level by level, because a row needs the primary key of the one above it."""
    if not changed:
        return
    _free_codes(AdminUnit, changed)
    for kind in UnitKind.values:
        level = [unit for unit in changed if unit.kind.value == kind]
        pk_of = {key: pk for pk, key in keys_by_pk(AdminUnit).items()}
        rows = [(unit, {"parent_id": pk_of[unit.parent] if unit.parent else None}) for unit in level]
        _write_rows(AdminUnit, rows, ["parent"])
    _write_successions(UnitSuccession, AdminUnit, changed)
    _write_figures(AdminUnit, "unit", changed)
    rewrite_paths(AdminUnit)


def _write_agencies(changed: list[entries.AgencyEntry]) -> None:
    if not changed:
        return
    _free_codes(Agency, changed)
    unit_pk = {key: pk for pk, key in keys_by_pk(AdminUnit).items()}
    rows = [
        (
            agency,
            {"unit_id": unit_pk[agency.unit], "short_name": agency.short_name, "edxml_id": agency.edxml_id or ""},
        )
        for agency in changed
    ]
    made = _write_rows(Agency, rows, ["unit", "short_name", "edxml_id"])
    _give_parents(made)
    _write_successions(AgencySuccession, Agency, changed)
    _write_figures(Agency, "agency", changed)
    rewrite_paths(Agency)


def _free_codes(
    model: type[AdminUnit] | type[Agency], changed: Iterable[entries.UnitEntry | entries.AgencyEntry]
) -> None:
    """A code may pass from one changed row to another; the trigger must not meet them half-way."""
    model._default_manager.filter(key__in=[entry.key for entry in changed]).update(code=None)


def _write_rows(model: Any, rows: list[tuple[Any, dict[str, Any]]], own_fields: list[str]) -> list[str]:
    """Insert or update; `rows` are entries with the fields that only this model has. Returns the keys inserted."""
    present = model.objects.in_bulk([entry.key for entry, _ in rows], field_name="key")
    made: list[Any] = []
    kept: list[Any] = []
    for entry, own in rows:
        row = present.get(entry.key) or model(key=entry.key)
        (kept if row.pk else made).append(row)
        row.code, row.name, row.kind = entry.code, entry.name, entry.kind.value
        row.valid_from, row.valid_to = entry.validity.start, entry.validity.end
        row.confirmed, row.unconfirmed = entry.confirmed, list(entry.unconfirmed)
        row.folded = fold(" ".join([entry.name, own.get("short_name", ""), entry.code or ""]))
        for field, value in own.items():
            setattr(row, field, value)
    model.objects.bulk_create(made, batch_size=200)
    model.objects.bulk_update(kept, [*_SHARED, *own_fields], batch_size=200)
    return [row.key for row in made]


def _give_parents(keys: list[str]) -> None:
    """Say which agency a new one answers to, as far as its kind tells: the People's Committee of its territory.

    Unions, Party bodies, police and branches answer to bodies of their own; somebody enters those where it matters.
    """
    committees = {
        agency.unit_id: agency.pk for agency in Agency.objects.filter(kind=entries.AgencyKind.COMMITTEE.value)
    }
    governed = {
        entries.AgencyKind.DEPARTMENT,
        entries.AgencyKind.MEDIA,
        entries.AgencyKind.SERVICE,
        entries.AgencyKind.SCHOOL,
    }
    given = []
    for agency in Agency.objects.filter(key__in=keys, parent=None).select_related("unit"):
        if agency.kind == entries.AgencyKind.COMMITTEE.value:
            agency.parent_id = committees.get(agency.unit.parent_id or 0)
        elif agency.kind in governed:
            agency.parent_id = committees.get(agency.unit_id)
        given.append(agency)
    Agency.objects.bulk_update(given, ["parent"], batch_size=200)


def _write_successions(model: Any, holder: type[Entry], changed: Iterable[Any]) -> None:
    pk_of = {key: pk for pk, key in keys_by_pk(holder).items()}
    keys = [entry.key for entry in changed]
    model.objects.filter(ended__key__in=keys).delete()
    model.objects.bulk_create(
        [
            model(ended_id=pk_of[entry.key], successor_id=pk_of[successor], day=entry.validity.end)
            for entry in changed
            for successor in entry.successors
        ]
    )


def _write_figures(holder: type[Entry], field: str, changed: Iterable[Any]) -> None:
    pk_of = {key: pk for pk, key in keys_by_pk(holder).items()}
    wanted = [
        Denominator(
            kind=figure.quantity.value,
            value=figure.value,
            source=figure.source,
            as_of=figure.as_of,
            **{f"{field}_id": pk_of[entry.key]},
        )
        for entry in changed
        for figure in entry.denominators
    ]
    Denominator.objects.filter(**{f"{field}__key__in": [entry.key for entry in changed]}).delete()
    Denominator.objects.bulk_create(wanted, batch_size=500)


def _write_groups(changed: Iterable[entries.RecipientGroup]) -> None:
    agency_pk = {key: pk for pk, key in keys_by_pk(Agency).items()}
    for group in changed:
        row, _ = RecipientGroup.objects.update_or_create(
            key=group.key, defaults={"name": group.name, "purpose": group.purpose.value}
        )
        row.agencies.set([agency_pk[member] for member in group.members])
