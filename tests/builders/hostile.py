# SPDX-License-Identifier: Apache-2.0
"""Malicious clients and a good client; loopback only, and no more connections than a test opens."""

import http.client
import resource
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

# How long the good client waits: a blocked origin does not answer at all, a busy machine answers within seconds.
PATIENCE_SECONDS = 90.0
# The addresses of the good client and of the malicious clients, in two networks of this machine.
HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"


def allow_descriptors(count: int) -> bool:
    """Raise the process's limit of descriptors as far as needed; returns whether that was possible."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = count + 512
    if soft < needed and hard != resource.RLIM_INFINITY and hard < needed:
        return False
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    return True


def port_of(address: str) -> int:
    """The port of `http://localhost:PORT`."""
    return int(address.rsplit(":", 1)[1])


@contextmanager
def connections(address: str, count: int, first: bytes = b"", source: str = ELSEWHERE) -> Iterator[list[socket.socket]]:
    """Open `count` connections and send the same few bytes on each."""
    with ExitStack() as opened:
        sockets = []
        for _ in range(count):
            connection = socket.create_connection((HERE, port_of(address)), PATIENCE_SECONDS, (source, 0))
            opened.enter_context(connection)
            if first:
                connection.sendall(first)
            sockets.append(connection)
        yield sockets


@contextmanager
def dripping(connected: list[socket.socket], piece: bytes, seconds: float) -> Iterator[None]:
    """Send the same few bytes on each connection again and again until the block ends."""
    stop = threading.Event()

    def drip() -> None:
        for connection in connected:
            with suppress(OSError):
                connection.send(piece)

    def run() -> None:
        while not stop.wait(seconds):
            drip()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def ends(sockets: list[socket.socket], seconds: float = 180.0) -> list[bytes]:
    """Wait until the other side has closed each connection; returns the first 64 bytes of each answer."""
    answers = dict.fromkeys(sockets, b"")
    with selectors.DefaultSelector() as waiting:
        for connection in sockets:
            connection.setblocking(False)
            waiting.register(connection, selectors.EVENT_READ)
        deadline = time.monotonic() + seconds
        while waiting.get_map():
            assert time.monotonic() < deadline, f"{len(waiting.get_map())} of {len(sockets)} are still held"
            for connection in _readable(waiting, 1.0):
                got = _received(connection)
                answers[connection] = (answers[connection] + got)[:64]
                if not got:
                    waiting.unregister(connection)
    return list(answers.values())


def _readable(waiting: selectors.BaseSelector, seconds: float) -> list[socket.socket]:
    return [key.fileobj for key, _ in waiting.select(seconds) if isinstance(key.fileobj, socket.socket)]


def _received(connection: socket.socket) -> bytes:
    """The received bytes; b"" if the other side has ended the connection in any way."""
    try:
        return connection.recv(65_536)
    except OSError:
        return b""


class GoodClient:
    """A client that uses the city as intended: reads, uploads, opens pages. Each call has its own connection."""

    def __init__(self, served: Any, context: ssl.SSLContext | None = None) -> None:
        self._served = served
        self._context = context
        self.answered = 0

    def ask(self, address: str, path: str, body: bytes | None = None, forwarded: str = "") -> int:
        """The status of one answer, read completely; an origin that does not answer fails the test.

        forwarded: the client address from a proxy, "" without a proxy.
        """
        headers = {"Host": "localhost", **({"X-Forwarded-For": forwarded} if forwarded else {})}
        if self._context is None:
            connection = http.client.HTTPConnection(HERE, port_of(address), PATIENCE_SECONDS, (HERE, 0))
        else:
            connection = http.client.HTTPSConnection(
                HERE, port_of(address), timeout=PATIENCE_SECONDS, context=self._context
            )
        try:
            connection.request("GET" if body is None else "POST", path, body, headers)
            answer = connection.getresponse()
            answer.read()
            self.answered += 1
            return answer.status
        finally:
            connection.close()

    def day(self, rounds: int = 3) -> None:
        """Make the calls of phones and offices several times; each must be answered as on a quiet day."""
        public = self._served.public
        office = self._served.office
        for _ in range(rounds):
            # The upload is of another version than ours: it is read and answered, and does not count as a try.
            statuses = [
                self.ask(public, "/v1/config"), self.ask(public, "/v1/exports/index.json"), self.ask(public, "/"),
                self.ask(public, "/v1/upload", bytes(4096)), self.ask(public, "/v1/health/ready"),
                self.ask(office, "/sign-in/"), self.ask(office, "/health/ready"),
            ]  # fmt: skip
            assert statuses == [200] * len(statuses)


class Flood:
    """Many simultaneous requests, each sent again as soon as it is answered. sent: the bytes of one request."""

    def __init__(self, address: str, sent: bytes, at_a_time: int, source: str = ELSEWHERE) -> None:
        self._address = address
        self._sent = sent
        self._count = at_a_time
        self._source = source
        self.answers = 0
        self._stop = threading.Event()
        self._all_sent = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with (
            connections(self._address, self._count, self._sent, self._source) as sockets,
            selectors.DefaultSelector() as waiting,
        ):
            for connection in sockets:
                connection.setblocking(False)
                waiting.register(connection, selectors.EVENT_READ)
            self._all_sent.set()
            while not self._stop.is_set():
                for connection in _readable(waiting, 0.2):
                    if not _received(connection):
                        waiting.unregister(connection)
                        continue
                    self.answers += 1
                    connection.sendall(self._sent)

    def __enter__(self) -> "Flood":
        self._thread.start()
        assert self._all_sent.wait(PATIENCE_SECONDS)
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()


def post(path: str, length: int, body: bytes, *more: str) -> bytes:
    """The bytes of a request. length: its Content-Length, which may be more than the body."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {length}", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
