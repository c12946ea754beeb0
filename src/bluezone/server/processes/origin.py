# SPDX-License-Identifier: Apache-2.0
"""One process of an origin: granian with our entry, until SIGTERM.

`python -m bluezone.server.processes.origin public|office ADDRESS PORT …`

`serve` starts it and hands down the meters and a pipe on which it says that it is ready. With a certificate and its key
it speaks TLS alone. SIGUSR1: another process takes over; connections are let go one by one. Which limits are set here
and why: docs/adr/0013-front.md.
"""

import argparse
import asyncio
import importlib
import io
import resource
import signal
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.embed import Server

from bluezone import logs
from bluezone.city import data_folder
from bluezone.keyserver.datafolder import RUN_FOLDER
from bluezone.server.front.entry import Entry
from bluezone.server.front.pages import Pages, Sent, StaticFiles
from bluezone.server.front.relay import LIVE, Front
from bluezone.server.front.threads import Threads
from bluezone.server.metrics.meters import Measured, Meters, office_class, public_class
from bluezone.server.processes.lifeline import end_with_parent, name_process, say_ready
from bluezone.server.processes.sockets import BACKLOG
from bluezone.web.assets import STATIC_FOLDER, static_url

THREADS = 4
# For the head of a request, and between two requests of a connection.
HEAD_MILLISECONDS = 5_000
# Of a request's head; longer ones get 431.
HEAD_BYTES = 64 * 1024
# Connections that one process holds at a time, if it may open so many descriptors.
CONNECTIONS = 16_384
# Descriptors for stores, files that are sent, bodies on disk.
OTHER_DESCRIPTORS = 1024
_TARGET = "bluezone.server.processes.origin"


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


def front() -> tuple[Any, Callable[[str], str], str]:
    """The public origin where its parts are processes of other users: it passes on, and holds nothing."""
    from bluezone.web.wsgi_public import called_by_devices

    folder = data_folder()
    return Front(folder, folder / RUN_FOLDER, called_by_devices), public_class, LIVE


def warm(application: Callable[..., Any], path: str) -> None:
    """Make a page once before anybody asks: what a first page has to read takes seconds of a core."""
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "",
        "SERVER_NAME": "localhost", "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "localhost", "wsgi.url_scheme": "https", "wsgi.input": io.BytesIO(),
        "HTTP_X_FORWARDED_PROTO": "https", "REMOTE_ADDR": "127.0.0.1",
    }  # fmt: skip
    list(application(environ, lambda status, headers, exc_info=None: None))


ORIGINS = {"public": public, "office": office, "front": front}


def connections() -> int:
    """How many connections this process may hold; its own limit of descriptors is raised as far as it may be."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + OTHER_DESCRIPTORS
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return max(allowed - OTHER_DESCRIPTORS, allowed // 2)


def entry_of(given: argparse.Namespace, threads: Threads) -> Entry:
    """The entry of an origin that is opened and warm."""
    application, class_of, first_page = _in_a_thread(threads, ORIGINS[given.origin])
    # In a thread: connections to a store belong to the threads that work.
    _in_a_thread(threads, lambda: warm(application, first_page))
    if given.tallies is not None:
        application.share_limits(given.tallies)
    static, more = StaticFiles(STATIC_FOLDER, static_url()), getattr(application, "at_hand", None)

    def at_hand(path: str, headers: Any) -> Sent | None:
        if found := static.find(path):
            return found
        response = more(path, headers) if more else None
        return Sent(response.status, response.head, response.body) if response else None

    measured = Measured(application, Meters.attach(given.meters).row(given.row), class_of)
    return Entry(
        measured, at_hand, threads, application.largest_body, application.always, application.trusted_proxies,
        lambda: say_ready(given.ready), Pages(*application.same_for_all) if application.same_for_all else None,
    )  # fmt: skip


async def serve(given: argparse.Namespace, entry: Entry) -> None:
    """Serve one origin until SIGTERM. No access log: there is no line per user anywhere."""
    server = Server(
        entry,
        address=given.host,
        port=given.port,
        interface=Interfaces.RSGI,
        # HTTP/2 would let one connection open a hundred requests; browsers have it from a proxy.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_MILLISECONDS, max_buffer_size=HEAD_BYTES),
        websockets=False,
        backlog=BACKLOG,
        backpressure=connections(),
        # Its warnings are about being embedded.
        log_level=LogLevels.error,
        log_dictconfig=logs.configuration(),
        ssl_cert=given.certificate,
        ssl_key=given.key,
        # Phones before Android 10 know no TLS 1.3.
        ssl_protocol_min=SSLProtocols.tls12,
    )
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, entry.leave)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
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
    """Import what an origin imports at its first request, and nothing that its settings decide."""
    importlib.import_module(f"bluezone.web.urls_{origin}")
    importlib.import_module(f"bluezone.web.wsgi_{origin}")


def main() -> None:
    """Serve what the command line names."""
    given = _arguments()
    logs.begin()
    name_process("public" if given.origin == "front" else given.origin)
    end_with_parent()
    threads = Threads(THREADS, given.origin)
    try:
        asyncio.run(serve(given, entry_of(given, threads)))
    finally:
        threads.end()


if __name__ == "__main__":
    main()
