# SPDX-License-Identifier: Apache-2.0
"""A relay between a browser and a server that counts all bytes, including those of workers and headers."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Lock, Thread
from urllib.parse import urlsplit


@dataclass
class Wire:
    """The relay. url: its address, to use instead of the server's. down, up: bytes to and from the browser so far."""

    url: str
    down: int = 0
    up: int = 0
    lock: Lock = field(default_factory=Lock)

    def carry(self, source: socket.socket, target: socket.socket, direction: str) -> None:
        """Relay the bytes of one direction until one end closes; then close both."""
        with suppress(OSError):
            while piece := source.recv(65_536):
                with self.lock:
                    setattr(self, direction, getattr(self, direction) + len(piece))
                target.sendall(piece)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def wire_to(server: str) -> Iterator[Wire]:
    """Listen on a port of this machine and relay everything to `server` (an http:// address of this machine)."""
    port = urlsplit(server).port
    with socket.create_server(("127.0.0.1", 0)) as listening:
        wire = Wire(f"http://localhost:{listening.getsockname()[1]}")

        def accept() -> None:
            with suppress(OSError):
                while True:
                    browser, _ = listening.accept()
                    behind = socket.create_connection(("127.0.0.1", port))
                    Thread(target=wire.carry, args=(browser, behind, "up"), daemon=True).start()
                    Thread(target=wire.carry, args=(behind, browser, "down"), daemon=True).start()

        Thread(target=accept, daemon=True).start()
        yield wire
        listening.shutdown(socket.SHUT_RDWR)
