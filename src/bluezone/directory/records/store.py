# SPDX-License-Identifier: Apache-2.0
"""The directory in the database: its rows read as the values that the rules are written for, stored, and planted into
an empty office.
"""

import dataclasses
import datetime
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from importlib import resources
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import CharField, F, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat

from bluezone.audit import hash_chain
from bluezone.audit.hash_chain import COMMAND_LINE
from bluezone.directory.apps import tell_followers
from bluezone.directory.kinds import AgencyKind, Purpose, Quantity, UnitKind
from bluezone.directory.models import (
    AdminUnit,
    Agency,
    AgencySuccession,
    Denominator,
    DirectoryState,
    ListImport,
    RecipientGroup,
    UnitSuccession,
)
from bluezone.directory.records import entries
from bluezone.directory.records.entries import (
    AgencyEntry,
    Directory,
    GroupEntry,
    UnitEntry,
    read_agency,
    read_unit,
)
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
                head_name=unit.head_name,
                head_phone=unit.head_phone,
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
                answers_to=agency_key[agency.parent_id] if agency.parent_id else None,
                email=agency.email,
                phone=agency.phone,
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
_HEAD = ["head_name", "head_phone"]
_AT_ONCE = 200
_T = TypeVar("_T")


class ImportUnderWay(Refused):
    """Another list is being stored; until that is done nothing else that it is about is changed."""

    code = "import_under_way"


def rewrite(change: Callable[[Directory], Directory], then: Callable[[set[str], set[str]], _T]) -> _T:
    """Store what `change` makes of the stored directory.

    change: takes the directory as it is now, gives the one that should be; it never drops an entry. It is asked again
            where somebody else changed the directory meanwhile.
    then:   done in the same transaction, given the keys of units and agencies that differ; its result is returned.
    Raises a DirectoryRefused when the result contradicts itself, ImportUnderWay, and whatever the two raise; nothing is
    stored then.
    """
    while True:
        # Reading and checking a country takes a second, in which others may write.
        number = directory_number()
        before = stored_directory()
        planned = change(before)
        after = Directory.build(planned.units.values(), planned.agencies.values(), planned.groups.values())
        units = [unit for key, unit in after.units.items() if before.units.get(key) != unit]
        agencies = [agency for key, agency in after.agencies.items() if before.agencies.get(key) != agency]
        groups = [group for key, group in after.groups.items() if before.groups.get(key) != group]
        with transaction.atomic():
            begin_change()
            if directory_number() != number + 1:
                transaction.set_rollback(True)
                continue
            _write(AdminUnit, units, before.units, after)
            _write(Agency, agencies, before.agencies, after)
            _write_groups(groups)
            tell_followers(agencies)
            return then({unit.key for unit in units}, {agency.key for agency in agencies})


def directory_number() -> int:
    """What goes up with every change of the directory."""
    return DirectoryState.objects.values_list("number", flat=True).first() or 0


def begin_change() -> None:
    """Change the directory alone, from here to the end of the transaction. Raises ImportUnderWay.

    Whoever has read the directory and not changed it yet reads it again.
    """
    lock_directory()
    if ListImport.objects.exclude(state__in=[ListImport.State.LOOKED_AT, ListImport.State.DONE]).exists():
        raise ImportUnderWay("a list of units or agencies is being stored")
    note_change()


