# SPDX-License-Identifier: Apache-2.0
"""What the outbox forgets, and when."""

import datetime

from bluezone.messaging.email.models import Mail

KEPT = datetime.timedelta(days=7)


def purge(now: datetime.datetime) -> None:
    """Delete mail a week after it was sent or given up, with the address; its text went when it was sent."""
    Mail.objects.filter(sent_at__lte=now - KEPT).delete()
    Mail.objects.filter(given_up_at__lte=now - KEPT).delete()
