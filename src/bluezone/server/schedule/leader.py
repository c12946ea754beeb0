# SPDX-License-Identifier: Apache-2.0
"""Of all workers on the same stores one leads; the others stand by and take over when it is gone.

A worker holds a lock file of the data folder, and on PostgreSQL a lock of the database as well: that one holds for
machines, too, and the server lets go of it when the connection ends, however it ends.
"""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bluezone.keyserver.datafolder import only_one

LOCK_NAME = "worker.lock"
# A number of ours among the advisory locks of the database.
NUMBER = 0x626C75657A6F6E65
LOOK_SECONDS = 2.0


class Lead:
    """Whether this worker leads. parameters: of psycopg for the office's database, None on SQLite."""

    def __init__(self, folder: Path, parameters: dict[str, Any] | None) -> None:
        self._folder, self._parameters = folder, parameters
        self._held = ExitStack()
        self._connection: Any = None

    def take(self) -> bool:
        """Try to lead; whether this worker leads now. A database that does not answer counts as no."""
        with ExitStack() as attempt:
            if not attempt.enter_context(only_one(self._folder / LOCK_NAME, wait=False)):
                return False
            if self._parameters is not None:
                connection = attempt.enter_context(_connected(self._parameters))
                if connection is None or not _granted(connection):
                    return False
                self._connection = connection
            self._held = attempt.pop_all()
        return True

    def kept(self) -> bool:
        """Whether the lock still holds: as long as the session in which it was given lives."""
        return self._connection is None or _answers(self._connection)

    def release(self) -> None:
        """Let another lead."""
        self._held.close()
        self._connection = None


def lead_when_free(lead: Lead, stopped: threading.Event) -> bool:
    """Wait until this worker leads; False when it was stopped before."""
    while not stopped.is_set():
        if lead.take():
            return True
        stopped.wait(LOOK_SECONDS)
    return False


@contextmanager
def _connected(parameters: dict[str, Any]) -> Iterator[Any]:
    import psycopg

    # A machine that is cut off from the database notices within half a minute, and so does the database.
    alive: dict[str, Any] = {
        "autocommit": True,
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 25_000,
    }
    try:
        connection = psycopg.connect(**{**parameters, **alive})
    except psycopg.Error:
        yield None
        return
    try:
        yield connection
    finally:
        connection.close()


def _granted(connection: Any) -> bool:
    import psycopg

    try:
        return bool(connection.execute("SELECT pg_try_advisory_lock(%s)", (NUMBER,)).fetchone()[0])
    except psycopg.Error:
        return False


def _answers(connection: Any) -> bool:
    import psycopg

    try:
        connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True
