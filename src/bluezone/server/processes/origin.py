# SPDX-License-Identifier: Apache-2.0
"""One process of an origin, granian's worker until SIGTERM.

`python -m bluezone.server.processes.origin public|office HOST PORT …`

`serve` starts it and hands down the socket, the meters and a pipe on which it says that it is ready. With a certificate
and its key it speaks TLS alone. SIGUSR1: another process takes over; connections are let go one by one.
"""

import argparse
import importlib
import io
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from granian._granian import SocketHolder
from granian.constants import Interfaces, RuntimeModes, SSLProtocols
from granian.log import LogLevels
from granian.server.mp import MPServer

from bluezone import logs
from bluezone.server.metrics.answers import Measured, office_class, public_class
from bluezone.server.metrics.meters import Meters
from bluezone.server.processes.lifeline import end_with_parent, name_process, say_ready
from bluezone.server.processes.sockets import BACKLOG
from bluezone.web.assets import STATIC_FOLDER, static_url

THREADS = 4
KEEP_STATIC_SECONDS = 365 * 86_400
_TARGET = "bluezone.server.processes.origin"


class InThisProcess(MPServer):
    """granian's server without its own supervisor: its worker runs here, on a socket that others share.

    granian opens a socket for each worker, and what waits in it is lost with the worker; `serve` keeps one for all.
    """

    def run(self, application: Callable[..., Any], listener: int) -> None:
        """Answer on the socket until SIGTERM, then finish what was begun."""
        socket_holder = SocketHolder(listener, False, BACKLOG)  # type: ignore[call-arg]
        scope: dict[str, Any] = {"url_path_prefix": None}
        # One thread for connections needs no scheduler of many: a fifth less CPU a request (docs/loudspeakers.md).
        self._spawn_wsgi_worker.__wrapped__(
            1, application, (None, socket_holder), None, _no_loop(), RuntimeModes.st, self.runtime_threads,
            self.runtime_blocking_threads, self.blocking_threads, self.blocking_threads_idle_timeout,
            self.backpressure, self.task_impl, self.http, self.http1_settings, self.http2_settings, False,
            self.static_path, None, self.ssl_ctx, scope, (None, None),
        )  # fmt: skip


def _no_loop() -> Any:
    from granian._loops import loops

    return loops.get("auto")


def public() -> tuple[Any, Callable[[str], str], str]:
    """The public origin's callable, opened, how its addresses are classed, and its first page."""
    from bluezone.web.wsgi_public import application

    application.open()
    return application, public_class, "/"


def office() -> tuple[Any, Callable[[str], str], str]:
    """The same for the office."""
    from bluezone.web.wsgi_office import application

    application.open()
    return application, office_class, "/sign-in/"


def warm(application: Callable[..., Any], path: str) -> None:
    """Make a page once before anybody asks: what a first page has to read takes seconds of a core."""
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "",
        "SERVER_NAME": "localhost", "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "localhost", "wsgi.url_scheme": "https", "wsgi.input": io.BytesIO(),
        "HTTP_X_FORWARDED_PROTO": "https", "REMOTE_ADDR": "127.0.0.1",
    }  # fmt: skip
    list(application(environ, lambda status, headers, exc_info=None: None))


ORIGINS = {"public": public, "office": office}


def serve(given: argparse.Namespace) -> None:
    """Serve one origin until SIGTERM. No access log: there is no line per user anywhere."""
    server = InThisProcess(
        _TARGET,
        address=given.host,
        port=given.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        websockets=False,
        log_access=False,
        log_level=LogLevels.warning,
        log_dictconfig=logs.configuration(),
        ssl_cert=given.certificate,
        ssl_key=given.key,
        # Phones before Android 10 know no TLS 1.3.
        ssl_protocol_min=SSLProtocols.tls12,
        static_path_route=[static_url().rstrip("/")],
        static_path_mount=[STATIC_FOLDER],
        static_path_expires=KEEP_STATIC_SECONDS,
    )
    application, class_of, first_page = ORIGINS[given.origin]()
    warm(application, first_page)
    if given.tallies is not None:
        application.share_limits(given.tallies)
    measured = Measured(application, Meters.attach(given.meters).row(given.row), class_of)
    signal.signal(signal.SIGUSR1, lambda *_: measured.leave())
    say_ready(given.ready)
    server.run(measured, given.listener)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=_TARGET)
    parser.add_argument("origin", choices=ORIGINS)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("certificate", type=Path, nargs="?")
    parser.add_argument("key", type=Path, nargs="?")
    for name in ("listener", "ready", "meters", "row"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--tallies", type=int)
    return parser.parse_args()


def load(origin: str) -> None:
    """Import what an origin imports at its first request, and nothing that its settings decide."""
    importlib.import_module(f"bluezone.web.urls_{origin}")
    importlib.import_module(f"bluezone.web.wsgi_{origin}")


def main() -> None:
    """Serve what the command line names."""
    given = _arguments()
    logs.begin()
    name_process(given.origin)
    end_with_parent()
    serve(given)


if __name__ == "__main__":
    main()
