# SPDX-License-Identifier: Apache-2.0
"""The data folder: one process at a time does what must not be done twice, and machines that share a database share
its keys.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from bluezone.keyserver.configfiles import ConfigFiles
from bluezone.keyserver.keyfolder import SigningKeys, sync_folder, write_whole
from bluezone.keyserver.publication.series import EXPORTS_FOLDER
from bluezone.keyserver.storage.store import Store, Transaction
from bluezone.protocol.signed.envelope import fingerprint
from bluezone.refusal import Refused


class DataFolderDiffers(Refused):
    """The data folder has other keys than the machines that share the database, or fewer: an old copy."""

    code = "data_folder_differs"


def require_same_folder(keys_store: Store, keys: SigningKeys, configs: ConfigFiles) -> None:
    """Compare this data folder with what was noted in the database. Raises DataFolderDiffers.

    SQLite stores lie in the folder itself, so there is nothing to compare.
    """
    if keys_store.dialect != "postgresql":
        return
    noted = keys_store.read("SELECT signing_key, week_keys, configs FROM data_folder")
    if not noted:
        return
    signing_key, noted_keys, noted_configs = noted[0]
    if signing_key != _signing_key(keys):
        raise DataFolderDiffers(
            f"the database belongs to a data folder whose signing key is {signing_key[:16]}…, this one's is"
            f" {_signing_key(keys)[:16]}…; share the folders keys and configs, or use another database"
        )
    here = keys.week_keys.newest_kid(), configs.newest_number()
    if here[0] < noted_keys or here[1] < noted_configs:
        raise DataFolderDiffers(
            f"this data folder has week keys up to {here[0]} and configs up to {here[1]}, the database has seen"
            f" {noted_keys} and {noted_configs}; copy keys and configs from the machine that made them"
        )


def note_folder(keys_store: Store, keys: SigningKeys, configs: ConfigFiles) -> None:
    """Note in the database how far this data folder is. Call it in the turn, after keys and config were renewed."""
    if keys_store.dialect != "postgresql":
        return
    row = (1, _signing_key(keys), keys.week_keys.newest_kid(), configs.newest_number())
    if keys_store.read("SELECT * FROM data_folder") == [row]:
        return

    def action(transaction: Transaction) -> None:
        transaction.execute(
            "INSERT INTO data_folder VALUES (?, ?, ?, ?) ON CONFLICT (one) DO UPDATE"
            " SET signing_key = excluded.signing_key, week_keys = excluded.week_keys, configs = excluded.configs",
            row,
        )

    keys_store.write(action)


def _signing_key(keys: SigningKeys) -> str:
    return fingerprint(keys.city_key)


LOCK_NAME = "keyserver.lock"
# How long a process that opens waits for the tick of another machine.
TURN_SECONDS = 60.0
# Its time says when the last tick was done, to whichever process asks.
TICK_NAME = "tick.done"
# Holds the code of why nothing is signed, likewise.
HELD_NAME = "signing.held"


class PublicationApart(Refused):
    """The published files of this data folder are another user's, and what is asked for writes them."""

    code = "publication_apart"


def may_publish(data_dir: Path) -> bool:
    """Whether published files are this process's to write: `serve` may have given them to another user."""
    exports = data_dir / EXPORTS_FOLDER
    return os.access(exports if exports.exists() else data_dir, os.W_OK)


@dataclass(frozen=True)
class Notes:
    """What a process that ticks says of it to all others, in a folder where it alone writes."""

    folder: Path

    def signing_problem(self) -> str | None:
        """Why nothing is signed now, a code, as of the last tick or start; None if it is."""
        try:
            return (self.folder / HELD_NAME).read_text() or None
        except FileNotFoundError:
            return None

    def set_signing_problem(self, code: str | None) -> None:
        """Note why nothing is signed, None if it is."""
        if code is None:
            (self.folder / HELD_NAME).unlink(missing_ok=True)
        elif self.signing_problem() != code:
            write_whole(self.folder / HELD_NAME, code.encode())

    def ticked_at(self) -> float | None:
        """When the last tick was done, Unix seconds; None before the first."""
        try:
            return (self.folder / TICK_NAME).stat().st_mtime
        except FileNotFoundError:
            return None

    def set_ticked_at(self, moment: float) -> None:
        """Note that a tick was done at a moment (Unix seconds)."""
        path = self.folder / TICK_NAME
        path.touch(mode=0o600)
        os.utime(path, (moment, moment))


