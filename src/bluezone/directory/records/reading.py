# SPDX-License-Identifier: Apache-2.0
"""Read the stored directory as values (entries.py)."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from bluezone.directory.kinds import AgencyKind, Purpose, Quantity, UnitKind
from bluezone.directory.models import AdminUnit, Agency, AgencySuccession, Denominator, RecipientGroup, UnitSuccession
from bluezone.directory.records import entries
from bluezone.directory.records.entries import Directory


def read_directory() -> Directory:
    """The whole stored directory, in seven queries. It is consistent, because `rewrite_directory` checks it."""
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


def state_digest(directory: Directory) -> str:
    """64 hex digits that identify the state of all units and agencies; a preview is bound to them."""
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
    successors: defaultdict[int, list[str]] = defaultdict(list)
    for ended, successor in model.objects.order_by("pk").values_list("ended_id", "successor_id"):
        successors[ended].append(key_of[successor])
    return successors


def _groups(agency_key: Mapping[int, str]) -> dict[str, entries.GroupEntry]:
    members: defaultdict[int, list[str]] = defaultdict(list)
    through = RecipientGroup.agencies.through._default_manager.order_by("agency_id")
    for group, agency in through.values_list("recipientgroup_id", "agency_id"):
        members[group].append(agency_key[agency])
    return {
        group.key: entries.GroupEntry(group.key, group.name, tuple(members[group.pk]), Purpose(group.purpose))
        for group in RecipientGroup.objects.order_by("pk")
        if members[group.pk]  # a group without members is unfinished, not wrong
    }
