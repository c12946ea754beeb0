# SPDX-License-Identifier: Apache-2.0
"""Enter doors that phones found: on the list they were found on, for the lease they were found under."""

from django.db.models import Max

from bluezone.rollout.canvass.models import Household, LeaseDoor, TurfDoor
from bluezone.rollout.canvass.reach import Reach


def write(reach: Reach) -> None:
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
