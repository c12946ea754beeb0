# SPDX-License-Identifier: Apache-2.0
"""Run one part of the public origin as its own user until SIGTERM: codes, admission or pages.

`python -m bluezone.server.processes.part codes|admission|pages FOLDER --allow UID …`
"""

import argparse
import os
import signal
from pathlib import Path
from typing import Any

from bluezone import logs
from bluezone.keyserver.datafolder import RUN_FOLDER
from bluezone.keyserver.http import Application
from bluezone.keyserver.parts.process import VARIABLE, open_admission, open_codes
from bluezone.refusal import Refused
from bluezone.server.front.relay import part_server, socket_of
from bluezone.server.opening import open_stores
from bluezone.server.processes.lifeline import end_with_parent, name_process, report_ready
from bluezone.server.processes.origin import warm_up

_OPEN = {"codes": open_codes, "admission": open_admission}
PARTS = (*_OPEN, "pages")


def _application(part: str, folder: Path, tallies: int | None) -> Any:
    if part == "pages":
        from bluezone.web.wsgi_public import application

        application.open()
        warm_up(application, "/")
        return application
    parts = _OPEN[part](folder)
    if tallies is not None:
        parts.share_limits(tallies)
    return Application(parts)


def main() -> None:
    """Answer the requests that the public origin passes on, until SIGTERM."""
    parser = argparse.ArgumentParser(prog="bluezone.server.processes.part")
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--allow", type=int, action="append", required=True)
    for name in ("ready", "meters", "row"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--tallies", type=int)
    options = parser.parse_args()
    logs.configure_logging()
    name_process(options.part)
    os.environ[VARIABLE] = options.part
    try:
        application = open_stores(lambda: _application(options.part, options.folder, options.tallies))
    except Refused as refused:
        sentence = f"{options.part}: {refused.code}: {refused.message}"
        logs.log_event("part_refused", sentence, 40, code=refused.code, part=options.part)
        raise SystemExit(1) from None
    path = socket_of(options.folder / RUN_FOLDER, options.part)
    server = part_server(path, options.part, frozenset(options.allow), application)
    signal.signal(signal.SIGTERM, lambda *_: server.stop())
    end_with_parent()
    report_ready(options.ready)
    server.run()


if __name__ == "__main__":
    main()
