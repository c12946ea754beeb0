# SPDX-License-Identifier: Apache-2.0
"""An official's changes to a unit, agency or recipient group: enter it, change it, end it, record a figure.

Every change is one transaction, checked against the whole directory. Its audit entry names the changed fields, not
their content.
"""

import dataclasses
import datetime
import re
from collections.abc import Container
from typing import Any

from django.db import transaction

from bluezone.audit import hash_chain
from bluezone.directory.kinds import AgencyKind, Quantity, UnitKind
from bluezone.directory.models import AdminUnit, Agency, Denominator, RecipientGroup
from bluezone.directory.records import entries
from bluezone.directory.records.entries import AgencyCycle, Directory
from bluezone.directory.records.store import count_change, lock_directory, rewrite_directory, rewrite_paths
from bluezone.refusal import Refused
from bluezone.vietnamese.spelling import fold

UNIT_QUANTITIES = (Quantity.POPULATION, Quantity.HOUSEHOLDS, Quantity.SMARTPHONES, Quantity.VENUES)
AGENCY_QUANTITIES = (Quantity.STAFF,)


class FigureRefused(Refused):
    """A figure without a source, of a day in the future, or of a quantity that its holder does not count."""

    code = "figure_refused"


def save_unit(actor: str, unit: AdminUnit | None, values: dict[str, Any]) -> AdminUnit:
    """Enter a unit (`unit` None) or change one.

    values: name, kind, code, parent (AdminUnit or None), valid_from, valid_to, successors (AdminUnits), confirmed,
    head_name, head_phone. If a unit ends, the units below it end on the same day at the latest.
    Raises a DirectoryRefused or ImportUnderWay; nothing is stored then.
    """
    parent = values["parent"].key if values["parent"] else None
    own: dict[str, Any] = {"kind": UnitKind(values["kind"]), "parent": parent}

    key = unit.key if unit else ""

    def change(directory: Directory) -> Directory:
        nonlocal key
        if not unit:
            key = _free_key(directory, values["name"])
        old = directory.units.get(key) or entries.UnitEntry(key, values["name"], own["kind"])
        units = {**directory.units, key: dataclasses.replace(old, **_shared(old, values), **own)}
        # Read the stored directory, which has no cycle; the planned one may have one.
        beneath = directory.subtree(key)[1:] if unit else []
        return dataclasses.replace(directory, units={**units, **_end_after(beneath, values["valid_to"])})

    def finish(touched: set[str], _agencies: set[str]) -> AdminUnit:
        row = AdminUnit.objects.get(key=key)
        is_group = row.kind == UnitKind.GROUP.value
        head = {name: values[name] if is_group else "" for name in ("head_name", "head_phone")}
        _store_and_audit(actor, row, new=unit is None, changed=row.key in touched, extra=head)
        return row

    return rewrite_directory(change, finish)


def save_agency(actor: str, agency: Agency | None, values: dict[str, Any]) -> Agency:
    """Enter an agency (`agency` None) or change one.

    values: name, short_name, kind, code, unit (AdminUnit), parent (Agency or None), valid_from, valid_to, successors
    (Agencies), confirmed, edxml_id, email, phone. A new agency without parent gets the usual one of its kind.
    Raises a DirectoryRefused or ImportUnderWay; nothing is stored then.
    """
    own: dict[str, Any] = {
        "kind": AgencyKind(values["kind"]),
        "unit": values["unit"].key,
        "short_name": values["short_name"],
        "edxml_id": values["edxml_id"] or None,
    }

    key = agency.key if agency else ""

    def change(directory: Directory) -> Directory:
        nonlocal key
        if not agency:
            key = _free_key(directory, values["name"])
        old = directory.agencies.get(key) or entries.AgencyEntry(key, values["name"], own["kind"], own["unit"])
        agencies = {**directory.agencies, key: dataclasses.replace(old, **_shared(old, values), **own)}
        return dataclasses.replace(directory, agencies=agencies)

    def finish(_units: set[str], touched: set[str]) -> Agency:
        row = Agency.objects.get(key=key)
        extra = {"email": values["email"], "phone": values["phone"]}
        if agency or values["parent"]:
            extra["parent"] = _current_parent(row, values["parent"])
        _store_and_audit(actor, row, new=agency is None, changed=row.key in touched, extra=extra)
        rewrite_paths(Agency)
        return Agency.objects.get(pk=row.pk)

    return rewrite_directory(change, finish)


