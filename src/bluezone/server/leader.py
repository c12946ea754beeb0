# SPDX-License-Identifier: Apache-2.0
"""Of all workers on the same stores one leads; the others stand by and take over when it is gone.

A worker holds a lock file of the data folder, and on PostgreSQL a lease of the database as well: that one holds for
machines, too, and ends by the database's clock when it is not renewed, whatever became of its holder.
"""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluezone.keyserver.datafolder import only_one
from bluezone.keyserver.storage.store import ALIVE

if TYPE_CHECKING:
    from bluezone.keyserver.storage.leases import Lease

# The name of the lease, and of the lock file.
WORKER = "worker"
LOOK_SECONDS = 2.0
# A leader whose round does not end in this time is taken for one that hangs, and renews its lease no longer.
PATIENCE_SECONDS = 900.0


class Lead:
    """Whether this worker leads. parameters: of psycopg for the office's database, None on SQLite.

    lost: called, from another thread, when this worker leads no longer whatever it is busy with. duty: in what.
    """

    def __init__(
        self,
        folder: Path,
        parameters: dict[str, Any] | None,
        lost: Callable[[], object] = lambda: None,
        duty: str = WORKER,
    ) -> None:
        self._folder, self._parameters, self._lost, self._duty = folder, parameters, lost, duty
        self._held = ExitStack()
        self._lease: Lease | None = None
        self._asked = 0.0

    def take(self) -> bool:
        """Try to lead; whether this worker leads now. A database that does not answer counts as no."""
        with ExitStack() as attempt:
            if not attempt.enter_context(only_one(self._folder / f"{self._duty}.lock", wait=False)):
                return False
            if self._parameters is not None and not self._take_lease(attempt, self._parameters):
                return False
            self._held = attempt.pop_all()
        return True

    def kept(self) -> bool:
        """Whether it still leads; asked at each round, which is how the lease knows that rounds are made."""
        self._asked = time.monotonic()
        if self._lease is None:
            return True
        import psycopg

        try:
            return self._lease.renew()
        except psycopg.Error:
            return False

    def release(self) -> None:
        """Let another lead."""
        self._lease = None
        self._held.close()

    def _take_lease(self, attempt: ExitStack, parameters: dict[str, Any]) -> bool:
        import psycopg

        from bluezone.keyserver.storage.leases import Lease, renewed

        lease = Lease(lambda: psycopg.connect(**{**parameters, **ALIVE, "autocommit": True}), self._duty)
        try:
            if not lease.take():
                lease.release()
                return False
        except psycopg.Error:
            lease.release()
            return False
        self._lease, self._asked = lease, time.monotonic()
        attempt.enter_context(renewed(lease, self._makes_rounds, self._lost))
        return True

    def _makes_rounds(self) -> bool:
        return time.monotonic() - self._asked < PATIENCE_SECONDS


def lead_when_free(lead: Lead, stopped: threading.Event, meanwhile: Callable[[], object] = lambda: None) -> bool:
    """Wait until this worker leads; False when it was stopped before. meanwhile: done at each look."""
    while not stopped.is_set():
        if lead.take():
            return True
        meanwhile()
        stopped.wait(LOOK_SECONDS)
    return False
