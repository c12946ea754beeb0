# SPDX-License-Identifier: Apache-2.0
"""What is forgotten of backups: keys after 30 days, and the files that no key opens any more."""

import datetime

from bluezone.backup.copies import forget_backups
from bluezone.backup.keys import forget
from bluezone.city import data_folder


def purge(now: datetime.datetime) -> None:
    """Destroy the keys that had their time, and delete the files of the folder that no key opens any more."""
    folder, today = data_folder(), now.date()
    forget(folder, today)
    forget_backups(folder, today)
