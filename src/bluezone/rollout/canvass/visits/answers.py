# SPDX-License-Identifier: Apache-2.0
"""What came of the doors that were gone to in some days, by unit: what an hour of a team brings is expected from it."""

import datetime
from collections import defaultdict

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, Greatest

from bluezone.rollout.canvass.households.facts import REACHED
from bluezone.rollout.canvass.models import Visit
from bluezone.rollout.coverage.api import Answers

# Longer between two doors is a meal, a meeting or the way home, and no walk.
LONGEST_STEP = datetime.timedelta(minutes=30)
# Visits that steps are measured by, the newest: minutes a door are known long before.
MOST_TIMED = 20_000


def answers_by_unit(
    begin: datetime.datetime, end: datetime.datetime, received_before: datetime.datetime
) -> dict[int, Answers]:
    """Primary key of each ward or commune -> its answers; two queries, nothing of training.

    Only answers given from `begin` until before `end`, and received by the office before `received_before`.
    """
    visits = Visit.everything.filter(
        training=False, at__gte=begin, at__lt=end, received_at__lt=received_before
    ).order_by()
    met = Q(outcome__in=REACHED)
    counted = met & (Q(phones__isnull=False) | Q(helped__gt=0))
    rows = visits.values("household__unit").annotate(
        visits=Count("pk"),
        met=Count("pk", filter=met),
        asked=Count("pk", filter=counted),
        smartphones=Sum(Greatest(Coalesce(F("phones"), 0), F("helped")), filter=counted),
        newly=Sum("helped"),
    )
    steps = _steps(visits.filter(device__isnull=False).values_list("device", "at", "household__unit"))
    return {
        row["household__unit"]: Answers(
            row["visits"], row["met"], row["asked"], row["smartphones"] or 0, row["newly"] or 0,
            *steps[row["household__unit"]],
        )
        for row in rows
    }  # fmt: skip


def _steps(visits: QuerySet[Visit, tuple[int, datetime.datetime, int]]) -> defaultdict[int, tuple[int, float]]:
    """Unit -> steps from one door to the next of the same phone, and the minutes that they took."""
    steps: defaultdict[int, tuple[int, float]] = defaultdict(lambda: (0, 0.0))
    after: dict[int, tuple[datetime.datetime, int]] = {}
    for device, at, unit in visits.order_by("-at")[:MOST_TIMED]:
        if device in after:
            later, where = after[device]
            if later - at <= LONGEST_STEP:
                count, minutes = steps[where]
                steps[where] = count + 1, minutes + (later - at).total_seconds() / 60
        after[device] = at, unit
    return steps
