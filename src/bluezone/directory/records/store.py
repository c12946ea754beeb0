# SPDX-License-Identifier: Apache-2.0
"""The directory in the database: its rows read as the values that the rules are written for, stored, and planted into
an empty office.
"""

import dataclasses
import datetime
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from importlib import resources
from typing import Any

from django.db import connection, transaction

from bluezone.audit import hash_chain
from bluezone.audit.hash_chain import COMMAND_LINE
from bluezone.directory.kinds import AgencyKind, Purpose, Quantity, UnitKind
from bluezone.directory.models import (
    AdminUnit,
    Agency,
    AgencySuccession,
    Denominator,
    Entry,
    RecipientGroup,
    UnitSuccession,
)
from bluezone.directory.records import entries
from bluezone.directory.records.entries import AgencyEntry, Directory, GroupEntry, UnitEntry, Validity
from bluezone.refusal import Refused
from bluezone.vietnamese.spelling import fold


def stored_directory() -> Directory:
    """Everything that is stored, in seven queries. It contradicts itself nowhere, because `rewrite` checks."""
    units = list(AdminUnit.objects.order_by("pk"))
    agencies = list(Agency.objects.order_by("pk"))
    unit_key = {unit.pk: unit.key for unit in units}
    agency_key = {agency.pk: agency.key for agency in agencies}
    unit_figures, agency_figures = _figures()
    unit_successors = _successors(UnitSuccession, unit_key)
    agency_successors = _successors(AgencySuccession, agency_key)
    return Directory(
        {
            unit.key: entries.UnitEntry(
                key=unit.key,
                name=unit.name,
                kind=UnitKind(unit.kind),
                code=unit.code,
                parent=unit_key[unit.parent_id] if unit.parent_id else None,
                validity=entries.Validity(unit.valid_from, unit.valid_to),
                successors=tuple(unit_successors[unit.pk]),
                denominators=tuple(unit_figures[unit.pk]),
                confirmed=unit.confirmed,
                unconfirmed=tuple(unit.unconfirmed),
            )
            for unit in units
        },
        {
            agency.key: entries.AgencyEntry(
                key=agency.key,
                name=agency.name,
                kind=AgencyKind(agency.kind),
                unit=unit_key[agency.unit_id],
                code=agency.code,
                short_name=agency.short_name,
                edxml_id=agency.edxml_id or None,
                validity=entries.Validity(agency.valid_from, agency.valid_to),
                successors=tuple(agency_successors[agency.pk]),
                denominators=tuple(agency_figures[agency.pk]),
                confirmed=agency.confirmed,
                unconfirmed=tuple(agency.unconfirmed),
            )
            for agency in agencies
        },
        _groups(agency_key),
    )


def state_of(directory: Directory) -> str:
    """64 hex digits that differ when a unit or an agency differs; a preview is bound to them."""
    units = sorted(directory.units.values(), key=lambda unit: unit.key)
    agencies = sorted(directory.agencies.values(), key=lambda agency: agency.key)
    return hashlib.sha256(repr((units, agencies)).encode()).hexdigest()


def keys_by_pk(model: type[Entry]) -> dict[int, str]:
    """Primary key -> key of every row."""
    return dict(model._default_manager.values_list("pk", "key"))


def _figures() -> tuple[Mapping[int, list[entries.DenominatorEntry]], Mapping[int, list[entries.DenominatorEntry]]]:
    of_units: defaultdict[int, list[entries.DenominatorEntry]] = defaultdict(list)
    of_agencies: defaultdict[int, list[entries.DenominatorEntry]] = defaultdict(list)
    for row in Denominator.objects.order_by("kind", "as_of"):
        figure = entries.DenominatorEntry(Quantity(row.kind), row.value, row.source, row.as_of)
        if row.unit_id is not None:
            of_units[row.unit_id].append(figure)
        elif row.agency_id is not None:
            of_agencies[row.agency_id].append(figure)
    return of_units, of_agencies


def _successors(model: Any, key_of: Mapping[int, str]) -> Mapping[int, list[str]]:
    found: defaultdict[int, list[str]] = defaultdict(list)
    for ended, successor in model.objects.order_by("pk").values_list("ended_id", "successor_id"):
        found[ended].append(key_of[successor])
    return found


