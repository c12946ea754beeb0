# SPDX-License-Identifier: Apache-2.0
"""What the office forgets about codes, and when."""

import datetime

from bluezone.healthauthority.models import IssuedCode

# As long as the keys that came with it are published.
RETENTION = datetime.timedelta(days=14)


def purge(now: datetime.datetime) -> None:
    """Forget the onset of codes that have expired, and everything about codes issued more than 14 days ago."""
    IssuedCode.objects.filter(link_expires_at__lte=now, onset__isnull=False).update(onset=None)
    IssuedCode.objects.filter(issued_at__lt=now - RETENTION).delete()
