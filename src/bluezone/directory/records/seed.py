# SPDX-License-Identifier: Apache-2.0
"""Put the seed into the store, once: what is there already, and what officials have made of it, stays."""

import dataclasses

from django.db import transaction

from bluezone.audit import hash_chain
from bluezone.audit.hash_chain import COMMAND_LINE
from bluezone.directory.models import AdminUnit, RecipientGroup
from bluezone.directory.records.entries import Directory
from bluezone.directory.records.seed_data import load_seed
from bluezone.directory.records.store import rewrite


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
