# SPDX-License-Identifier: Apache-2.0
"""Cut lists of doors, give them to a phone for a time, and take them back: at once where the phone is lost."""

import datetime
import uuid
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import QuerySet

from bluezone.audit import hash_chain
from bluezone.devices.models import Device, DeviceKind
from bluezone.directory.models import AdminUnit
from bluezone.refusal import Refused
from bluezone.rollout.canvass.households.walking import Stop, by_address, walking_order
from bluezone.rollout.canvass.models import Household, Lease, LeaseDoor, LeaseEnd, PhoneRun, Turf, TurfDoor
from bluezone.rollout.canvass.phone_doors import MOST_DOORS
from bluezone.vietnamese.spelling import fold

LONGEST = datetime.timedelta(days=30)


class LeaseInvalid(Refused):
    """A lease that ends before it begins or lasts more than 30 days, of a closed list, or to no canvass phone."""

    code = "lease_invalid"


class DoorsLeased(Refused):
    """Doors of the list are in another list that a phone has; nothing was given. doors: how many."""

    code = "doors_leased"

    def __init__(self, message: str, doors: int) -> None:
        super().__init__(message)
        self.doors = doors


def lease(actor: str, turf: Turf, device: Device, until: datetime.datetime, now: datetime.datetime) -> Lease:
    """Give a list to a phone; another phone that has it loses it. Raises LeaseInvalid, DoorsLeased."""
    if not now < until <= now + LONGEST:
        raise LeaseInvalid("a list is given for at least a moment and at most 30 days")
    if turf.closed_at is not None or device.kind != DeviceKind.CANVASS or device.revoked_at is not None:
        raise LeaseInvalid("the list is closed, or the device is not an active phone for house visits")
    with transaction.atomic():
        # Doors are held, so that two lists with the same door cannot be given at once.
        doors = list(
            Household.objects.select_for_update()
            .filter(places__turf=turf, merged_into=None)
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        end_expired(now)
        for other in turf.leases.filter(ended_at=None):
            end(actor, other, LeaseEnd.GIVEN, now)
        taken = LeaseDoor.objects.filter(household__in=doors, is_open=True).count()
        if taken:
            raise DoorsLeased(f"{taken} doors are on another list that a phone has", taken)
        made = Lease.objects.create(turf=turf, device=device, since=now, until=until, made_by=actor)
        LeaseDoor.objects.bulk_create(LeaseDoor(lease=made, household_id=key) for key in doors)
        hash_chain.record(actor, "turf_leased", str(turf.pk), device=device.pk, doors=len(doors))
    return made


def end(actor: str, one: Lease, why: LeaseEnd, now: datetime.datetime) -> None:
    """Take a list back; what the phone still holds unsent is taken all the same. Safe to repeat."""
    with transaction.atomic():
        if Lease.everything.filter(pk=one.pk, ended_at=None).update(ended_at=now, ended_why=why):
            LeaseDoor.objects.filter(lease=one).update(is_open=False)
            if why != LeaseEnd.EXPIRED:
                hash_chain.record(actor, "lease_ended", str(one.turf_id), device=one.device_id, why=str(why))


def lost(actor: str, device: Device, now: datetime.datetime) -> int:
    """Take every list back from a lost phone, which empties itself at its next contact; how many there were.

    Whatever it still sends is kept aside. A phone that is found is connected with a new code and begins anew.
    """
    with transaction.atomic():
        leases = list(Lease.objects.filter(device=device, ended_at=None))
        for one in leases:
            end(actor, one, LeaseEnd.LOST, now)
        PhoneRun.objects.filter(device=device, lost_at=None).update(lost_at=now)
        hash_chain.record(actor, "phone_lost", str(device.pk), lists=len(leases))
    return len(leases)


def end_expired(now: datetime.datetime) -> None:
    """End the leases whose time is up, so that their doors can be given again; of both modes."""
    for one in Lease.everything.filter(ended_at=None, until__lte=now):
        with transaction.atomic():
            changed = Lease.everything.filter(pk=one.pk, ended_at=None).update(
                ended_at=one.until, ended_why=LeaseEnd.EXPIRED
            )
            if changed:
                LeaseDoor.objects.filter(lease=one).update(is_open=False)


def in_force(now: datetime.datetime) -> QuerySet[Lease]:
    """Leases that a phone may work under now."""
    return Lease.objects.filter(ended_at=None, until__gt=now)


class TurfInvalid(Refused):
    """A list without a name, without a door, with more than 400, or with doors of another ward; nothing was stored."""

    code = "turf_invalid"


class TurfLeased(Refused):
    """A list cannot be closed while a phone has it."""

    code = "turf_leased"


def cut_group(actor: str, unit: AdminUnit, group: str, now: datetime.datetime) -> list[Turf]:
    """Cut every door of a residential group into lists of at most 400, named after it. Raises TurfInvalid."""
    doors = Household.objects.filter(unit=unit, group_folded=fold(group), merged_into=None)
    stops = by_address(_stops(doors))
    if not stops:
        raise TurfInvalid("the residential group has no door")
    # Pieces are cut along the streets; each is walked by itself.
    parts = [stops[start : start + MOST_DOORS] for start in range(0, len(stops), MOST_DOORS)]
    pieces = [[stop.key for stop in walking_order(part)] for part in parts]
    with transaction.atomic():
        return [
            cut(actor, unit, group if len(pieces) == 1 else f"{group} ({number})", piece, now, group=group)
            for number, piece in enumerate(pieces, 1)
        ]


def _stops(doors: QuerySet[Household]) -> list[Stop]:
    columns = ("pk", "address", "head", "latitude", "longitude")
    return [Stop(*row) for row in doors.order_by().values_list(*columns)]


def in_walking_order(keys: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    """Ticked doors as they are walked; keys of no door stay, at the end, for `cut` to refuse."""
    keys = list(keys)
    known = [stop.key for stop in walking_order(_stops(Household.objects.filter(pk__in=keys)))]
    return [*known, *(key for key in keys if key not in set(known))]


def cut(
    actor: str, unit: AdminUnit, name: str, keys: Sequence[uuid.UUID], now: datetime.datetime, *, group: str = ""
) -> Turf:
    """Cut a list from chosen doors of a ward, walked in the order given. Raises TurfInvalid."""
    keys = list(dict.fromkeys(keys))
    if not name.strip() or not 1 <= len(keys) <= MOST_DOORS:
        raise TurfInvalid(f"a list needs a name and 1 to {MOST_DOORS} doors, got {len(keys)}")
    with transaction.atomic():
        if Household.objects.filter(pk__in=keys, unit=unit, merged_into=None).count() != len(keys):
            raise TurfInvalid("some of the doors are not doors of this ward")
        turf = Turf.objects.create(unit=unit, name=name.strip()[:80], group=group[:60], made_by=actor, made_at=now)
        TurfDoor.objects.bulk_create(
            TurfDoor(turf=turf, household_id=key, place=place) for place, key in enumerate(keys, 1)
        )
        hash_chain.record(actor, "turf_cut", str(turf.pk), unit=unit.pk, doors=len(keys))
    return turf


def close(actor: str, turf: Turf, now: datetime.datetime) -> None:
    """Close a list that no phone has; its visits stay. Raises TurfLeased."""
    with transaction.atomic():
        if turf.leases.filter(ended_at=None).exists():
            raise TurfLeased("a phone has this list; take it back first")
        if Turf.objects.filter(pk=turf.pk, closed_at=None).update(closed_at=now):
            hash_chain.record(actor, "turf_closed", str(turf.pk))
