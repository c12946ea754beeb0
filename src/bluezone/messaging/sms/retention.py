# SPDX-License-Identifier: Apache-2.0
"""What the outbox forgets: numbers and texts at once (leases.py), rows after 35 days, hashes in their time."""

import datetime

from django.db import connection

from bluezone.messaging.sms.leases import close
from bluezone.messaging.sms.models import OPEN_STATES, EarlyReceipt, Message, Once, OptOut, State

# Some days longer than those who count them keep their own rows.
KEPT = datetime.timedelta(days=35)
EARLY_KEPT = datetime.timedelta(days=1)
OPT_OUT_KEPT = datetime.timedelta(days=730)
# A message that nobody sends, because the provider was taken away, keeps its number no longer than this.
ORPHANED = datetime.timedelta(hours=1)


def purge(now: datetime.datetime) -> None:
    """Delete rows that had their time, close what expired unsent, and take closed numbers out of the database's log."""
    close(list(Message.objects.filter(state__in=OPEN_STATES, expires_at__lte=now - ORPHANED)), State.EXPIRED, now)
    Message.objects.filter(closed_at__lte=now - KEPT).delete()
    EarlyReceipt.objects.filter(came_at__lte=now - EARLY_KEPT).delete()
    Once.objects.filter(until__lte=now).delete()
    OptOut.objects.filter(day__lte=(now - OPT_OUT_KEPT).date()).delete()
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            # What was emptied was overwritten (secure_delete); this takes it out of the log, too.
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
