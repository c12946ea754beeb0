# SPDX-License-Identifier: Apache-2.0
"""Make two doors one, or say that they are two. Every visit is kept and counts at the door that stays."""

import datetime

from django.db import transaction

from bluezone.accounts import auditing
from bluezone.accounts.models import Act
from bluezone.refusal import Refused
from bluezone.rollout.canvass.deciding import say, shown_text
from bluezone.rollout.canvass.merging import FIELDS
from bluezone.rollout.canvass.models import DuplicatePair, Household, LeaseDoor, TurfDoor, Visit
from bluezone.rollout.canvass.refreshing import store, take_visit


class PairDecided(Refused):
    """Somebody has decided on the two doors already, or one of them is part of another by now."""

    code = "pair_decided"


def join(actor: str, pair: DuplicatePair, keep_first: bool, now: datetime.datetime) -> Household:
    """Merge the two doors of a pair; the one that stays takes what it does not know from the other.

    What the other was called stays readable at the household that it became. Raises PairDecided.
    """
    with transaction.atomic():
        doors = {
            door.pk: door
            for door in Household.objects.select_for_update()
            .filter(pk__in=[pair.first_id, pair.second_id])
            .order_by("pk")
        }
        if len(doors) != 2 or any(door.merged_into_id for door in doors.values()):
            raise PairDecided("one of the doors is part of another by now")
        _decide(actor, pair, DuplicatePair.State.MERGED, now)
        keys = (pair.first_id, pair.second_id) if keep_first else (pair.second_id, pair.first_id)
        stays, goes = doors[keys[0]], doors[keys[1]]
        _move(stays, goes)
        blank = {name: shown_text(goes, name) for name in FIELDS if not shown_text(stays, name)}
        blank = {name: value for name, value in blank.items() if value}
        if blank:
            say(actor, stays, blank, now)
        for visit in Visit.objects.filter(household=stays):
            take_visit(stays, visit)
        stays.touched_at = max(stays.touched_at, goes.touched_at)
        store([stays])
        auditing.record(actor, Act.HOUSEHOLDS_MERGED, str(stays.pk), other=str(goes.pk))
    return stays


def apart(actor: str, pair: DuplicatePair, now: datetime.datetime) -> None:
    """Say that the two are two; they are not proposed again. Raises PairDecided."""
    with transaction.atomic():
        _decide(actor, pair, DuplicatePair.State.APART, now)
        auditing.record(actor, Act.HOUSEHOLDS_MERGED, str(pair.first_id), apart=str(pair.second_id))


def _decide(actor: str, pair: DuplicatePair, state: str, now: datetime.datetime) -> None:
    changed = DuplicatePair.objects.filter(pk=pair.pk, state=DuplicatePair.State.OPEN).update(
        state=state, decided_by=actor, decided_at=now
    )
    if not changed:
        raise PairDecided("somebody has decided on these two already")


def _move(stays: Household, goes: Household) -> None:
    """Visits, places on lists and open leases go to the door that stays; what is said under the old key goes there."""
    Household.objects.filter(pk=goes.pk).update(merged_into=stays, is_disputed=False, is_incomplete=False)
    Household.objects.filter(merged_into=goes).update(merged_into=stays)
    Visit.objects.filter(household=goes).update(household=stays)
    mine = TurfDoor.objects.filter(household=stays).values("turf")
    TurfDoor.objects.filter(household=goes).exclude(turf__in=mine).update(household=stays)
    TurfDoor.objects.filter(household=goes).delete()
    # The phone may still hold visits under the old key: its place on the lease stays, closed, and the door that stays
    # takes the open one where it is on no other list.
    for place in LeaseDoor.objects.filter(household=goes, is_open=True):
        LeaseDoor.objects.filter(pk=place.pk).update(is_open=False)
        if not LeaseDoor.objects.filter(household=stays, is_open=True).exists():
            LeaseDoor.objects.create(lease=place.lease, household=stays)
