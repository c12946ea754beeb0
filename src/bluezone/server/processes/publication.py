# SPDX-License-Identifier: Apache-2.0
"""The process that publishes, where it has a user of its own: exports, packages, indexes and the public log, again and
again until SIGTERM, while it leads all of its kind.

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
from bluezone.keyserver.parts import PUBLICATION, VARIABLE, open_publication
from bluezone.keyserver.sealing import database_url
from bluezone.keyserver.service import KeyServer
from bluezone.logs import event
from bluezone.refusal import Refused
from bluezone.server.leader import Lead, lead_when_free
from bluezone.server.metrics.meters import Meters
from bluezone.server.processes.lifeline import end_with_parent, name_process, say_ready

log = logging.getLogger(__name__)

TICK_SECONDS = 15.0
# As the worker's, of a demo.
HASTY_TICK_SECONDS = 1.0


def publish_until(stopped: threading.Event, server: KeyServer, meters: Meters, lead: Lead) -> None:
    """Publish what is due until `stopped` or until another leads; what is refused is tried again at the next tick."""
    pause = TICK_SECONDS if server.city.publish_period_seconds else HASTY_TICK_SECONDS
    while not stopped.is_set() and lead.kept():
        meters.set("publication_leading", 1)
        try:
            server.tick()
        except Refused as refused:
            meters.set("publication_failures_total", meters.gauge("publication_failures_total") + 1)
            said = event("publication_refused", code=refused.code)
            log.warning("publication: %s: %s", refused.code, refused.message, extra=said)
        else:
            meters.set("publication_timestamp_seconds", time.time())
        stopped.wait(pause)
    meters.set("publication_leading", 0)


def _database() -> dict[str, Any] | None:
    """Where the one that leads is found on PostgreSQL: in the keys store, the only one that this process has."""
    url = database_url("keys")
    if url is None:
        return None
    from bluezone.keyserver.storage.postgresql import address_of

    return {"conninfo": address_of(url, "keys")}


def main() -> None:
    """Open the keys store and the published files, and publish until SIGTERM whenever no other process does."""
    logs.begin()
    name_process(PUBLICATION)
    parser = argparse.ArgumentParser(prog="bluezone.server.processes.publication")
    parser.add_argument("folder", type=Path)
    for name in ("ready", "meters", "row"):
        parser.add_argument(f"--{name}", type=int, required=True)
    given = parser.parse_args()
    os.environ[VARIABLE] = PUBLICATION
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopped.set())
    end_with_parent()
    try:
        server = open_publication(given.folder)
    except Refused as refused:
        said = f"{PUBLICATION}: {refused.code}: {refused.message}"
        logs.say("part_refused", said, 40, code=refused.code, part=PUBLICATION)
        raise SystemExit(1) from None
    meters = Meters.attach(given.meters)
    # One that was cut off could not say that it leads no longer.
    meters.set("publication_leading", 0)
    lead = Lead(server.notes.folder, _database(), lambda: meters.set("publication_leading", 0), PUBLICATION)
    say_ready(given.ready)
    try:
        while lead_when_free(lead, stopped):
            publish_until(stopped, server, meters, lead)
            lead.release()
    finally:
        server.close()


if __name__ == "__main__":
    main()
