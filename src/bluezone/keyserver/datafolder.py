# SPDX-License-Identifier: Apache-2.0
"""The data folder: one process at a time does what must not be done twice, and machines that share a database share
its keys.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bluezone.keyserver.storage.store import Transaction
from bluezone.protocol.signed.envelope import fingerprint
from bluezone.refusal import Refused

if TYPE_CHECKING:
    from bluezone.keyserver.service import KeyServer


class DataFolderDiffers(Refused):
    """The data folder has other keys than the machines that share the database, or fewer: an old copy."""

    code = "data_folder_differs"


def require_same_folder(server: "KeyServer") -> None:
    """Compare this data folder with what was noted in the database. Raises DataFolderDiffers.

    SQLite stores lie in the folder itself, so there is nothing to compare.
    """
    if server.keys_store.dialect != "postgresql":
        return
    noted = server.keys_store.read("SELECT signing_key, week_keys, configs FROM data_folder")
    if not noted:
        return
    signing_key, week_keys, configs = noted[0]
    if signing_key != _signing_key(server):
        raise DataFolderDiffers(
            f"the database belongs to a data folder whose signing key is {signing_key[:16]}…, this one's is"
            f" {_signing_key(server)[:16]}…; share the folders keys and configs, or use another database"
        )
    here = server.secrets.week_keys.newest_kid(), server.configs.newest_number()
    if here[0] < week_keys or here[1] < configs:
        raise DataFolderDiffers(
            f"this data folder has week keys up to {here[0]} and configs up to {here[1]}, the database has seen"
            f" {week_keys} and {configs}; copy keys and configs from the machine that made them"
        )


def note_folder(server: "KeyServer") -> None:
    """Note in the database how far this data folder is. Call it in the turn, after keys and config were renewed."""
    if server.keys_store.dialect != "postgresql":
        return
    row = (1, _signing_key(server), server.secrets.week_keys.newest_kid(), server.configs.newest_number())
    if server.keys_store.read("SELECT * FROM data_folder") == [row]:
        return

    def action(transaction: Transaction) -> None:
        transaction.execute(
            "INSERT INTO data_folder VALUES (?, ?, ?, ?) ON CONFLICT (one) DO UPDATE"
            " SET signing_key = excluded.signing_key, week_keys = excluded.week_keys, configs = excluded.configs",
            row,
        )

    server.keys_store.write(action)


def _signing_key(server: "KeyServer") -> str:
    return fingerprint(server.secrets.signing_key.public_key())


@contextmanager
def only_one(path: Path, wait: bool, beside_others: bool = False) -> Iterator[bool]:
    """Hold the lock file at `path`; yields False, without waiting, if another holder has it and `wait` is false.

    beside_others: hold it together with others that ask for the same, but not beside one that wants it alone.
    """
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
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
