# SPDX-License-Identifier: Apache-2.0
"""Taking a ticket into a box: from a memory stick, the boot partition, or the page that a phone beside it opens.

The page runs without any right and only lays what it got into a folder; `take` runs as root, looks into all places and
gives the ticket to the account of the program that it is for.
"""

import errno
import json
import os
import pwd
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from bluezone.edge.appliance.ticket import (
    ACCOUNTS,
    FILE_NAME,
    MOST_BYTES,
    Ticket,
    TicketForeign,
    lay,
    put_whole,
    read_ticket,
)
from bluezone.refusal import Refused

SETUP_PORT = 8019
SETUP_FOLDER = Path("/run/bluezone-setup")
# The partition that any computer can write, in Raspberry Pi OS and in Debian; a stick that is mounted; the page.
PLACES = (Path("/boot/firmware"), Path("/boot"), Path("/run/bluezone-stick"), SETUP_FOLDER)
STATE_FOLDERS = Path("/var/lib")
# The city that an image was made for; without the file a box belongs to the city of its first ticket.
CITY_FILE = Path("/etc/bluezone/city.key")
_STATIC = Path(__file__).parent / "static"
_FILES = {
    "/": ("setup.html", "text/html"),
    "/setup.js": ("setup.js", "text/javascript"),
    "/setup.css": ("setup.css", "text/css"),
}
_TAKEN = FILE_NAME + ".taken"


class SetupPortTaken(Refused):
    """Another program of this machine listens where the page that takes a ticket is to be."""

    code = "box_setup_port_taken"


@dataclass(frozen=True)
class Taken:
    """A ticket that was given to its program. unit: the service that is to be started with it."""

    ticket: Ticket
    unit: str


def take(
    now: float,
    places: Iterable[Path] = PLACES,
    state_folders: Path = STATE_FOLDERS,
    city_file: Path = CITY_FILE,
    owner_of: Callable[[str], tuple[int, int] | None] | None = None,
) -> Taken | None:
    """Take the first ticket that lies in one of the places; None where none does.

    The file goes: it is good once, and whoever finds the stick later finds no code on it.
    Raises TicketInvalid, TicketExpired, TicketForeign.
    """
    for place in places:
        path = place / FILE_NAME
        try:
            with path.open("rb") as file:
                content = file.read(MOST_BYTES + 1)
        except OSError:
            continue
        try:
            return _taken(path, content, now, state_folders, _city(city_file), owner_of or _owner)
        except Refused:
            # Nobody takes this file away but whoever looks at it; on a stick it stays for people to see.
            if place == SETUP_FOLDER:
                path.unlink(missing_ok=True)
            raise
    return None


def _taken(
    path: Path,
    content: bytes,
    now: float,
    state_folders: Path,
    city: str | None,
    owner_of: Callable[[str], tuple[int, int] | None],
) -> Taken:
    ticket = read_ticket(content, now)
    if city not in (None, ticket.city):
        raise TicketForeign("this box was made for another city")
    account = ACCOUNTS[ticket.kind]
    lay(state_folders / account, ticket, owner_of(account))
    _forget(path)
    return Taken(ticket, f"{account}.service")


def _city(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip() or None
    except FileNotFoundError:
        return None


def _owner(account: str) -> tuple[int, int]:
    entry = pwd.getpwnam(account)
    return entry.pw_uid, entry.pw_gid


def _forget(path: Path) -> None:
    """Overwrite and remove the file; a partition that cannot be written keeps it, with a code that is used up."""
    try:
        with path.open("r+b") as file:
            file.write(b" " * path.stat().st_size)
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
        (path.parent / _TAKEN).touch()
    except OSError:
        return


class SetupPage:
    """The page of a box that belongs to nobody yet. folder: where a ticket is laid; port: 0 takes a free one.

    Raises SetupPortTaken.
    """

    def __init__(self, folder: Path, now: Callable[[], float], host: str = "", port: int = SETUP_PORT) -> None:
        class Handler(_Handler):
            place, clock = folder, staticmethod(now)

        try:
            self._server = ThreadingHTTPServer((host, port), Handler)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            instead = "give the ticket on a stick"
            raise SetupPortTaken(f"port {port} is held by another program: end that one, or {instead}") from None
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_port

    def serve(self) -> None:
        """Answer until `stop`."""
        self._server.serve_forever(poll_interval=0.1)

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    place: Path
    clock: Callable[[], float]
    server_version, sys_version = "Bluezone", ""
    timeout = 10.0

    def do_GET(self) -> None:
        if self.path in _FILES:
            name, kind = _FILES[self.path]
            self._send(HTTPStatus.OK, f"{kind}; charset=utf-8", (_STATIC / name).read_bytes())
        else:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", b"Nothing is here.\n")

    def do_POST(self) -> None:
        # Only this page may send: what another site's page sends has another origin, or is no JSON.
        length = self.headers.get("Content-Length", "")
        size = int(length) if length.isascii() and length.isdigit() else 0
        own = self.headers.get("Origin") == f"http://{self.headers.get('Host')}"
        if self.path != "/ticket" or not own or not 0 < size <= 2 * MOST_BYTES:
            self._send(HTTPStatus.FORBIDDEN, "text/plain", b"")
            return
        try:
            text = json.loads(self.rfile.read(size))["ticket"]
            ticket = read_ticket(str(text), self.clock())
            put_whole(self.place / FILE_NAME, ticket.file())
        except (ValueError, KeyError, TypeError):
            self._tell(HTTPStatus.BAD_REQUEST, {"code": "box_ticket_invalid"})
        except Refused as refused:
            self._tell(HTTPStatus.UNPROCESSABLE_ENTITY, {"code": refused.code})
        else:
            self._tell(HTTPStatus.OK, {"name": ticket.name, "agency": ticket.agency, "kind": ticket.kind})

    def _tell(self, status: HTTPStatus, said: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(said).encode())

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; "
                         "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'")  # fmt: skip
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """No log of who opens the page."""
