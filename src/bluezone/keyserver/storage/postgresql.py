# SPDX-License-Identifier: Apache-2.0
"""A store in one schema of a PostgreSQL database, which several processes and machines share.

Each process has a limited number of connections.
"""

import functools
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import make_conninfo
from psycopg_pool import ConnectionPool, PoolTimeout

from bluezone.keyserver.storage.leases import Lease, TurnLost, keep_renewed
from bluezone.keyserver.storage.store import (
    BUSY_SECONDS,
    LIBPQ_OPTIONS,
    NOISE_BYTES,
    NOISE_ROWS,
    SERVER_SETTINGS,
    Parameters,
    Row,
    StoreBusy,
    StoreFull,
    StoreRefused,
    StoreUnreachable,
    Transaction,
    Turn,
    behind_pooler,
    require_schema,
)
from bluezone.refusal import Refused
from bluezone.timekeeping import DatabaseClock

T = TypeVar("T")
Connection = psycopg.Connection[Row]

CONNECTIONS_VARIABLE = "BLUEZONE_DATABASE_CONNECTIONS"
# Twice the threads of an origin, so that requests wait for this limit only if the operator lowers it.
DEFAULT_CONNECTIONS = 8
MOST_CONNECTIONS = 1000

# How often a thread that waits for a new connection checks whether the attempt has failed.
_LOOK_SECONDS = 0.05
# The next request for a connection makes the pool try again; it need not retry on its own.
_RETRY_SECONDS = 0.01
_BUSY = (errors.LockNotAvailable, errors.QueryCanceled, errors.DeadlockDetected, errors.SerializationFailure)
_FULL = (errors.DiskFull,)
# The pool would log every failed attempt; our refusals already report them.
logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)


class ConnectionsInvalid(Refused):
    """BLUEZONE_DATABASE_CONNECTIONS is not a number of connections."""

    code = "connections_invalid"


def connections_allowed() -> int:
    """How many connections a process may have to each store at a time. Raises ConnectionsInvalid."""
    text = os.environ.get(CONNECTIONS_VARIABLE) or str(DEFAULT_CONNECTIONS)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_CONNECTIONS:
        raise ConnectionsInvalid(f"{CONNECTIONS_VARIABLE} is {text!r}, expected 1 to {MOST_CONNECTIONS}")
    return int(text)


