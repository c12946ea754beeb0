# SPDX-License-Identifier: Apache-2.0
"""What house visits forget: households 180 days after anything was last said of them, photographs after 30.

The sums of a ward's days stay (DoorsDay), from which no household can be read.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable

from django.db import connection, transaction
from django.utils import timezone

from bluezone.rollout.canvass import leases
from bluezone.rollout.canvass.households import door_lists
from bluezone.rollout.canvass.households.facts import REACHED
from bluezone.rollout.canvass.models import Aside, Change, DoorsDay, Entry, Household, Photo, Turf, Visit

HOUSEHOLD_KEPT = datetime.timedelta(days=180)
PHOTO_KEPT = datetime.timedelta(days=30)
ASIDE_KEPT = datetime.timedelta(days=90)
IMPORT_KEPT = datetime.timedelta(days=1)
_AT_ONCE = 500


def purge(now: datetime.datetime) -> None:
    """Delete what has had its time; the sums of visits are kept by ward and day."""
    leases.end_expired(now)
    door_lists.forget(now - IMPORT_KEPT)
    Photo.objects.filter(received_at__lte=now - PHOTO_KEPT).delete()
    Aside.objects.filter(received_at__lte=now - ASIDE_KEPT).delete()
    gone = False
    while keys := _past(now):
        # Some at a time, so that no phone waits long.
        with transaction.atomic():
            _keep_sums(keys)
            Change.objects.filter(household__in=keys).delete()
            Household.everything.filter(pk__in=keys).delete()
        gone = True
    Entry.objects.filter(received_at__lte=now - HOUSEHOLD_KEPT).delete()
    Turf.everything.filter(places=None, leases__isnull=False, made_at__lte=now - HOUSEHOLD_KEPT).distinct().delete()
    if gone and connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            # What was deleted was overwritten (secure_delete); this takes it out of the log, too.
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _past(now: datetime.datetime) -> list[object]:
    """Households of the real work of which nothing was said for their time; merged ones go with what they became."""
    past = Household.everything.filter(training=False, merged_into=None, touched_at__lte=now - HOUSEHOLD_KEPT)
    keys: list[object] = list(past.order_by("pk").values_list("pk", flat=True)[:_AT_ONCE])
    return keys + list(Household.everything.filter(merged_into__in=keys).values_list("pk", flat=True))


def _keep_sums(keys: Iterable[object]) -> None:
    """Add the visits of these households to their wards' days before they go."""
    sums: defaultdict[tuple[int, datetime.date], defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    reached: set[object] = set()
    visits = Visit.everything.filter(household__in=keys, training=False).select_related("household").order_by("at")
    for visit in visits:
        row = sums[visit.household.unit_id, timezone.localdate(visit.at)]
        row["visits"] += 1
        row["phones"] += visit.phones or 0
        row["seen"] += visit.seen
        row["told"] += visit.told
        if visit.outcome in REACHED and visit.household_id not in reached:
            reached.add(visit.household_id)
            row["reached"] += 1
    for (unit, day), counts in sums.items():
        kept, _made = DoorsDay.objects.select_for_update().get_or_create(unit_id=unit, day=day)
        for name, count in counts.items():
            setattr(kept, name, getattr(kept, name) + count)
        kept.save()
