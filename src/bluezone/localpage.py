# SPDX-License-Identifier: Apache-2.0
"""A program's page on this machine: on 127.0.0.1 unless the caller passes another address (`demo --lan` does), for
the person with the token in the address that the program printed.

It serves files and a JSON API below a random path. Each request must name this host and port; a foreign Origin, another
Host or a missing token gets 403 and changes nothing. The cookie is bound to the random path, because cookies are shared
by all ports of a host. No header allows another origin to read anything. Source: docs/attacks.md row 40.
"""

import contextlib
import hmac
import json
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qs, urlsplit

from bluezone.refusal import Refused

HOST = "127.0.0.1"
MAX_BODY_BYTES = 65_536
JSON = "application/json"
SECURITY_HEADERS = (
    ("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
     "font-src 'self'; media-src blob:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; "
     "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"),
    ("Permissions-Policy", "camera=(self), geolocation=(), microphone=()"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)  # fmt: skip

KEPT_SECONDS = 365 * 86_400


class PageKey(NamedTuple):
    """The key to a page: its token, and the random path above it."""

    token: str
    path: str


def draw_key() -> PageKey:
    """A new key that no one can guess."""
    return PageKey(secrets.token_urlsafe(32), secrets.token_urlsafe(12))


Reading = Mapping[str, Callable[[], Any]]
Changing = Mapping[str, Callable[[dict[str, Any]], Any]]


class CallInvalid(Refused):
    """A call to a local page lacks an argument or has one of the wrong type; nothing was changed."""

    code = "call_invalid"


class ServedFile(Protocol):
    """A file to send."""

    @property
    def content(self) -> bytes: ...

    @property
    def media_type(self) -> str: ...


class LocalPage:
    """Serves one program's page until `stop`.

    files:    by path below the base; "" is the page itself.
    reading:  calls for GET, by path such as "api/state". changing: calls for POST, with the JSON object of the body.
    after:    called after each answer to a POST.
    port:     0 for any free port.
    key:      for a page with the same address after a restart; without one every start makes a new key.
    host:     the address to listen on; with another than loopback, the network can see the page.
    """

    def __init__(
        self,
        files: Mapping[str, ServedFile],
        reading: Reading,
        changing: Changing,
        port: int = 0,
        after: Callable[[], None] = lambda: None,
        key: PageKey | None = None,
        host: str = HOST,
    ) -> None:
        self.files = files
        self.reading = reading
        self.changing = changing
        self.after = after
        self.host = host
        self.token, path = key or draw_key()
        self.base = f"/{path}/"
        # After a restart, a browser has only cookies with an age.
        self.cookie_age = f"; Max-Age={KEPT_SECONDS}" if key else ""
        local = self

        class Handler(_Handler):
            page = local

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.server_port

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://{self.host}:{self._server.server_port}"

    @property
    def url(self) -> str:
        """The address to open, with the token."""
        return f"{self.origin}{self.base}?token={self.token}"

    def file_at(self, path: str) -> ServedFile | None:
        """The file at a path below the base, or None."""
        return self.files.get(path)

    def start(self) -> None:
        """Start to answer, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        ending = threading.Thread(target=self._server.shutdown)
        ending.start()
        # The server checks for the shutdown at each connection, and otherwise every half second.
        with contextlib.suppress(OSError):
            socket.create_connection((self.host, self._server.server_port), timeout=1).close()
        ending.join()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    page: LocalPage
    server_version = "Bluezone"
    sys_version = ""

    def do_GET(self) -> None:
        path = self._allowed_path()
        if path is None:
            return
        if file := self.page.file_at(path):
            self._send(HTTPStatus.OK, file.media_type, file.content)
        elif call := self.page.reading.get(path):
            self._call(call)
        else:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", b"Nothing is here.\n")

    def do_POST(self) -> None:
        path = self._allowed_path()
        if path is None:
            return
        if change := self.page.changing.get(path):
            self._call(lambda: change(self._arguments()))
            self.page.after()
        else:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", b"Nothing is here.\n")

    def _allowed_path(self) -> str | None:
        """The path below the base if the request is the owner's; otherwise send an answer and return None."""
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        if not self._allowed(query) or not parts.path.startswith(self.page.base):
            self._send(HTTPStatus.FORBIDDEN, "text/plain", b"Open the address that the program printed.\n")
            return None
        if "token" in query:
            self._sign_in()
            return None
        return parts.path.removeprefix(self.page.base)

    def _allowed(self, query: dict[str, list[str]]) -> bool:
        """Whether host, origin and token are right. The token is compared as bytes, in constant time."""
        own_origins = [self.page.origin]
        if self.page.host == HOST:
            own_origins.append(f"http://localhost:{self.page.port}")
        if f"http://{self.headers.get('Host')}" not in own_origins:
            return False
        origin = self.headers.get("Origin")
        if origin is None and self.command == "POST" and "Authorization" not in self.headers:
            return False
        if origin not in (None, *own_origins):
            return False
        token = query.get("token", [""])[0] or self._cookie("bluezone_token")
        token = self.headers.get("Authorization", "").removeprefix("Bearer ") or token
        return hmac.compare_digest(token.encode(), self.page.token.encode())

    def _cookie(self, name: str) -> str:
        try:
            morsel = SimpleCookie(self.headers.get("Cookie", "")).get(name)
        except CookieError:
            return ""
        return morsel.value if morsel else ""

    def _arguments(self) -> dict[str, Any]:
        """The JSON object of a call. Raises CallInvalid."""
        if self.headers.get("Content-Type", "").partition(";")[0].strip() != JSON:
            raise CallInvalid("the body of a call is a JSON object, sent as application/json")
        length = self.headers.get("Content-Length", "")
        size = int(length) if length.isascii() and length.isdigit() else 0
        if size > MAX_BODY_BYTES:
            raise CallInvalid(f"the body is {size} bytes, expected at most {MAX_BODY_BYTES}")
        try:
            arguments = json.loads(self.rfile.read(size) or b"{}")
        except (ValueError, RecursionError):
            raise CallInvalid("the body is not JSON") from None
        if not isinstance(arguments, dict):
            raise CallInvalid("the body is not a JSON object")
        return arguments

    def _call(self, call: Callable[[], Any]) -> None:
        try:
            answer = call()
        except Refused as refused:
            is_invalid = isinstance(refused, CallInvalid)
            status = HTTPStatus.BAD_REQUEST if is_invalid else HTTPStatus.UNPROCESSABLE_ENTITY
            details = {"seconds": refused.seconds} if hasattr(refused, "seconds") else {}
            error = {"code": refused.code, "message": refused.message, "details": details}
            self._send(status, JSON, json.dumps({"error": error}).encode())
        else:
            self._send(HTTPStatus.OK, JSON, json.dumps(answer).encode())

    def _sign_in(self) -> None:
        """Put the token into a cookie for this path only, and redirect to the address without it."""
        cookie = (
            f"bluezone_token={self.page.token}; Path={self.page.base}; HttpOnly; SameSite=Strict{self.page.cookie_age}"
        )
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Set-Cookie", cookie + self.page.cookie_age)
        self.send_header("Location", self.page.base)
        self.send_header("Content-Length", "0")
        self._end()

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self._end()
        self.wfile.write(body)

    def _end(self) -> None:
        for name, value in SECURITY_HEADERS:
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing of what the owner looks at."""
