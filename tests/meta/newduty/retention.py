# SPDX-License-Identifier: Apache-2.0
"""What the masks forget, and when."""

import datetime

from tests.meta.newduty.models import MaskDay

KEPT = datetime.timedelta(days=90)


def purge(now: datetime.datetime) -> None:
    """Delete days over 90 days ago."""
    MaskDay.objects.filter(day__lt=(now - KEPT).date()).delete()
