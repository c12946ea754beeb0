# SPDX-License-Identifier: Apache-2.0
"""Purge text messages, receipts and opt-outs that are past their time."""

import datetime

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from bluezone.messaging.sms.claims import close_messages
from bluezone.messaging.sms.models import OPEN_STATES, EarlyReceipt, Message, Once, Part, Purpose, State
from bluezone.messaging.sms.opt_outs import purge_opt_outs

# A few days longer than the retention of other rows that are counted with these.
RETENTION = datetime.timedelta(days=35)
EARLY_RECEIPT_RETENTION = datetime.timedelta(days=1)
# A message that is never sent, because the provider was removed, keeps its number no longer than this.
ORPHANED = datetime.timedelta(hours=1)


def purge(now: datetime.datetime) -> None:
    """Delete old rows, close messages that expired unsent, and remove closed numbers from the database's log."""
    close_messages(
        list(Message.objects.filter(state__in=OPEN_STATES, expires_at__lte=now - ORPHANED)), State.EXPIRED, now
    )
    Message.objects.filter(closed_at__lte=now - RETENTION).delete()
    _reduce_to_day(now)
    EarlyReceipt.objects.filter(came_at__lte=now - EARLY_RECEIPT_RETENTION).delete()
    Once.objects.filter(until__lte=now).delete()
    purge_opt_outs(now)
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            # Emptied columns were overwritten in the file (secure_delete); this removes them from the log too.
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _reduce_to_day(now: datetime.datetime) -> None:
    """Reduce the times of past closed messages with a code to the day: the minute would reveal that of the code."""
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    timed = Message.objects.filter(purpose=Purpose.CODE, closed_at__isnull=False, queued_at__lt=midnight)
    # A reduced message is queued and expires at the same moment.
    timed = timed.exclude(expires_at=F("queued_at"))
    while (first := timed.order_by("queued_at").values_list("queued_at", flat=True).first()) is not None:
        day = timezone.localtime(first).replace(hour=0, minute=0, second=0, microsecond=0)
        of_day = timed.filter(queued_at__gte=day, queued_at__lt=day + datetime.timedelta(days=1))
        with transaction.atomic():
            Part.objects.filter(message__in=of_day).update(submitted_at=None, ask_at=None)
            of_day.update(queued_at=day, next_try_at=day, expires_at=day, submitted_at=None, closed_at=day)
