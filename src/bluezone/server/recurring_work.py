# SPDX-License-Identifier: Apache-2.0
"""The recurring work of the duties: purges, hourly work, work of every tick. If one fails, the others still run."""

import datetime
import logging
from collections.abc import Sequence

from django.db import InterfaceError, OperationalError, connection, connections

from bluezone.duties import catalogue
from bluezone.duties.duty import Work
from bluezone.duties.duty import load as load_call
from bluezone.keyserver.storage.store import StoreRefused
from bluezone.logs import event_fields
from bluezone.refusal import Refused
from bluezone.server.metrics.meters import Meters
from bluezone.shortage import is_shortage

log = logging.getLogger(__name__)

HOURLY_SECONDS = 3600.0
# How soon failed work is retried: late enough not to fill the log, early enough to delete data when promised.
RETRY_SECONDS = 300.0


class PurgeFailed(Refused):
    """Something that should have been purged is still there; the log says why."""

    code = "purge_failed"


class RecurringWork:
    """The recurring work of one worker. Meters record when each last succeeded, and how often it failed.

    hourly: run once an hour. every_tick: run in every round.
    """

    def __init__(self, meters: Meters, hourly: Sequence[Work], every_tick: Sequence[Work]) -> None:
        self._meters = meters
        self._hourly = hourly
        self._every_tick = every_tick
        self._due: dict[str, float] = {}

    @classmethod
    def of_duties(cls, meters: Meters) -> "RecurringWork":
        """The work that the duties name, purges first."""
        return cls(meters, [*catalogue.purges(), *catalogue.hourly()], catalogue.every_tick())

    def run(self, now: datetime.datetime, seconds: float, hourly: bool = True) -> bool:
        """Do what is due; False if some work of every tick failed. seconds: of a monotonic clock.

        hourly: False, for a doubtful `now`, omits the hourly work, including purges.
        """
        if hourly:
            self._run_hourly(now, seconds)
        # A list, because all() would stop at the first failure.
        successes = [self._run_work(work, now) for work in self._every_tick]
        return all(successes)

    def _run_hourly(self, now: datetime.datetime, seconds: float) -> None:
        for work in self._hourly:
            if seconds < self._due.get(work.name, seconds):
                continue
            pause = HOURLY_SECONDS if self._run_work(work, now) else RETRY_SECONDS
            self._due[work.name] = seconds + pause

    def _run_work(self, work: Work, now: datetime.datetime) -> bool:
        if run_work(work, now):
            self._meters.set(f"work_timestamp_seconds_{work.name}", now.timestamp())
            return True
        failures = f"work_failures_total_{work.name}"
        self._meters.set(failures, self._meters.gauge(failures) + 1)
        return False


def run_work(work: Work, now: datetime.datetime) -> bool:
    """Do some work; log it and return False if it fails."""
    # A connection that the previous work lost must not make this one fail, too.
    for open_connection in connections.all(initialized_only=True):
        if not open_connection.in_atomic_block:
            open_connection.close_if_unusable_or_obsolete()
    try:
        load_call(work.call)(now)
    except Exception as error:
        fields = event_fields("work_failed", work=work.name)
        if _is_passing(error):
            log.warning("%s failed: %s; it is tried again", work.name, type(error).__name__, extra=fields)
        else:
            log.exception("%s failed", work.name, extra=fields)
        return False
    return True


def _is_passing(error: Exception) -> bool:
    """Whether a store or the system was the reason, which ends without a change of the program."""
    # On SQLite an error of this class may also be a wrong statement.
    is_lost = connection.vendor == "postgresql" and isinstance(error, (OperationalError, InterfaceError))
    return is_lost or isinstance(error, StoreRefused) or is_shortage(error)


def purge_office(now: datetime.datetime, works: Sequence[Work] | None = None) -> None:
    """Delete expired data of the office. Raises PurgeFailed, after all purges have run.

    works: the purges, those of the duties by default.
    """
    if works is None:
        works = catalogue.purges()
    failed = [work.name for work in works if not run_work(work, now)]
    if failed:
        raise PurgeFailed(f"could not be done: {', '.join(failed)}")
