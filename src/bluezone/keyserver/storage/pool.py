# SPDX-License-Identifier: Apache-2.0
"""The connections of one process to one store on PostgreSQL: at most so many, and none that the server has ended.

Several processes share one server, whose `max_connections` is the sum that must not be passed (docs/operating.md). So
each process has a limit of its own, and who finds every connection in use for too long is refused instead of queued.
"""

import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import psycopg
from psycopg.conninfo import make_conninfo

from bluezone.keyserver.storage.store import BUSY_SECONDS, Row, StoreBusy
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

    wait_seconds: how long a thread waits for one to be free before StoreBusy.
    """

    def __init__(self, url: str, schema: str, most: int, wait_seconds: float = BUSY_SECONDS) -> None:
        self._url = url
        self._schema = schema
        self._most = most
        self._wait_seconds = wait_seconds
        self._room = threading.BoundedSemaphore(most)
        self._free: list[Connection] = []
        self._local = threading.local()
        self._closed = False

    @contextmanager
    def held(self) -> Iterator[Connection]:
        """Hold a connection. What a thread asks for while it holds one already is done on that one.

        Raises StoreBusy, psycopg.OperationalError.
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
                self._give_back(connection)
        finally:
            self._room.release()

    def new(self) -> Connection:
        """A connection beside the counted ones; whoever asked for it closes it."""
        keepalives = {f"keepalives_{name}": value for name, value in _KEEPALIVE.items()}
        settings = {
            "search_path": self._schema,
            "lock_timeout": int(BUSY_SECONDS * 1000),
            "idle_in_transaction_session_timeout": _IDLE_IN_TRANSACTION_MILLISECONDS,
            "tcp_user_timeout": _SILENT_MILLISECONDS,
            # A second look after a lock was waited for must see what its holder committed (reports/uploads.py).
            "default_transaction_isolation": r"read\ committed",
            **{f"tcp_{name}": value for name, value in keepalives.items()},
        }
        address = make_conninfo(
            self._url,
            connect_timeout=int(BUSY_SECONDS),
            tcp_user_timeout=_SILENT_MILLISECONDS,
            options=" ".join(f"-c {name}={value}" for name, value in settings.items()),
            **keepalives,
        )
        return psycopg.connect(address, autocommit=True)

    def close(self) -> None:
        """Close what is free now, and what is in use when it is given back."""
        self._closed = True
        while self._free:
            self._free.pop().close()

    def _taken(self) -> Connection:
        while True:
            try:
                connection = self._free.pop()
            except IndexError:
                return self.new()
            if _alive(connection):
                return connection
            connection.close()

    def _give_back(self, connection: Connection) -> None:
        idle = not connection.closed and connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE
        if idle and not self._closed:
            self._free.append(connection)
        else:
            connection.close()


def _alive(connection: Connection) -> bool:
    """Whether the server has not ended a connection that lay idle: it would have said so, or closed the socket."""
    if connection.closed:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)