def record_figure(
    actor: str,
    holder: AdminUnit | Agency,
    quantity: Quantity,
    value: int,
    source: str,
    as_of: datetime.date,
    today: datetime.date,
) -> Denominator:
    """Record a denominator of a unit or an agency; it replaces one of the same quantity and day.

    value: 0 or more; source: who counted; as_of: the day it was true. Raises FigureRefused.
    """
    quantities = UNIT_QUANTITIES if isinstance(holder, AdminUnit) else AGENCY_QUANTITIES
    if quantity not in quantities:
        raise FigureRefused(f"{quantity.value} is not counted here, expected one of {', '.join(quantities)}")
    if not source.strip() or value < 0:
        raise FigureRefused("a figure needs a source and is 0 or more")
    if as_of > today:
        raise FigureRefused(f"the figure is of {as_of}, which is after {today}")
    place: dict[str, Any] = {
        "unit" if isinstance(holder, AdminUnit) else "agency": holder,
        "kind": quantity,
        "as_of": as_of,
    }
    with transaction.atomic():
        lock_directory()
        count_change()
        figure, _ = Denominator.objects.update_or_create(defaults={"value": value, "source": source}, **place)
        hash_chain.record(actor, "figure_recorded", holder.key, quantity=quantity.value, value=value, as_of=str(as_of))
    return figure


def save_recipients(actor: str, group: RecipientGroup | None, name: str, purpose: str) -> RecipientGroup:
    """Make a recipient group or rename it."""
    with transaction.atomic():
        lock_directory()
        if group is None:
            keys = set(RecipientGroup.objects.values_list("key", flat=True))
            group = RecipientGroup(key=free_key(keys, slug_of(name)))
        group.name = name
        group.purpose = purpose
        group.save()
        hash_chain.record(actor, "recipients_changed", group.key)
    return group


def add_members(actor: str, group: RecipientGroup, agencies: list[Agency]) -> None:
    """Add agencies to a group; members stay members."""
    with transaction.atomic():
        group.agencies.add(*agencies)
        hash_chain.record(actor, "recipients_changed", group.key, added=[agency.key for agency in agencies][:100])


def remove_member(actor: str, group: RecipientGroup, agency: Agency) -> None:
    """Remove an agency from a group."""
    with transaction.atomic():
        group.agencies.remove(agency)
        hash_chain.record(actor, "recipients_changed", group.key, removed=[agency.key])


def _shared(old: Any, values: dict[str, Any]) -> dict[str, Any]:
    """The fields that units and agencies have in common."""
    return {
        "name": values["name"],
        "code": values["code"] or None,
        "validity": entries.Validity(values["valid_from"], values["valid_to"]),
        "successors": tuple(successor.key for successor in values["successors"]),
        "confirmed": values["confirmed"] or (bool(old.unconfirmed) and old.confirmed),
        "unconfirmed": () if values["confirmed"] else old.unconfirmed,
    }


def _end_after(units: list[entries.UnitEntry], end: datetime.date | None) -> dict[str, entries.UnitEntry]:
    """Copies of those of `units` that would continue after `end`, ended on that day."""
    changed = {}
    for unit in units:
        start = unit.validity.start
        last = unit.validity.end
        if end is not None and (last is None or last > end) and (start is None or start < end):
            changed[unit.key] = dataclasses.replace(unit, validity=entries.Validity(start, end))
    return changed


def _current_parent(agency: Agency, parent: Agency | None) -> Agency | None:
    """The parent as stored now. Raises AgencyCycle if it answers to `agency` itself."""
    if parent is None:
        return None
    parent = Agency.objects.get(pk=parent.pk)
    if parent.path.startswith(agency.path):
        raise AgencyCycle(agency.key, f"agency {agency.key} cannot answer to {parent.key}, which answers to it")
    return parent


def _store_and_audit(actor: str, row: AdminUnit | Agency, *, new: bool, changed: bool, extra: dict[str, Any]) -> None:
    """Store the fields that the directory entries lack, and write an audit entry if anything changed."""
    fields = [name for name, value in extra.items() if getattr(row, name) != value]
    for name in fields:
        setattr(row, name, extra[name])
    if fields:
        row.save(update_fields=fields)
    if new or changed or fields:
        act = "entry_made" if new else "entry_changed"
        hash_chain.record(actor, act, row.key, fields=sorted(fields))


def _free_key(directory: Directory, name: str) -> str:
    return free_key({*directory.units, *directory.agencies, *directory.groups}, slug_of(name))


def slug_of(name: str) -> str:
    """A name as the beginning of a key: at most 56 small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-")[:56] or "entry"


def free_key(taken: Container[str], base: str) -> str:
    """The first free key: `base` itself, or `base` with a number."""
    number = 1
    key = base
    while key in taken:
        number += 1
        key = f"{base}-{number}"
    return key
