# SPDX-License-Identifier: Apache-2.0
"""The tick as a process: what is due again and again, for the key server and for the office."""

import argparse
import datetime
import logging
import signal
import threading
import time
from pathlib import Path

from django.db import DatabaseError, close_old_connections, connection

from bluezone import logs
from bluezone.city import data_folder
from bluezone.keyserver.service import KeyServer
from bluezone.logs import event, say
from bluezone.messaging.webpush.announcements import announce_until, announcer_of
from bluezone.refusal import Refused
from bluezone.server.metrics.meters import Meters
from bluezone.server.metrics.survey import Survey
from bluezone.server.preparation import open_office
from bluezone.server.processes.lifeline import end_with_parent, name_process, say_ready
from bluezone.server.schedule.leader import Lead, lead_when_free

log = logging.getLogger(__name__)

TICK_SECONDS = 15.0
# A city that publishes at every tick is a demo, and somebody is waiting in front of it.
HASTY_TICK_SECONDS = 1.0
PURGE_SECONDS = 3600.0


def tick_until(stopped: threading.Event, server: KeyServer, survey: Survey, lead: Lead) -> None:
    """Tick until `stopped` or until this worker leads no longer; what is refused is tried again at the next tick."""
    pause = TICK_SECONDS if server.city.publish_period_seconds else HASTY_TICK_SECONDS
    purged = -PURGE_SECONDS
    while not stopped.is_set() and lead.kept():
        begun = time.monotonic()
        survey.leading()
        # A connection that PostgreSQL has ended (restart, idle limit) would otherwise fail at every later tick.
        close_old_connections()
        try:
            server.tick()
            if time.monotonic() - purged >= PURGE_SECONDS:
                do_hourly(server.data_dir, datetime.datetime.now(datetime.UTC))
                purged = time.monotonic()
            send_mail(datetime.datetime.now(datetime.UTC))
        except Refused as refused:
            survey.failed()
            said = event("tick_refused", code=refused.code)
            log.warning("tick: %s: %s", refused.code, refused.message, extra=said)
        except DatabaseError as error:
            survey.failed()
            said = event("tick_refused", code="office_unavailable")
            log.warning("tick: office_unavailable: %s", type(error).__name__, extra=said)
        else:
            survey.ticked(begun)
        survey.measure(server.clock())
        stopped.wait(pause)
    if not stopped.is_set():
        # Lost with the database: while nobody leads, what was measured last is what the monitor is told.
        survey.measure(server.clock())


def do_hourly(data_dir: Path, now: datetime.datetime) -> None:
    """What the office forgets and plans."""
    purge_office(now)
    purge_backups(data_dir, now)
    plan_airings(now)
    queue_digests(now)


def send_mail(now: datetime.datetime) -> None:
    """Hand what waits in the outbox to the city's mail server."""
    from bluezone.messaging.email.delivery import deliver_due

    deliver_due(now)


def queue_digests(now: datetime.datetime) -> None:
    """Queue the one mail of the day that says what waits at each agency."""
    from bluezone.rollout.directives.inbox.digests import queue_daily

    queue_daily(now)


def plan_airings(now: datetime.datetime) -> None:
    """Give the bulletins of the coming days their times, so that loudspeakers always know two days ahead."""
    from bluezone.rollout.bulletins.api import plan_ahead

    plan_ahead(now)


def purge_office(now: datetime.datetime) -> None:
    """Delete from the office what has had its time."""
    from bluezone import training
    from bluezone.devices import retention as devices_retention
    from bluezone.directory import retention as agencies_retention
    from bluezone.healthauthority import retention as codes_retention
    from bluezone.identity import retention as accounts_retention
    from bluezone.messaging.email import retention as email_retention
    from bluezone.messaging.sms import retention as sms_retention
    from bluezone.rollout.bulletins import retention as bulletins_retention
    from bluezone.rollout.canvass import retention as canvass_retention
    from bluezone.rollout.directives import retention as directives_retention
    from bluezone.rollout.drives import retention as help_retention
    from bluezone.rollout.gates import retention as gates_retention
    from bluezone.rollout.schools import retention as schools_retention
    from bluezone.rollout.staffing import retention as staffing_retention
    from bluezone.rollout.venues import retention as venues_retention
    from bluezone.rollout.visitors import retention as visitors_retention

    training.erase(now)
    accounts_retention.purge(now)
    agencies_retention.purge(now)
    canvass_retention.purge(now)
    bulletins_retention.purge(now)
    codes_retention.purge(now)
    devices_retention.purge(now)
    directives_retention.purge(now)
    email_retention.purge(now)
    gates_retention.purge(now)
    sms_retention.purge(now)
    help_retention.purge(now)
    schools_retention.purge(now)
    staffing_retention.purge(now)
    visitors_retention.purge(now)
    venues_retention.purge(now)


def purge_backups(data_dir: Path, now: datetime.datetime) -> None:
    """Destroy the keys of backups that have had their time, and the files of the folder that no key opens any more."""
    from bluezone.backup.copies import forget_backups
    from bluezone.backup.keys import forget

    forget(data_dir, now.date())
    forget_backups(data_dir, now.date())


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
        tick_until(stopped, server, Survey(server, meters, announcer), lead)
    finally:
        ended.set()
        for thread in beside:
            thread.join()
        meters.set("worker_leading", 0)


def load(_part: str) -> None:
    """Import what ticks import late."""
    from bluezone.messaging.email import delivery  # noqa: F401
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
    lead = Lead(folder, connection.get_connection_params() if connection.vendor == "postgresql" else None)
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