def _groups(agency_key: Mapping[int, str]) -> dict[str, entries.GroupEntry]:
    members: defaultdict[int, list[str]] = defaultdict(list)
    through = RecipientGroup.agencies.through._default_manager.order_by("agency_id")
    for group, agency in through.values_list("recipientgroup_id", "agency_id"):
        members[group].append(agency_key[agency])
    return {
        group.key: entries.GroupEntry(group.key, group.name, tuple(members[group.pk]), Purpose(group.purpose))
        for group in RecipientGroup.objects.order_by("pk")
        if members[group.pk]  # one without members yet is not wrong, only unfinished
    }


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
    committees = {agency.unit_id: agency.pk for agency in Agency.objects.filter(kind=AgencyKind.COMMITTEE.value)}
    governed = {
        AgencyKind.DEPARTMENT,
        AgencyKind.MEDIA,
        AgencyKind.SERVICE,
        AgencyKind.SCHOOL,
    }
    given: defaultdict[int, list[int]] = defaultdict(list)
    for agency in Agency.objects.filter(key__in=keys, parent=None).select_related("unit"):
        parent = None
        if agency.kind == AgencyKind.COMMITTEE.value:
            parent = committees.get(agency.unit.parent_id or 0)
        elif agency.kind in governed:
            parent = committees.get(agency.unit_id)
        if parent is not None:
            given[parent].append(agency.pk)
    # Many answer to one: a statement for each of them takes a tenth of what one row after another does.
    for parent, agencies in given.items():
        for start in range(0, len(agencies), 500):
            Agency.objects.filter(pk__in=agencies[start : start + 500]).update(parent=parent)


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


def _write_groups(changed: Iterable[entries.GroupEntry]) -> None:
    agency_pk = {key: pk for pk, key in keys_by_pk(Agency).items()}
    for group in changed:
        row, _ = RecipientGroup.objects.update_or_create(
            key=group.key, defaults={"name": group.name, "purpose": group.purpose.value}
        )
        row.agencies.set([agency_pk[member] for member in group.members])


# The day of the directive: what holds on it is what its "Kính gửi" means.
SEED_DAY = datetime.date(2020, 8, 7)


class SeedInvalid(Refused):
    """A seed file is no list of entries of the expected shape."""

    code = "seed_invalid"


def load_seed() -> Directory:
    """The directory that ships with the program. Raises SeedInvalid or DirectoryRefused when a file was damaged."""
    folder = resources.files("bluezone.directory") / "seeds"
    return read_seed((folder / "units.json").read_bytes(), (folder / "agencies.json").read_bytes())


def read_seed(units: bytes, agencies: bytes) -> Directory:
    """Build a directory from the two JSON documents; the shape is that of the files in `seeds/`.

    Raises SeedInvalid when they cannot be read, DirectoryRefused when the entries contradict each other.
    """
    try:
        unit_rows = json.loads(units)["units"]
        document = json.loads(agencies)
        return Directory.build(
            [_unit(row) for row in unit_rows],
            [_agency(row) for row in document["agencies"]],
            [_group(row) for row in document["groups"]],
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SeedInvalid(f"a seed file cannot be read: {type(error).__name__}") from error


def _unit(row: Mapping[str, Any]) -> UnitEntry:
    return UnitEntry(kind=UnitKind(row["kind"]), parent=row.get("parent"), **_shared(row))


def _agency(row: Mapping[str, Any]) -> AgencyEntry:
    return AgencyEntry(
        kind=AgencyKind(row["kind"]),
        unit=row["unit"],
        short_name=row.get("short_name", ""),
        edxml_id=row.get("edxml_id"),
        **_shared(row),
    )


def _group(row: Mapping[str, Any]) -> GroupEntry:
    return GroupEntry(row["key"], row["name"], tuple(row["members"]), Purpose(row["purpose"]))


def _shared(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "key": row["key"],
        "name": row["name"],
        "code": row.get("code"),
        "validity": Validity(_day(row.get("valid_from")), _day(row.get("valid_until"))),
        "successors": tuple(row.get("successors", ())),
        "confirmed": row.get("confirmed", True),
        "unconfirmed": tuple(row.get("unconfirmed", ())),
    }


def _day(text: str | None) -> datetime.date | None:
    return None if text is None else datetime.date.fromisoformat(text)


@dataclasses.dataclass(frozen=True)
class Planted:
    """How many entries of the seed were not there yet."""

    units: int
    agencies: int
    groups: int


def plant_first_seed() -> None:
    """Plant the seed at the first start; a city that keeps its own directory gets nothing put beside it.

    No audit entry: nobody has done anything yet.
    """
    if not AdminUnit.objects.exists():
        _plant()


def plant_seed() -> Planted:
    """Add every entry of the seed whose key is not stored; safe to repeat.

    Raises SeedInvalid or a DirectoryRefused (the seed contradicts what the city entered); nothing is stored then.
    """
    with transaction.atomic():
        planted = _plant()
        if planted != Planted(0, 0, 0):
            hash_chain.record(COMMAND_LINE, "entry_made", "seed", **dataclasses.asdict(planted))
    return planted


def _plant() -> Planted:
    seed = load_seed()
    added: list[Planted] = []

    def change(directory: Directory) -> Directory:
        units = {key: unit for key, unit in seed.units.items() if key not in directory.units}
        agencies = {key: agency for key, agency in seed.agencies.items() if key not in directory.agencies}
        kept = set(RecipientGroup.objects.values_list("key", flat=True))  # also those without members
        groups = {key: group for key, group in seed.groups.items() if key not in kept}
        added.append(Planted(len(units), len(agencies), len(groups)))
        return Directory(
            {**directory.units, **units}, {**directory.agencies, **agencies}, {**directory.groups, **groups}
        )

    rewrite(change)
    return added[0]
