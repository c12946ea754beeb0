# SPDX-License-Identifier: Apache-2.0
"""Leases on PostgreSQL: rows of the table `lease` with the holder, and the end of the lease by the database's clock.

A process that is frozen or cut off loses the lease at its end. Each new holder increments the row's `fence`; a
transaction with an older fence is refused. No session state is used, so this also works behind a pooler.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import errors

from bluezone.keyserver.storage.store import StoreRefused

# How long a lease is valid without renewal; it is renewed three times within this time.
LEASE_SECONDS = 15.0
_WAIT_SECONDS = 0.2
_TABLE = (
    "CREATE TABLE IF NOT EXISTS lease (name text PRIMARY KEY, holder text NOT NULL, fence bigint NOT NULL,"
    " ends timestamptz NOT NULL)"
)
_TAKE = (
    "INSERT INTO lease VALUES (%(name)s, %(holder)s, 1, clock_timestamp() + %(for)s * interval '1 second')"
    " ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = lease.fence + 1, ends = excluded.ends"
    " WHERE lease.ends < clock_timestamp() RETURNING fence"
)
_RENEW = (
    "UPDATE lease SET ends = clock_timestamp() + %(for)s * interval '1 second'"
    " WHERE name = %(name)s AND holder = %(holder)s AND fence = %(fence)s RETURNING 1"
)
_RELEASE = (
    "UPDATE lease SET ends = clock_timestamp() WHERE name = %(name)s AND holder = %(holder)s AND fence = %(fence)s"
)
# The last query of a transaction: other processes cannot take the lease until the commit.
_FENCED = "SELECT 1 FROM lease WHERE name = %(name)s AND holder = %(holder)s AND fence = %(fence)s FOR SHARE"

Connect = Callable[[], "psycopg.Connection[Any]"]


class TurnLost(StoreRefused):
    """Another process has taken the turn meanwhile; nothing was stored."""

    code = "turn_lost"


class Lease:
    """One lease as one process sees it, usable from any thread.

    connect: opens a connection in autocommit; called again after each lost connection.
    Every method raises psycopg.Error if the database does not answer, except `release`.
    """

    def __init__(self, connect: Connect, name: str, seconds: float = LEASE_SECONDS) -> None:
        self._connect = connect
        self._values: dict[str, Any] = {"name": name, "for": seconds, "holder": secrets.token_hex(16), "fence": 0}
        self._running = threading.Lock()
        self._connection: psycopg.Connection[Any] | None = None
        self.seconds = seconds

    def acquire(self) -> bool:
        """Take the lease if it is free; returns whether this process has it now."""
        try:
            rows = self._run(_TAKE)
        except errors.UndefinedTable:
            # Two processes may both find the table missing; a unique index refuses the second.
            with suppress(errors.UniqueViolation, errors.DuplicateTable):
                self._run(_TABLE)
            rows = self._run(_TAKE)
        if rows:
            self._values["fence"] = rows[0][0]
        return bool(rows)

    def acquire_within(self, seconds: float) -> bool:
        """Try to take the lease for some seconds, 0 for one try; returns whether this process has it now."""
        deadline = time.monotonic() + seconds
        while not self.acquire():
            if time.monotonic() >= deadline:
                return False
            time.sleep(_WAIT_SECONDS)
        return True

    def renew(self) -> bool:
        """Renew the lease for its whole time; False if another process has taken it."""
        return bool(self._run(_RENEW))

    def release(self) -> None:
        """Release the lease, so that another process can take it at once; if the database is away, it expires."""
        with suppress(psycopg.Error):
            self._run(_RELEASE)
        with self._running:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def require_lease(self, connection: "psycopg.Connection[Any]") -> None:
        """Refuse the transaction of this connection unless this process has the lease. Raises TurnLost."""
        if not connection.execute(_FENCED, self._values).fetchall():
            raise TurnLost("another process has taken the turn; nothing was stored")

    def _run(self, statement: str) -> list[Any]:
        with self._running:
            if self._connection is None or self._connection.closed:
                self._connection = self._connect()
            try:
                cursor = self._connection.execute(statement, self._values, prepare=False)
                return cursor.fetchall() if cursor.description else []
            except psycopg.OperationalError:
                self._connection.close()
                raise


@contextmanager
def keep_renewed(
    lease: Lease, may_renew: Callable[[], bool] = lambda: True, lost: Callable[[], object] = lambda: None
) -> Iterator[None]:
    """Renew a lease from a separate thread while the block runs; release it at the end.

    may_renew: called before each renewal; if it returns false, the lease is not renewed any more, but counts as lost.
    lost: called from that thread if another process has the lease, or may have it because the database does not answer.
    """
    ended = threading.Event()

    def renew() -> None:
        renewed_at = time.monotonic()
        while not ended.wait(lease.seconds / 3):
            try:
                if not (may_renew() and lease.renew()):
                    lost()
                    return
                renewed_at = time.monotonic()
            except psycopg.Error:
                if time.monotonic() - renewed_at > lease.seconds:
                    lost()

    thread = threading.Thread(target=renew, daemon=True, name="lease")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        lease.release()
