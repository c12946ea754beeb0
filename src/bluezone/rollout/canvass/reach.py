# SPDX-License-Identifier: Apache-2.0
"""What a phone may speak of: doors that were ever on one of its lists, and doors that it found within such a list.

A list that was taken back still counts here: visits made before, or on paper-thin coverage after, are not lost.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count

from bluezone.devices.models import Device
from bluezone.rollout.canvass.entries import ReadEntry
from bluezone.rollout.canvass.models import AsideReason, Household, Lease, LeaseDoor

MOST_DOORS = 400


@dataclass
class Reach:
    """Of one phone and push.

    leases: turf -> its newest lease to this phone. doors: door -> newest lease it was on. households: by key, held for
    change, with those they were merged into. sizes: doors of a turf. found: doors to be entered with this push.
    """

    unit_id: int | None
    leases: dict[int, Lease]
    doors: dict[uuid.UUID, Lease]
    households: dict[uuid.UUID, Household]
    sizes: dict[int, int]
    found: list[tuple[Household, Lease]] = field(default_factory=list)

    def refusal(self, entry: ReadEntry) -> AsideReason | None:
        """Why an entry is out of reach; enters the door that it has found."""
        if entry.door in self.doors and entry.door in self.households:
            return None
        lease = self.leases.get(entry.turf)
        if lease is None or entry.door in self.households:
            return AsideReason.WRONG_TURF
        if not entry.made:
            return AsideReason.DOOR_GONE
        if self.sizes.get(entry.turf, 0) >= MOST_DOORS:
            return AsideReason.TURF_FULL
        household = Household(
            key=entry.door, unit=lease.turf.unit, group=lease.turf.group, made_at=entry.at, touched_at=entry.at
        )
        self.households[entry.door], self.doors[entry.door] = household, lease
        self.sizes[entry.turf] = self.sizes.get(entry.turf, 0) + 1
        self.found.append((household, lease))
        return None

    def household(self, door: uuid.UUID) -> Household:
        """The household of a door, or the one that it turned out to be."""
        found = self.households[door]
        while found.merged_into_id is not None:
            found = self.households[found.merged_into_id]
        return found

    def lease_of(self, entry: ReadEntry) -> Lease:
        """The lease under which an entry was made."""
        lease = self.leases.get(entry.turf)
        return lease if lease is not None and lease.since <= entry.at else self.doors[entry.door]

    def unit_of(self, entry: Any) -> int | None:
        """Whose desk an entry that goes aside lies on: the ward of its list, else that of the phone."""
        turf = entry.get("turf") if isinstance(entry, dict) else None
        lease = self.leases.get(turf) if type(turf) is int else None
        if lease is None and self.leases:
            lease = next(iter(self.leases.values()))
        return lease.turf.unit_id if lease is not None else self.unit_id


def reach_of(device: Device, entries: Iterable[ReadEntry]) -> Reach:
    """Read what the entries of a push need; four queries, a fifth where doors were merged. Within a transaction."""
    wanted = {entry.door for entry in entries}
    leases: dict[int, Lease] = {}
    for lease in Lease.objects.filter(device=device).select_related("turf__unit").order_by("-since", "-pk"):
        leases.setdefault(lease.turf_id, lease)
    doors: dict[uuid.UUID, Lease] = {}
    found = LeaseDoor.objects.filter(lease__device=device, lease__training=False, household__in=wanted)
    by_pk = {lease.pk: lease for lease in leases.values()}
    for door in found.select_related("lease__turf__unit").order_by("-lease__since", "-lease"):
        doors.setdefault(door.household_id, by_pk.get(door.lease_id, door.lease))
    households = _held(wanted)
    sizes = (
        dict(LeaseDoor.objects.filter(lease__in=by_pk).order_by().values_list("lease__turf").annotate(Count("pk")))
        if wanted - households.keys()
        else {}
    )
    unit_id = device.unit_id or device.agency.unit_id
    return Reach(unit_id, leases, doors, households, sizes)


def _held(wanted: set[uuid.UUID]) -> dict[uuid.UUID, Household]:
    """Households of these keys and those they were merged into, held in the order of their keys."""
    households: dict[uuid.UUID, Household] = {}
    while wanted:
        rows = Household.objects.select_for_update(of=("self",)).select_related("unit")
        for household in rows.filter(pk__in=wanted).order_by("pk"):
            households[household.pk] = household
        targets = {one.merged_into_id for one in households.values() if one.merged_into_id is not None}
        wanted = targets - households.keys()
    return households
