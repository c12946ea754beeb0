# SPDX-License-Identifier: Apache-2.0
"""Clients that mean harm, and one that does not; loopback only, and no more connections than a test asks for."""

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

# Patience of the good client: an origin that is stopped does not answer at all, a busy machine answers in seconds.
PATIENCE_SECONDS = 90.0
# Where the good client comes from, and where the others do: two networks of one machine.
HERE, ELSEWHERE = "127.0.0.1", "127.0.0.2"


def allow_descriptors(count: int) -> bool:
    """Raise this process's limit of descriptors as far as needed; whether that was possible."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 512
    if soft < wanted and hard != resource.RLIM_INFINITY and hard < wanted:
        return False
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    return True


def port_of(address: str) -> int:
    """The port of `http://localhost:PORT`."""
    return int(address.rsplit(":", 1)[1])


@contextmanager
def connections(address: str, count: int, first: bytes = b"", source: str = ELSEWHERE) -> Iterator[list[socket.socket]]:
    """Open so many connections and send the same few bytes on each."""
    with ExitStack() as opened:
        held = []
        for _ in range(count):
            one = socket.create_connection((HERE, port_of(address)), PATIENCE_SECONDS, (source, 0))
            opened.enter_context(one)
            if first:
                one.sendall(first)
            held.append(one)
        yield held


@contextmanager
def dripping(connected: list[socket.socket], piece: bytes, seconds: float) -> Iterator[None]:
    """Send the same few bytes on each connection again and again, until the block is left."""
    stop = threading.Event()

    def drip() -> None:
        for one in connected:
            with suppress(OSError):
                one.send(piece)

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


def ends(held: list[socket.socket], seconds: float = 180.0) -> list[bytes]:
    """Wait until the other side has ended each connection; the first bytes that each was answered with."""
    said = dict.fromkeys(held, b"")
    with selectors.DefaultSelector() as waiting:
        for one in held:
            one.setblocking(False)
            waiting.register(one, selectors.EVENT_READ)
        deadline = time.monotonic() + seconds
        while waiting.get_map():
            assert time.monotonic() < deadline, f"{len(waiting.get_map())} of {len(held)} are still held"
            for one in _readable(waiting, 1.0):
                got = _received(one)
                said[one] = (said[one] + got)[:64]
                if not got:
                    waiting.unregister(one)
    return list(said.values())


def _readable(waiting: selectors.BaseSelector, seconds: float) -> list[socket.socket]:
    return [key.fileobj for key, _ in waiting.select(seconds) if isinstance(key.fileobj, socket.socket)]


def _received(one: socket.socket) -> bytes:
    """What has come; nothing when the other side has ended the connection, however it did."""
    try:
        return one.recv(65_536)
    except OSError:
        return b""


class GoodClient:
    """Somebody who uses the city as it is meant: reads, uploads, opens pages. Each call on a connection of its own."""

    def __init__(self, served: Any, context: ssl.SSLContext | None = None) -> None:
        self._served, self._context = served, context
        self.answered = 0

    def ask(self, address: str, path: str, body: bytes | None = None, forwarded: str = "") -> int:
        """The status of one answer, read whole; an origin that does not answer fails the test.

        forwarded: the address that a proxy names, "" without one.
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
        """What phones and offices do, some times over; every call is answered as it is on a quiet day."""
        public, office = self._served.public, self._served.office
        for _ in range(rounds):
            # The upload is of another version than ours: read and answered, and counted as no try.
            statuses = [
                self.ask(public, "/v1/config"), self.ask(public, "/v1/exports/index.json"), self.ask(public, "/"),
                self.ask(public, "/v1/upload", bytes(4096)), self.ask(public, "/v1/health/ready"),
                self.ask(office, "/sign-in/"), self.ask(office, "/health/ready"),
            ]  # fmt: skip
            assert statuses == [200] * len(statuses)


class Flood:
    """Requests from elsewhere, many at a time, each sent again as soon as it is answered. sent: one whole request."""

    def __init__(self, address: str, sent: bytes, at_a_time: int, source: str = ELSEWHERE) -> None:
        self._address, self._sent, self._count, self._source = address, sent, at_a_time, source
        self.answers = 0
        self._stop = threading.Event()
        self._all_sent = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with (
            connections(self._address, self._count, self._sent, self._source) as held,
            selectors.DefaultSelector() as waiting,
        ):
            for one in held:
                one.setblocking(False)
                waiting.register(one, selectors.EVENT_READ)
            self._all_sent.set()
            while not self._stop.is_set():
                for one in _readable(waiting, 0.2):
                    if not _received(one):
                        waiting.unregister(one)
                        continue
                    self.answers += 1
                    one.sendall(self._sent)

    def __enter__(self) -> "Flood":
        self._thread.start()
        assert self._all_sent.wait(PATIENCE_SECONDS)
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()


def post(path: str, length: int, body: bytes, *more: str) -> bytes:
    """The bytes of a request that announces a length and may send less."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {length}", *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