class Connections:
    """At most `most` connections with `schema` as search path; a thread has one for itself while it works.

    wait_seconds: how long a thread waits for a free connection before StoreBusy. Each process opens its own:
    connections and the pool's threads do not survive a fork.
    """

    def __init__(self, url: str, schema: str, most: int, wait_seconds: float = BUSY_SECONDS) -> None:
        self._schema = schema
        self._most = most
        self._wait_seconds = wait_seconds
        self._address = address_of(url, schema)
        # A thread waits here for other threads. The pool has the same limit, so there it only waits for the server.
        self._room = threading.BoundedSemaphore(most)
        self._local = threading.local()
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            self._address,
            kwargs=_options(),
            min_size=0,
            max_size=most,
            check=ConnectionPool.check_connection,
            reconnect_timeout=_RETRY_SECONDS,
            name=schema,
            open=True,
        )

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Use a connection. A thread that already has one gets the same again.

        Raises StoreBusy, StoreUnreachable, psycopg.OperationalError.
        """
        current = cast("Connection | None", getattr(self._local, "connection", None))
        if current is not None:
            yield current
            return
        if not self._room.acquire(timeout=self._wait_seconds):
            raise StoreBusy(f"{self._schema}: all {self._most} connections of this process have been in use too long")
        try:
            connection = self._from_pool()
            self._local.connection = connection
            try:
                yield connection
            finally:
                self._local.connection = None
                self._pool.putconn(connection)
        finally:
            self._room.release()

    def new(self) -> Connection:
        """An additional connection outside the limit; the caller closes it."""
        return psycopg.connect(self._address, **_options())

    def close(self) -> None:
        """Close free connections now, and the others when they are returned."""
        self._pool.close()

    def _from_pool(self) -> Connection:
        failures_before = self._failures()
        deadline = time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return self._pool.getconn(_LOOK_SECONDS)
            except PoolTimeout:
                if self._failures() != failures_before or time.monotonic() > deadline:
                    raise StoreUnreachable(f"{self._schema}: the database accepts no connection") from None

    def _failures(self) -> int:
        """How many attempts to connect have failed so far."""
        return self._pool.get_stats().get("connections_errors", 0)


def _options() -> dict[str, Any]:
    """How connections are opened. Behind a pooler, prepared statements would belong to another session."""
    return {"autocommit": True, "prepare_threshold": None if behind_pooler() else 5}


def address_of(url: str, schema: str) -> str:
    """The address of a database with the settings of our connections, for client and server."""
    if behind_pooler():
        # The role has the settings instead: docs/operating.md, "Behind a pooler".
        return make_conninfo(url, **LIBPQ_OPTIONS)
    settings = {
        "search_path": schema,
        "lock_timeout": int(BUSY_SECONDS * 1000),
        # A transaction that waited for a row of another continues with the committed values.
        "default_transaction_isolation": r"read\ committed",
        **SERVER_SETTINGS,
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    return make_conninfo(url, options=options, **LIBPQ_OPTIONS)


@functools.cache
def _statement(text: str) -> bytes:
    # psycopg writes parameters as %s, so any other % is doubled. Our statements contain no literal question mark.
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
    """A store in one schema, which is created if it is missing.

    connections: how many this process may have at a time, None for the default. wait_seconds: how long a thread waits
    for one.
    """

    dialect = "postgresql"

    def __init__(
        self, url: str, schema: str, connections: int | None = None, wait_seconds: float = BUSY_SECONDS
    ) -> None:
        self._schema = schema
        self._connections = Connections(url, schema, connections or connections_allowed(), wait_seconds)
        self._in_turn = threading.local()
        try:
            self._require_schema()
        except BaseException:
            self._connections.close()
            raise

    def _require_schema(self) -> None:
        # Looked up first, because CREATE SCHEMA takes a lock and needs a right that the store's role may lack.
        if not self.read("SELECT 1 FROM pg_namespace WHERE nspname = ?", (self._schema,)):
            create = sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(self._schema))
            with self._translated(), self._connections.connection() as connection:
                connection.execute(create)
        require_schema(self._schema, self.read("SELECT current_schema()")[0][0])

    def read(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        with self._translated(), self._connections.connection() as connection:
            return _run(connection, sql, parameters)

    def write(self, action: Callable[[Transaction], T]) -> T:
        with self._translated(), self._connections.connection() as connection, connection.transaction():
            value = action(_Statements(connection))
            # Every write within the turn is fenced.
            turn = getattr(self._in_turn, "lease", None)
            if turn is not None:
                turn.require_lease(connection)
            return value

    def write_alike(self, action: Callable[[Transaction], T], keep: bool) -> T:
        with self._translated(), self._connections.connection() as connection, connection.transaction():
            with connection.transaction(force_rollback=not keep):
                value = action(_Statements(connection))
            noise = os.urandom(NOISE_BYTES)
            _run(connection, "UPDATE noise SET value = ? WHERE id = ?", (noise, noise[0] % NOISE_ROWS))
            return value

    def write_alike_each(self, writes: Sequence[tuple[Callable[[Transaction], T], bool]]) -> list[Callable[[], T]]:
        # The server flushes simultaneous commits of several connections together.
        return [functools.partial(self.write_alike, action, keep) for action, keep in writes]

    @contextmanager
    def exclusive(self, wait_seconds: float) -> Iterator[Turn | None]:
        # The lease has an additional connection, so that it is renewed even if all others are busy.
        lease = Lease(self._connections.new, "turn")
        with self._translated():
            acquired = lease.acquire_within(wait_seconds)
        if not acquired:
            lease.release()
            if wait_seconds:
                raise StoreBusy(f"{self._schema}: another process has had the turn for {wait_seconds:.0f} seconds")
            yield None
            return
        with keep_renewed(lease):
            self._in_turn.lease = lease
            try:
                yield _Turn(lease, self._translated)
            finally:
                self._in_turn.lease = None

    def database_clock(self) -> DatabaseClock:
        ((wall, elsewhere),) = self.read(
            "SELECT extract(epoch FROM clock_timestamp())::double precision,"
            " coalesce(inet_server_addr() <> inet_client_addr(), false)"
        )
        return DatabaseClock(wall, elsewhere)

    def erase_deleted_rows(self) -> None:
        # Dead row versions still contain deleted or rewritten data; autovacuum may come late.
        tables = "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(?) AND relkind = 'r'"
        with self._translated(), self._connections.connection() as connection:
            # No request waits for VACUUM, so it has no time limit; behind a pooler the role's limit applies.
            if not behind_pooler():
                connection.execute("SET statement_timeout = 0")
            for (table,) in _run(connection, tables, (self._schema,)):
                connection.execute(sql.SQL("VACUUM {}").format(sql.Identifier(self._schema, table)))
            if not behind_pooler():
                connection.execute("RESET statement_timeout")

    def close(self) -> None:
        self._connections.close()

    def _translated(self) -> "_Translated":
        return _Translated(self._schema)


class _Turn:
    """The turn of this process."""

    def __init__(self, lease: Lease, translated: Callable[[], "_Translated"]) -> None:
        self._lease = lease
        self._translated = translated

    def check(self) -> None:
        with self._translated():
            if not self._lease.renew():
                raise TurnLost("another process has taken the turn")


class _Translated:
    """Turns exceptions of psycopg into the refusals of a store."""

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
