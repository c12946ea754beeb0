# SPDX-License-Identifier: Apache-2.0
"""What may be spent: segments in a local day and month, of all purposes together."""

import datetime
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from bluezone.messaging.sms.models import Purpose, Spent
from bluezone.messaging.sms.presentcity import present_city
from bluezone.refusal import Refused


class BudgetSpent(Refused):
    """The segments of the day or month are used up; nothing was queued."""

    code = "sms_budget_spent"


@dataclass(frozen=True)
class Budget:
    """Segments queued today and this month, and how many may be."""

    today: int
    this_month: int
    a_day: int
    a_month: int
    price: int

    @property
    def cost_this_month(self) -> int:
        """In the unit of the price of one segment."""
        return self.this_month * self.price


def standing(now: datetime.datetime) -> Budget:
    """How the budget stands; one query."""
    day = timezone.localdate(now)
    rows = Spent.objects.filter(day__range=(day.replace(day=1), day)).values_list("day").annotate(Sum("segments"))
    sums = dict(rows)
    city = present_city()
    return Budget(
        sums.get(day, 0), sum(sums.values()), city.sms_segments_a_day, city.sms_segments_a_month, city.sms_segment_price
    )


def spend(purpose: Purpose, segments: int, now: datetime.datetime) -> None:
    """Count segments in the caller's transaction. Raises BudgetSpent."""
    row, _made = Spent.objects.get_or_create(day=timezone.localdate(now), purpose=purpose)
    with transaction.atomic():
        # Taken before it is looked at, so that two desks at once cannot both take the last.
        Spent.objects.filter(pk=row.pk).update(messages=F("messages") + 1, segments=F("segments") + segments)
        now_spent = standing(now)
        if now_spent.today > now_spent.a_day:
            raise BudgetSpent(f"the {now_spent.a_day} segments of today are used up; nothing was queued")
        if now_spent.this_month > now_spent.a_month:
            raise BudgetSpent(f"the {now_spent.a_month} segments of this month are used up; nothing was queued")
