# SPDX-License-Identifier: Apache-2.0
"""A TCP relay that cuts a share of the connections, before or within the request or the answer."""

import random
import select
import socket
import threading


class CuttingRelay:
    """Relays connections to a port of this machine. share: of the connections to cut, 0..1. seed: selects these.

    server: the port of the server, which may change. connections, cuts: the numbers so far.
    """

    def __init__(self, server: int, share: float, seed: int) -> None:
        self.server = server
        self._share = share
        self._random = random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            # How many bytes pass from each side; the request of a letter has about 6 KB, the answer 2 KB.
            cut = self._random.random() < self._share
            self.cuts += cut
            limits = self._random.choice([(0, 0), (3000, 10**9), (10**9, 1800), (10**9, 2600)]) if cut else None
            threading.Thread(target=self._pass_on, args=(client, limits), daemon=True).start()

    def _pass_on(self, client: socket.socket, limits: tuple[int, int] | None) -> None:
        with client:
            try:
                with socket.create_connection(("127.0.0.1", self.server)) as server:
                    _shovel(client, server, limits)
            except OSError:
                return


def _shovel(client: socket.socket, server: socket.socket, limits: tuple[int, int] | None) -> None:
    """Relay bytes until one side ends or reaches its limit."""
    left = {client: limits[0], server: limits[1]} if limits else None
    while True:
        for ready in select.select([client, server], [], [])[0]:
            data = ready.recv(65536)
            if left is not None:
                data, left[ready] = data[: left[ready]], left[ready] - len(data)
            if data:
                (server if ready is client else client).sendall(data)
            if not data or (left is not None and left[ready] <= 0):
                return
