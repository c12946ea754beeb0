# SPDX-License-Identifier: Apache-2.0
"""The local page's server: 127.0.0.1 only, for whoever holds the token in the address it printed.

It serves the face (bluezone.face) under a random path, and the phone's JSON API beside it.
Source: specs/attacks.md row 40. Each request must name this host and port; a foreign Origin, another Host or a
missing token is answered 403 and changes nothing. The cookie is bound to the random path, because cookies are
shared by all ports of a host. No header lets another origin read anything.
"""

import hmac
import json
import secrets
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bluezone.face.files import SERVICE_WORKERS, StaticFile, page, static_files
from bluezone.handset.overview import overview
from bluezone.handset.page.api import Api, CallInvalid
from bluezone.handset.phone import Handset
from bluezone.refusal import Refused

HOST = "127.0.0.1"
MOST_BODY_BYTES = 65_536
JSON = "application/json"
API = "api/"
SECURITY_HEADERS = (
    ("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
     "font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'none'; "
     "base-uri 'none'; frame-ancestors 'none'"),
    ("Permissions-Policy", "camera=(self), geolocation=(), microphone=()"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)  # fmt: skip


class LocalPage:
    """Serves one phone's page.

    port: 0 takes a free one. next_check: gives Unix seconds of the next planned check, or None.
    on_erased: called once after the owner erased everything and was told so.
    """

    def __init__(
        self, handset: Handset, port: int = 0, next_check: Callable[[], float | None] = lambda: None,
        on_erased: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self.handset = handset
        self.api = Api(handset, next_check)
        self.on_erased = on_erased
        self.token = secrets.token_urlsafe(32)
        self.base = f"/{secrets.token_urlsafe(12)}/"
        self.files = {name: file for name, file in static_files().items() if name not in SERVICE_WORKERS}
        self.files[""] = page("handset")
        local = self

        class Handler(_Handler):
            local_page = local

        self._server = ThreadingHTTPServer((HOST, port), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://{HOST}:{self._server.server_port}"

    @property
    def url(self) -> str:
        """The address to open; it holds the token."""
        return f"{self.origin}{self.base}?token={self.token}"

    def start(self) -> None:
        """Answer from now on, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    local_page: LocalPage
    server_version, sys_version = "Bluezone", ""

    def do_GET(self) -> None:
        path = self._allowed_path()
        if path is None:
            return
        files, reading = self.local_page.files, self.local_page.api.reading
        if path in files:
            self._send_file(files[path])
        elif path == "status.json":
            self._send_json(HTTPStatus.OK, self._status())
        elif path.startswith(API) and path.removeprefix(API) in reading:
            self._call(reading[path.removeprefix(API)])
        else:
            self._send_text(HTTPStatus.NOT_FOUND, "text/plain", b"Nothing is here.\n")

    def do_POST(self) -> None:
        path = self._allowed_path()
        if path is None:
            return
        changing = self.local_page.api.changing
        name = path.removeprefix(API)
        if path.startswith(API) and name in changing:
            self._call(lambda: changing[name](self._arguments()))
            if self.local_page.api.erased:
                self.local_page.on_erased()
        else:
            self._send_text(HTTPStatus.NOT_FOUND, "text/plain", b"Nothing is here.\n")

    def _allowed_path(self) -> str | None:
        """The path below the base if the request is the owner's; otherwise it is answered here."""
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        base = self.local_page.base
        if not self._allowed(query) or not parts.path.startswith(base):
            self._send_text(HTTPStatus.FORBIDDEN, "text/plain", b"Open the address that the phone printed.\n")
            return None
        if "token" in query:
            self._sign_in()
            return None
        return parts.path.removeprefix(base)

    def _allowed(self, query: dict[str, list[str]]) -> bool:
        """Whether host, origin and token are right. Compared as bytes, in constant time."""
        origin_here = self.local_page.origin
        port = urlsplit(origin_here).port
        if self.headers.get("Host") not in (f"{HOST}:{port}", f"localhost:{port}"):
            return False
        origin = self.headers.get("Origin")
        if origin is None and self.command == "POST" and "Authorization" not in self.headers:
            return False
        if origin not in (None, origin_here, f"http://localhost:{port}"):
            return False
        offered = query.get("token", [""])[0] or self._cookie("bluezone_token")
        offered = self.headers.get("Authorization", "").removeprefix("Bearer ") or offered
        return hmac.compare_digest(offered.encode(), self.local_page.token.encode())

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
        if size > MOST_BODY_BYTES:
            raise CallInvalid(f"the body is {size} bytes, expected at most {MOST_BODY_BYTES}")
        try:
            given = json.loads(self.rfile.read(size) or b"{}")
        except (ValueError, RecursionError):
            raise CallInvalid("the body is no JSON") from None
        if not isinstance(given, dict):
            raise CallInvalid("the body is no JSON object")
        return given

    def _call(self, call: Callable[[], Any]) -> None:
        try:
            answer = call()
        except CallInvalid as refused:
            self._refuse(HTTPStatus.BAD_REQUEST, refused)
        except Refused as refused:
            self._refuse(HTTPStatus.UNPROCESSABLE_ENTITY, refused)
        else:
            self._send_json(HTTPStatus.OK, answer)

    def _refuse(self, status: HTTPStatus, refused: Refused) -> None:
        self._send_json(status, {"error": {"code": refused.code, "message": str(refused), "details": {}}})

    def _status(self) -> dict[str, Any]:
        """The same as `bluezone handset status --json`, with the warnings' days."""
        handset = self.local_page.handset
        days = [{"day": str(w.day), "level": w.level, "minutes": w.band, "certainty": w.certainty}
                for w in handset.warnings()]  # fmt: skip
        return {**overview(handset).to_json(), "days": days}

    def _sign_in(self) -> None:
        """Put the token into a cookie of this path alone, and lead on without it in the address."""
        cookie = f"bluezone_token={self.local_page.token}; Path={self.local_page.base}; HttpOnly; SameSite=Strict"
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Set-Cookie", cookie)
        self.send_header("Location", self.local_page.base)
        self.send_header("Content-Length", "0")
        self._end()

    def _send_file(self, file: StaticFile) -> None:
        self._send_text(HTTPStatus.OK, file.media_type, file.content)

    def _send_json(self, status: HTTPStatus, answer: Any) -> None:
        self._send_text(status, JSON, json.dumps(answer).encode())

    def _send_text(self, status: HTTPStatus, kind: str, body: bytes) -> None:
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
        """No log of what the owner looks at."""
