# SPDX-License-Identifier: Apache-2.0
"""The tick as a process: what is due again and again, for the key server and for the office."""

import argparse
import datetime
import logging
import signal
import threading
import time
from collections.abc import Sequence

from django.db import DatabaseError, close_old_connections, connection

from bluezone import logs
from bluezone.city import data_folder
from bluezone.keyserver.push import Subscription
from bluezone.keyserver.service import KeyServer
from bluezone.logs import event, say
from bluezone.messaging.announcer import Announcer, Outcome, Provider, announce_until
from bluezone.refusal import Refused
from bluezone.server.metrics.meters import Meters
from bluezone.server.metrics.survey import Survey
from bluezone.server.preparation import open_office
from bluezone.server.processes.lifeline import end_with_parent, name_process, say_ready
from bluezone.server.schedule.leader import Lead, lead_when_free
from bluezone.server.schedule.works import Rounds
from bluezone.timekeeping import ClockDoubted

log = logging.getLogger(__name__)

TICK_SECONDS = 15.0
# A city that publishes at every tick is a demo, and somebody is waiting in front of it.
HASTY_TICK_SECONDS = 1.0


def tick_until(stopped: threading.Event, server: KeyServer, survey: Survey, rounds: Rounds, lead: Lead) -> None:
    """Tick until `stopped` or until this worker leads no longer; what is refused is tried again at the next tick."""
    pause = TICK_SECONDS if server.city.publish_period_seconds else HASTY_TICK_SECONDS
    while not stopped.is_set() and lead.kept():
        begun = time.monotonic()
        survey.leading()
        # A connection that PostgreSQL has ended (restart, idle limit) would otherwise fail at every later tick.
        close_old_connections()
        try:
            believed = _tick(server, survey)
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
        stopped.wait(pause)
    if not stopped.is_set():
        # Lost with the database: while nobody leads, what was measured last is what the monitor is told.
        survey.measure(server.clock())


def _tick(server: KeyServer, survey: Survey) -> bool:
    """Tick; whether the clock may be believed. Raises StoreRefused."""
    try:
        server.tick()
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
    """Tick, send text messages and tell browsers, as long as this worker leads."""
    from bluezone.messaging.sms.sender import send_until

    ended = threading.Event()
    announcer = announcer_of(server)
    beside = [
        threading.Thread(target=announce_until, args=(ended, server, announcer), name="web push"),
        threading.Thread(target=send_until, args=(ended,), name="sms"),
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


def load(_part: str) -> None:
    """Import what ticks import late."""
    from bluezone.messaging.email import outbox  # noqa: F401
    from bluezone.messaging.sms import sender  # noqa: F401


def main() -> None:
    """Open this data folder's key server and office, and work until SIGTERM whenever no other worker does."""
    logs.begin()
    name_process("worker")
    parser = argparse.ArgumentParser(prog="bluezone.server.schedule.tick")
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
    parameters = connection.get_connection_params() if connection.vendor == "postgresql" else None
    lead = Lead(folder, parameters, lost=lambda: meters.set("worker_leading", 0))
    say_ready(given.ready)
    try:
        while lead_when_free(lead, stopped):
            say("worker_leads", "worker: at work")
            work_until(stopped, server, meters, lead)
            lead.release()
            say("worker_rests", "worker: no longer at work")
    finally:
        server.close()


if __name__ == "__main__":
    main()
