# SPDX-License-Identifier: Apache-2.0
"""Restore a backup into an unused folder: verified and purged before a server can start on it; whole or not at all."""

import datetime
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from bluezone.backup import archive, postgresql
from bluezone.backup.archive import BackupDamaged, day_of, open_sealed
from bluezone.backup.copies import STORES
from bluezone.keyserver.publication.history import MARK
from bluezone.refusal import Refused


class RestoreFolderUsed(Refused):
    """There is something in the folder; a restore overwrites nothing."""

    code = "restore_folder_used"


def restore(
    backup: Path,
    data_dir: Path,
    day_keys: Path,
    today: datetime.date,
    urls: Mapping[str, str],
    purge: Callable[[Path], None],
) -> datetime.date:
    """Restore a backup and return its day; when it fails, folder and databases are as they were.

    data_dir: must not exist or be empty. day_keys: folder with the key of the backup's day. today: the city's date.
    purge:    brings the stores of a folder up to date and purges them; called before the folder has its name, so that
              no server starts on what must be forgotten.
    Raises RestoreFolderUsed, BackupExpired, BackupDamaged, and of PostgreSQL RestoreDatabaseUsed, BackupToolFailed.
    """
    if data_dir.exists() and (not data_dir.is_dir() or any(data_dir.iterdir())):
        raise RestoreFolderUsed(f"{data_dir} is not empty; give a new folder with --data")
    day = day_of(backup)
    living = archive.living(day_keys, today)
    if day not in {datetime.date.fromisoformat(path.name) for path in living}:
        archive.key_of(day_keys / "none", day)
    for name, url in urls.items():
        postgresql.require_unused(url, name)
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=data_dir.parent) as aside:
        made = Path(aside) / data_dir.name
        _unpack(backup, archive.key_of(day_keys, day), Path(aside), made)
        _check(made, urls)
        with _claimed(urls):
            _load(made, urls)
            _take_keys_along(living, made)
            # Until it is compared with what was published since, nothing of it is signed.
            (made / MARK).touch(mode=0o600)
            purge(made)
            if data_dir.exists():
                data_dir.rmdir()
            made.rename(data_dir)
    return day


@contextmanager
def _claimed(urls: Mapping[str, str]) -> Iterator[None]:
    """Schemas of our own within it; whatever ends it early, a signal too, takes them away again."""
    claimed: list[str] = []
    try:
        for name, url in urls.items():
            postgresql.claim(url, name)
            claimed.append(name)
        yield
    except BaseException:
        for name in claimed:
            # What went wrong first is what the operator must hear.
            with suppress(Refused):
                postgresql.drop(urls[name], name)
        raise


def _unpack(backup: Path, key: bytes, aside: Path, made: Path) -> None:
    archive = aside / "archive"
    with archive.open("w+b") as file:
        open_sealed(backup, key, file)
        file.seek(0)
        made.mkdir(mode=0o700)
        try:
            with tarfile.open(fileobj=file) as packed:
                extract(packed, made)
        except tarfile.TarError:
            raise BackupDamaged(f"the archive in {backup} cannot be read") from None
    archive.unlink()


def extract(packed: tarfile.TarFile, made: Path) -> None:
    """Unpack files and folders below `made`. Raises tarfile.ReadError for anything else, before it is written.

    The extraction filters of the standard library do the same, but Python 3.11.2, of Debian 12, has none yet.
    """
    trusted: dict[str, Any] = {"filter": "fully_trusted"} if hasattr(tarfile, "fully_trusted_filter") else {}
    for member in packed:
        inside = (made / member.name).resolve().is_relative_to(made.resolve())
        if not (inside and (member.isfile() or member.isdir())):
            raise tarfile.ReadError(f"{member.name} does not belong into a backup")
        # Whose group read a key where it was is nobody's here.
        member.mode &= 0o700 if Path(member.name).parts[:1] == ("keys",) else 0o755
        packed.extract(member, made, **trusted)


def _check(made: Path, urls: Mapping[str, str]) -> None:
    for name in STORES:
        path = made / f"{name}.sqlite3"
        if (made / f"{name}.pgdump").exists() and name not in urls:
            raise BackupDamaged(f"the store {name} was on PostgreSQL; set its address before restoring")
        if path.exists() and name in urls:
            raise BackupDamaged(f"the store {name} was on SQLite; unset its address before restoring")
        if path.exists():
            with closing(sqlite3.connect(path)) as store:
                said = store.execute("PRAGMA integrity_check").fetchone()[0]
            if said != "ok":
                raise BackupDamaged(f"the store {name} in the backup is damaged: {said}")


def _load(made: Path, urls: Mapping[str, str]) -> None:
    for name in STORES:
        dumped, counters = made / f"{name}.pgdump", made / f"{name}.counters"
        if dumped.exists():
            postgresql.load(urls[name], name, dumped, counters)
            dumped.unlink()
            counters.unlink(missing_ok=True)


def _take_keys_along(living: list[Path], made: Path) -> None:
    """The keys that still live, so that the other backups of the old folder open here, and end here, too."""
    folder = made / archive.FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in living:
        shutil.copyfile(path, folder / path.name)
        (folder / path.name).chmod(0o600)
