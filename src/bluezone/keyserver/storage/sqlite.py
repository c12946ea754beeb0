# SPDX-License-Identifier: Apache-2.0
"""A store in one SQLite file: readers never wait, writers of a process share one commit.

`synchronous=FULL`: an acknowledged upload survives a power cut. To save disk flushes, writes that arrive during the
flush of another are committed together; a write that fails is undone alone.
"""

import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from bluezone.keyserver.storage.store import (
    BUSY_SECONDS,
    NOISE_BYTES,
    NOISE_ROWS,
    Parameters,
    Row,
    StoreBusy,
    StoreDamaged,
    StoreFull,
    StoreRefused,
    StoreUnreachable,
    Transaction,
    Turn,
)

T = TypeVar("T")

# Keys are random, so every key of an upload is on a different page: small pages mean less to write and flush.
# With rarer checkpoints, a page that many uploads have changed is written once; the log is emptied every hour anyway.
_PRAGMAS = (
    "PRAGMA page_size=1024",
    "PRAGMA journal_mode=WAL",
    "PRAGMA wal_autocheckpoint=20000",
    "PRAGMA synchronous=FULL",
    "PRAGMA secure_delete=ON",
)
# There may be many readers, which look up single rows; the only writer scans whole tables, so it gets a large cache.
_WRITER_CACHE = "PRAGMA cache_size=-16000"
# The refusals by SQLite's primary result code.
_REFUSALS: dict[int, type[StoreRefused]] = {
    sqlite3.SQLITE_BUSY: StoreBusy,
    sqlite3.SQLITE_LOCKED: StoreBusy,
    sqlite3.SQLITE_FULL: StoreFull,
    sqlite3.SQLITE_CANTOPEN: StoreUnreachable,
    sqlite3.SQLITE_READONLY: StoreUnreachable,
    sqlite3.SQLITE_PERM: StoreUnreachable,
    sqlite3.SQLITE_NOTADB: StoreDamaged,
    sqlite3.SQLITE_CORRUPT: StoreDamaged,
}
# On a full disk SQLite reports "disk I/O error" if the index of the log (-shm) cannot grow.
_ALSO_FULL = (sqlite3.SQLITE_IOERR_SHMSIZE,)
# Contains a folder for each store if processes run as different users: SQLite writes to the folder as well as the file.
STORES_FOLDER = "stores"


class _Statements:
    """The statements of one write, on the writer's connection."""

    dialect = "sqlite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        return self._connection.execute(sql, parameters).fetchall()

    def execute_each(self, sql: str, parameters: Iterable[Parameters]) -> int:
        return self._connection.executemany(sql, parameters).rowcount


class _Write(Generic[T]):
    """A write that waits for its turn, and its outcome after the commit."""

    def __init__(self, action: Callable[[Transaction], T], keep: bool = True, noise: bytes = b"") -> None:
        self.action = action
        self.keep = keep
        self.noise = noise
        self.done = False
        self.value: T | None = None
        self.error: BaseException | None = None

    def outcome(self) -> T:
        if self.error is not None:
            raise self.error
        return cast(T, self.value)


class _PermanentTurn:
    """A turn that cannot be lost."""

    def check(self) -> None:
        return None


def store_file(data_dir: Path, name: str) -> Path:
    """The path of the SQLite file of a store (codes, keys or office), whether or not it exists."""
    separate = data_dir / STORES_FOLDER / name
    folder = separate if separate.is_dir() else data_dir
    return folder / f"{name}.sqlite3"


