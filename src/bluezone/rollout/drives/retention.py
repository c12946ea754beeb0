# SPDX-License-Identifier: Apache-2.0
"""What requests for help forget, and when. What came of them (HelpOutcome) has nothing of the person and stays."""

import datetime

from django.db.models import Q

from bluezone.rollout.drives.help.queue import reopen_lapsed
from bluezone.rollout.drives.models import HelpChannel, HelpRequest

AFTER_CLOSING = datetime.timedelta(days=30)
AFTER_OPENING = datetime.timedelta(days=90)
AT_A_STALL = datetime.timedelta(days=1)


def purge(now: datetime.datetime) -> None:
    """Delete requests closed 30 days ago or opened 90 days ago, with what was asked and how to reach the person.

    Tickets of a stall go after a day. And requests that a team has had for too long are open again.
    """
    past = Q(closed_at__lte=now - AFTER_CLOSING) | Q(opened_at__lte=now - AFTER_OPENING)
    stall = Q(channel=HelpChannel.STALL, opened_at__lte=now - AT_A_STALL)
    HelpRequest.objects.filter(past | stall).delete()
    reopen_lapsed(now)