def lock_directory() -> None:
    """Let one transaction at a time change the directory or its groups."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_DIRECTORY_LOCK])


def note_change() -> None:
    """Count one change of the directory; call it in the transaction of the change."""
    if not DirectoryState.objects.update(number=F("number") + 1):
        DirectoryState.objects.create(number=1)


def rank_of(entry: UnitEntry | AgencyEntry, directory: Directory) -> int:
    """Entries of a rank hang on none but those of a smaller one: units by level, committees first among agencies."""
    levels = list(UnitKind)
    if isinstance(entry, UnitEntry):
        return levels.index(entry.kind)
    if entry.kind is AgencyKind.COMMITTEE:
        return levels.index(directory.units[entry.unit].kind)
    return len(levels)


def insert(model: Any, new: Sequence[Any], arriving: ListImport | None = None) -> None:
    """Store entries that are new, with figures and path: those of one rank, after those of every smaller one.

    arriving: the list that brings them; nobody sees them before `show`.
    """
    unit_pk = _pks(AdminUnit, (_above(entry) for entry in new))
    rows = [_filled(model(key=entry.key, arriving=arriving), entry, unit_pk) for entry in new]
    if model is Agency:
        _give_parents(rows)
    model.everything.bulk_create(rows, batch_size=_AT_ONCE)
    over = model.everything.filter(pk=OuterRef("parent_id")).values("path")
    path = Concat(Coalesce(Subquery(over), Value("")), Cast("pk", CharField(max_length=20)), Value("/"))
    for start in range(0, len(rows), _AT_ONCE):
        model.everything.filter(pk__in=[row.pk for row in rows[start : start + _AT_ONCE]]).update(path=path)
    _write_figures(model, new)


def update(model: Any, changed: Sequence[Any]) -> None:
    """Bring entries that are stored to what they should be, with successors and figures; their paths come later."""
    present = model.everything.in_bulk([entry.key for entry in changed], field_name="key")
    unit_pk = _pks(AdminUnit, (_above(entry) for entry in changed))
    for entry in changed:
        _filled(present[entry.key], entry, unit_pk)
    own = ["parent", *_HEAD] if model is AdminUnit else ["unit", "short_name", "edxml_id", "email", "phone"]
    _overwrite(present.values(), [*_SHARED, *own])
    write_parents(model, changed)
    write_successions(model, changed)
    _write_figures(model, changed)


def free_codes(model: Any, changed: Iterable[UnitEntry | AgencyEntry]) -> None:
    """A code may pass from one changed row to another; the trigger must not meet them half-way."""
    keys = [entry.key for entry in changed]
    for start in range(0, len(keys), 5 * _AT_ONCE):
        model.everything.filter(key__in=keys[start : start + 5 * _AT_ONCE]).update(code=None)


def write_successions(model: Any, changed: Sequence[Any]) -> None:
    """Store who takes over from these."""
    between: Any = UnitSuccession if model is AdminUnit else AgencySuccession
    pk_of = _pks(model, (key for entry in changed for key in (entry.key, *entry.successors)))
    between.objects.filter(ended__in=[pk_of[entry.key] for entry in changed]).delete()
    between.objects.bulk_create(
        between(ended_id=pk_of[entry.key], successor_id=pk_of[successor], day=entry.validity.end)
        for entry in changed
        for successor in entry.successors
    )


def write_parents(model: Any, changed: Sequence[Any]) -> None:
    """Store whom these agencies answer to, where that is said; paths come later."""
    said = {entry.key: entry.answers_to for entry in changed if isinstance(entry, AgencyEntry) and entry.answers_to}
    pk_of = _pks(model, said.values())
    rows = [row for row in model.everything.filter(key__in=list(said)) if row.parent_id != pk_of[str(said[row.key])]]
    for row in rows:
        row.parent_id = pk_of[str(said[row.key])]
    _overwrite(rows, ["parent"])


def wrong_paths(model: Any) -> list[tuple[int, str]]:
    """Rows whose path does not fit the parents, with the path that does."""
    found = {pk: (parent, path) for pk, parent, path in model.everything.values_list("pk", "parent_id", "path")}
    paths: dict[int, str] = {}

    def path(pk: int) -> str:
        if pk not in paths:
            parent = found[pk][0]
            paths[pk] = f"{path(parent) if parent else ''}{pk}/"
        return paths[pk]

    return [(pk, path(pk)) for pk, (_parent, stored) in found.items() if stored != path(pk)]


def write_paths(model: Any, paths: Sequence[tuple[int, str]]) -> None:
    """Store paths as `wrong_paths` returned them."""
    rows = model.everything.in_bulk([pk for pk, _path in paths])
    for pk, path in paths:
        rows[pk].path = path
    _overwrite(rows.values(), ["path"])


def rewrite_paths(model: Any) -> None:
    """Bring every path in line with the parents."""
    write_paths(model, wrong_paths(model))


def _write(model: Any, differing: Sequence[Any], before: Mapping[str, Any], after: Directory) -> None:
    new = [entry for entry in differing if entry.key not in before]
    changed = [entry for entry in differing if entry.key in before]
    # Of those of a key that is stored and not seen there are none: no list is being stored.
    free_codes(model, changed)
    for rank in sorted({rank_of(entry, after) for entry in new}):
        insert(model, [entry for entry in new if rank_of(entry, after) == rank])
    if changed:
        update(model, changed)
        rewrite_paths(model)
    if led := [entry for entry in new if isinstance(entry, AgencyEntry) and entry.answers_to]:
        write_parents(model, led)
        rewrite_paths(model)
    write_successions(model, [entry for entry in new if entry.successors])


def _overwrite(rows: Collection[Any], fields: list[str]) -> None:
    """Store these fields of rows that are there; bulk_update would take ten times as long."""
    for model in {type(row) for row in rows}:
        model.everything.bulk_create(rows, _AT_ONCE, update_conflicts=True, unique_fields=["id"], update_fields=fields)


def _above(entry: UnitEntry | AgencyEntry) -> str | None:
    return entry.parent if isinstance(entry, UnitEntry) else entry.unit


def _pks(model: Any, keys: Iterable[str | None]) -> dict[str, int]:
    wanted = sorted({key for key in keys if key is not None})
    return dict(model.everything.filter(key__in=wanted).values_list("key", "pk"))


def _filled(row: Any, entry: Any, unit_pk: Mapping[str, int]) -> Any:
    above = _above(entry)
    short_name = ""
    if isinstance(entry, UnitEntry):
        row.parent_id = unit_pk[above] if above else None
        row.head_name, row.head_phone = entry.head_name, entry.head_phone
    else:
        row.email, row.phone = entry.email, entry.phone
        row.unit_id, row.short_name, row.edxml_id = unit_pk[entry.unit], entry.short_name, entry.edxml_id or ""
        short_name = entry.short_name
    row.code, row.name, row.kind = entry.code, entry.name, entry.kind.value
    row.valid_from, row.valid_to = entry.validity.start, entry.validity.end
    row.confirmed, row.unconfirmed = entry.confirmed, list(entry.unconfirmed)
    row.folded = fold(" ".join([entry.name, short_name, entry.code or ""]))
    return row


def _give_parents(rows: Iterable[Any]) -> None:
    """Say which agency a new one answers to, as far as its kind tells: the People's Committee of its territory.

    Unions, Party bodies, police and branches answer to bodies of their own; somebody enters those where it matters.
    """
    governed = {AgencyKind.DEPARTMENT.value, AgencyKind.MEDIA.value, AgencyKind.SERVICE.value, AgencyKind.SCHOOL.value}
    parents = dict(AdminUnit.everything.filter(pk__in={row.unit_id for row in rows}).values_list("pk", "parent_id"))
    committees = Agency.everything.filter(
        kind=AgencyKind.COMMITTEE.value, unit__in={*parents, *filter(None, parents.values())}
    )
    of_unit = dict(committees.order_by("name", "pk").values_list("unit_id", "pk"))
    for row in rows:
        if row.kind == AgencyKind.COMMITTEE.value:
            row.parent_id = of_unit.get(parents[row.unit_id] or 0)
        elif row.kind in governed:
            row.parent_id = of_unit.get(row.unit_id)


def _write_figures(model: Any, changed: Sequence[Any]) -> None:
    field = "unit" if model is AdminUnit else "agency"
    pk_of = _pks(model, (entry.key for entry in changed))
    figures = [
        Denominator(
            kind=one.quantity.value, value=one.value, source=one.source, as_of=one.as_of,
            **{f"{field}_id": pk_of[entry.key]},
        )
        for entry in changed for one in entry.denominators
    ]  # fmt: skip
    Denominator.objects.bulk_create(
        figures, _AT_ONCE, update_conflicts=True, unique_fields=[field, "kind", "as_of"],
        update_fields=["value", "source"],
    )  # fmt: skip


def _write_groups(changed: Iterable[entries.GroupEntry]) -> None:
    for group in changed:
        row, _ = RecipientGroup.objects.update_or_create(
            key=group.key, defaults={"name": group.name, "purpose": group.purpose.value}
        )
        row.agencies.set(_pks(Agency, group.members).values())


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
            [read_unit(row) for row in unit_rows],
            [read_agency(row) for row in document["agencies"]],
            [_group(row) for row in document["groups"]],
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SeedInvalid(f"a seed file cannot be read: {type(error).__name__}") from error


def _group(row: Mapping[str, Any]) -> GroupEntry:
    return GroupEntry(row["key"], row["name"], tuple(row["members"]), Purpose(row["purpose"]))


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
    planted = Planted(0, 0, 0)

    def change(directory: Directory) -> Directory:
        nonlocal planted
        units = {key: unit for key, unit in seed.units.items() if key not in directory.units}
        agencies = {key: agency for key, agency in seed.agencies.items() if key not in directory.agencies}
        kept = set(RecipientGroup.objects.values_list("key", flat=True))  # also those without members
        groups = {key: group for key, group in seed.groups.items() if key not in kept}
        planted = Planted(len(units), len(agencies), len(groups))
        return Directory(
            {**directory.units, **units}, {**directory.agencies, **agencies}, {**directory.groups, **groups}
        )

    return rewrite(change, lambda _units, _agencies: planted)
