# SPDX-License-Identifier: Apache-2.0
"""A TCP relay in front of a server of this machine, which can cut the connection, drop answers, or answer itself."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tests.builders.keyserver import postgresql_database, postgresql_server

_LOST, _HELD = b"lost", b"held"


class Relay:
    """Relays connections to `port` to the server, until a fault is set.

    After `lose_server`, every connection is ended, and new ones at once, as when a server restarts.
    address: of this machine, on which it listens.
    """

    def __init__(self, host: str, port: int, address: str = "127.0.0.1") -> None:
        self._server = (host, port)
        self._listener = socket.create_server((address, 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lost = False
        self._faults: list[tuple[bytes, bytes]] = []
        # How many messages of clients were relayed, and which of them ends its connection instead.
        self.messages = 0
        self._dropped = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def lose_server(self) -> None:
        """End every connection, and from now on new ones at once."""
        self._lost = True
        for pair in list(self._pairs):
            _end(pair)

    def find_server(self) -> None:
        """Let new connections through again."""
        self._lost = False

    def drop_connection_at(self, message: int) -> None:
        """End the connection with this message of a client, counted from now on; the first has the number 1."""
        self.messages = 0
        self._dropped = message

    def lose_answer_to(self, request: bytes, times: int = 1) -> None:
        """Relay the next requests that contain these bytes, and end the connection instead of returning the answer."""
        self._faults += [(request, _LOST)] * times

    def hold_answer_to(self, request: bytes, times: int = 1) -> None:
        """Accept the next requests that contain these bytes and never answer, so that the client has to give up."""
        self._faults += [(request, _HELD)] * times

    def answer(self, request: bytes, answer: bytes, times: int = 1) -> None:
        """Answer the next requests that contain these bytes; the server does not get them."""
        self._faults += [(request, answer)] * times

    def no_more_faults(self) -> None:
        """Relay everything again."""
        self._faults.clear()

    def close(self) -> None:
        """Stop listening and end every connection."""
        self._listener.close()
        self.lose_server()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._lost:
                client.close()
                continue
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        pair = (client, socket.create_connection(self._server))
        self._pairs.append(pair)
        losing = holding = False
        try:
            while True:
                for ready in select.select(pair, [], [])[0]:
                    data = ready.recv(65536)
                    if not data or (losing and ready is pair[1]):
                        return
                    if ready is client:
                        self.messages += 1
                        if self.messages == self._dropped:
                            return
                    fault = self._fault(data) if ready is client else None
                    losing = losing or fault == _LOST
                    holding = holding or fault == _HELD
                    if holding:
                        continue
                    if fault in (None, _LOST):
                        pair[1 if ready is client else 0].sendall(data)
                    else:
                        client.sendall(fault)
                        return
        except (OSError, ValueError):
            return
        finally:
            _end(pair)
            client.close()
            pair[1].close()

    def _fault(self, data: bytes) -> bytes | None:
        for number, (request, fault) in enumerate(self._faults):
            if request in data:
                del self._faults[number]
                return fault
        return None


def _end(pair: tuple[socket.socket, socket.socket]) -> None:
    for side in pair:
        try:
            side.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue


@contextmanager
def relayed_postgresql() -> Iterator[tuple[Relay, str]]:
    """A new database behind a relay, and its address through the relay; skips the test without a server."""
    server_url = postgresql_server()
    with postgresql_database(server_url) as url:
        parts = urlsplit(url)
        relay = Relay("127.0.0.1", parts.port or 5432)
        try:
            yield relay, parts._replace(netloc=f"{parts.username}@127.0.0.1:{relay.port}").geturl()
        finally:
            relay.close()
