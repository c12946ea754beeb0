# SPDX-License-Identifier: Apache-2.0
"""The interface of the key server's two stores and their refusals, the same on SQLite and on PostgreSQL.

SQL is written once, with `?` for parameters and only syntax that both databases know; only the migrations are written
in two dialects. Source: docs/contracts.md, Stores.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from bluezone.refusal import Refused
from bluezone.timekeeping import DatabaseClock

T = TypeVar("T")
Row = tuple[Any, ...]
Parameters = Sequence[Any]

POOLER_VARIABLE = "BLUEZONE_POOLER"
# How long a writer waits for another process before it gives up with StoreBusy.
BUSY_SECONDS = 5.0
# A call to a database that is cut off fails within ten seconds, including one more attempt. tcp_user_timeout is in
# milliseconds, the others are in seconds.
LIBPQ_OPTIONS: dict[str, Any] = {
    "connect_timeout": 4,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 5_000,
}
# Settings of the server, so that it releases the locks of a machine that has gone. No page and no call needs a
# statement that runs for a minute; migrations and VACUUM lift that limit. *_timeout is in milliseconds, *_idle and
# *_interval are in seconds.
SERVER_SETTINGS = {
    "statement_timeout": 60_000,
    "idle_in_transaction_session_timeout": 120_000,
    "tcp_keepalives_idle": 10,
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
# Rows of the table `noise`: calls of a report rewrite one of them, so that rehearsals also have something to commit.
NOISE_ROWS = 64
NOISE_BYTES = 32


class StoreRefused(Refused):
    """The database failed to store or return data; nothing was acknowledged, and a retry is safe."""

    code = "store_refused"


class StoreBusy(StoreRefused):
    """Another process blocked the database longer than a request may wait, or all connections were in use."""

    code = "store_busy"


class StoreFull(StoreRefused):
    """No space is left for the database or the export files."""

    code = "store_full"


class StoreUnreachable(StoreRefused):
    """The database server does not answer, or the file cannot be opened."""

    code = "store_unreachable"


class StoreDamaged(StoreRefused):
    """The file is not a database, or its content is inconsistent."""

    code = "store_damaged"


class StoreTooNew(Refused):
    """The store was written by a newer version of this program; only that version knows what its tables mean."""

    code = "store_too_new"


def key_prefix(key: bytes) -> int:
    """The number by which the store knows a key that it has seen: the key's first 8 bytes as a signed integer."""
    return int.from_bytes(key[:8], "big", signed=True)


class Transaction(Protocol):
    """The statements of one write; all of them take effect or none."""

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        ...

    def execute(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Run one statement and return its rows, if any."""
        ...

    def execute_each(self, sql: str, parameters: Iterable[Parameters]) -> int:
        """Run one statement for each set of parameters; returns how many rows were changed in total."""
        ...


class SchemaDiffers(StoreRefused):
    """The database gives a store's connections the schema of another store."""

    code = "schema_differs"


def require_schema(name: str, current: str | None) -> None:
    """Refuse connections to another schema. Raises SchemaDiffers.

    They would use the tables of another store, or create a second, empty set of tables.
    current: the database's `current_schema()`.
    """
    if current != name:
        raise SchemaDiffers(
            f"the database gives the store {name} the schema {current or 'none'}; behind a pooler each store needs a"
            f" role of its own (ALTER ROLE … SET search_path = {name}) and {POOLER_VARIABLE}=transaction"
        )


def behind_pooler() -> bool:
    """Whether a pooler assigns a connection to each transaction, so that settings of a connection do not last."""
    return os.environ.get(POOLER_VARIABLE) == "transaction"


class Turn(Protocol):
    """The right to work alone, among all processes that share a store; see `Store.exclusive`."""

    def check(self) -> None:
        """Raise StoreRefused if this process no longer has the turn, because the database has ended it."""
        ...


class Store(Protocol):
    """One database of the key server, shared by all threads of a process."""

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        ...

    def read(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Return the rows of one SELECT; it sees all earlier commits."""
        ...

    def write(self, action: Callable[[Transaction], T]) -> T:
        """Run `action` in one transaction; returns its result when the transaction is safely on disk.

        An exception of the action undoes it and is raised here. Raises StoreRefused if the database fails.
        """
        ...

    def write_alike(self, action: Callable[[Transaction], T], keep: bool) -> T:
        """Run `action` like `write` and return its result; if `keep` is false, undo its changes.

        In both cases some random bytes are committed as well, so that real calls and rehearsals take equally long.
        """
        ...

    def write_alike_each(self, writes: Sequence[tuple[Callable[[Transaction], T], bool]]) -> list[Callable[[], T]]:
        """Do `write_alike` with each action and `keep`, committed together if the store supports that.

        Call each returned function once, in order: it returns or raises what `write_alike` would.
        """
        ...

    def exclusive(self, wait_seconds: float) -> AbstractContextManager[Turn | None]:
        """Take the turn among all processes, on all machines, that share this store.

        wait_seconds: 0 tries once and gives None if another process has the turn; otherwise StoreBusy is raised after
        this time. A process that dies loses the turn.
        """
        ...

    def database_clock(self) -> DatabaseClock | None:
        """The time of the database's clock, and whether it is on another machine; None on SQLite."""
        ...

    def erase_deleted_rows(self) -> None:
        """Remove deleted and overwritten rows that the database still contains. Call it outside any transaction."""
        ...

    def close(self) -> None:
        """Close every connection of this process."""
        ...
