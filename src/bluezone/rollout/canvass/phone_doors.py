# SPDX-License-Identifier: Apache-2.0
"""The doors of a phone: those it is told of under its leases, those it may speak of, and new doors that it found
within such a list.
"""

import datetime
import hashlib
import json
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Max

from bluezone.devices.models import Device
from bluezone.rollout.canvass.models import AsideReason, Household, Lease, LeaseDoor, LeaseEnd, PhoneRun, TurfDoor
from bluezone.rollout.canvass.phone_maps import map_of
from bluezone.rollout.canvass.visits.entries import ReadEntry

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
    households = _locked_households(wanted)
    sizes = (
        dict(LeaseDoor.objects.filter(lease__in=by_pk).order_by().values_list("lease__turf").annotate(Count("pk")))
        if wanted - households.keys()
        else {}
    )
    unit_id = device.unit_id or device.agency.unit_id
    return Reach(unit_id, leases, doors, households, sizes)


def _locked_households(wanted: set[uuid.UUID]) -> dict[uuid.UUID, Household]:
    """Households of these keys and those they were merged into, held in the order of their keys."""
    households: dict[uuid.UUID, Household] = {}
    while wanted:
        rows = Household.objects.select_for_update(of=("self",)).select_related("unit")
        for household in rows.filter(pk__in=wanted).order_by("pk"):
            households[household.pk] = household
        targets = {one.merged_into_id for one in households.values() if one.merged_into_id is not None}
        wanted = targets - households.keys()
    return households


# A list that was taken back is said for as long as a lease can last.
SHOWN_FOR = datetime.timedelta(days=30)
_DOOR = (
    "lease_id", "household_id", "household__head", "household__address", "household__group",
    "household__smartphones", "household__note", "household__versions", "household__disputed", "household__last_at",
    "household__last_outcome", "household__revisit", "household__reached_at", "household__latitude",
    "household__longitude",
)  # fmt: skip


def doors_told_to(
    device: Device, run: PhoneRun, have: str, now: datetime.datetime, maps: Collection[str] = ()
) -> dict[str, Any]:
    """The part of the answer that is about lists; three queries.

    have: fingerprint of the lists that the phone holds; where they are the same, they are not sent again.
    maps: fingerprints of the maps that it holds; a list names its map, and only the others are sent.
    A phone that is said to be lost is told to empty itself and nothing else.
    """
    if run.lost_at is not None:
        PhoneRun.objects.filter(pk=run.pk, emptied_at=None).update(emptied_at=now)
        return {"empty": True, "as_of": "", "lists": [], "ended": [], "maps": {}}
    leases = list(
        Lease.objects.filter(device=device, since__lte=now, until__gt=now - SHOWN_FOR).select_related("turf__unit")
    )
    lists, drawn = _lists([lease for lease in leases if lease.ended_at is None and lease.until > now])
    ended = [_ended(lease) for lease in leases if lease.ended_at is not None or lease.until <= now]
    as_of = hashlib.sha256(json.dumps(lists, sort_keys=True).encode()).hexdigest()[:32]
    new = {} if as_of == have else {name: drawn[name] for name in drawn if name not in maps}
    return {"empty": False, "as_of": as_of, "lists": None if as_of == have else lists, "ended": ended, "maps": new}


def _lists(leases: list[Lease]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The lists, and the maps that they name by fingerprint."""
    if not leases:
        return [], {}
    places = {
        (turf, household): place
        for turf, household, place in TurfDoor.objects.filter(turf__in={lease.turf_id for lease in leases})
        .order_by()
        .values_list("turf_id", "household_id", "place")
    }
    doors: dict[int, list[dict[str, Any]]] = {lease.pk: [] for lease in leases}
    turf_of = {lease.pk: lease.turf_id for lease in leases}
    rows = LeaseDoor.objects.filter(lease__in=leases, household__merged_into=None, household__training=False)
    for row in rows.order_by().values_list(*_DOOR):
        doors[row[0]].append(_door(row, places.get((turf_of[row[0]], row[1]), 0)))
    found = {lease.pk: map_of(lease.turf.unit, doors[lease.pk]) for lease in leases}
    lists = [
        {
            "lease": lease.pk,
            "turf": lease.turf_id,
            "name": lease.turf.name,
            "unit": lease.turf.unit.name,
            "until": int(lease.until.timestamp()),
            "map": drawn[0] if (drawn := found[lease.pk]) else "",
            "doors": sorted(doors[lease.pk], key=lambda door: (door["place"], door["door"])),
        }
        for lease in leases
    ]
    return lists, dict(filter(None, found.values()))


def _door(row: tuple[Any, ...], place: int) -> dict[str, Any]:
    _lease, key, head, address, group, phones, note, versions, disputed, last_at, outcome, revisit, reached = row[:13]
    latitude, longitude = row[13:]
    return {
        "door": str(key),
        "place": place,
        "head": head,
        "address": address,
        "group": group,
        "smartphones": phones,
        "note": note,
        "versions": versions,
        "disputed": disputed,
        "last": {"at": int(last_at.timestamp()), "outcome": outcome} if last_at else None,
        "revisit": revisit,
        "reached": reached is not None,
        "latitude": latitude,
        "longitude": longitude,
    }


def _ended(lease: Lease) -> dict[str, Any]:
    why = lease.ended_why or LeaseEnd.EXPIRED
    return {
        "lease": lease.pk,
        "turf": lease.turf_id,
        "name": lease.turf.name,
        "at": int((lease.ended_at or lease.until).timestamp()),
        "why": str(why),
    }


def store_found_doors(reach: Reach) -> None:
    """Store the doors of a push that are new; their facts come with changes."""
    if not reach.found:
        return
    Household.everything.bulk_create(household for household, _lease in reach.found)
    turfs = {lease.turf_id for _household, lease in reach.found}
    last = dict(TurfDoor.objects.filter(turf__in=turfs).order_by().values_list("turf").annotate(Max("place")))
    places = []
    for household, lease in reach.found:
        last[lease.turf_id] = last.get(lease.turf_id, 0) + 1
        places.append(TurfDoor(turf_id=lease.turf_id, household=household, place=last[lease.turf_id]))
    TurfDoor.objects.bulk_create(places)
    LeaseDoor.objects.bulk_create(
        LeaseDoor(lease=lease, household=household, is_open=lease.ended_at is None) for household, lease in reach.found
    )
