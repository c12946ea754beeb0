# SPDX-License-Identifier: Apache-2.0
"""One process of an origin: granian with our entry, until SIGTERM.

`python -m bluezone.server.processes.origin public|office ADDRESS PORT …`

`serve` starts it, with the number of its row of meters, and a pipe on which it reports that it is ready. With a
certificate and its key it accepts only TLS. At SIGUSR1 it closes each connection after the next answer, because another
process takes over. Reasons for the limits: docs/adr/0013-front.md.
"""

import argparse
import asyncio
import importlib
import io
import os
import resource
import signal
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, BinaryIO

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server

from bluezone import logs
from bluezone.city_settings import data_folder, load_city
from bluezone.keyserver.datafolder import RUN_FOLDER
from bluezone.keyserver.http import LIVE_PATH, Response, is_file
from bluezone.server.canary_reports import Cells, HealthWithCanaries
from bluezone.server.canary_rounds import CanaryThreads, own_address
from bluezone.server.front.acceptance import Acceptance
from bluezone.server.front.entry import Entry
from bluezone.server.front.http_limits import HEAD_BYTES, HEAD_MILLISECONDS, MOST_CONNECTIONS, OTHER_DESCRIPTORS
from bluezone.server.front.pages import PageCache
from bluezone.server.front.relay import Front
from bluezone.server.front.static_files import ReadyAnswer, StaticFiles
from bluezone.server.front.threads import Threads
from bluezone.server.metrics.measured_application import MeasuredApplication, office_route, public_route
from bluezone.server.metrics.meters import Meters
from bluezone.server.opening import open_stores
from bluezone.server.processes.lifeline import end_with_parent, name_process, report_ready
from bluezone.server.processes.sockets import BACKLOG
from bluezone.web.assets import STATIC_FOLDER, static_url

THREADS = 4
# For published files that are not on this machine.
FILE_THREADS = 2
_TARGET = "bluezone.server.processes.origin"


def open_public() -> tuple[Any, Callable[[str], str], str]:
    """Open the public origin; returns its WSGI callable, the function that names a path's route, and its first page."""
    from bluezone.web.wsgi_public import application

    application.open()
    return application, public_route, "/"


def open_office_origin() -> tuple[Any, Callable[[str], str], str]:
    """Open the office origin; returns the same three."""
    from bluezone.web.wsgi_office import application

    application.open()
    return application, office_route, "/sign-in/"


def open_front() -> tuple[Any, Callable[[str], str], str]:
    """Open the front, which only passes requests on to the processes of the parts; returns the same three."""
    from bluezone.web.wsgi_public import is_outside_anonymous_api

    folder = data_folder()
    return Front(folder, folder / RUN_FOLDER, is_outside_anonymous_api), public_route, LIVE_PATH


def warm_up(application: Callable[..., Any], path: str) -> None:
    """Render a page before the first request: the imports for a first page take seconds of a core."""
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "",
        "SERVER_NAME": "localhost", "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "localhost", "wsgi.url_scheme": "https", "wsgi.input": io.BytesIO(),
        "HTTP_X_FORWARDED_PROTO": "https", "REMOTE_ADDR": "127.0.0.1",
    }  # fmt: skip
    list(application(environ, lambda status, headers, exc_info=None: None))


ORIGINS = {"public": open_public, "office": open_office_origin, "front": open_front}


