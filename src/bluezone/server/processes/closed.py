# SPDX-License-Identifier: Apache-2.0
"""`serve` while the stores are being moved: both ports answer with a page about the move, or with published files.

Phones still get updates: the files of the data folder stay where they are, and reading them needs no store.
"""

import asyncio
import atexit
import os
import signal
import sys
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.log import LogLevels
from granian.server.embed import Server

from bluezone import logs
from bluezone.keyserver.http import answer_at_hand, handles
from bluezone.keyserver.moves import read_move
from bluezone.keyserver.parts.pages import open_downloads
from bluezone.keyserver.publication.downloads import Downloads
from bluezone.server.front.static_files import StaticFiles
from bluezone.server.processes.service import ServeOptions
from bluezone.servicemanager import ServiceManager

# How often to check whether the ports answer yet.
START_SECONDS = 0.05
POLL_SECONDS = 1.0
_NOSNIFF = ("X-Content-Type-Options", "nosniff")


class CityBeingMoved:
    """The entry of one port. downloads: what phones fetch, None on the office's port."""

    def __init__(self, pages: dict[str, bytes], static: StaticFiles, downloads: Downloads | None) -> None:
        self._pages = pages
        self._static = static
        self._downloads = downloads

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Answer one request; its body is not read, and the connection is closed after the answer."""
        path = scope.path
        headers = scope.headers
        if scope.method in ("GET", "HEAD"):
            answer: Any = self._static.find(path)
            if answer is None and self._downloads is not None:
                answer = answer_at_hand(self._downloads, path, headers.get("if-none-match") or "")
            if answer is not None:
                body = answer.content if hasattr(answer, "content") else answer.body
                head = [*(answer.headers if hasattr(answer, "content") else answer.head)]
                if isinstance(body, bytes):
                    protocol.response_bytes(int(answer.status), head, body)
                else:
                    protocol.response_file(int(answer.status), head, str(body))
                return
        status, head, content = self._moving_notice(path, headers)
        head += [_NOSNIFF, ("Content-Length", str(len(content))), ("Connection", "close")]
        protocol.response_bytes(status, head, content)

    def _moving_notice(self, path: str, headers: Any) -> tuple[int, list[tuple[str, str]], bytes]:
        from django.http import HttpRequest
        from django.utils.translation import get_language_from_request

        from bluezone.web.errors import MOVING_SECONDS, maintenance_problem

        if handles(path):
            problem = maintenance_problem()
            return problem.status_code, list(problem.items()), problem.content
        request = HttpRequest()
        request.META["HTTP_ACCEPT_LANGUAGE"] = headers.get("accept-language") or ""
        language = get_language_from_request(request)
        head = [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Cache-Control", "no-store"),
            ("Content-Language", language),
            ("Vary", "Accept-Language"),
            ("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'"),
            ("Retry-After", str(MOVING_SECONDS)),
        ]
        return 503, head, self._pages[language]


def serve_closed(options: ServeOptions, secured: Any) -> str:
    """Answer on the ports of this `serve` until a signal comes or the move ends; returns the reason as a text."""
    from bluezone.server.preparation import open_office

    folder = options.folder.resolve()
    # This loads the settings; no store is opened.
    open_office(folder)
    reason = asyncio.run(_serve(options, secured, folder))
    atexit.register(_leave)
    return reason


def _leave() -> None:
    """Exit immediately: a server thread that calls into an interpreter during its shutdown would abort the process."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


async def _serve(options: ServeOptions, secured: Any, folder: Path) -> str:
    from django.conf import settings

    from bluezone.web.assets import STATIC_FOLDER, static_url
    from bluezone.web.errors import maintenance_page

    pages = {language: maintenance_page(language) for language, _ in settings.LANGUAGES}
    static = StaticFiles(STATIC_FOLDER, static_url())
    downloads = open_downloads(folder)
    tls = {"ssl_cert": secured.certificate, "ssl_key": secured.key} if secured else {}
    servers = [
        Server(
            CityBeingMoved(pages, static, downloads if origin == "public" else None),
            address=options.host,
            port=port,
            interface=Interfaces.RSGI,
            http=HTTPModes.http1,
            websockets=False,
            log_level=LogLevels.error,
            log_dictconfig=logs.logging_configuration(),
            ssl_protocol_min=SSLProtocols.tls12,
            **tls,
        )
        for origin, port in (("public", options.public_port), ("office", options.office_port))
        if options.runs(origin)
    ]
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def end(reason: str) -> None:
        if not ended.done():
            ended.set_result(reason)

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end, signal.Signals(number).name)
    serving = [asyncio.ensure_future(server.serve()) for server in servers]
    while not all([await _answers(server) for server in servers]) and not any(task.done() for task in serving):
        await asyncio.sleep(START_SECONDS)
    logs.log_event("closed_for_move", "closed: the stores are being moved; both addresses say so until it is over", 30)
    manager = ServiceManager()
    manager.ready()
    looking = asyncio.ensure_future(_look(folder, end, manager))
    await asyncio.wait({ended, *serving}, return_when=asyncio.FIRST_COMPLETED)
    looking.cancel()
    for server in servers:
        server.stop()  # type: ignore[no-untyped-call]
    await asyncio.gather(*serving)
    return ended.result() if ended.done() else "a port that failed"


async def _answers(server: Server) -> bool:
    """Whether a server accepts connections yet."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(server.bind_addr, server.bind_addr)  # noqa: S104 - compared
    try:
        _, writer = await asyncio.open_connection(host, server.bind_port)
    except OSError:
        return False
    writer.close()
    return True


async def _look(folder: Path, end: Any, manager: ServiceManager) -> None:
    while (note := read_move(folder)) is not None and note.state == "moving":
        manager.alive()
        await asyncio.sleep(POLL_SECONDS)
    end("the end of the move")