class SqliteStore:
    """One SQLite file; one connection per reading thread and one for writing."""

    dialect = "sqlite"

    def __init__(self, path: Path, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._waiting: deque[_Write[Any]] = deque()
        self._writing = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        # The file is secret: it contains the use of codes, and keys under embargo.
        if not path.exists():
            try:
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            except OSError as error:
                raise StoreUnreachable(f"{path.name} cannot be created: {error.strerror}") from None

    def read(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        try:
            return self._reader().execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise self._refusal(error) from error

    def write(self, action: Callable[[Transaction], T]) -> T:
        return self._commit(_Write(action))

    def write_alike(self, action: Callable[[Transaction], T], keep: bool) -> T:
        return self._commit(_Write(action, keep, noise=os.urandom(NOISE_BYTES)))

    def write_alike_each(self, writes: Sequence[tuple[Callable[[Transaction], T], bool]]) -> list[Callable[[], T]]:
        batch = [_Write(action, keep, noise=os.urandom(NOISE_BYTES)) for action, keep in writes]
        self._commit_each(batch)
        return [write.outcome for write in batch]

    @contextmanager
    def exclusive(self, wait_seconds: float) -> Iterator[Turn]:
        # The file is on one machine; there the service's lock file already keeps other processes out.
        yield _PermanentTurn()

    def database_clock(self) -> None:
        return None

    def erase_deleted_rows(self) -> None:
        # The write-ahead log shows which rows were written together; emptied, it shows nothing.
        with self._writing:
            try:
                self._writer_connection().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            except sqlite3.Error as error:
                raise self._refusal(error) from error

    def close(self) -> None:
        with self._writing:
            for connection in self._connections:
                connection.close()
            self._connections.clear()
            self._writer = None
            self._local = threading.local()

    def _commit(self, write: _Write[T]) -> T:
        self._commit_each([write])
        return write.outcome()

    def _commit_each(self, writes: list[_Write[T]]) -> None:
        self._waiting.extend(writes)
        with self._writing:
            # The thread that had the lock before may have committed these writes together with its own.
            if not all(write.done for write in writes):
                self._commit_waiting()

    def _commit_waiting(self) -> None:
        batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
        connection: sqlite3.Connection | None = None
        is_read_only = False
        try:
            connection = self._writer_connection()
            connection.execute("BEGIN IMMEDIATE")
            for write in batch:
                self._run(connection, write)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            is_read_only = getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_READONLY
            for write in batch:
                write.error = self._refusal(error)
        except BaseException as error:
            for write in batch:
                write.error = error
            raise
        finally:
            if connection is not None and connection.in_transaction:
                connection.execute("ROLLBACK")
            if is_read_only and connection is not None:
                # It was opened while the folder was read-only, and would stay read-only.
                self._connections.remove(connection)
                connection.close()
                self._writer = None
            for write in batch:
                write.done = True

    def _run(self, connection: sqlite3.Connection, write: _Write[Any]) -> None:
        connection.execute("SAVEPOINT one_write")
        try:
            write.value = write.action(_Statements(connection))
        except sqlite3.IntegrityError as error:
            write.error = self._refusal(error)
        except sqlite3.Error:
            raise
        except Exception as error:
            write.error = error
        if write.error is not None or not write.keep:
            connection.execute("ROLLBACK TO one_write")
        if write.noise:
            connection.execute("UPDATE noise SET value = ? WHERE id = ?", (write.noise, write.noise[0] % NOISE_ROWS))
        connection.execute("RELEASE one_write")

    def _reader(self) -> sqlite3.Connection:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
        return cast(sqlite3.Connection, connection)

    def _writer_connection(self) -> sqlite3.Connection:
        if self._writer is None:
            self._writer = self._connect()
            self._writer.execute(_WRITER_CACHE)
        return self._writer

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
        )
        for pragma in _PRAGMAS:
            connection.execute(pragma).fetchall()
        self._connections.append(connection)
        return connection

    def _refusal(self, error: sqlite3.Error) -> StoreRefused:
        code = getattr(error, "sqlite_errorcode", 0)
        if code in _ALSO_FULL:
            return StoreFull(f"{self.path.name}: database or disk is full")
        # Extended codes have the primary code in their low byte.
        refusal = _REFUSALS.get(code & 0xFF, StoreRefused)
        return refusal(f"{self.path.name}: {error}")
