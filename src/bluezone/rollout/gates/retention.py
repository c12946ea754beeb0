# SPDX-License-Identifier: Apache-2.0
"""What the gates forget: counters after 30 days, of which a day's sum stays; shifts and gatekeepers after 90."""

import datetime

from django.db import connection

from bluezone.rollout.gates.counts.counters import KEPT_DAYS
from bluezone.rollout.gates.models import GateCounter, Gatekeeper, Shift

STAFF_DAYS = 90


def purge(now: datetime.datetime) -> None:
    """Forget the counters of days that are over 30 days old, whose sums are stored; old shifts and nominations."""
    # A whole local day after the last bucket that is still taken (counting.take), so that no sum grows afterwards.
    bound = (now - datetime.timedelta(days=KEPT_DAYS + 1)).date()
    days = list(GateCounter.objects.filter(day__lt=bound).values_list("day", flat=True).distinct())
    for day in days:
        # A day at a time, so that no tablet waits long.
        GateCounter.objects.filter(day=day).delete()
    staff_bound = now - datetime.timedelta(days=STAFF_DAYS)
    Shift.objects.filter(started_at__lt=staff_bound).delete()
    Gatekeeper.objects.filter(until__lt=staff_bound.date()).delete()
    if days and connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            # What was deleted was overwritten (secure_delete); this takes it out of the log, too.
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
