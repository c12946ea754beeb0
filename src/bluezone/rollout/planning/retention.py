# SPDX-License-Identifier: Apache-2.0
"""How long plans are kept, and the purge."""

import datetime

from bluezone.rollout.planning.models import CityPlan

PLAN_RETENTION = datetime.timedelta(days=90)


def purge(now: datetime.datetime) -> None:
    """Delete plans that were queued more than 90 days ago."""
    CityPlan.objects.filter(asked_at__lt=now - PLAN_RETENTION).delete()
