# SPDX-License-Identifier: Apache-2.0
"""A TCP relay in front of a server of this machine, which can lose the server, or an answer of it."""

import select
import socket
import threading


class Relay:
    """Passes bytes on between whoever connects to `port` and the server behind, until told otherwise.

    With `lost`, every connection is ended and new ones are ended at once, as where a server restarts.
    """

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lost = False
        self._answer_to_lose: bytes | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def lose_server(self) -> None:
        """End every connection, and new ones at once."""
        self._lost = True
        for pair in list(self._pairs):
            _end(pair)

    def find_server(self) -> None:
        """Let new connections through again."""
        self._lost = False

    def lose_answer_to(self, request: bytes) -> None:
        """Let the next request that holds these bytes reach the server, and end the connection instead of answering."""
        self._answer_to_lose = request

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
        losing = False
        try:
            while True:
                for ready in select.select(pair, [], [])[0]:
                    data = ready.recv(65536)
                    if not data or (losing and ready is pair[1]):
                        return
                    if ready is client and self._answer_to_lose and self._answer_to_lose in data:
                        self._answer_to_lose, losing = None, True
                    pair[1 if ready is client else 0].sendall(data)
        except (OSError, ValueError):
            return
        finally:
            _end(pair)
            client.close()
            pair[1].close()


def _end(pair: tuple[socket.socket, socket.socket]) -> None:
    for side in pair:
        try:
            side.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue
