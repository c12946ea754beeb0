# SPDX-License-Identifier: Apache-2.0
"""A store in one schema of a PostgreSQL database, which several processes and machines may use at once."""

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import psycopg
from psycopg import errors, sql

from bluezone.keyserver.storage.pool import Connection, Connections, connections_allowed
from bluezone.keyserver.storage.store import (
    BUSY_SECONDS,
    NOISE_BYTES,
    NOISE_ROWS,
    Parameters,
    Row,
    StoreBusy,
    StoreFull,
    StoreRefused,
    StoreUnreachable,
    Transaction,
    Turn,
)

T = TypeVar("T")

# The advisory lock of whoever does what must not be done twice; keys of uploads have locks in another space.
_TURN = (0x425A, 1)
_BUSY = (errors.LockNotAvailable, errors.QueryCanceled, errors.DeadlockDetected, errors.SerializationFailure)
_FULL = (errors.DiskFull,)


@functools.cache
def _statement(text: str) -> bytes:
    # psycopg writes parameters as %s and so doubles any other %; our statements hold no literal question mark.
    return text.replace("%", "%%").replace("?", "%s").encode()


class _Statements:
    """The statements of one write, on one connection inside a transaction."""

    dialect = "postgresql"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        return _run(self._connection, sql, parameters)

    def execute_each(self, sql: str, parameters: Iterable[Parameters]) -> int:
        with self._connection.cursor() as cursor:
            cursor.executemany(_statement(sql), parameters)
            return cursor.rowcount


def _run(connection: Connection, sql: str, parameters: Parameters) -> list[Row]:
    cursor = connection.execute(_statement(sql), parameters)
    return cursor.fetchall() if cursor.description else []


class PostgresqlStore:
    """One schema, made if it is not there.

    connections: how many this process may have to it at once; wait_seconds: how long a thread waits for one.
    """

    dialect = "postgresql"

    def __init__(
        self, url: str, schema: str, connections: int | None = None, wait_seconds: float = BUSY_SECONDS
    ) -> None:
        self._schema = schema
        self._connections = Connections(url, schema, connections or connections_allowed(), wait_seconds)
        # Only where it is not there: that takes no lock, and no right that a role of the stores need have.
        if not self.read("SELECT 1 FROM pg_namespace WHERE nspname = ?", (schema,)):
            create = sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema))
            with self._translated(), self._connections.held() as connection:
                connection.execute(create)

    def read(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        with self._translated(), self._connections.held() as connection:
            return _run(connection, sql, parameters)

    def write(self, action: Callable[[Transaction], T]) -> T:
        with self._translated(), self._connections.held() as connection, connection.transaction():
            return action(_Statements(connection))

    def write_alike(self, action: Callable[[Transaction], T], keep: bool) -> T:
        with self._translated(), self._connections.held() as connection, connection.transaction():
            with connection.transaction(force_rollback=not keep):
                value = action(_Statements(connection))
            noise = os.urandom(NOISE_BYTES)
            _run(connection, "UPDATE noise SET value = ? WHERE id = ?", (noise, noise[0] % NOISE_ROWS))
            return value

    @contextmanager
    def exclusive(self, wait_seconds: float) -> Iterator[Turn | None]:
        # A session of its own: the lock lives as long as this process and the server both do, and not longer.
        with self._translated():
            connection = self._connections.new()
        try:
            with self._translated():
                mine = _locked(connection, wait_seconds)
            yield _Session(connection, self._translated) if mine else None
        finally:
            # Said before the connection is closed, which the server notices only a moment later.
            with suppress(psycopg.Error):
                connection.execute("SELECT pg_advisory_unlock_all()")
            connection.close()

    def tidy(self) -> None:
        # Dead row versions still hold what was deleted or rewritten; the autovacuum would come some time.
        tables = "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(?) AND relkind = 'r'"
        with self._translated(), self._connections.held() as connection:
            for (table,) in _run(connection, tables, (self._schema,)):
                connection.execute(sql.SQL("VACUUM {}").format(sql.Identifier(self._schema, table)))

    def close(self) -> None:
        self._connections.close()

    def _translated(self) -> "_Translated":
        return _Translated(self._schema)


def _locked(connection: Connection, wait_seconds: float) -> bool:
    if not wait_seconds:
        return bool(connection.execute("SELECT pg_try_advisory_lock(%s, %s)", _TURN).fetchall()[0][0])
    connection.execute(sql.SQL("SET lock_timeout = {}").format(int(wait_seconds * 1000)))
    connection.execute("SELECT pg_advisory_lock(%s, %s)", _TURN)
    return True


class _Session:
    """A turn: the connection that holds the lock."""

    def __init__(self, connection: Connection, translated: Callable[[], "_Translated"]) -> None:
        self._connection = connection
        self._translated = translated

    def check(self) -> None:
        with self._translated():
            self._connection.execute("SELECT 1")


class _Translated:
    """Turns what psycopg raises into the refusals of a store."""

    def __init__(self, schema: str) -> None:
        self._schema = schema

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _traceback: object) -> None:
        if not isinstance(error, psycopg.Error):
            return
        refusal: type[StoreRefused] = StoreRefused
        if isinstance(error, _BUSY):
            refusal = StoreBusy
        elif isinstance(error, _FULL):
            refusal = StoreFull
        elif isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
            refusal = StoreUnreachable
        # The server's full message may quote a row; its primary line does not.
        raise refusal(f"{self._schema}: {error.diag.message_primary or type(error).__name__}") from None
