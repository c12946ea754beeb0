# SPDX-License-Identifier: Apache-2.0
"""The purge of notices: after 30 days only daily sums remain."""

import datetime
from collections import Counter

from django.db import transaction
from django.utils import timezone

from bluezone.messaging.sms.models import OPEN_STATES, State
from bluezone.rollout.visitors.models import Notice, NoticeDay

RETAINED_DAYS = 30


def purge(now: datetime.datetime) -> None:
    """Add notices older than 30 days to the daily sums, and delete them; each day in its own transaction."""
    bound = timezone.localdate(now) - datetime.timedelta(days=RETAINED_DAYS)
    days = list(Notice.objects.filter(day__lt=bound).values_list("day", flat=True).distinct().order_by("day"))
    for day in days:
        with transaction.atomic():
            rows = list(Notice.objects.select_for_update(of=("self",)).filter(day=day).select_related("message"))
            counts = Counter((row.house, row.unit_id, _final_state(row)) for row in rows)
            for (house, unit_id, state), count in counts.items():
                notice_day, _created = NoticeDay.objects.get_or_create(
                    house=house, unit_id=unit_id, day=day, state=state, defaults={"count": 0}
                )
                notice_day.count += count
                notice_day.save(update_fields=["count"])
            Notice.objects.filter(pk__in=[row.pk for row in rows]).delete()


def _final_state(row: Notice) -> State:
    """The state of a notice for the sums; unknown if its message was purged first, or is still open."""
    if row.state is None or row.state in OPEN_STATES:
        return State.UNKNOWN
    return row.state
