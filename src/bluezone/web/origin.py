# SPDX-License-Identifier: Apache-2.0
"""One origin as a process, granian until SIGTERM: `python -m bluezone.web.origin public|office HOST PORT [CERT KEY]`.

With a certificate and its key it speaks TLS alone; SIGHUP reads both again.
"""

import multiprocessing
import sys
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import Interfaces, SSLProtocols
from granian.log import LogLevels

from bluezone.web.assets import STATIC_FOLDER, static_url
from bluezone.web.lifeline import end_with_multiprocessing_parent, end_with_parent

THREADS = 4
STOP_SECONDS = 5
KEEP_STATIC_SECONDS = 365 * 86_400


def public() -> Any:
    """The public origin's callable, opened, in granian's worker process."""
    from bluezone.web.wsgi_public import application

    end_with_multiprocessing_parent()
    application.open()
    return application


def office() -> Any:
    """The office origin's callable, opened, in granian's worker process."""
    from bluezone.web.wsgi_office import application

    end_with_multiprocessing_parent()
    application.open()
    return application


def serve(origin: str, host: str, port: int, certificate: Path | None = None, key: Path | None = None) -> None:
    """Serve one origin until SIGTERM. No access log: there is no line per user anywhere."""
    Granian(
        f"bluezone.web.origin:{origin}",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        log_access=False,
        log_level=LogLevels.warning,
        workers_kill_timeout=STOP_SECONDS,
        ssl_cert=certificate,
        ssl_key=key,
        # Phones before Android 10 know no TLS 1.3.
        ssl_protocol_min=SSLProtocols.tls12,
        static_path_route=[static_url().rstrip("/")],
        static_path_mount=[STATIC_FOLDER],
        static_path_expires=KEEP_STATIC_SECONDS,
    ).serve()


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    end_with_parent()
    serve(sys.argv[1], sys.argv[2], int(sys.argv[3]), *map(Path, sys.argv[4:6]))
