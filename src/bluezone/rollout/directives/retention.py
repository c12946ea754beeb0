# SPDX-License-Identifier: Apache-2.0
"""What the directives forget, and when."""

import datetime

from bluezone.rollout.directives.models import ExchangeImport

FILE_LIFE = datetime.timedelta(days=1)


def purge(now: datetime.datetime) -> None:
    """Delete exchange files that nobody read in or discarded within a day."""
    ExchangeImport.objects.filter(made_at__lte=now - FILE_LIFE).delete()
