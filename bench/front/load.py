# SPDX-License-Identifier: Apache-2.0
"""Requests over open connections, and what they cost the processes that answer."""

import socket
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

CLIENTS = 16
# With clock_gettime: the processor time of a whole process, its ended threads included (Linux, posix-timers.h).
_SCHEDULED = 2
_END_OF_HEAD = b"\r\n\r\n"


@dataclass(frozen=True)
class Request:
    """One kind of request. path: with `{}` where each request has another number. status: of the right answer."""

    path: str
    status: int
    body: bytes | None = None
    count: int = 1600

    def encode(self, number: int) -> bytes:
        """The request as it is sent."""
        method = "GET" if self.body is None else "POST"
        head = f"{method} {self.path.format(number)} HTTP/1.1\r\nHost: localhost\r\n"
        if self.body is not None:
            head += f"Content-Length: {len(self.body)}\r\n"
        return f"{head}\r\n".encode() + (self.body or b"")


def cost(port: int, processes: Iterable[int], request: Request) -> float:
    """Microseconds of processor time that a request costs the processes together. Raises RuntimeError."""
    _pour(port, request, request.count // 10)
    before = _seconds(processes)
    _pour(port, request, request.count)
    return (_seconds(processes) - before) / request.count * 1e6


def _seconds(processes: Iterable[int]) -> float:
    return sum(time.clock_gettime((~process << 3) | _SCHEDULED) for process in processes)


def _pour(port: int, request: Request, count: int) -> None:
    """Send `count` requests over CLIENTS connections, each when the answer before has come."""

    def client(first: int) -> None:
        buffer = bytearray(1 << 18)
        with socket.create_connection(("127.0.0.1", port), timeout=120) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for number in range(first, count, CLIENTS):
                connection.sendall(request.encode(number))
                _receive(connection, buffer, request)

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(client, range(CLIENTS)))


def _receive(connection: socket.socket, buffer: bytearray, request: Request) -> None:
    answer = b""
    while _END_OF_HEAD not in answer:
        received = connection.recv(len(buffer))
        if not received:
            raise RuntimeError(f"{request.path}: the connection ended")
        answer += received
    head, _, body = answer.partition(_END_OF_HEAD)
    if int(head[9:12]) != request.status:
        raise RuntimeError(
            f"{request.path}: got {head.decode()} {body.decode(errors='replace')}, expected {request.status}"
        )
    missing = int(head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]) - len(body)
    while missing > 0:
        missing -= connection.recv_into(buffer)
