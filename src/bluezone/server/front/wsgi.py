# SPDX-License-Identifier: Apache-2.0
"""Convert requests of granian (RSGI) to WSGI, and call a WSGI application.

Source: PEP 3333; RSGI specification 1.5, "HTTP scope".
"""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
WsgiApplication = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
# What joins several headers of one name, if not a comma.
_JOINED = {"HTTP_COOKIE": "; "}


@dataclass(frozen=True)
class Answer:
    """The whole answer of a callable."""

    status: int
    headers: Headers
    body: bytes


def wsgi_environ(scope: Any, body: BinaryIO, size: int | None) -> Environ:
    """WSGI's environ of a request. scope: RSGI's; size: bytes of the body, None if no length was announced."""
    server, _, port = scope.server.rpartition(":")
    version = "1.0" if scope.http_version == "1" else scope.http_version
    environ: Environ = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": as_latin(scope.path),
        "QUERY_STRING": as_latin(scope.query_string),
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{version}",
        "REMOTE_ADDR": remote_address(scope),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": body,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        # A name with an underscore would be mistaken for the header with a dash that a proxy sets.
        if "_" in name:
            continue
        key = "HTTP_" + name.upper().replace("-", "_")
        if key in environ:
            value = environ[key] + _JOINED.get(key, ",") + value
        environ[key] = value
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if f"HTTP_{key}" in environ:
            environ[key] = environ.pop(f"HTTP_{key}")
    if size is not None:
        environ["CONTENT_LENGTH"] = str(size)
    return environ


def remote_address(scope: Any) -> str:
    """The address of the connected client, without port and brackets."""
    address: str = scope.client.rpartition(":")[0]
    return address.strip("[]")


def call_application(application: WsgiApplication, environ: Environ) -> Answer:
    """Call a WSGI callable and collect its answer. Raises what the callable raises."""
    heads: list[tuple[str, Headers]] = []

    def start(line: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], None]:
        heads.append((line, headers))
        return pieces.append

    pieces: list[bytes] = []
    chunks = application(environ, start)
    try:
        pieces.extend(chunks)
    finally:
        if (close := getattr(chunks, "close", None)) is not None:
            close()
    line, headers = heads[-1]
    return Answer(int(line[:3]), headers, pieces[0] if len(pieces) == 1 else b"".join(pieces))


def as_latin(text: str) -> str:
    """The UTF-8 bytes of a text as WSGI represents them: a character for each byte."""
    return text if text.isascii() else text.encode().decode("latin-1")
