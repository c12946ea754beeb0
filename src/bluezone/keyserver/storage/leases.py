# SPDX-License-Identifier: Apache-2.0
"""Leases on PostgreSQL: a row of the table `lease` says who may do something, and until when by the database's clock.

No session holds anything, so a pooler may stand between, and a process that is frozen or cut off loses the lease when
its time is over. Each time that it is taken the row's `fence` grows; a transaction that names an older one is refused.
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

# Renewed three times as often. A leader that is gone is followed after this long.
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
# Asked last in a transaction: until it is committed nobody else can take the lease.
_FENCED = "SELECT 1 FROM lease WHERE name = %(name)s AND holder = %(holder)s AND fence = %(fence)s FOR SHARE"

Connect = Callable[[], "psycopg.Connection[Any]"]


class TurnLost(StoreRefused):
    """Another process has taken the turn meanwhile; nothing was stored."""

    code = "turn_lost"


class Lease:
    """One lease as one process sees it. connect: opens a connection in autocommit; it is opened anew when it is lost.

    Its methods may be called from several threads; each raises psycopg.Error where the database does not answer.
    """

    def __init__(self, connect: Connect, name: str, seconds: float = LEASE_SECONDS) -> None:
        self._connect = connect
        self._values: dict[str, Any] = {"name": name, "for": seconds, "holder": secrets.token_hex(16), "fence": 0}
        self._one_at_a_time = threading.Lock()
        self._connection: psycopg.Connection[Any] | None = None
        self.seconds = seconds

    def take(self) -> bool:
        """Take it if it is free; whether it is held now."""
        try:
            found = self._run(_TAKE)
        except errors.UndefinedTable:
            # Two that begin at once may both find it missing; the second is told by a unique index.
            with suppress(errors.UniqueViolation, errors.DuplicateTable):
                self._run(_TABLE)
            found = self._run(_TAKE)
        if found:
            self._values["fence"] = found[0][0]
        return bool(found)

    def take_within(self, seconds: float) -> bool:
        """Try until it is held; False after so many seconds, 0: one try."""
        deadline = time.monotonic() + seconds
        while not self.take():
            if time.monotonic() >= deadline:
                return False
            time.sleep(_WAIT_SECONDS)
        return True

    def renew(self) -> bool:
        """Hold it for the whole time again; False if another has taken it."""
        return bool(self._run(_RENEW))

    def release(self) -> None:
        """Let another take it at once; where the database is away it ends by itself."""
        with suppress(psycopg.Error):
            self._run(_RELEASE)
        with self._one_at_a_time:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def fence(self, connection: "psycopg.Connection[Any]") -> None:
        """Let the transaction of this connection be committed only by who holds the lease. Raises TurnLost."""
        if not connection.execute(_FENCED, self._values).fetchall():
            raise TurnLost("another process has taken the turn; nothing was stored")

    def _run(self, statement: str) -> list[Any]:
        with self._one_at_a_time:
            if self._connection is None or self._connection.closed:
                self._connection = self._connect()
            try:
                cursor = self._connection.execute(statement, self._values, prepare=False)
                return cursor.fetchall() if cursor.description else []
            except psycopg.OperationalError:
                self._connection.close()
                raise


@contextmanager
def renewed(
    lease: Lease, goes_on: Callable[[], bool] = lambda: True, lost: Callable[[], object] = lambda: None
) -> Iterator[None]:
    """Renew a lease that is held, from a thread, for as long as `goes_on` says so; let it go at the end.

    lost: called from that thread when another has it, or may have because the database does not answer.
    """
    ended = threading.Event()

    def renew() -> None:
        held_at = time.monotonic()
        while not ended.wait(lease.seconds / 3):
            try:
                if not (goes_on() and lease.renew()):
                    lost()
                    return
                held_at = time.monotonic()
            except psycopg.Error:
                if time.monotonic() - held_at > lease.seconds:
                    lost()

    thread = threading.Thread(target=renew, daemon=True, name="lease")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        lease.release()
