# SPDX-License-Identifier: Apache-2.0
"""The units and agencies that ship with the program: read, checked, and planted into an empty directory."""

import dataclasses
import datetime
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from django.db import transaction

from bluezone.audit import hash_chain
from bluezone.audit.hash_chain import COMMAND_LINE
from bluezone.directory.kinds import AgencyKind, Purpose, UnitKind
from bluezone.directory.models import AdminUnit, RecipientGroup
from bluezone.directory.records.entries import AgencyEntry, Directory, GroupEntry, UnitEntry, Validity
from bluezone.directory.records.store import rewrite
from bluezone.refusal import Refused

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
