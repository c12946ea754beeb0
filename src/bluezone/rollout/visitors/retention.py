# SPDX-License-Identifier: Apache-2.0
"""What is forgotten of notices: the rows after 30 days; how many a house had sent on a day stays."""

import datetime
from collections import Counter

from django.db import transaction
from django.utils import timezone

from bluezone.messaging.sms.models import OPEN_STATES, State
from bluezone.rollout.visitors.models import Notice, NoticeDay

KEPT_DAYS = 30


def purge(now: datetime.datetime) -> None:
    """Count rows of days over 30 days ago into sums and delete them, a day at a time."""
    bound = timezone.localdate(now) - datetime.timedelta(days=KEPT_DAYS)
    days = list(Notice.objects.filter(day__lt=bound).values_list("day", flat=True).distinct().order_by("day"))
    for day in days:
        with transaction.atomic():
            rows = list(Notice.objects.select_for_update(of=("self",)).filter(day=day).select_related("message"))
            counts = Counter((row.house, row.unit_id, _end(row)) for row in rows)
            for (house, unit_id, state), count in counts.items():
                kept, _made = NoticeDay.objects.get_or_create(
                    house=house, unit_id=unit_id, day=day, state=state, defaults={"count": 0}
                )
                kept.count += count
                kept.save(update_fields=["count"])
            Notice.objects.filter(pk__in=[row.pk for row in rows]).delete()


def _end(row: Notice) -> State:
    """A row whose message was forgotten first, or never came to an end, is counted as not known."""
    return State.UNKNOWN if row.state is None or row.state in OPEN_STATES else row.state
