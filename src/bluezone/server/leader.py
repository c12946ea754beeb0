# SPDX-License-Identifier: Apache-2.0
"""Leadership: of all workers on the same stores one leads, and the others stand by and take over when it is gone.

The leader has a lock file of the data folder, and on PostgreSQL also a lease in the database. The lease works across
machines, and expires by the database's clock if it is not renewed.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluezone.keyserver.locks import lock_file
from bluezone.keyserver.storage.store import LIBPQ_OPTIONS
from bluezone.logs import event_fields

if TYPE_CHECKING:
    from bluezone.keyserver.storage.leases import Lease

log = logging.getLogger(__name__)

# The name of the lease, and of the lock file.
WORKER = "worker"
POLL_SECONDS = 2.0
# A leader that takes longer than this for a round is considered hung: its lease is not renewed any more.
PATIENCE_SECONDS = 900.0


class Leadership:
    """The right of a worker to lead all workers of one duty.

    parameters: arguments of psycopg.connect for the database with the lease, None on SQLite. on_lost: called from
    another thread when this worker loses the lead. duty: the name of the lock file and of the lease.
    """

    def __init__(
        self,
        folder: Path,
        parameters: dict[str, Any] | None,
        on_lost: Callable[[], object] = lambda: None,
        duty: str = WORKER,
    ) -> None:
        self._folder = folder
        self._parameters = parameters
        self._on_lost = on_lost
        self._duty = duty
        self._resources = ExitStack()
        self._lease: Lease | None = None
        self._last_round = 0.0
        self._logged = ""

    def acquire(self) -> bool:
        """Try to lead; returns whether this worker leads now, False if the database or the folder cannot be used."""
        with ExitStack() as attempt:
            try:
                is_locked = attempt.enter_context(lock_file(self._folder / f"{self._duty}.lock", wait=False))
            except OSError as error:
                self._log_once(f"{self._duty}.lock cannot be opened: {error.strerror}")
                return False
            if not is_locked:
                return False
            if self._parameters is not None and not self._take_lease(attempt, self._parameters):
                return False
            self._resources = attempt.pop_all()
            self._logged = ""
        return True

    def renew(self) -> bool:
        """Renew the lead; returns whether this worker still leads. Call it in each round."""
        self._last_round = time.monotonic()
        if self._lease is None:
            return True
        import psycopg

        try:
            return self._lease.renew()
        except psycopg.Error:
            return False

    def release(self) -> None:
        """Let another worker lead."""
        self._lease = None
        self._resources.close()

    def _log_once(self, sentence: str) -> None:
        """Log why this worker cannot lead, unless that was the last reason."""
        if sentence != self._logged:
            log.warning("%s", sentence, extra=event_fields("lead_refused", duty=self._duty))
        self._logged = sentence

    def _take_lease(self, attempt: ExitStack, parameters: dict[str, Any]) -> bool:
        import psycopg

        from bluezone.keyserver.storage.leases import Lease, keep_renewed

        lease = Lease(lambda: psycopg.connect(**{**parameters, **LIBPQ_OPTIONS, "autocommit": True}), self._duty)
        try:
            if not lease.acquire():
                lease.release()
                return False
        except psycopg.Error:
            lease.release()
            return False
        self._lease = lease
        self._last_round = time.monotonic()
        attempt.enter_context(keep_renewed(lease, self._is_making_rounds, self._on_lost))
        return True

    def _is_making_rounds(self) -> bool:
        return time.monotonic() - self._last_round < PATIENCE_SECONDS


def lead_when_free(lead: Leadership, stopped: threading.Event, meanwhile: Callable[[], object] = lambda: None) -> bool:
    """Wait until this worker leads; False if it was stopped first. meanwhile: called after each failed try."""
    while not stopped.is_set():
        if lead.acquire():
            return True
        meanwhile()
        stopped.wait(POLL_SECONDS)
    return False
