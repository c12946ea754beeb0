# SPDX-License-Identifier: Apache-2.0
"""A whole request as WSGI's environ, and a WSGI callable's answer as a whole.

Source: PEP 3333; RSGI specification 1.5, "HTTP scope".

The threads in which an origin's callable runs, and the line before them: one network's crowd waits for itself.

Work of the network that has waited longest comes first, one piece of each in turn, so that a flood from one network
delays that network and nobody else.
"""

import queue
import sys
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, BinaryIO

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
WsgiApplication = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

# What one cookie or list of values looks like as several headers.
_JOINED = {"HTTP_COOKIE": "; "}


@dataclass(frozen=True)
class Answer:
    """What a callable answered, whole."""

    status: int
    headers: Headers
    body: bytes


def environ_of(scope: Any, body: BinaryIO, size: int | None) -> Environ:
    """WSGI's environ of a request. scope: of RSGI; size: of its body, None where none was announced."""
    server, _, port = scope.server.rpartition(":")
    environ: Environ = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": _as_latin(scope.path),
        "QUERY_STRING": _as_latin(scope.query_string),
        "SERVER_NAME": server,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{'1.0' if scope.http_version == '1' else scope.http_version}",
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
        # With an underscore it would pass for the header with a dash, which a proxy has written.
        if "_" in name:
            continue
        key = "HTTP_" + name.upper().replace("-", "_")
        environ[key] = environ[key] + _JOINED.get(key, ",") + value if key in environ else value
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if f"HTTP_{key}" in environ:
            environ[key] = environ.pop(f"HTTP_{key}")
    if size is not None:
        environ["CONTENT_LENGTH"] = str(size)
    return environ


def remote_address(scope: Any) -> str:
    """The address of who connected, without port and brackets."""
    address: str = scope.client.rpartition(":")[0]
    return address.strip("[]")


def call(application: WsgiApplication, environ: Environ) -> Answer:
    """Let a callable answer, and collect it. Raises what the callable raises."""
    said: list[tuple[str, Headers]] = []

    def start(line: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], None]:
        said.append((line, headers))
        return pieces.append

    pieces: list[bytes] = []
    given = application(environ, start)
    try:
        pieces.extend(given)
    finally:
        if (close := getattr(given, "close", None)) is not None:
            close()
    line, headers = said[-1]
    return Answer(int(line[:3]), headers, pieces[0] if len(pieces) == 1 else b"".join(pieces))


def _as_latin(text: str) -> str:
    """The bytes of a text as WSGI writes them: one character each."""
    return text if text.isascii() else text.encode().decode("latin-1")


Work = Callable[[], None]
# Who is not served within a second or two at this length would not be helped by more.
MOST_WAITING = 2048
# Thousands of phones may be behind one address of a carrier.
MOST_OF_A_NETWORK = 1024


class LineFull(Exception):
    """So many requests wait already that one more would wait in vain."""


class Threads:
    """A fixed number of threads, started at once. name: what they are called."""

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._lines: OrderedDict[bytes, deque[Work]] = OrderedDict()
        # What waits and what is being done.
        self._waiting, self._begun = 0, 0
        self._lock = threading.Lock()
        # One for each piece of work, and one for each thread at the end.
        self._tokens: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._work, name=f"{name}-{number}") for number in range(count)]
        for thread in self._threads:
            thread.start()

    def add(self, work: Work, network: Callable[[], bytes]) -> int:
        """Let a thread do some work, which must not raise; returns how much waits before it.

        network: whose it is; asked only if it has to wait. Raises LineFull.
        """
        with self._lock:
            before = self._waiting
            key = network() if before + self._begun >= self._count else b""
            if before >= MOST_WAITING or len(self._lines.get(key, ())) >= MOST_OF_A_NETWORK:
                raise LineFull
            self._lines.setdefault(key, deque()).append(work)
            self._waiting += 1
        self._tokens.put(True)
        return before

    def end(self) -> None:
        """Do what waits, then end."""
        for _ in self._threads:
            self._tokens.put(False)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while self._tokens.get():
            self._next()()
            with self._lock:
                self._begun -= 1

    def _next(self) -> Work:
        with self._lock:
            network, line = self._lines.popitem(last=False)
            work = line.popleft()
            if line:
                self._lines[network] = line
            self._waiting -= 1
            self._begun += 1
            return work