def raise_connection_limit() -> int:
    """Raise this process's limit of descriptors as far as allowed; returns how many connections there is room for.

    Call it when everything else is open.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    desired = MOST_CONNECTIONS + OTHER_DESCRIPTORS
    allowed = desired if hard == resource.RLIM_INFINITY else min(desired, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    free = allowed - len(os.listdir("/proc/self/fd"))
    return max(free - OTHER_DESCRIPTORS, free // 2, 1)


def open_entry(options: argparse.Namespace, threads: Threads, file_threads: Threads, acceptance: Acceptance) -> Entry:
    """Open an origin and warm it up; returns its entry."""
    application, class_of, first_page = _in_a_thread(threads, lambda: open_stores(ORIGINS[options.origin]))
    # In a working thread, because a connection to a store belongs to the thread that opened it.
    _in_a_thread(threads, lambda: warm_up(application, first_page))
    if options.tallies is not None:
        application.share_limits(options.tallies)
    static = StaticFiles(STATIC_FOLDER, static_url())

    def at_hand(path: str, headers: Any) -> ReadyAnswer | None:
        if file := static.find(path):
            return file
        response = application.at_hand(path, headers)
        return _ready(response)

    def refuse(path: str, body: BinaryIO, length: int, network: Callable[[], bytes]) -> ReadyAnswer | None:
        return _ready(application.refuse_at_hand(path, body, length, network))

    meters = Meters.attach(options.meters)
    answering = application
    canaries: CanaryThreads | None = None
    if options.origin != "office":
        city = load_city(data_folder())
        own = own_address(options.host, options.port, options.certificate is not None)
        canaries = CanaryThreads(data_folder(), city, own, application.city_key, meters)
        answering = HealthWithCanaries(application, Cells(meters), city.publish_period_seconds)
    measured = MeasuredApplication(answering, meters.row(options.row), class_of)
    pages = None
    if application.shared_pages:
        pages = PageCache(application.shared_pages)

    def ready() -> None:
        acceptance.watch(asyncio.get_running_loop())
        report_ready(options.ready)
        if canaries:
            canaries.start()

    return Entry(
        measured,
        at_hand,
        threads,
        file_threads,
        is_file,
        largest=application.largest_body,
        always=application.common_headers,
        trusted=application.trusted_proxies,
        ready=ready,
        pages=pages,
        refuse_at_hand=refuse if application.refuse_at_hand else None,
    )


def _ready(response: Response | None) -> ReadyAnswer | None:
    return ReadyAnswer(response.status, response.head, response.body) if response else None


async def serve(options: argparse.Namespace, entry: Entry, acceptance: Acceptance) -> None:
    """Serve one origin until SIGTERM. There is no access log, because no log may have a line per user."""
    server = Server(
        entry,
        address=options.host,
        port=options.port,
        interface=Interfaces.RSGI,
        # With HTTP/2 one connection could open a hundred requests; a proxy in front can offer it to browsers.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_MILLISECONDS, max_buffer_size=HEAD_BYTES),
        websockets=False,
        backlog=BACKLOG,
        backpressure=raise_connection_limit(),
        # granian's warnings are only about being embedded.
        log_level=LogLevels.error,
        log_dictconfig=logs.logging_configuration(),
        ssl_cert=options.certificate,
        ssl_key=options.key,
        # Phones before Android 10 do not support TLS 1.3.
        ssl_protocol_min=SSLProtocols.tls12,
    )
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, entry.drain)

    def stop() -> None:
        acceptance.stop()
        server.stop()  # type: ignore[no-untyped-call]

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    acceptance.make_room()
    await server.serve()


def _in_a_thread(threads: Threads, work: Callable[[], Any]) -> Any:
    done: Future[Any] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    threads.add(run, bytes)
    return done.result()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=_TARGET)
    parser.add_argument("origin", choices=ORIGINS)
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("certificate", type=Path, nargs="?")
    parser.add_argument("key", type=Path, nargs="?")
    for name in ("ready", "meters", "row"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--tallies", type=int)
    return parser.parse_args()


def load(origin: str) -> None:
    """Import what an origin imports at its first request, except what depends on its settings."""
    importlib.import_module(f"bluezone.web.urls_{origin}")
    importlib.import_module(f"bluezone.web.wsgi_{origin}")


def main() -> None:
    """Serve the origin that the command line names."""
    options = _arguments()
    logs.configure_logging()
    name_process("public" if options.origin == "front" else options.origin)
    acceptance = Acceptance(options.port)
    end_with_parent()
    threads = Threads(THREADS, options.origin)
    file_threads = Threads(FILE_THREADS, f"{options.origin}-files")
    try:
        entry = open_entry(options, threads, file_threads, acceptance)
        asyncio.run(serve(options, entry, acceptance))
    finally:
        threads.shut_down()
        file_threads.shut_down()


if __name__ == "__main__":
    main()
