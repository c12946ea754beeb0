# SPDX-License-Identifier: Apache-2.0
"""The key server alone under granian, for bench_upload: `python upload_server.py FOLDER PORT`."""

import os
import sys
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from bluezone.keyserver.service import KeyServer

_FOLDER = "BLUEZONE_BENCH_FOLDER"


@cache
def _server() -> KeyServer:
    return KeyServer.open(os.environ[_FOLDER])


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    return _server().application(environ, start_response)


if __name__ == "__main__":
    from granian import Granian
    from granian.constants import Interfaces

    os.environ[_FOLDER] = sys.argv[1]
    target = f"{__file__}:application"
    Granian(target, port=int(sys.argv[2]), interface=Interfaces.WSGI, blocking_threads=4, log_enabled=False).serve()
