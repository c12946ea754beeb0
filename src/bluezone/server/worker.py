# SPDX-License-Identifier: Apache-2.0
"""The worker process: while it leads all workers, it ticks the key server and does the recurring work of the duties."""

import argparse
import datetime
import logging
import signal
import threading
import time
from collections.abc import Sequence

from django.db import DatabaseError, close_old_connections, connection

from bluezone import logs
from bluezone.city_settings import data_folder
from bluezone.duties import catalogue
from bluezone.duties.duty import load as load_call
from bluezone.keyserver.configs.applied_settings import SettingsOutdated
from bluezone.keyserver.publication.log.witnesses import WitnessRounds
from bluezone.keyserver.push import Subscription
from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.storage.store import StoreRefused
from bluezone.logs import event_fields, log_event
from bluezone.messaging.announcer import Announcer, Outcome, Provider, announce_until_stopped
from bluezone.refusal import Refused
from bluezone.server.leader import Leadership, lead_when_free
from bluezone.server.metrics.meters import Meters
from bluezone.server.metrics.survey import Survey
from bluezone.server.opening import open_stores
from bluezone.server.preparation import open_office
from bluezone.server.processes.lifeline import end_with_parent, name_process, report_ready
from bluezone.server.recurring_work import RecurringWork
from bluezone.timekeeping import ClockDoubted

log = logging.getLogger(__name__)

TICK_SECONDS = 15.0
# A city that publishes at every tick is a demonstration: people watch and wait.
DEMO_TICK_SECONDS = 1.0
# How long a worker that cannot sign for the city lets other workers lead before it tries again.
STAND_BACK_SECONDS = 60.0


def tick_until(
    stopped: threading.Event, server: KeyServer, survey: Survey, rounds: RecurringWork, lead: Leadership
) -> None:
    """Tick until `stopped` or until this worker no longer leads; refused work is tried again at the next tick.

    Ends after one round if this worker's settings are outdated or its folder is not the one in the database.
    """
    pause = TICK_SECONDS if server.city.publish_period_seconds else DEMO_TICK_SECONDS
    witnesses = WitnessRounds(lambda: server.public_log)
    while not stopped.is_set() and lead.renew():
        started_at = time.monotonic()
        survey.record_lead()
        # A connection that PostgreSQL has ended (restart, idle limit) would otherwise fail at every later tick.
        close_old_connections()
        try:
            is_clock_trusted = _tick(server, survey)
            # Only after the work that phones wait for; each witness is called in a separate thread.
            witnesses.start_round()
            now = datetime.datetime.now(datetime.UTC)
            is_work_done = rounds.run(now, time.monotonic(), hourly=is_clock_trusted)
        except Refused as refused:
            survey.record_failure()
            extra = event_fields("tick_refused", code=refused.code)
            log.warning("tick: %s: %s", refused.code, refused.message, extra=extra)
        except DatabaseError as error:
            survey.record_failure()
            extra = event_fields("tick_refused", code="office_unavailable")
            log.warning("tick: office_unavailable: %s", type(error).__name__, extra=extra)
        else:
            if is_work_done and is_clock_trusted:
                survey.record_tick(started_at)
            else:
                survey.record_failure()
        survey.measure(server.clock())
        if server.governance.settings_outdated or server.ticks.folder_differs:
            return
        stopped.wait(pause)
    if not stopped.is_set():
        # The lead was lost with the database: while no worker leads, the monitor reads this last measurement.
        survey.measure(server.clock())


def _tick(server: KeyServer, survey: Survey) -> bool:
    """Tick; return whether the clock can be trusted. Raises StoreRefused."""
    try:
        server.tick()
    except SettingsOutdated as refused:
        # Another host has newer settings and does what is due; this one purges, sends its mail, and stops leading.
        log.error("tick: %s: %s", refused.code, refused.message, extra=event_fields("settings_outdated"))
    except ClockDoubted as refused:
        survey.record_clock(doubted=True)
        log.error("tick: %s: %s", refused.code, refused.message, extra=event_fields("clock_doubted"))
        return False
    survey.record_clock(doubted=False)
    return True


class _CityProvider:
    """Calls the browsers' push services. Their library takes a fifth of a start, so it is loaded at the first call."""

    def __init__(self, server: KeyServer) -> None:
        self._server = server
        self._provider: Provider | None = None

    def send(self, subscriptions: Sequence[Subscription], body: str) -> list[Outcome]:
        """Send one message to each subscription; returns the outcomes in their order."""
        if self._provider is None:
            from bluezone.messaging.webpush import WebPushProvider

            # The port is left out, because the library that signs refuses an address with a port.
            contact = f"https://{self._server.city.public_host.rsplit(':', 1)[0]}"
            self._provider = WebPushProvider(self._server.secrets.push_key, contact)
        return self._provider.send(subscriptions, body)


def make_announcer(server: KeyServer) -> Announcer:
    """The announcer that calls the browsers' push services in the city's name."""
    return Announcer(server, _CityProvider(server))


def work_until(stopped: threading.Event, server: KeyServer, meters: Meters, lead: Leadership) -> None:
    """Tick, send push messages and run the duties' own threads, as long as this worker leads."""
    ended = threading.Event()
    announcer = make_announcer(server)
    threads = [
        threading.Thread(target=announce_until_stopped, args=(ended, server, announcer), name="web push"),
        *(threading.Thread(target=load_call(work.call), args=(ended,), name=work.name) for work in catalogue.threads()),
    ]
    for thread in threads:
        thread.start()
    try:
        tick_until(stopped, server, Survey(server, meters, announcer), RecurringWork.of_duties(meters), lead)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
        meters.set("worker_leading", 0)


def _sync(server: KeyServer) -> None:
    try:
        server.ticks.sync()
    except StoreRefused:
        # Not logged here, every two seconds: other code reports that the database does not answer.
        return
    except Refused as refused:
        log.warning(
            "tick: %s: %s", refused.code, refused.message, extra=event_fields("tick_refused", code=refused.code)
        )


def load(_part: str) -> None:
    """Import modules that ticks would import later."""
    from bluezone.messaging.email import outbox  # noqa: F401
    from bluezone.messaging.sms import sender  # noqa: F401


def main() -> None:
    """Open this data folder's key server and office, and work until SIGTERM whenever this worker leads."""
    logs.configure_logging()
    name_process("worker")
    parser = argparse.ArgumentParser(prog="bluezone.server.worker")
    for name in ("ready", "meters", "row"):
        parser.add_argument(f"--{name}", type=int, required=True)
    options = parser.parse_args()
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    end_with_parent()
    folder = data_folder()
    open_office(folder)
    server = open_stores(lambda: KeyServer.open(folder))
    meters = Meters.attach(options.meters)
    # A worker that was killed could not reset this.
    meters.set("worker_leading", 0)
    meters.set("settings_outdated", server.governance.settings_outdated)
    parameters = connection.get_connection_params() if connection.vendor == "postgresql" else None
    lead = Leadership(folder, parameters, on_lost=lambda: meters.set("worker_leading", 0))
    report_ready(options.ready)
    try:
        while lead_when_free(lead, stopped, lambda: _sync(server)):
            log_event("worker_leads", "worker: at work")
            work_until(stopped, server, meters, lead)
            lead.release()
            log_event("worker_rests", "worker: no longer at work")
            if server.governance.settings_outdated or server.ticks.folder_differs:
                stopped.wait(STAND_BACK_SECONDS)
    finally:
        server.close()


if __name__ == "__main__":
    main()
