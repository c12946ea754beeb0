# SPDX-License-Identifier: Apache-2.0
"""What the worker does for the duties again and again, each work by itself: one that fails stops no other."""

import datetime
import logging
from collections.abc import Sequence

from django.db import connections

from bluezone.duties import catalogue
from bluezone.duties.duty import Work, load
from bluezone.logs import event
from bluezone.refusal import Refused
from bluezone.server.metrics.meters import Meters

log = logging.getLogger(__name__)

HOURLY_SECONDS = 3600.0
# What failed is tried again this soon: late enough not to fill the log, early enough to keep the promise to forget.
RETRY_SECONDS = 300.0


class PurgeFailed(Refused):
    """Something that should have been forgotten is still there; the log says why."""

    code = "purge_failed"


class Rounds:
    """The works of one worker. Meters say of each when it last succeeded, and how often it failed.

    hourly: done once an hour. every_tick: done in every round.
    """

    def __init__(self, meters: Meters, hourly: Sequence[Work], every_tick: Sequence[Work]) -> None:
        self._meters, self._hourly, self._every_tick = meters, hourly, every_tick
        self._due: dict[str, float] = {}

    @classmethod
    def of_duties(cls, meters: Meters) -> "Rounds":
        """What the duties name, purges first."""
        return cls(meters, [*catalogue.purges(), *catalogue.hourly()], catalogue.every_tick())

    def run(self, now: datetime.datetime, seconds: float, forget: bool = True) -> bool:
        """Do what is due. seconds: of a clock that only goes forward. False: a work of every round failed.

        forget: False leaves out what is done once an hour, where `now` cannot be believed.
        """
        for work in self._hourly if forget else ():
            if seconds >= self._due.get(work.name, seconds):
                self._due[work.name] = seconds + (HOURLY_SECONDS if self._do(work, now) else RETRY_SECONDS)
        # None is left out because one before it failed.
        done = [self._do(work, now) for work in self._every_tick]
        return all(done)

    def _do(self, work: Work, now: datetime.datetime) -> bool:
        if do(work, now):
            self._meters.set(f"work_timestamp_seconds_{work.name}", now.timestamp())
            return True
        failures = f"work_failures_total_{work.name}"
        self._meters.set(failures, self._meters.gauge(failures) + 1)
        return False


def do(work: Work, now: datetime.datetime) -> bool:
    """Do one work; False, and an entry in the log, where it failed."""
    # A connection that the work before lost must not fail this one, too.
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
    try:
        load(work.call)(now)
    except Exception:
        log.exception("%s failed", work.name, extra=event("work_failed", work=work.name))
        return False
    return True


def purge_office(now: datetime.datetime, works: Sequence[Work] | None = None) -> None:
    """Delete from the office what has had its time. Raises PurgeFailed, after all the others are done.

    works: the purges, those of the duties by default.
    """
    failed = [work.name for work in (catalogue.purges() if works is None else works) if not do(work, now)]
    if failed:
        raise PurgeFailed(f"could not be done: {', '.join(failed)}")
