# SPDX-License-Identifier: Apache-2.0
"""The operator's port: `/metrics`, `/live` and `/ready` of one `serve`.

It listens on 127.0.0.1. On any other address `/metrics` requires a token; `/live` and `/ready` say nothing but codes.
It is in the process that supervises the others, and answers from memory and from the origins' health pages. So it
answers even if a database hangs or an origin is overloaded.
"""

import hmac
import http.client
import ipaddress
import json
import logging
import os
import re
import socket
import ssl
import sys
import threading
import time
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from bluezone.logs import event_fields
from bluezone.refusal import Refused
from bluezone.server.metrics.exposition import CONTENT_TYPE, Exposition
from bluezone.server.processes.sockets import allow_rebind
from bluezone.shortage import PAUSE_SECONDS, is_shortage

if TYPE_CHECKING:
    from bluezone.server.processes.supervisor import Processes

log = logging.getLogger(__name__)

ASK_SECONDS = 5.0
# Ticks come every 15 seconds; the longest take a minute.
TICK_LATE_SECONDS = 300.0
BACKLOG = 16
# Connections at once. Others are closed, so that a network full of them takes no threads.
MOST_CONNECTIONS = 16
# After this long, a connection is closed. `/ready` may wait twice for ASK_SECONDS.
ANSWER_SECONDS = 15.0
READY_PATHS = {"public": "/v1/health/ready", "office": "/health/ready"}
# What Prometheus must send for `/metrics`, as `Authorization: Bearer TOKEN`.
TOKEN_VARIABLE = "BLUEZONE_OPERATOR_TOKEN"  # noqa: S105 - the variable's name
_TOKEN = re.compile(r"[!-~]{32,512}")


class OperatorTokenInvalid(Refused):
    """A port that others can reach needs a token, of 32 to 512 printable ASCII characters without spaces."""

    code = "operator_token_invalid"


def take_token(host: str) -> str | None:
    """Remove the token from the environment, so that no child process has it, and return it; None if there is none.

    host: address or name on which the operator's port is.
    Raises OperatorTokenInvalid if the token is malformed, or is missing and `host` is not a loopback address.
    """
    token = os.environ.pop(TOKEN_VARIABLE, "") or None
    if token is None and not _is_loopback(host):
        raise OperatorTokenInvalid(f"others can reach {host}; set {TOKEN_VARIABLE}, or leave out --operator-host")
    if token is not None and not _TOKEN.fullmatch(token):
        raise OperatorTokenInvalid(f"{TOKEN_VARIABLE} must have 32 to 512 printable ASCII characters without spaces")
    return token


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


class OperatorPort:
    """The server of the operator's port.

    port_socket: reserves the port. token: what requests of `/metrics` must contain, None for nothing.
    """

    def __init__(self, port_socket: socket.socket, token: str | None) -> None:
        self._socket = port_socket
        self._token = token
        self._http: ThreadingHTTPServer | None = None
        self.exposition: Exposition | None = None

    def open(self, processes: "Processes", secured: Any) -> None:
        """Answer from now on, in its own threads."""
        started_at = time.time()
        exposition = self.exposition = Exposition(processes, secured, started_at)

        class Handler(_Handler):
            token = self._token
            pages = {  # noqa: RUF012 - made once, read only
                "/metrics": lambda: (HTTPStatus.OK, CONTENT_TYPE, exposition.text()),
                "/live": lambda: _json(HTTPStatus.OK, {"status": "ok"}),
                "/ready": lambda: _readiness(processes, secured is not None, started_at),
            }

        self._socket.setblocking(True)
        allow_rebind(self._socket)
        self._socket.listen(BACKLOG)
        self._http = _Http(("127.0.0.1", 0), Handler, bind_and_activate=False)
        self._http.socket.close()
        self._http.socket = self._socket
        threading.Thread(target=self._http.serve_forever, name="operator", daemon=True).start()

    def refresh(self) -> None:
        """Update the exposition at the turn of the hour."""
        if self.exposition:
            self.exposition.refresh(time.time())

    def close(self) -> None:
        """Stop answering, and close the port."""
        if self._http:
            self._http.shutdown()
        self._socket.close()


class _Http(ThreadingHTTPServer):
    """An HTTP server that logs a fault without the client's address, which the base class would print."""

    daemon_threads = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, unless too many are at work."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and close the connection of a client that takes too long."""
        deadline = threading.Timer(ANSWER_SECONDS, _shut_down, [request])
        deadline.daemon = True
        deadline.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            deadline.cancel()
            self._free.release()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection. Pauses if no descriptor is free for it, because the port stays readable meanwhile."""
        try:
            return super().get_request()
        except OSError as error:
            if is_shortage(error):
                time.sleep(PAUSE_SECONDS)
            raise

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log one event, unless the client just disconnected."""
        if not isinstance(sys.exc_info()[1], OSError):
            log.exception("an answer failed", extra=event_fields("answer_failed", route="operator"))


def _shut_down(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """GET of a known path; nothing is logged."""

    pages: dict[str, Any]
    token: str | None
    server_version = "bluezone"
    sys_version = ""
    timeout = ASK_SECONDS

    def do_GET(self) -> None:
        """Answer one request."""
        status, kind, text = self._page()
        body = text.encode()
        self.send_response(status)
        if status == HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", "Bearer")
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _page(self) -> tuple[HTTPStatus, str, str]:
        path = self.path.partition("?")[0]
        if path not in self.pages:
            return _json(HTTPStatus.NOT_FOUND, {"error": {"code": "not_found"}})
        if path == "/metrics" and not self._is_allowed():
            return _json(HTTPStatus.UNAUTHORIZED, {"error": {"code": "token_required"}})
        answer: tuple[HTTPStatus, str, str] = self.pages[path]()
        return answer

    def _is_allowed(self) -> bool:
        if self.token is None:
            return True
        sent = self.headers.get("Authorization", "")
        return hmac.compare_digest(sent.encode(), f"Bearer {self.token}".encode())

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not logged."""


def _json(status: HTTPStatus, members: dict[str, Any]) -> tuple[HTTPStatus, str, str]:
    return status, "application/json", json.dumps(members)


def _readiness(processes: "Processes", secured: bool, started_at: float) -> tuple[HTTPStatus, str, str]:
    """The answer of `/ready`: whether every part that runs here is ready, and codes of what fails."""
    failing = []
    for part in processes.parts:
        if sum(child.part.name == part.name and child.is_up for child in tuple(processes.children)) < part.count:
            failing.append(f"{part.name}_missing")
        elif part.port_socket is not None and not _origin_ready(part.port_socket, READY_PATHS[part.name], secured):
            failing.append(f"{part.name}_not_ready")
    if processes.meters.gauge("worker_leading"):
        ticked_at = max(processes.meters.gauge("tick_timestamp_seconds"), started_at)
        if time.time() - ticked_at > TICK_LATE_SECONDS:
            failing.append("tick_late")
    if processes.meters.gauge("publication_leading"):
        published_at = max(processes.meters.gauge("publication_timestamp_seconds"), started_at)
        if time.time() - published_at > TICK_LATE_SECONDS:
            failing.append("publication_late")
    status = HTTPStatus.SERVICE_UNAVAILABLE if failing else HTTPStatus.OK
    return _json(status, {"status": "failing" if failing else "ok", "failing": failing})


def _origin_ready(port_socket: socket.socket, path: str, secured: bool) -> bool:
    host, port = port_socket.getsockname()[:2]
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    if secured:
        # This connects to our own child process, by an address that its certificate need not contain.
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
