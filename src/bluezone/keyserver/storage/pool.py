# SPDX-License-Identifier: Apache-2.0
"""The connections of one process to one store on PostgreSQL: at most so many, and none that the server has ended.

Several processes share one server, whose `max_connections` is the sum that must not be passed (docs/operating.md). So
each process has a limit of its own, and who finds every connection in use for too long is refused instead of queued.
psycopg_pool keeps the connections; it opens them in a thread of its own and tries for as long as somebody waits. A
phone is not to wait for a server that refuses connections, so a failed attempt is noticed here and raised at once.
"""

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg_pool import ConnectionPool, PoolTimeout

from bluezone.keyserver.storage.store import BUSY_SECONDS, Row, StoreBusy, StoreUnreachable
from bluezone.refusal import Refused

Connection = psycopg.Connection[Row]

CONNECTIONS_VARIABLE = "BLUEZONE_DATABASE_CONNECTIONS"
# Twice the threads of an origin: one store never holds up a request by this limit unless the operator lowers it.
DEFAULT_CONNECTIONS = 8
MOST_CONNECTIONS = 1000

# A machine that is gone says nothing: after about so long both ends know, and the server lets go of its locks.
_KEEPALIVE = {"idle": 10, "interval": 5, "count": 3}
_SILENT_MILLISECONDS = 25_000
_IDLE_IN_TRANSACTION_MILLISECONDS = 120_000
# How often somebody who waits for a new connection looks whether the attempt has failed.
_LOOK_SECONDS = 0.05
# Whoever needs a connection next has the pool try again; it need not go on by itself.
_RETRY_SECONDS = 0.01
# Its lines say what a refusal says too, once for every attempt.
logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)


class ConnectionsInvalid(Refused):
    """BLUEZONE_DATABASE_CONNECTIONS is not a number of connections."""

    code = "connections_invalid"


def connections_allowed() -> int:
    """How many connections a process may have to each store at once. Raises ConnectionsInvalid."""
    text = os.environ.get(CONNECTIONS_VARIABLE) or str(DEFAULT_CONNECTIONS)
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_CONNECTIONS:
        raise ConnectionsInvalid(f"{CONNECTIONS_VARIABLE} is {text!r}, expected 1 to {MOST_CONNECTIONS}")
    return int(text)


class Connections:
    """At most `most` connections with `schema` before all others; a thread holds one for as long as it works.

    wait_seconds: how long a thread waits for one to be free before StoreBusy. Open one in each process: neither
    connections nor the pool's threads outlive a fork.
    """

    def __init__(self, url: str, schema: str, most: int, wait_seconds: float = BUSY_SECONDS) -> None:
        self._schema = schema
        self._most = most
        self._wait_seconds = wait_seconds
        self._address = _address(url, schema)
        # Beside the limit of the pool, so that whoever waits there waits for the server and not for other threads.
        self._room = threading.BoundedSemaphore(most)
        self._local = threading.local()
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            self._address,
            kwargs={"autocommit": True},
            min_size=0,
            max_size=most,
            check=ConnectionPool.check_connection,
            reconnect_timeout=_RETRY_SECONDS,
            name=schema,
            open=True,
        )

    @contextmanager
    def held(self) -> Iterator[Connection]:
        """Hold a connection. What a thread asks for while it holds one already is done on that one.

        Raises StoreBusy, StoreUnreachable, psycopg.OperationalError.
        """
        mine = cast("Connection | None", getattr(self._local, "connection", None))
        if mine is not None:
            yield mine
            return
        if not self._room.acquire(timeout=self._wait_seconds):
            raise StoreBusy(f"{self._schema}: all {self._most} connections of this process have been in use too long")
        try:
            connection = self._taken()
            self._local.connection = connection
            try:
                yield connection
            finally:
                self._local.connection = None
                self._pool.putconn(connection)
        finally:
            self._room.release()

    def new(self) -> Connection:
        """A connection beside the counted ones; whoever asked for it closes it."""
        return psycopg.connect(self._address, autocommit=True)

    def close(self) -> None:
        """Close what is free now, and what is in use when it is given back."""
        self._pool.close()

    def _taken(self) -> Connection:
        failed, deadline = self._failed(), time.monotonic() + BUSY_SECONDS
        while True:
            try:
                return self._pool.getconn(_LOOK_SECONDS)
            except PoolTimeout:
                if self._failed() != failed or time.monotonic() > deadline:
                    raise StoreUnreachable(f"{self._schema}: the database takes no connection") from None

    def _failed(self) -> int:
        """How many attempts to connect have failed so far."""
        return self._pool.get_stats().get("connections_errors", 0)


def _address(url: str, schema: str) -> str:
    """The address of a database with all that our connections ask of both ends."""
    keepalives = {f"keepalives_{name}": value for name, value in _KEEPALIVE.items()}
    settings = {
        "search_path": schema,
        "lock_timeout": int(BUSY_SECONDS * 1000),
        "idle_in_transaction_session_timeout": _IDLE_IN_TRANSACTION_MILLISECONDS,
        "tcp_user_timeout": _SILENT_MILLISECONDS,
        # A second look after a lock was waited for must see what its holder committed (reports/uploads.py).
        "default_transaction_isolation": r"read\ committed",
        **{f"tcp_{name}": value for name, value in keepalives.items()},
    }
    return make_conninfo(
        url,
        connect_timeout=int(BUSY_SECONDS),
        tcp_user_timeout=_SILENT_MILLISECONDS,
        options=" ".join(f"-c {name}={value}" for name, value in settings.items()),
        **keepalives,
    )
