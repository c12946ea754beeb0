# SPDX-License-Identifier: Apache-2.0
"""Deletion of mail a week after it was sent or given up."""

import datetime

from bluezone.messaging.email.models import Mail

RETENTION = datetime.timedelta(days=7)


def purge(now: datetime.datetime) -> None:
    """Delete mail a week after it was sent or given up, with the address; its text was emptied then."""
    Mail.objects.filter(sent_at__lte=now - RETENTION).delete()
    Mail.objects.filter(given_up_at__lte=now - RETENTION).delete()
