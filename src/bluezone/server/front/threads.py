# SPDX-License-Identifier: Apache-2.0
"""Threads that run an origin's WSGI callable, the queue in front of them, and requests and answers in WSGI's terms.

Each network has its own queue, and the queues are served in turn, so that a flood from one network delays that network
alone.

Source: PEP 3333; RSGI specification 1.5, "HTTP scope".
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

# How several headers of one name are joined, where not by a comma.
_JOINED = {"HTTP_COOKIE": "; "}


@dataclass(frozen=True)
class Answer:
    """The whole answer of a callable."""

    status: int
    headers: Headers
    body: bytes


def environ_of(scope: Any, body: BinaryIO, size: int | None) -> Environ:
    """WSGI's environ of a request. scope: of RSGI; size: of its body, None if none was announced."""
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


def call(application: WsgiApplication, environ: Environ) -> Answer:
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


def _as_latin(text: str) -> str:
    """The bytes of a text as WSGI has them: one character each."""
    return text if text.isascii() else text.encode().decode("latin-1")


Work = Callable[[], None]
# A queue of this length takes a second or two; a longer one would not help those at its end.
MOST_WAITING = 2048
# Thousands of phones may be behind one address of a carrier.
MOST_OF_A_NETWORK = 1024


class LineFull(Exception):
    """Too many requests wait already: another would not be served in time."""


class Threads:
    """A fixed number of threads, started immediately. name: the prefix of their names."""

    def __init__(self, count: int, name: str) -> None:
        self._count = count
        self._lines: OrderedDict[bytes, deque[Work]] = OrderedDict()
        self._waiting = 0
        self._running = 0
        self._lock = threading.Lock()
        # True for each piece of work; at the end, False for each thread.
        self._tokens: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._work, name=f"{name}-{number}") for number in range(count)]
        for thread in self._threads:
            thread.start()

    def add(self, work: Work, network: Callable[[], bytes]) -> int:
        """Queue work for a thread; it must not raise. Returns how many others wait before it.

        network: returns where it comes from; called only if the work has to wait. Raises LineFull.
        """
        with self._lock:
            before = self._waiting
            key = network() if before + self._running >= self._count else b""
            if before >= MOST_WAITING or len(self._lines.get(key, ())) >= MOST_OF_A_NETWORK:
                raise LineFull
            self._lines.setdefault(key, deque()).append(work)
            self._waiting += 1
        self._tokens.put(True)
        return before

    def end(self) -> None:
        """Finish the waiting work, then end the threads."""
        for _ in self._threads:
            self._tokens.put(False)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while self._tokens.get():
            self._next()()
            with self._lock:
                self._running -= 1

    def _next(self) -> Work:
        with self._lock:
            network, line = self._lines.popitem(last=False)
            work = line.popleft()
            if line:
                self._lines[network] = line
            self._waiting -= 1
            self._running += 1
            return work
