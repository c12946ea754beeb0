# SPDX-License-Identifier: Apache-2.0
"""The phone's store: one SQLite file with sealed contents, and a key file next to it.

Days and names are in clear text, so that a purge needs no key; everything else is sealed (see vault.py).

`erase_folder` also erases a phone that cannot be opened: first the key, then everything sealed with it.
"""

import fcntl
import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

from bluezone.handset.vault import PLAIN_KEY, HandsetStoreDamaged, KeySealing, Vault, overwrite_and_remove
from bluezone.refusal import Refused

VERSION = 2
STORE_FILE = "handset.sqlite3"
KEY_FILE = "handset.key"
LOCK_FILE = "handset.lock"
BUSY_SECONDS = 10.0
PURGED_TABLES = ("pages", "daily_keys", "windows", "visits", "venue_overlaps")

SCHEMA = """
CREATE TABLE state (name TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
CREATE TABLE pages (id INTEGER PRIMARY KEY, day INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
CREATE INDEX pages_by_day ON pages (day);
CREATE TABLE daily_keys (id INTEGER PRIMARY KEY, day INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
CREATE TABLE windows (id INTEGER PRIMARY KEY, day INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
CREATE TABLE sent (id INTEGER PRIMARY KEY, day INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
"""
# What version 2 added: stays at venues, and their overlaps with published venue items.
SCHEMA_2 = """
CREATE TABLE visits (id INTEGER PRIMARY KEY, day INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
CREATE TABLE venue_overlaps (id INTEGER PRIMARY KEY, day INTEGER NOT NULL, sealed BLOB NOT NULL) STRICT;
"""


class HandsetStoreTooNew(Refused):
    """A newer version of this program wrote the store; this version could lose data in it."""

    code = "handset_store_too_new"


class HandsetBusy(Refused):
    """Another process is using this phone's folder."""

    code = "handset_busy"


class HandsetDiskFull(Refused):
    """The disk is full. Nothing was written; everything stored before remains."""

    code = "handset_disk_full"


class HandsetMissing(Refused):
    """There is no phone in this folder yet."""

    code = "handset_missing"


def _refusal(error: sqlite3.Error) -> Refused:
    """Return the refusal for an error of SQLite."""
    message = str(error)
    if "locked" in message or "busy" in message:
        return HandsetBusy("the phone's store is locked by another process; try again")
    if "full" in message or "disk I/O" in message:
        return HandsetDiskFull("no space left on the disk; free some and try again")
    return HandsetStoreDamaged(f"the phone's store cannot be read: {message}")


class NamedValues(Protocol):
    """JSON values by name, of a whole phone (Store) or of a part of it (Part)."""

    def transaction(self) -> AbstractContextManager[object]:
        """One atomic change; may be nested."""
        ...

    def get(self, name: str, default: Any = None) -> Any:
        """The JSON value stored under `name`, or `default`."""
        ...

    def put(self, name: str, value: Any) -> None:
        """Store a JSON value under `name`; None removes it."""
        ...


class Part:
    """The values of a store with one prefix in their names; callers leave the prefix out. Names are not sealed."""

    def __init__(self, store: "Store", prefix: str) -> None:
        self._store = store
        self._prefix = prefix

    def transaction(self) -> AbstractContextManager[object]:
        """As Store.transaction."""
        return self._store.transaction()

    def get(self, name: str, default: Any = None) -> Any:
        """As Store.get."""
        return self._store.get(self._prefix + name, default)

    def put(self, name: str, value: Any) -> None:
        """As Store.put."""
        self._store.put(self._prefix + name, value)

    def clear(self) -> None:
        """Remove all values of this part."""
        self._store.remove_prefix(self._prefix)


