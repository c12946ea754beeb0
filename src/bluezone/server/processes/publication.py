# SPDX-License-Identifier: Apache-2.0
"""The process that publishes, if it has its own user: exports, packages, indexes and the public log.

It runs until SIGTERM, and publishes while it leads all processes of its kind.

`python -m bluezone.server.processes.publication FOLDER …`
"""

import argparse
import logging
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

from bluezone import logs
from bluezone.keyserver.parts.process import VARIABLE
from bluezone.keyserver.storage.opening import database_url
from bluezone.keyserver.ticks import Ticks, open_publication
from bluezone.logs import event_fields
from bluezone.refusal import Refused
from bluezone.server.leader import Leadership, lead_when_free
from bluezone.server.metrics.meters import Meters
from bluezone.server.opening import open_stores
from bluezone.server.processes.lifeline import end_with_parent, name_process, report_ready

log = logging.getLogger(__name__)

PUBLICATION = "publication"
TICK_SECONDS = 15.0
# The pause in a demo, as in the worker.
DEMO_TICK_SECONDS = 1.0


def publish_until(stopped: threading.Event, ticks: Ticks, meters: Meters, lead: Leadership) -> None:
    """Publish what is due until `stopped` or until another process leads; refused work is retried at the next tick."""
    pause = TICK_SECONDS if ticks.city.publish_period_seconds else DEMO_TICK_SECONDS
    while not stopped.is_set() and lead.renew():
        meters.set("publication_leading", 1)
        try:
            ticks.tick()
        except Refused as refused:
            meters.set("publication_failures_total", meters.gauge("publication_failures_total") + 1)
            extra = event_fields("publication_refused", code=refused.code)
            log.warning("publication: %s: %s", refused.code, refused.message, extra=extra)
        else:
            meters.set("publication_timestamp_seconds", time.time())
        stopped.wait(pause)
    meters.set("publication_leading", 0)


def _database() -> dict[str, Any] | None:
    """Parameters of the database with the lease: that of the keys store; None on SQLite."""
    url = database_url("keys")
    if url is None:
        return None
    from bluezone.keyserver.storage.postgresql import address_of

    return {"conninfo": address_of(url, "keys")}


def main() -> None:
    """Open the keys store and the published files, and publish until SIGTERM whenever this process leads."""
    logs.configure_logging()
    name_process(PUBLICATION)
    parser = argparse.ArgumentParser(prog="bluezone.server.processes.publication")
    parser.add_argument("folder", type=Path)
    for name in ("ready", "meters", "row"):
        parser.add_argument(f"--{name}", type=int, required=True)
    options = parser.parse_args()
    os.environ[VARIABLE] = PUBLICATION
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    end_with_parent()
    try:
        ticks = open_stores(lambda: open_publication(options.folder))
    except Refused as refused:
        sentence = f"{PUBLICATION}: {refused.code}: {refused.message}"
        logs.log_event("part_refused", sentence, 40, code=refused.code, part=PUBLICATION)
        raise SystemExit(1) from None
    meters = Meters.attach(options.meters)
    # A process that was killed could not reset this.
    meters.set("publication_leading", 0)
    lead = Leadership(ticks.notes.folder, _database(), lambda: meters.set("publication_leading", 0), PUBLICATION)
    report_ready(options.ready)
    try:
        while lead_when_free(lead, stopped):
            publish_until(stopped, ticks, meters, lead)
            lead.release()
    finally:
        ticks.close()


if __name__ == "__main__":
    main()
