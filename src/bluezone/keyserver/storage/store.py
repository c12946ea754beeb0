# SPDX-License-Identifier: Apache-2.0
"""What the two stores of the key server promise and how they refuse, whichever database keeps them.

SQL is written once, with `?` for parameters and nothing that only one of the two databases knows;
only the migrations come in two dialects. Source: docs/contracts.md, Stores.
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
# Of libpq: whoever asks a database that is cut off is told so, and has tried it once more, within ten seconds.
ALIVE: dict[str, Any] = {
    "connect_timeout": 4,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 5_000,
}
# The server's side of the same, so that it lets go of what a machine held that is gone. No page and no call needs a
# statement that runs for a minute; migrations and VACUUM set that aside.
SERVER_SIDE = {
    "statement_timeout": 60_000,
    "idle_in_transaction_session_timeout": 120_000,
    "tcp_keepalives_idle": 10,
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
# Rows of the table `noise`: calls of a report rewrite one of them, so that a rehearsal too has something to commit.
NOISE_ROWS = 64
NOISE_BYTES = 32


class StoreRefused(Refused):
    """The database did not take or give the data; nothing was acknowledged, and trying again is safe."""

    code = "store_refused"


class StoreBusy(StoreRefused):
    """Another process held the database longer than a request may wait, or every connection was in use as long."""

    code = "store_busy"


class StoreFull(StoreRefused):
    """No space is left where the database or the export files are kept."""

    code = "store_full"


class StoreUnreachable(StoreRefused):
    """The database server does not answer, or the file cannot be opened."""

    code = "store_unreachable"


class StoreDamaged(StoreRefused):
    """The file is no database, or its content contradicts itself."""

    code = "store_damaged"


class StoreTooNew(Refused):
    """The store was written by a newer version of this program, which alone knows what its tables mean."""

    code = "store_too_new"


def key_prefix(key: bytes) -> int:
    """The number under which a key is known to have been here: its first 8 bytes, signed."""
    return int.from_bytes(key[:8], "big", signed=True)


class Transaction(Protocol):
    """The statements of one write; all of them take effect or none."""

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        ...

    def execute(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Run one statement and return its rows, if it has any."""
        ...

    def execute_each(self, sql: str, parameters: Iterable[Parameters]) -> int:
        """Run one statement for each set of parameters and return how many rows it changed in all."""
        ...


class SchemaDiffers(StoreRefused):
    """A database gives a store's connections another schema than its own."""

    code = "schema_differs"


def require_schema(name: str, found: str | None) -> None:
    """Refuse connections whose tables would be another schema's, or a second, empty city. Raises SchemaDiffers.

    found: what the database calls `current_schema()`.
    """
    if found != name:
        raise SchemaDiffers(
            f"the database gives the store {name} the schema {found or 'none'}; behind a pooler each store needs a role"
            f" of its own (ALTER ROLE … SET search_path = {name}) and {POOLER_VARIABLE}=transaction"
        )


def behind_pooler() -> bool:
    """Whether connections are a pooler's, which gives one to another at each transaction: nothing is set on them."""
    return os.environ.get(POOLER_VARIABLE) == "transaction"


class Turn(Protocol):
    """What only one process of all that share a store may do at a time; see `Store.exclusive`."""

    def check(self) -> None:
        """Return if this process still has the turn; raises StoreRefused if the database has ended it meanwhile."""
        ...


class Store(Protocol):
    """One database of the key server, shared by all threads of a process."""

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        ...

    def read(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        """Return the rows of one SELECT; sees what was committed before."""
        ...

    def write(self, action: Callable[[Transaction], T]) -> T:
        """Run `action` in one transaction and return its result once that is safely on disk.

        An exception of the action undoes it and is raised here. Raises StoreRefused when the database cannot.
        """
        ...

    def write_alike(self, action: Callable[[Transaction], T], keep: bool) -> T:
        """Run `action` like `write`; undo it again, its result excepted, unless `keep`.

        Both commit some meaningless bytes as well, so that real calls and rehearsals take as long as each other.
        """
        ...

    def write_alike_each(self, writes: Sequence[tuple[Callable[[Transaction], T], bool]]) -> list[Callable[[], T]]:
        """Do what `write_alike` does with each action and `keep`, committed together where the store does that.

        Each of what is returned is called once, in order: it returns what `write_alike` would, or raises it.
        """
        ...

    def exclusive(self, wait_seconds: float) -> AbstractContextManager[Turn | None]:
        """Take the turn among all processes, on whatever machine, that share this store; None if another has it.

        Whoever dies lets go of it. wait_seconds: 0 to ask once; otherwise StoreBusy is raised after so long.
        """
        ...

    def database_clock(self) -> DatabaseClock | None:
        """What the database's own clock says; None where it is this machine's."""
        ...

    def tidy(self) -> None:
        """Remove what the database still keeps of earlier states (its log), outside any transaction."""
        ...

    def close(self) -> None:
        """Close every connection of this process."""
        ...


class AbsentStore:
    """The place of a store that is another process's: whatever is asked of it is refused."""

    dialect = "absent"

    def read(self, sql: str, parameters: Parameters = ()) -> list[Row]:
        raise _absent()

    def write(self, action: Callable[[Transaction], T]) -> T:
        raise _absent()

    def write_alike(self, action: Callable[[Transaction], T], keep: bool) -> T:
        raise _absent()

    def write_alike_each(self, writes: Sequence[tuple[Callable[[Transaction], T], bool]]) -> list[Callable[[], T]]:
        raise _absent()

    def exclusive(self, wait_seconds: float) -> AbstractContextManager[Turn | None]:
        raise _absent()

    def database_clock(self) -> DatabaseClock | None:
        return None

    def tidy(self) -> None:
        return None

    def close(self) -> None:
        return None


def _absent() -> StoreRefused:
    return StoreRefused("this store is another process's")
