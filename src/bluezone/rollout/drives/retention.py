# SPDX-License-Identifier: Apache-2.0
"""What help requests forget, and when."""

import datetime

from django.db.models import Q

from bluezone.rollout.drives.models import HelpRequest

AFTER_CLOSING = datetime.timedelta(days=30)
AFTER_OPENING = datetime.timedelta(days=90)


def purge(now: datetime.datetime) -> None:
    """Delete requests closed 30 days ago or opened 90 days ago, with what was asked and how to reach the person."""
    past = Q(closed_at__lte=now - AFTER_CLOSING) | Q(opened_at__lte=now - AFTER_OPENING)
    HelpRequest.objects.filter(past).delete()
