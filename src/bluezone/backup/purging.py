# SPDX-License-Identifier: Apache-2.0
"""Purges backups: destroys expired day keys, and deletes the backups that they would open."""

import datetime
from pathlib import Path

from bluezone.backup.archive import backup_day
from bluezone.backup.creation import BACKUPS, SUFFIX
from bluezone.backup.daykeys import destroy_expired_keys
from bluezone.backup.retention import oldest_retained_day
from bluezone.city_settings import data_folder


def purge_backups(now: datetime.datetime) -> None:
    """Destroy expired day keys, and delete the backups of the folder that no key opens any more."""
    folder = data_folder()
    today = now.date()
    destroy_expired_keys(folder, today)
    delete_expired_backups(folder, today)


def delete_expired_backups(data_dir: Path, today: datetime.date) -> None:
    """Delete the backups in the folder for which the key is destroyed."""
    for path in (data_dir / BACKUPS).glob(f"*{SUFFIX}"):
        if backup_day(path) < oldest_retained_day(today):
            path.unlink(missing_ok=True)