# Sockets of processes that are users apart, what the one that publishes notes, and the keys of TLS that they were
# given: made anew at each start.
RUN_FOLDER = "run"


def notes_of_publication(data_dir: Path) -> Notes:
    """Those of the process that publishes, where it has a user of its own."""
    return Notes(data_dir / RUN_FOLDER / "publication")


@contextmanager
def pause_ticks(data_dir: Path) -> Iterator[None]:
    """Keep every process of this folder from ticking, and wait until none does."""
    apart = notes_of_publication(data_dir).folder
    with ExitStack() as locks:
        for folder in (data_dir, apart) if apart.is_dir() else (data_dir,):
            locks.enter_context(only_one(folder / LOCK_NAME, wait=True))
        yield


# Its name keeps it out of backups: whoever restores one says himself where the stores shall be.
MOVE_NAME = "move.lock"


class MoveUnfinished(Refused):
    """The stores are being moved to another database, or the move was interrupted."""

    code = "move_unfinished"


class StoresMoved(Refused):
    """The stores were moved to another database than the one that the environment names."""

    code = "stores_moved"


@dataclass(frozen=True)
class Moved:
    """What a move of the stores has noted. state: moving or moved; to: sqlite or postgresql; move: 8 hex digits.

    target: host and name of the database while it is being filled.
    """

    state: str
    to: str
    move: str
    target: str = ""


def moved(data_dir: Path) -> Moved | None:
    """The last move of this folder's stores; None where they are where they were made."""
    try:
        return Moved(**json.loads((data_dir / MOVE_NAME).read_text()))
    except FileNotFoundError:
        return None


def note_move(data_dir: Path, note: Moved | None) -> None:
    """Note a move for whoever opens the folder; None: there has been none."""
    path, aside = data_dir / MOVE_NAME, data_dir / f"new-{MOVE_NAME}"
    if note is None:
        path.unlink(missing_ok=True)
        return
    with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(asdict(note), file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    sync_folder(data_dir)


def require_settled(data_dir: Path) -> None:
    """Refuse to open stores that were left, or that are not whole yet. Raises MoveUnfinished, StoresMoved."""
    note = moved(data_dir)
    if note is None:
        return
    if note.state == "moving":
        raise MoveUnfinished(
            "the stores are being moved to another database; `bluezone move` with the same --to goes on,"
            " and with --abandon gives it up"
        )
    common = os.environ.get("BLUEZONE_DATABASE_URL")
    there = [bool(os.environ.get(f"BLUEZONE_{name}_URL") or common) for name in ("OFFICE", "CODES", "KEYS")]
    if note.to == "postgresql" and not all(there):
        raise StoresMoved("the stores of this folder were moved to PostgreSQL; set BLUEZONE_DATABASE_URL")
    if note.to == "sqlite" and any(there):
        raise StoresMoved("the stores were moved into this folder; unset BLUEZONE_DATABASE_URL and the like")


def give_to_owner(path: Path) -> None:
    """Let what root has made in a folder belong to whose the folder is, so that those can go on with it."""
    if os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


@contextmanager
def only_one(path: Path, wait: bool, beside_others: bool = False) -> Iterator[bool]:
    """Hold the lock file at `path`; yields False, without waiting, if another holder has it and `wait` is false.

    beside_others: hold it together with others that ask for the same, but not beside one that wants it alone.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    give_to_owner(path)
    kind = fcntl.LOCK_SH if beside_others else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, kind | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        yield False
        return
    try:
        yield True
    finally:
        os.close(descriptor)
