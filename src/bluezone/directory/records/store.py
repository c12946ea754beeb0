# SPDX-License-Identifier: Apache-2.0
"""Store changes of the directory: units, agencies and groups, with their paths, successors and figures."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import CharField, F, OuterRef, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat

from bluezone.directory.apps import notify_followers
from bluezone.directory.kinds import AgencyKind, UnitKind
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
    UnitEntry,
)
from bluezone.directory.records.reading import read_directory
from bluezone.refusal import Refused
from bluezone.vietnamese.spelling import fold

# All writers take the same PostgreSQL lock; on SQLite a transaction locks the whole store anyway.
_DIRECTORY_LOCK = 1113211203
_SHARED = ["code", "name", "folded", "valid_from", "valid_to", "confirmed", "unconfirmed", "kind"]
_HEAD = ["head_name", "head_phone"]
_AT_ONCE = 200
_T = TypeVar("_T")


class ImportUnderWay(Refused):
    """Another list is being stored; until that is done nothing else of its kind is changed."""

    code = "import_under_way"


def rewrite_directory(change: Callable[[Directory], Directory], then: Callable[[set[str], set[str]], _T]) -> _T:
    """Store the directory that `change` makes of the stored one.

    change: maps the present directory to the new one; it never drops an entry. It is called again if somebody else
            changed the directory in the meantime.
    then:   called in the same transaction with the keys of units and agencies that differ; its result is returned.
    Raises a DirectoryRefused if the new directory contradicts itself, ImportUnderWay, and what the two functions
    raise; nothing is stored then.
    """
    while True:
        # Reading and checking a whole country takes a second, in which others may write.
        number = change_number()
        before = read_directory()
        planned = change(before)
        after = Directory.build(planned.units.values(), planned.agencies.values(), planned.groups.values())
        units = [unit for key, unit in after.units.items() if before.units.get(key) != unit]
        agencies = [agency for key, agency in after.agencies.items() if before.agencies.get(key) != agency]
        groups = [group for key, group in after.groups.items() if before.groups.get(key) != group]
        with transaction.atomic():
            begin_change()
            if change_number() != number + 1:
                transaction.set_rollback(True)
                continue
            _write(AdminUnit, units, before.units, after)
            _write(Agency, agencies, before.agencies, after)
            _write_groups(groups)
            notify_followers(agencies)
            return then({unit.key for unit in units}, {agency.key for agency in agencies})


def change_number() -> int:
    """A number that increases with every change of the directory."""
    return DirectoryState.objects.values_list("number", flat=True).first() or 0


def begin_change() -> None:
    """Keep out other changes of the directory until the end of the transaction. Raises ImportUnderWay.

    Writers that have read the directory but not changed it yet will read it again.
    """
    lock_directory()
    if ListImport.objects.exclude(state__in=[ListImport.State.PREVIEWED, ListImport.State.DONE]).exists():
        raise ImportUnderWay("a list of units or agencies is being stored")
    count_change()


def lock_directory() -> None:
    """Wait for other transactions that change the directory or its groups, and keep out later ones."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_DIRECTORY_LOCK])


def count_change() -> None:
    """Count one change of the directory; call it in the transaction of the change."""
    if not DirectoryState.objects.update(number=F("number") + 1):
        DirectoryState.objects.create(number=1)


def rank_of(entry: UnitEntry | AgencyEntry, directory: Directory) -> int:
    """The rank of an entry, which depends only on entries of smaller ranks: units by level, then agencies.

    A committee, on which other agencies depend, has the rank of its unit's level.
    """
    levels = list(UnitKind)
    if isinstance(entry, UnitEntry):
        return levels.index(entry.kind)
    if entry.kind is AgencyKind.COMMITTEE:
        return levels.index(directory.units[entry.unit].kind)
    return len(levels)


def insert_entries(model: Any, new: Sequence[Any], arriving: ListImport | None = None) -> None:
    """Store new entries of one rank, with figures and path; those of smaller ranks are stored before.

    arriving: the list that adds them; they stay hidden until all of it is stored.
    """
    unit_pk = _pks(AdminUnit, (_above(entry) for entry in new))
    rows = [_fill(model(key=entry.key, arriving=arriving), entry, unit_pk) for entry in new]
    if model is Agency:
        _set_usual_parents(rows)
    model.everything.bulk_create(rows, batch_size=_AT_ONCE)
    parent_path = model.everything.filter(pk=OuterRef("parent_id")).values("path")
    path = Concat(Coalesce(Subquery(parent_path), Value("")), Cast("pk", CharField(max_length=20)), Value("/"))
    for start in range(0, len(rows), _AT_ONCE):
        model.everything.filter(pk__in=[row.pk for row in rows[start : start + _AT_ONCE]]).update(path=path)
    _write_figures(model, new)


def update_entries(model: Any, changed: Sequence[Any]) -> None:
    """Overwrite stored entries with these, including successors and figures; their paths are written later."""
    present = model.everything.in_bulk([entry.key for entry in changed], field_name="key")
    unit_pk = _pks(AdminUnit, (_above(entry) for entry in changed))
    for entry in changed:
        _fill(present[entry.key], entry, unit_pk)
    own = ["parent", *_HEAD] if model is AdminUnit else ["unit", "short_name", "edxml_id", "email", "phone"]
    _overwrite(present.values(), [*_SHARED, *own])
    write_parents(model, changed)
    write_successions(model, changed)
    _write_figures(model, changed)


