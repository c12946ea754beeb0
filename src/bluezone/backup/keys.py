# SPDX-License-Identifier: Apache-2.0
"""Day keys: one a day for the backups made on it, destroyed after 30 days, and with it what those backups hold.

They are files in the data folder, readable by its owner alone, and in no backup themselves.
"""

import contextlib
import datetime
import os
from pathlib import Path

from bluezone.refusal import Refused

KEY_BYTES = 32
KEPT_DAYS = 30
FOLDER = Path("keys") / "days"


class BackupExpired(Refused):
    """The key of the backup's day is not there: it was destroyed after 30 days, or lies in another folder."""

    code = "backup_expired"


def key_of_today(data_dir: Path, today: datetime.date) -> bytes:
    """The key of a day, 32 bytes, made on first use."""
    folder = data_dir / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path, aside = folder / today.isoformat(), folder / f"{today.isoformat()}.{os.getpid()}"
    if not path.exists():
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(os.urandom(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            # Of two backups that begin together, one makes the key and both take it.
            with contextlib.suppress(FileExistsError):
                os.link(aside, path)
        finally:
            aside.unlink(missing_ok=True)
    return path.read_bytes()


def key_of(folder: Path, day: datetime.date) -> bytes:
    """The key of a day from a folder of day keys. Raises BackupExpired."""
    try:
        return (folder / day.isoformat()).read_bytes()
    except FileNotFoundError:
        raise BackupExpired(
            f"the key of {day} is not in {folder}: keys are destroyed after {KEPT_DAYS} days, and no backup"
            " of that day can be opened any more; if it is younger, name the folder of its keys with --day-keys"
        ) from None


def living(folder: Path, today: datetime.date) -> list[Path]:
    """The files of keys that are not over 30 days old."""
    return [path for path in _keys(folder) if _day(path) >= today - datetime.timedelta(days=KEPT_DAYS)]


def forget(data_dir: Path, today: datetime.date) -> list[datetime.date]:
    """Destroy the keys that are over 30 days old: overwritten, then deleted; returns their days."""
    folder = data_dir / FOLDER
    kept, gone = set(living(folder, today)), []
    for path in _keys(folder):
        if path not in kept:
            with path.open("r+b") as file:
                file.write(bytes(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
            gone.append(_day(path))
    return gone


def _keys(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("????-??-??") if path.is_file()) if folder.is_dir() else []


def _day(path: Path) -> datetime.date:
    return datetime.date.fromisoformat(path.name)
