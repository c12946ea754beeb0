# SPDX-License-Identifier: Apache-2.0
"""A key server as a process that can be killed: granian serves, and a thread publishes all the time.

Run as `python tests/keyserver/killable.py FOLDER PORT`; prints nothing, ends only when killed.
"""

import os
import sys
import threading
import time
from contextlib import suppress

from bluezone.keyserver.http import Application
from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.storage.store import StoreRefused

_FOLDER = "BLUEZONE_TEST_KILLABLE"


def application(environ, start_response):
    return Application(_server().parts)(environ, start_response)


def _tick_for_ever(server):
    while True:
        with suppress(StoreRefused):
            server.tick()
        time.sleep(0.02)


_opened = []
_opening = threading.Lock()


def _server():
    with _opening:
        if not _opened:
            server = KeyServer.open(os.environ[_FOLDER])
            threading.Thread(target=_tick_for_ever, args=(server,), daemon=True).start()
            _opened.append(server)
        return _opened[0]


if __name__ == "__main__":
    from granian import Granian
    from granian.constants import Interfaces

    os.environ[_FOLDER] = sys.argv[1]
    Granian(
        __file__ + ":application",
        port=int(sys.argv[2]),
        interface=Interfaces.WSGI,
        blocking_threads=4,
        log_enabled=False,
    ).serve()
