# SPDX-License-Identifier: Apache-2.0
"""Makes a backup: an archive with copies of the stores and the other files of a data folder."""

import datetime
import logging
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from bluezone.backup import daykeys
from bluezone.backup.archive import SealedWriter
from bluezone.backup.store_copies import copy_stores, newest_file_numbers
from bluezone.canary.state import FOLDER as CANARY_FOLDER
from bluezone.keyserver.datafolder import RUN_FOLDER
from bluezone.keyserver.locks import assign_to_folder_owner, lock_file
from bluezone.keyserver.moves import require_settled
from bluezone.keyserver.signer.client import FOLDER_NAME
from bluezone.keyserver.storage.sqlite import STORES_FOLDER
from bluezone.logs import event_fields
from bluezone.refusal import Refused

log = logging.getLogger(__name__)


class BackupFailed(Refused):
    """A store could not be copied: the disk is full, or the store is damaged or locked. No partial backup is left."""

    code = "backup_failed"


BACKUPS = "backups"
SUFFIX = ".bzbackup"
STAGING = ".backup-"
LOCK_NAME = "backup.lock"
_EXCLUDED = {daykeys.FOLDER.as_posix(), BACKUPS, STORES_FOLDER, RUN_FOLDER, CANARY_FOLDER}


def create_backup(
    data_dir: Path, target: Path | None, now: datetime.datetime, today: datetime.date, urls: Mapping[str, str]
) -> Path:
    """Write a backup of a data folder and return its path; a failed one leaves nothing behind.

    target: file to write, by default one in the folder's `backups`. today: the city's date, which selects the day key.
    urls:   store -> address, for the stores that are on PostgreSQL.
    Raises BackupFailed, MoveUnfinished, StoresMoved.
    """
    if target is None:
        (data_dir / BACKUPS).mkdir(mode=0o700, exist_ok=True)
        assign_to_folder_owner(data_dir / BACKUPS)
        target = data_dir / BACKUPS / f"bluezone-{now:%Y%m%d-%H%M%S}{SUFFIX}"
    # One at a time: other partial files are then of a backup that was killed.
    with lock_file(data_dir / LOCK_NAME, wait=True):
        remove_unfinished(data_dir)
        _write(data_dir, target, today, urls)
    return target


def _write(data_dir: Path, target: Path, today: datetime.date, urls: Mapping[str, str]) -> None:
    # Named before they are made, so that after a signal at any moment `finally` knows what to remove.
    staging = data_dir / f"{STAGING}{os.getpid()}"
    partial = target.with_name(target.name + ".partial")
    try:
        staging.mkdir(mode=0o700)
        copy_stores(data_dir, staging, today, urls)
        # During or after a move stores are elsewhere, and a backup without them would be useless.
        require_settled(data_dir)
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            heights = newest_file_numbers(data_dir, staging, urls)
            writer = SealedWriter(file, today, daykeys.make_day_key(data_dir, today), heights)
            _pack(data_dir, staging, writer)
            writer.finish()
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)
    except sqlite3.Error as error:
        raise BackupFailed(f"a store could not be copied ({error}); the backups made before are as they were") from None
    finally:
        partial.unlink(missing_ok=True)
        shutil.rmtree(staging, ignore_errors=True)


def remove_unfinished(data_dir: Path) -> None:
    """Remove the files of backups that were killed."""
    for path in data_dir.glob(f"{STAGING}*"):
        shutil.rmtree(path, ignore_errors=True)
    for path in (data_dir / BACKUPS).glob("*.partial"):
        path.unlink(missing_ok=True)


def _pack(data_dir: Path, staging: Path, writer: SealedWriter) -> None:
    with tarfile.open(fileobj=writer, mode="w|") as tar:  # type: ignore[call-overload]
        for path, name in [*_files(staging, staging), *_files(data_dir, data_dir)]:
            try:
                tar.add(path, name, recursive=False)
            except FileNotFoundError:
                continue  # an export that has been replaced in the meantime


def _files(folder: Path, top: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(folder.iterdir()):
        name = path.relative_to(top).as_posix()
        is_store = folder == top and ".sqlite3" in path.name and top.name[: len(STAGING)] != STAGING
        if name in _EXCLUDED or is_store or path.suffix == ".lock" or name.startswith(STAGING) or path.is_symlink():
            continue
        if path.is_dir() and not os.access(path, os.R_OK):
            # The local authority for TLS, which belongs to root.
            continue
        if name == FOLDER_NAME and (path / "keys").is_dir() and not os.access(path / "keys", os.R_OK):
            # The signer's folder, with keys that this user must not read; root's backups have them.
            extra = event_fields("backup_without_signer")
            log.warning("the backup has no key that signs for phones; one that root makes has them", extra=extra)
            continue
        if path.is_dir():
            yield path, name
            yield from _files(path, top)
        elif path.is_file():
            yield path, name
