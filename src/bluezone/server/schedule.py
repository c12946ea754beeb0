# SPDX-License-Identifier: Apache-2.0
"""What the worker does again and again, while it leads all workers; each work runs apart from the others."""

import argparse
import datetime
import logging
import signal
import threading
import time
from collections.abc import Sequence

from django.db import DatabaseError, close_old_connections, connection, connections

from bluezone import logs
from bluezone.city import data_folder
from bluezone.duties import catalogue
from bluezone.duties.duty import Work
from bluezone.duties.duty import load as loaded
from bluezone.keyserver.configuration import SettingsOutdated
from bluezone.keyserver.publication.witnesses import WitnessRounds
from bluezone.keyserver.push import Subscription
from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.storage.store import StoreRefused
from bluezone.logs import event, say
from bluezone.messaging.announcer import Announcer, Outcome, Provider, announce_until
from bluezone.refusal import Refused
from bluezone.server.leader import Lead, lead_when_free
from bluezone.server.metrics.meters import Meters
from bluezone.server.metrics.survey import Survey
from bluezone.server.preparation import open_office
from bluezone.server.processes.lifeline import end_with_parent, name_process, say_ready
from bluezone.timekeeping import ClockDoubted

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
    for opened in connections.all(initialized_only=True):
        if not opened.in_atomic_block:
            opened.close_if_unusable_or_obsolete()
    try:
        loaded(work.call)(now)
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


TICK_SECONDS = 15.0
# A city that publishes at every tick is a demo, and somebody is waiting in front of it.
HASTY_TICK_SECONDS = 1.0
# For so long a worker that can do nothing for the city lets others lead before it makes a round again.
STAND_BACK_SECONDS = 60.0


def tick_until(stopped: threading.Event, server: KeyServer, survey: Survey, rounds: Rounds, lead: Lead) -> None:
    """Tick until `stopped` or until this worker leads no longer; what is refused is tried again at the next tick.

    Ends after one round where this worker's settings are outdated or its folder is another than the database knows.
    """
    pause = TICK_SECONDS if server.city.publish_period_seconds else HASTY_TICK_SECONDS
    witnesses = WitnessRounds(lambda: server.public_log)
    while not stopped.is_set() and lead.kept():
        begun = time.monotonic()
        survey.leading()
        # A connection that PostgreSQL has ended (restart, idle limit) would otherwise fail at every later tick.
        close_old_connections()
        try:
            believed = _tick(server, survey)
            # After what phones wait for, and in threads of their own.
            witnesses.go_round()
            done = rounds.run(datetime.datetime.now(datetime.UTC), time.monotonic(), forget=believed) and believed
        except Refused as refused:
            survey.failed()
            said = event("tick_refused", code=refused.code)
            log.warning("tick: %s: %s", refused.code, refused.message, extra=said)
        except DatabaseError as error:
            survey.failed()
            said = event("tick_refused", code="office_unavailable")
            log.warning("tick: office_unavailable: %s", type(error).__name__, extra=said)
        else:
            if done:
                survey.ticked(begun)
            else:
                survey.failed()
        survey.measure(server.clock())
        if server.settings_outdated or server.folder_differs:
            return
        stopped.wait(pause)
    if not stopped.is_set():
        # Lost with the database: while nobody leads, what was measured last is what the monitor is told.
        survey.measure(server.clock())


def _tick(server: KeyServer, survey: Survey) -> bool:
    """Tick; whether the clock may be believed. Raises StoreRefused."""
    try:
        server.tick()
    except SettingsOutdated as refused:
        # Another host has newer ones and does what is due; this one forgets, sends its mail, and lets go.
        log.error("tick: %s: %s", refused.code, refused.message, extra=event("settings_outdated"))
    except ClockDoubted as refused:
        survey.clock(doubted=True)
        log.error("tick: %s: %s", refused.code, refused.message, extra=event("clock_doubted"))
        return False
    survey.clock(doubted=False)
    return True


class _InTheCitysName:
    """Calls the browsers' push services, and loads what that takes with the first call: a fifth of a start."""

    def __init__(self, server: KeyServer) -> None:
        self._server = server
        self._provider: Provider | None = None

    def send(self, subscriptions: Sequence[Subscription], body: str) -> list[Outcome]:
        """Send one message to each and say in their order what became of it."""
        if self._provider is None:
            from bluezone.messaging.webpush import WebPushProvider

            # Without a port: the signature's library takes none, and would end this thread.
            contact = f"https://{self._server.city.public_host.rsplit(':', 1)[0]}"
            self._provider = WebPushProvider(self._server.secrets.push_key, contact)
        return self._provider.send(subscriptions, body)


def announcer_of(server: KeyServer) -> Announcer:
    """The announcer that calls the browsers' push services in the city's name."""
    return Announcer(server, _InTheCitysName(server))


def work_until(stopped: threading.Event, server: KeyServer, meters: Meters, lead: Lead) -> None:
    """Tick, tell browsers and do what the duties do beside that, as long as this worker leads."""
    ended = threading.Event()
    announcer = announcer_of(server)
    beside = [
        threading.Thread(target=announce_until, args=(ended, server, announcer), name="web push"),
        *(threading.Thread(target=loaded(work.call), args=(ended,), name=work.name) for work in catalogue.beside()),
    ]
    for thread in beside:
        thread.start()
    try:
        tick_until(stopped, server, Survey(server, meters, announcer), Rounds.of_duties(meters), lead)
    finally:
        ended.set()
        for thread in beside:
            thread.join()
        meters.set("worker_leading", 0)


def _stay_alike(server: KeyServer) -> None:
    try:
        server.sync()
    except StoreRefused:
        # Every two seconds: that the database is away is said elsewhere.
        return
    except Refused as refused:
        log.warning("tick: %s: %s", refused.code, refused.message, extra=event("tick_refused", code=refused.code))


def load(_part: str) -> None:
    """Import what ticks import late."""
    from bluezone.messaging.email import outbox  # noqa: F401
    from bluezone.messaging.sms import sender  # noqa: F401


def main() -> None:
    """Open this data folder's key server and office, and work until SIGTERM whenever no other worker does."""
    logs.begin()
    name_process("worker")
    parser = argparse.ArgumentParser(prog="bluezone.server.schedule")
    for name in ("ready", "meters", "row"):
        parser.add_argument(f"--{name}", type=int, required=True)
    given = parser.parse_args()
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    end_with_parent()
    folder = data_folder()
    open_office(folder)
    server = KeyServer.open(folder)
    meters = Meters.attach(given.meters)
    # One that was cut off could not say that it leads no longer.
    meters.set("worker_leading", 0)
    meters.set("settings_outdated", server.settings_outdated)
    parameters = connection.get_connection_params() if connection.vendor == "postgresql" else None
    lead = Lead(folder, parameters, lost=lambda: meters.set("worker_leading", 0))
    say_ready(given.ready)
    try:
        while lead_when_free(lead, stopped, lambda: _stay_alike(server)):
            say("worker_leads", "worker: at work")
            work_until(stopped, server, meters, lead)
            lead.release()
            say("worker_rests", "worker: no longer at work")
            if server.settings_outdated or server.folder_differs:
                stopped.wait(STAND_BACK_SECONDS)
    finally:
        server.close()


if __name__ == "__main__":
    main()
