# SPDX-License-Identifier: Apache-2.0
"""What the office forgets about codes and declarations, and when."""

import datetime

from bluezone.healthauthority import code_batches, declaration_access
from bluezone.healthauthority.models import IssuedCode, QuotaRaise

# As long as the keys that came with it are published.
RETENTION = datetime.timedelta(days=14)


def purge(now: datetime.datetime) -> None:
    """Forget the onset of expired codes and sealed batches; codes and raised limits after 14 days.

    Notes of declarations go with the declarations, which the key server deletes after 30 days.
    """
    IssuedCode.objects.filter(link_expires_at__lte=now, onset__isnull=False).update(onset=None)
    IssuedCode.objects.filter(issued_at__lt=now - RETENTION).delete()
    QuotaRaise.objects.filter(raised_at__lt=now - RETENTION).delete()
    code_batches.delete_past_batches(now)
    declaration_access.forget(now)
