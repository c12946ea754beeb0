# SPDX-License-Identifier: Apache-2.0
"""The directory as it is stored: rows of the database read as the values that the rules are written for."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from bluezone.agencies import entries
from bluezone.agencies.directory import Directory
from bluezone.agencies.models import (
    AdminUnit,
    Agency,
    AgencySuccession,
    Denominator,
    Entry,
    RecipientGroup,
    UnitSuccession,
)


def stored_directory() -> Directory:
    """Everything that is stored, in seven queries. It contradicts itself nowhere, because writing.py checks."""
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
                kind=entries.UnitKind(unit.kind),
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
                kind=entries.AgencyKind(agency.kind),
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


def _figures() -> tuple[Mapping[int, list[entries.Denominator]], Mapping[int, list[entries.Denominator]]]:
    of_units: defaultdict[int, list[entries.Denominator]] = defaultdict(list)
    of_agencies: defaultdict[int, list[entries.Denominator]] = defaultdict(list)
    for row in Denominator.objects.order_by("kind", "as_of"):
        figure = entries.Denominator(entries.Quantity(row.kind), row.value, row.source, row.as_of)
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


def _groups(agency_key: Mapping[int, str]) -> dict[str, entries.RecipientGroup]:
    members: defaultdict[int, list[str]] = defaultdict(list)
    through = RecipientGroup.agencies.through._default_manager.order_by("agency_id")
    for group, agency in through.values_list("recipientgroup_id", "agency_id"):
        members[group].append(agency_key[agency])
    return {
        group.key: entries.RecipientGroup(
            group.key, group.name, tuple(members[group.pk]), entries.Purpose(group.purpose)
        )
        for group in RecipientGroup.objects.order_by("pk")
        if members[group.pk]  # one without members yet is not wrong, only unfinished
    }
