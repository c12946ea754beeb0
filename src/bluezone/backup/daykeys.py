# SPDX-License-Identifier: Apache-2.0
"""The keys of days, which open the backups of their day.

They are destroyed after 30 days, so that their backups cannot be opened any more.
"""

import contextlib
import datetime
import os
from pathlib import Path

from bluezone.backup.retention import RETAINED_DAYS, oldest_retained_day
from bluezone.keyserver.locks import assign_to_folder_owner
from bluezone.refusal import Refused

KEY_BYTES = 32
FOLDER = Path("keys") / "days"


class BackupExpired(Refused):
    """The key of the backup's day is missing: it was destroyed after 30 days, or is in another folder."""

    code = "backup_expired"


def make_day_key(data_dir: Path, today: datetime.date) -> bytes:
    """The key of a day, 32 bytes, made on first use."""
    folder = data_dir / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    assign_to_folder_owner(folder)
    path = folder / today.isoformat()
    temporary = folder / f"{today.isoformat()}.{os.getpid()}"
    if not path.exists():
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(os.urandom(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            # Of two backups that start together, one makes the key and both use it.
            with contextlib.suppress(FileExistsError):
                os.link(temporary, path)
            assign_to_folder_owner(path)
        finally:
            temporary.unlink(missing_ok=True)
    return path.read_bytes()


def read_day_key(folder: Path, day: datetime.date) -> bytes:
    """The key of a day from a folder of day keys. Raises BackupExpired."""
    try:
        return (folder / day.isoformat()).read_bytes()
    except FileNotFoundError:
        raise BackupExpired(
            f"the key of {day} is not in {folder}: keys are destroyed after {RETAINED_DAYS} days, and no backup"
            " of that day can be opened any more; if it is younger, name the folder of its keys with --day-keys"
        ) from None


def valid_keys(folder: Path, today: datetime.date) -> list[Path]:
    """The files of day keys that are at most 30 days old."""
    return [path for path in _keys(folder) if _day(path) >= oldest_retained_day(today)]


def destroy_expired_keys(data_dir: Path, today: datetime.date) -> list[datetime.date]:
    """Destroy the day keys that are over 30 days old: overwrite, then delete them; returns their days."""
    folder = data_dir / FOLDER
    valid = set(valid_keys(folder, today))
    destroyed = []
    for path in _keys(folder):
        if path not in valid:
            with path.open("r+b") as file:
                file.write(bytes(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
            destroyed.append(_day(path))
    return destroyed


def _keys(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.glob("????-??-??") if path.is_file())


def _day(path: Path) -> datetime.date:
    return datetime.date.fromisoformat(path.name)
