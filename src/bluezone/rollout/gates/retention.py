# SPDX-License-Identifier: Apache-2.0
"""What the gates forget: counters after 30 days, of which a day's sum stays; shifts and gatekeepers after 90."""

import datetime

from django.db import connection, transaction
from django.db.models import Sum

from bluezone.rollout.gates.counting import KEPT_DAYS
from bluezone.rollout.gates.models import GateCounter, GateDay, Gatekeeper, Shift

STAFF_DAYS = 90


def purge(now: datetime.datetime) -> None:
    """Sum up the days that are over 30 days old and forget their counters; forget old shifts and nominations."""
    # A whole local day after the last bucket that is still taken (counting.take), so that no sum grows afterwards.
    bound = (now - datetime.timedelta(days=KEPT_DAYS + 1)).date()
    days = list(GateCounter.objects.filter(day__lt=bound).values_list("day", flat=True).distinct())
    for day in days:
        with transaction.atomic():
            _sum_up(day)
    staff_bound = now - datetime.timedelta(days=STAFF_DAYS)
    Shift.objects.filter(started_at__lt=staff_bound).delete()
    Gatekeeper.objects.filter(until__lt=staff_bound.date()).delete()
    if days and connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            # What was deleted was overwritten (secure_delete); this takes it out of the log, too.
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _sum_up(day: datetime.date) -> None:
    counters = GateCounter.objects.filter(day=day)
    sums = counters.values("gate_id", "direction", "verdict", "proof").annotate(total=Sum("count"))
    for row in sums.order_by("gate_id"):
        known, made = GateDay.objects.get_or_create(
            gate_id=row["gate_id"], day=day, direction=row["direction"], verdict=row["verdict"],
            defaults={"proof": row["proof"], "count": row["total"]},
        )  # fmt: skip
        if not made:
            known.count += row["total"]
            known.save(update_fields=["count"])
    counters.delete()
