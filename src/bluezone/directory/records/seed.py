# SPDX-License-Identifier: Apache-2.0
"""The directory that ships with the program: read it, and plant it into an empty office."""

import dataclasses
import datetime
import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from django.db import transaction

from bluezone.audit import hash_chain
from bluezone.audit.hash_chain import COMMAND_LINE
from bluezone.directory.kinds import Purpose
from bluezone.directory.models import AdminUnit, RecipientGroup
from bluezone.directory.records.entries import Directory, GroupEntry, read_agency, read_unit
from bluezone.directory.records.store import rewrite_directory
from bluezone.refusal import Refused

# The day of the directive: its "Kính gửi" means the agencies valid on that day.
SEED_DAY = datetime.date(2020, 8, 7)


class SeedInvalid(Refused):
    """A seed file is not a list of entries of the expected shape."""

    code = "seed_invalid"


def load_seed() -> Directory:
    """The directory that ships with the program. Raises SeedInvalid or DirectoryRefused if a file was damaged."""
    folder = resources.files("bluezone.directory") / "seeds"
    return read_seed((folder / "units.json").read_bytes(), (folder / "agencies.json").read_bytes())


def read_seed(units: bytes, agencies: bytes) -> Directory:
    """Build a directory from the two JSON documents; the shape is that of the files in `seeds/`.

    Raises SeedInvalid if they cannot be read, DirectoryRefused if the entries contradict each other.
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
class SeedCounts:
    """How many entries of the seed were added."""

    units: int
    agencies: int
    groups: int


def seed_empty_directory() -> None:
    """Plant the seed at the first start; a city that has a directory already gets nothing added to it.

    Writes no audit entry, since no person acted.
    """
    if not AdminUnit.objects.exists():
        _plant()


def seed_directory() -> SeedCounts:
    """Add every entry of the seed with a key that is not stored; safe to repeat.

    Raises SeedInvalid or a DirectoryRefused (the seed contradicts what the city entered); nothing is stored then.
    """
    with transaction.atomic():
        planted = _plant()
        if planted != SeedCounts(0, 0, 0):
            hash_chain.record(COMMAND_LINE, "entry_made", "seed", **dataclasses.asdict(planted))
    return planted


def _plant() -> SeedCounts:
    seed = load_seed()
    planted = SeedCounts(0, 0, 0)

    def change(directory: Directory) -> Directory:
        nonlocal planted
        units = {key: unit for key, unit in seed.units.items() if key not in directory.units}
        agencies = {key: agency for key, agency in seed.agencies.items() if key not in directory.agencies}
        stored = set(RecipientGroup.objects.values_list("key", flat=True))  # also those without members
        groups = {key: group for key, group in seed.groups.items() if key not in stored}
        planted = SeedCounts(len(units), len(agencies), len(groups))
        return Directory(
            {**directory.units, **units}, {**directory.agencies, **agencies}, {**directory.groups, **groups}
        )

    return rewrite_directory(change, lambda _units, _agencies: planted)
