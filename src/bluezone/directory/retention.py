# SPDX-License-Identifier: Apache-2.0
"""What the directory forgets, and when."""

import datetime

from bluezone.directory.models import ListImport

LIST_LIFE = datetime.timedelta(days=1)


def purge(now: datetime.datetime) -> None:
    """Delete lists that nobody applied or discarded within a day."""
    ListImport.objects.filter(made_at__lte=now - LIST_LIFE).delete()
