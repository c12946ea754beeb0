# SPDX-License-Identifier: Apache-2.0
"""The local page's server: 127.0.0.1 only, for whoever holds the token in the address it printed.

Source: specs/attacks.md row 40. Each request must name this host and port; a foreign Origin, another Host or a
missing token is answered 403 and changes nothing. The cookie is bound to a random path, because cookies are
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
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from bluezone.handset.overview import overview
from bluezone.handset.page.home import home
from bluezone.handset.page.reportpages import code_page, consent_page, done_page, sent_page
from bluezone.handset.page.words import LANGUAGES, Words
from bluezone.handset.phone import Handset
from bluezone.handset.reporting import ReportDraft
from bluezone.refusal import Refused

HOST = "127.0.0.1"
MOST_BODY_BYTES = 16_384
HTML, CSS, JSON = "text/html; charset=utf-8", "text/css; charset=utf-8", "application/json"
SECURITY_HEADERS = (
    ("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
     "frame-ancestors 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)  # fmt: skip


class LocalPage:
    """Serves one phone's page. port 0 takes a free one; next_check: Unix seconds of the next planned check."""

    def __init__(self, handset: Handset, port: int = 0, next_check: Callable[[], float | None] = lambda: None) -> None:
        self.handset = handset
        self.next_check = next_check
        self.token = secrets.token_urlsafe(32)
        self.base = f"/{secrets.token_urlsafe(12)}/"
        self.draft: ReportDraft | None = None
        page = self

        class Handler(_Handler):
            local = page

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
    local: LocalPage
    server_version, sys_version = "Bluezone", ""

    def do_GET(self) -> None:
        self._answer({
            "": lambda: home(self.local.handset, self.words, self.local.base, self.local.next_check()),
            "report": lambda: code_page(self.words, self.local.base),
            "sent": lambda: sent_page(self.words, self.local.base, self.local.handset),
            "page.css": self._css,
            "status.json": self._status,
        })  # fmt: skip

    def do_POST(self) -> None:
        self._answer({"check": self._check, "report": self._take_code, "report/send": self._send})

    def _answer(self, routes: dict[str, Callable[[], str | None]]) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        path = parts.path.removeprefix(self.local.base) if parts.path.startswith(self.local.base) else None
        if not self._allowed(query) or path is None:
            self._send_text(HTTPStatus.FORBIDDEN, "text/plain", "Open the address that the phone printed.\n")
        elif "token" in query:
            self._redirect(("bluezone_token", self.local.token))
        elif query.get("lang", [""])[0] in LANGUAGES:
            self._redirect(("bluezone_language", query["lang"][0]), path)
        elif path not in routes:
            self._send_text(HTTPStatus.NOT_FOUND, "text/plain", "Nothing is here.\n")
        else:
            text = routes[path]()
            if text is not None:
                self._send_text(HTTPStatus.OK, {"page.css": CSS, "status.json": JSON}.get(path, HTML), text)

    def _allowed(self, query: dict[str, list[str]]) -> bool:
        """Whether host, origin and token are right. Compared as bytes, in constant time."""
        port = urlsplit(self.local.origin).port
        if self.headers.get("Host") not in (f"{HOST}:{port}", f"localhost:{port}"):
            return False
        origin = self.headers.get("Origin")
        if origin is None and self.command == "POST" and "Authorization" not in self.headers:
            return False
        if origin not in (None, self.local.origin, f"http://localhost:{port}"):
            return False
        offered = query.get("token", [""])[0] or self._cookie("bluezone_token")
        offered = self.headers.get("Authorization", "").removeprefix("Bearer ") or offered
        return hmac.compare_digest(offered.encode(), self.local.token.encode())

    def _cookie(self, name: str) -> str:
        try:
            morsel = SimpleCookie(self.headers.get("Cookie", "")).get(name)
        except CookieError:
            return ""
        return morsel.value if morsel else ""

    @property
    def words(self) -> Words:
        """The language the owner chose; Vietnamese first."""
        return Words.of(self._cookie("bluezone_language"))

    def _form(self) -> dict[str, list[str]]:
        length = self.headers.get("Content-Length", "")
        size = int(length) if length.isascii() and length.isdigit() else 0
        return parse_qs(self.rfile.read(min(size, MOST_BODY_BYTES)).decode("utf-8", "replace"))

    def _css(self) -> str:
        return (Path(__file__).parent / "page.css").read_text("utf-8")

    def _status(self) -> str:
        days = [{"day": str(w.day), "level": w.level, "minutes": w.band, "certainty": w.certainty}
                for w in self.local.handset.warnings()]  # fmt: skip
        return json.dumps({**overview(self.local.handset).to_json(), "days": days})

    def _check(self) -> None:
        try:
            self.local.handset.check()
        except Refused as refused:
            self.log_error("not checked: %s", refused.code)
        self._redirect(None)

    def _take_code(self) -> str:
        try:
            self.local.draft = self.local.handset.prepare_report(self._form().get("code", [""])[0])
        except Refused as refused:
            return code_page(self.words, self.local.base, refused)
        return consent_page(self.words, self.local.base, self.local.draft)

    def _send(self) -> str | None:
        form, draft = self._form(), self.local.draft
        if draft is None:
            return code_page(self.words, self.local.base)
        days = [int(day) for day in form.get("day", []) if day.isascii() and day.isdigit()]
        try:
            outcome = self.local.handset.send_report(draft, days, consent=form.get("consent") == ["yes"])
        except Refused as refused:
            if self.local.handset.reporting.pending is not None:
                self._redirect(None)
                return None
            return code_page(self.words, self.local.base, refused)
        self.local.draft = None
        return done_page(self.words, self.local.base, self.local.handset, outcome)

    def _redirect(self, cookie: tuple[str, str] | None, path: str = "") -> None:
        self.send_response(HTTPStatus.SEE_OTHER)
        if cookie:
            self.send_header(
                "Set-Cookie", f"{cookie[0]}={cookie[1]}; Path={self.local.base}; HttpOnly; SameSite=Strict"
            )
        self.send_header("Location", self.local.base + path)
        self.send_header("Content-Length", "0")
        self._end()

    def _send_text(self, status: HTTPStatus, kind: str, text: str) -> None:
        body = text.encode()
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
