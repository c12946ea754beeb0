# SPDX-License-Identifier: Apache-2.0
"""How long requests for help are kept, and the purge."""

import datetime

from django.db.models import Q

from bluezone.rollout.drives.help_queue import reopen_lapsed_requests
from bluezone.rollout.drives.models import (
    HelpChannel,
    HelpRequest,
)

CLOSED_RETENTION = datetime.timedelta(days=30)
OPENED_RETENTION = datetime.timedelta(days=90)
STALL_RETENTION = datetime.timedelta(days=1)


def purge(now: datetime.datetime) -> None:
    """Delete requests 30 days after they were closed or 90 after they were opened; at a stall, 1 day after opening.

    Also opens the requests again for which a team's claim has expired.
    """
    past = Q(closed_at__lte=now - CLOSED_RETENTION) | Q(opened_at__lte=now - OPENED_RETENTION)
    stall = Q(channel=HelpChannel.STALL, opened_at__lte=now - STALL_RETENTION)
    HelpRequest.objects.filter(past | stall).delete()
    reopen_lapsed_requests(now)