class Store:
    """Sealed rows of one phone. Every method may be called from any thread."""

    def __init__(
        self, folder: Path, connection: sqlite3.Connection, vault: Vault, sealing: KeySealing, resources: ExitStack
    ) -> None:
        self.folder = folder
        self._connection = connection
        self._vault = vault
        self._sealing = sealing
        self._resources = resources
        self._lock = threading.RLock()
        self._depth = 0

    @classmethod
    def open(cls, folder: Path, *, reading: bool = False, sealing: KeySealing = PLAIN_KEY) -> "Store":
        """Open the store in `folder`, or create it.

        reading: create nothing and take no lock, because another process may be running the phone.
        sealing: how the key file protects the key.
        Raises HandsetStoreTooNew, HandsetBusy, HandsetMissing, HandsetKeyDamaged, HandsetStoreDamaged.
        """
        path = folder / STORE_FILE
        key = folder / KEY_FILE
        if reading and not path.exists():
            raise HandsetMissing(f"no phone in {folder}; `bluezone handset run` makes one")
        with ExitStack() as resources:
            if not reading:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                resources.enter_context(acquire_lock(folder))
            is_new = not path.exists()
            vault = Vault.create(key, sealing) if is_new and not key.exists() else Vault.open(key, sealing)
            return cls(folder, _connect(path, is_new), vault, sealing, resources.pop_all())

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One atomic change; may be nested. A refusal or an error undoes all of it."""
        with self._lock:
            try:
                if self._depth == 0:
                    self._connection.execute("BEGIN IMMEDIATE")
                self._depth += 1
                try:
                    yield self._connection
                finally:
                    self._depth -= 1
                if self._depth == 0:
                    self._connection.execute("COMMIT")
            except BaseException as error:
                if self._depth == 0 and self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise _refusal(error) from error
                raise

    def get(self, name: str, default: Any = None) -> Any:
        """The JSON value stored under `name`, or `default`."""
        with self._lock:
            rows = self._read("SELECT sealed FROM state WHERE name = ?", (name,))
        if not rows:
            return default
        return json.loads(self._vault.unseal(f"state:{name}", rows[0][0]))

    def put(self, name: str, value: Any) -> None:
        """Store a JSON value under `name`; None removes it."""
        with self.transaction() as connection:
            if value is None:
                connection.execute("DELETE FROM state WHERE name = ?", (name,))
                return
            sealed = self._vault.seal(f"state:{name}", json.dumps(value).encode())
            connection.execute("INSERT OR REPLACE INTO state (name, sealed) VALUES (?, ?)", (name, sealed))

    def remove_prefix(self, prefix: str) -> None:
        """Remove every value with a name that starts with `prefix`."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM state WHERE substr(name, 1, ?) = ?", (len(prefix), prefix))

    def add(self, table: str, day: int, plain: bytes) -> int:
        """Append a sealed row and return its number."""
        with self.transaction() as connection:
            row = connection.execute(f"INSERT INTO {table} (day, sealed) VALUES (?, x'00')", (day,))  # noqa: S608
            assert row.lastrowid is not None
            self.replace(table, row.lastrowid, day, plain)
            return row.lastrowid

    def replace(self, table: str, row: int, day: int, plain: bytes) -> None:
        """Seal new contents into a row."""
        sealed = self._vault.seal(f"{table}:{row}", plain)
        with self.transaction() as connection:
            connection.execute(f"UPDATE {table} SET day = ?, sealed = ? WHERE id = ?", (day, sealed, row))  # noqa: S608

    def rows(self, table: str) -> Iterator[tuple[int, int, bytes]]:
        """Yield (number, day, contents) of a table, oldest first; rows removed meanwhile are left out."""
        with self._lock:
            numbers = self._read(f"SELECT id, day FROM {table} ORDER BY id", ())  # noqa: S608
        for number, day in numbers:
            contents = self.row(table, number)
            if contents is not None:
                yield number, day, contents

    def numbers(self, table: str) -> list[int]:
        """Return the numbers of a table's rows, oldest first, without opening their contents."""
        # Sorted here, so that SQLite reads a small index instead of the table, which has a blob in every page.
        with self._lock:
            return sorted(number for (number,) in self._read(f"SELECT id FROM {table}", ()))  # noqa: S608

    def row(self, table: str, number: int) -> bytes | None:
        """Return the contents of a row, or None if it was removed."""
        with self._lock:
            rows = self._read(f"SELECT sealed FROM {table} WHERE id = ?", (number,))  # noqa: S608
        if not rows:
            return None
        return self._vault.unseal(f"{table}:{number}", rows[0][0])

    def remove(self, table: str, number: int) -> None:
        """Remove a row; SQLite overwrites its space (secure_delete)."""
        with self.transaction() as connection:
            connection.execute(f"DELETE FROM {table} WHERE id = ?", (number,))  # noqa: S608

    def page_bytes(self) -> int:
        """Return the size of all sealed pages of the encounter log in bytes."""
        with self._lock:
            return int(self._read("SELECT coalesce(sum(length(sealed)), 0) FROM pages", ())[0][0])

    def purge(self, before_day: int) -> int:
        """Remove the rows of days before `before_day` and return their number.

        SQLite overwrites the freed space (secure_delete), and a checkpoint empties the write-ahead log.
        """
        removed = 0
        with self.transaction() as connection:
            for table in PURGED_TABLES:
                removed += connection.execute(f"DELETE FROM {table} WHERE day < ?", (before_day,)).rowcount  # noqa: S608
        if removed:
            with self._lock:
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return removed

    def close(self) -> None:
        """Close the file and release the lock."""
        with self._lock:
            self._connection.close()
        self._resources.close()

    def erase(self) -> None:
        """Destroy the key, then overwrite and remove the store. No one can open remnants without the key."""
        with self._lock:
            self._sealing.destroy()
            overwrite_and_remove(self.folder / KEY_FILE)
            self._connection.close()
            for suffix in ("-wal", "-shm", ""):
                overwrite_and_remove(self.folder / (STORE_FILE + suffix))
            self.close()
            (self.folder / LOCK_FILE).unlink(missing_ok=True)

    def _read(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise _refusal(error) from error


@contextmanager
def acquire_lock(folder: Path) -> Iterator[None]:
    """Lock the folder of a phone for this process. Raises HandsetBusy."""
    descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise HandsetBusy("another process is using this phone; use its page, or stop it first") from error
        yield
    finally:
        os.close(descriptor)


def _connect(path: Path, is_new: bool) -> sqlite3.Connection:
    """Open the file with the settings that erasing and purging rely on; create or update its tables."""
    if is_new:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise HandsetStoreTooNew(f"the store has version {version}, this program knows {VERSION}; update it")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        if version < VERSION:
            statements = SCHEMA_2 if version == 1 else SCHEMA + SCHEMA_2
            connection.executescript(f"BEGIN IMMEDIATE; {statements} PRAGMA user_version = {VERSION}; COMMIT;")
    except sqlite3.Error as error:
        connection.close()
        raise _refusal(error) from error
    except Refused:
        connection.close()
        raise
    return connection


def erase_folder(folder: Path, sealing: KeySealing = PLAIN_KEY) -> None:
    """Destroy the key, then overwrite and remove the store, even a damaged or newer one.

    sealing: how the key file protects the key.
    Raises HandsetMissing, and HandsetBusy while the agent is running.
    """
    if not (folder / STORE_FILE).exists() and not (folder / KEY_FILE).exists():
        raise HandsetMissing(f"no phone in {folder}: there is nothing to erase")
    with acquire_lock(folder):
        sealing.destroy()
        overwrite_and_remove(folder / KEY_FILE)
        for suffix in ("-wal", "-shm", ""):
            overwrite_and_remove(folder / (STORE_FILE + suffix))
        (folder / LOCK_FILE).unlink(missing_ok=True)
