# SPDX-License-Identifier: Apache-2.0
"""What a phone is told: the doors of the lists that are leased to it now, and which lists are no longer its own.

Nobody else's doors: every row is found through a lease of this phone that is in force.
"""

import datetime
import hashlib
import json
from typing import Any

from bluezone.devices.models import Device
from bluezone.rollout.canvass.models import Lease, LeaseDoor, LeaseEnd, PhoneRun, TurfDoor

# A list that was taken back is said for as long as a lease can last.
TOLD_FOR = datetime.timedelta(days=30)
_DOOR = (
    "lease_id", "household_id", "household__head", "household__address", "household__group",
    "household__smartphones", "household__note", "household__versions", "household__disputed", "household__last_at",
    "household__last_outcome", "household__revisit", "household__reached_at",
)  # fmt: skip


def told_to(device: Device, run: PhoneRun, have: str, now: datetime.datetime) -> dict[str, Any]:
    """The part of the answer that is about lists; three queries.

    have: fingerprint of the lists that the phone holds; where they are the same, they are not sent again.
    A phone that is said to be lost is told to empty itself and nothing else.
    """
    if run.lost_at is not None:
        PhoneRun.objects.filter(pk=run.pk, emptied_at=None).update(emptied_at=now)
        return {"empty": True, "as_of": "", "lists": [], "ended": []}
    leases = list(
        Lease.objects.filter(device=device, since__lte=now, until__gt=now - TOLD_FOR).select_related("turf__unit")
    )
    lists = _lists([lease for lease in leases if lease.ended_at is None and lease.until > now])
    ended = [_ended(lease) for lease in leases if lease.ended_at is not None or lease.until <= now]
    as_of = hashlib.sha256(json.dumps(lists, sort_keys=True).encode()).hexdigest()[:32]
    return {"empty": False, "as_of": as_of, "lists": None if as_of == have else lists, "ended": ended}


def _lists(leases: list[Lease]) -> list[dict[str, Any]]:
    if not leases:
        return []
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
    return [
        {
            "lease": lease.pk,
            "turf": lease.turf_id,
            "name": lease.turf.name,
            "unit": lease.turf.unit.name,
            "until": int(lease.until.timestamp()),
            "doors": sorted(doors[lease.pk], key=lambda door: (door["place"], door["door"])),
        }
        for lease in leases
    ]


def _door(row: tuple[Any, ...], place: int) -> dict[str, Any]:
    _lease, key, head, address, group, phones, note, versions, disputed, last_at, outcome, revisit, reached = row
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