def free_codes(model: Any, changed: Iterable[UnitEntry | AgencyEntry]) -> None:
    """Clear the codes of these entries.

    A code may move between them, and the trigger against duplicate codes must not see it twice.
    """
    keys = [entry.key for entry in changed]
    for start in range(0, len(keys), 5 * _AT_ONCE):
        model.everything.filter(key__in=keys[start : start + 5 * _AT_ONCE]).update(code=None)


def write_successions(model: Any, changed: Sequence[Any]) -> None:
    """Store the successors of these entries."""
    between: Any = UnitSuccession if model is AdminUnit else AgencySuccession
    keys: list[str] = []
    for entry in changed:
        keys += [entry.key, *entry.successors]
    pk_of = _pks(model, keys)
    between.objects.filter(ended__in=[pk_of[entry.key] for entry in changed]).delete()
    successions: list[Any] = []
    for entry in changed:
        ended_id = pk_of[entry.key]
        successions += [
            between(ended_id=ended_id, successor_id=pk_of[successor], day=entry.validity.end)
            for successor in entry.successors
        ]
    between.objects.bulk_create(successions)


def write_parents(model: Any, changed: Sequence[Any]) -> None:
    """For each of these agencies that answers to another, store that one as its parent; paths are written later."""
    parent_keys = {
        entry.key: entry.answers_to for entry in changed if isinstance(entry, AgencyEntry) and entry.answers_to
    }
    pk_of = _pks(model, parent_keys.values())
    rows = [
        row
        for row in model.everything.filter(key__in=list(parent_keys))
        if row.parent_id != pk_of[str(parent_keys[row.key])]
    ]
    for row in rows:
        row.parent_id = pk_of[str(parent_keys[row.key])]
    _overwrite(rows, ["parent"])


def wrong_paths(model: Any) -> list[tuple[int, str]]:
    """Rows with a path that does not match their parents, each with the right path."""
    rows = {pk: (parent, path) for pk, parent, path in model.everything.values_list("pk", "parent_id", "path")}
    paths: dict[int, str] = {}

    def path(pk: int) -> str:
        if pk not in paths:
            parent = rows[pk][0]
            above = path(parent) if parent else ""
            paths[pk] = f"{above}{pk}/"
        return paths[pk]

    return [(pk, path(pk)) for pk, (_parent, stored) in rows.items() if stored != path(pk)]


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
    # No new key belongs to a hidden row: while a list is being stored, nothing else is.
    free_codes(model, changed)
    for rank in sorted({rank_of(entry, after) for entry in new}):
        insert_entries(model, [entry for entry in new if rank_of(entry, after) == rank])
    if changed:
        update_entries(model, changed)
        rewrite_paths(model)
    if with_parent := [entry for entry in new if isinstance(entry, AgencyEntry) and entry.answers_to]:
        write_parents(model, with_parent)
        rewrite_paths(model)
    write_successions(model, [entry for entry in new if entry.successors])


def _overwrite(rows: Collection[Any], fields: list[str]) -> None:
    """Store these fields of existing rows; bulk_update would take ten times as long."""
    for model in {type(row) for row in rows}:
        model.everything.bulk_create(rows, _AT_ONCE, update_conflicts=True, unique_fields=["id"], update_fields=fields)


def _above(entry: UnitEntry | AgencyEntry) -> str | None:
    return entry.parent if isinstance(entry, UnitEntry) else entry.unit


def _pks(model: Any, keys: Iterable[str | None]) -> dict[str, int]:
    distinct = sorted({key for key in keys if key is not None})
    return dict(model.everything.filter(key__in=distinct).values_list("key", "pk"))


def _fill(row: Any, entry: Any, unit_pk: Mapping[str, int]) -> Any:
    above = _above(entry)
    short_name = ""
    if isinstance(entry, UnitEntry):
        row.parent_id = unit_pk[above] if above else None
        row.head_name = entry.head_name
        row.head_phone = entry.head_phone
    else:
        row.email = entry.email
        row.phone = entry.phone
        row.unit_id = unit_pk[entry.unit]
        short_name = entry.short_name
        row.short_name = short_name
        row.edxml_id = entry.edxml_id or ""
    row.code = entry.code
    row.name = entry.name
    row.kind = entry.kind.value
    row.valid_from = entry.validity.start
    row.valid_to = entry.validity.end
    row.confirmed = entry.confirmed
    row.unconfirmed = list(entry.unconfirmed)
    row.folded = fold(" ".join([entry.name, short_name, entry.code or ""]))
    return row


def _set_usual_parents(rows: Iterable[Any]) -> None:
    """Set the usual parent of new agencies, by their kind: the People's Committee of their territory.

    Unions, Party bodies, police and branches answer to other bodies, which a person enters where it matters.
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
    figures: list[Denominator] = []
    for entry in changed:
        holder = {f"{field}_id": pk_of[entry.key]}
        figures += [
            Denominator(
                kind=figure.quantity.value, value=figure.value, source=figure.source, as_of=figure.as_of, **holder
            )
            for figure in entry.denominators
        ]
    Denominator.objects.bulk_create(
        figures,
        _AT_ONCE,
        update_conflicts=True,
        unique_fields=[field, "kind", "as_of"],
        update_fields=["value", "source"],
    )


def _write_groups(changed: Iterable[entries.GroupEntry]) -> None:
    for group in changed:
        row, _ = RecipientGroup.objects.update_or_create(
            key=group.key, defaults={"name": group.name, "purpose": group.purpose.value}
        )
        row.agencies.set(_pks(Agency, group.members).values())
