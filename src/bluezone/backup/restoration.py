# SPDX-License-Identifier: Apache-2.0
"""Restore a backup into an unused folder, completely or not at all; verify and purge it before a server can start."""

import datetime
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from bluezone.backup import daykeys, postgresql
from bluezone.backup.archive import BackupDamaged, backup_day, open_sealed
from bluezone.backup.store_copies import STORES
from bluezone.keyserver.publication.history import UNCHECKED_FILE
from bluezone.refusal import Refused


class RestoreFolderUsed(Refused):
    """The folder is not empty; a restore overwrites nothing."""

    code = "restore_folder_used"


def restore_backup(
    backup: Path,
    data_dir: Path,
    day_keys: Path,
    today: datetime.date,
    urls: Mapping[str, str],
    purge: Callable[[Path], None],
) -> datetime.date:
    """Restore a backup and return its day; a failure leaves folder and databases unchanged.

    data_dir: must not exist or be empty. day_keys: folder with the key of the backup's day. today: the city's date.
    purge:    brings the stores of a folder up to date and purges them; called before the folder gets its name, so that
              no server starts on expired data.
    Raises RestoreFolderUsed, BackupExpired, BackupDamaged, and with PostgreSQL RestoreDatabaseUsed, BackupToolFailed.
    """
    if data_dir.exists() and (not data_dir.is_dir() or any(data_dir.iterdir())):
        raise RestoreFolderUsed(f"{data_dir} is not empty; give a new folder with --data")
    day = backup_day(backup)
    valid_keys = daykeys.valid_keys(day_keys, today)
    if day not in {datetime.date.fromisoformat(path.name) for path in valid_keys}:
        daykeys.read_day_key(day_keys / "none", day)
    for name, url in urls.items():
        postgresql.require_unused(url, name)
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=data_dir.parent) as scratch:
        staging = Path(scratch) / data_dir.name
        _unpack(backup, daykeys.read_day_key(day_keys, day), Path(scratch), staging)
        _check_stores(staging, urls)
        with _claim_schemas(urls):
            _load_dumps(staging, urls)
            _copy_day_keys(valid_keys, staging)
            # With this mark nothing is signed until the folder is compared with what was published since.
            (staging / UNCHECKED_FILE).touch(mode=0o600)
            purge(staging)
            if data_dir.exists():
                data_dir.rmdir()
            staging.rename(data_dir)
    return day


@contextmanager
def _claim_schemas(urls: Mapping[str, str]) -> Iterator[None]:
    """Claim the schemas of a restore; drop them again if it fails, also because of a signal."""
    claimed: list[str] = []
    try:
        for name, url in urls.items():
            postgresql.claim_schema(url, name)
            claimed.append(name)
        yield
    except BaseException:
        for name in claimed:
            # The operator must see the first error.
            with suppress(Refused):
                postgresql.drop_schema(urls[name], name)
        raise


def _unpack(backup: Path, key: bytes, scratch: Path, staging: Path) -> None:
    tar_path = scratch / "archive"
    with tar_path.open("w+b") as file:
        open_sealed(backup, key, file)
        file.seek(0)
        staging.mkdir(mode=0o700)
        try:
            with tarfile.open(fileobj=file) as tar:
                extract_archive(tar, staging)
        except tarfile.TarError:
            raise BackupDamaged(f"the archive in {backup} cannot be read") from None
    tar_path.unlink()


def extract_archive(tar: tarfile.TarFile, staging: Path) -> None:
    """Unpack files and folders below `staging`. Raises tarfile.ReadError for anything else, before it is written.

    The extraction filters of the standard library do the same, but Python 3.11.2 of Debian 12 lacks them.
    """
    trusted: dict[str, Any] = {"filter": "fully_trusted"} if hasattr(tarfile, "fully_trusted_filter") else {}
    for member in tar:
        is_inside = (staging / member.name).resolve().is_relative_to(staging.resolve())
        if not is_inside or not (member.isfile() or member.isdir()):
            raise tarfile.ReadError(f"{member.name} does not belong into a backup")
        # A group that could read a key on the old machine has no meaning here.
        member.mode &= 0o700 if Path(member.name).parts[:1] == ("keys",) else 0o755
        tar.extract(member, staging, **trusted)


def _check_stores(staging: Path, urls: Mapping[str, str]) -> None:
    for name in STORES:
        path = staging / f"{name}.sqlite3"
        if (staging / f"{name}.pgdump").exists() and name not in urls:
            raise BackupDamaged(f"the store {name} was on PostgreSQL; set its address before restoring")
        if path.exists() and name in urls:
            raise BackupDamaged(f"the store {name} was on SQLite; unset its address before restoring")
        if path.exists():
            with closing(sqlite3.connect(path)) as store:
                verdict = store.execute("PRAGMA integrity_check").fetchone()[0]
            if verdict != "ok":
                raise BackupDamaged(f"the store {name} in the backup is damaged: {verdict}")


def _load_dumps(staging: Path, urls: Mapping[str, str]) -> None:
    for name in STORES:
        dump = staging / f"{name}.pgdump"
        counters = staging / f"{name}.counters"
        if dump.exists():
            postgresql.load_schema(urls[name], name, dump, counters)
            dump.unlink()
            counters.unlink(missing_ok=True)


def _copy_day_keys(valid_keys: list[Path], staging: Path) -> None:
    """Copy the valid day keys, so that the old folder's other backups can be opened here, and expire here, too."""
    folder = staging / daykeys.FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in valid_keys:
        shutil.copyfile(path, folder / path.name)
        (folder / path.name).chmod(0o600)
