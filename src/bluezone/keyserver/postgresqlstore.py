# SPDX-License-Identifier: Apache-2.0
"""A store in one schema of a PostgreSQL database: one connection per thread, plain transactions."""

import functools
import os
import threading
from collections.abc import Callable, Iterable
from typing import TypeVar, cast

import psycopg
from psycopg import errors, sql

from bluezone.keyserver.store import (
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
)

T = TypeVar("T")
Connection = psycopg.Connection[Row]

_BUSY = (errors.LockNotAvailable, errors.QueryCanceled, errors.DeadlockDetected, errors.SerializationFailure)
_FULL = (errors.DiskFull,)


@functools.cache
def _statement(text: str) -> bytes:
    # psycopg writes parameters as %s and so doubles any other %; our statements hold no literal question mark.
    return text.replace("%", "%%").replace("?", "%s").encode()


class _Statements:
    """The statements of one write, on one connection inside a transaction."""

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
    """One schema, made if it is not there."""

    dialect = "postgresql"

    def __init__(self, url: str, schema: str) -> None:
        self._url = url
        self._schema = schema
        self._local = threading.local()
        self._connections: list[Connection] = []
        with self._translated(), self._connection().transaction():
            self._connection().execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))

    def read(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        with self._translated():
            return _run(self._connection(), sql, parameters)

    def write(self, action: Callable[[Transaction], T]) -> T:
        with self._translated():
            connection = self._connection()
            with connection.transaction():
                return action(_Statements(connection))

    def write_alike(self, action: Callable[[Transaction], T], keep: bool) -> T:
        with self._translated():
            connection = self._connection()
            with connection.transaction():
                with connection.transaction(force_rollback=not keep):
                    value = action(_Statements(connection))
                noise = os.urandom(NOISE_BYTES)
                _run(connection, "UPDATE noise SET value = ? WHERE id = ?", (noise, noise[0] % NOISE_ROWS))
            return value

    def tidy(self) -> None:
        # Dead row versions still hold what was deleted or rewritten; the autovacuum would come some time.
        with self._translated():
            connection = self._connection()
            for (table,) in _run(connection, "SELECT tablename FROM pg_tables WHERE schemaname = ?", (self._schema,)):
                connection.execute(sql.SQL("VACUUM {}").format(sql.Identifier(self._schema, table)))

    def close(self) -> None:
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        self._local = threading.local()

    def _connection(self) -> Connection:
        connection = cast("Connection | None", getattr(self._local, "connection", None))
        if connection is None or connection.closed:
            milliseconds = int(BUSY_SECONDS * 1000)
            connection = psycopg.connect(
                self._url,
                autocommit=True,
                connect_timeout=int(BUSY_SECONDS),
                options=f"-c search_path={self._schema} -c lock_timeout={milliseconds}",
            )
            self._local.connection = connection
            self._connections.append(connection)
        return connection

    def _translated(self) -> "_Translated":
        return _Translated(self._schema)


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
