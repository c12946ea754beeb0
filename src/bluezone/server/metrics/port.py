# SPDX-License-Identifier: Apache-2.0
"""The operator's own port, on 127.0.0.1 alone: `/metrics`, `/live` and `/ready` of one `serve`.

It answers from memory and from the origins' own word, in the process that watches the others: a database that hangs
or an origin that is full does not silence it.
"""

import http.client
import json
import logging
import socket
import ssl
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from bluezone.logs import event
from bluezone.server.metrics.exposition import CONTENT_TYPE, Exposition

if TYPE_CHECKING:
    from bluezone.server.processes.supervisor import Processes

log = logging.getLogger(__name__)

ASK_SECONDS = 5.0
# Ticks come every 15 seconds; the longest there is takes a minute.
TICK_LATE_SECONDS = 300.0
BACKLOG = 16
READY_PATHS = {"public": "/v1/health/ready", "office": "/health/ready"}


class OperatorPort:
    """Answers on a socket that was bound before."""

    def __init__(self, taken: socket.socket) -> None:
        self._taken = taken
        self._http: ThreadingHTTPServer | None = None
        self.exposition: Exposition | None = None

    def open(self, processes: "Processes", secured: Any) -> None:
        """Answer from now on, from threads of its own."""
        self.exposition = Exposition(processes, secured, time.time())
        exposition, began = self.exposition, time.time()

        class Handler(_Handler):
            pages = {  # noqa: RUF012 - made once, read only
                "/metrics": lambda: (HTTPStatus.OK, CONTENT_TYPE, exposition.text()),
                "/live": lambda: _json(HTTPStatus.OK, {"status": "ok"}),
                "/ready": lambda: _ready(processes, secured is not None, began),
            }

        self._taken.setblocking(True)
        self._taken.listen(BACKLOG)
        self._http = _Http(("127.0.0.1", 0), Handler, bind_and_activate=False)
        self._http.socket.close()
        self._http.socket = self._taken
        threading.Thread(target=self._http.serve_forever, name="operator", daemon=True).start()

    def look(self) -> None:
        """Let the exposition see the hour turn."""
        if self.exposition:
            self.exposition.look(time.time())

    def close(self) -> None:
        """Answer no more."""
        if self._http:
            self._http.shutdown()
        self._taken.close()


class _Http(ThreadingHTTPServer):
    """Says of a fault what the log may hold; the base class would print who asked."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """One event; a client that went away in the middle is none."""
        if not isinstance(sys.exc_info()[1], OSError):
            log.exception("an answer failed", extra=event("answer_failed", route="operator"))


class _Handler(BaseHTTPRequestHandler):
    """GET of a known path; nothing is logged."""

    pages: dict[str, Any]
    server_version, sys_version = "bluezone", ""
    timeout = ASK_SECONDS

    def do_GET(self) -> None:
        """Answer one question."""
        page = self.pages.get(self.path.partition("?")[0])
        status, kind, text = page() if page else _json(HTTPStatus.NOT_FOUND, {"error": {"code": "not_found"}})
        body = text.encode()
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """There is no line per request."""


def _json(status: HTTPStatus, members: dict[str, Any]) -> tuple[HTTPStatus, str, str]:
    return status, "application/json", json.dumps(members)


def _ready(processes: "Processes", secured: bool, began: float) -> tuple[HTTPStatus, str, str]:
    """Whether every part that runs here can do its work, and which cannot, by code."""
    failing = []
    for part in processes.parts:
        if sum(child.part.name == part.name and child.up for child in tuple(processes.children)) < part.count:
            failing.append(f"{part.name}_missing")
        elif part.taken is not None and not _origin_ready(part.taken, READY_PATHS[part.name], secured):
            failing.append(f"{part.name}_not_ready")
    if processes.meters.gauge("worker_leading"):
        ticked = max(processes.meters.gauge("tick_timestamp_seconds"), began)
        failing += ["tick_late"] if time.time() - ticked > TICK_LATE_SECONDS else []
    status = HTTPStatus.SERVICE_UNAVAILABLE if failing else HTTPStatus.OK
    return _json(status, {"status": "failing" if failing else "ok", "failing": failing})


def _origin_ready(taken: socket.socket, path: str, secured: bool) -> bool:
    host, port = taken.getsockname()[:2]
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    if secured:
        # Asked is our own child, under an address that need not stand in its certificate.
        unverified = ssl._create_unverified_context()  # noqa: S323
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            reachable, port, timeout=ASK_SECONDS, context=unverified
        )
    else:
        connection = http.client.HTTPConnection(reachable, port, timeout=ASK_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer.status == HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
