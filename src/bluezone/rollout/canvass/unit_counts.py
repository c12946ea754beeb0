# SPDX-License-Identifier: Apache-2.0
"""How far the house visits of each ward have got, for other parts of the rollout."""

import datetime

from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from bluezone.rollout.canvass.models import Household
from bluezone.rollout.canvass.visits.outcomes import Outcome
from bluezone.rollout.coverage.api import Doors


def doors_by_unit(now: datetime.datetime) -> dict[int, Doors]:
    """Primary key of each ward or commune that has doors -> how far it is at `now`; one query, nothing of training."""
    return counted(Household.everything.filter(training=False), now)


def counted(households: QuerySet[Household], now: datetime.datetime) -> dict[int, Doors]:
    """The same of these households."""

    known = Q(reached_at__isnull=False, reached_at__lte=now)
    again = Q(reached_at__isnull=True) & (~Q(revisit="") | Q(last_outcome__in=[Outcome.NOT_HOME, Outcome.LOCKED]))
    rows = (
        households.filter(merged_into=None, made_at__lte=now)
        .order_by()
        .values("unit")
        .annotate(
            households=Count("pk"),
            visited=Count("pk", filter=known),
            again=Count("pk", filter=again),
            last=Max("last_at", filter=Q(last_at__lte=now)),
        )
    )
    return {
        row["unit"]: Doors(
            row["households"],
            row["visited"],
            row["again"],
            timezone.localdate(row["last"]) if row["last"] else None,
        )
        for row in rows
    }
