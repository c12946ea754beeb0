# SPDX-License-Identifier: Apache-2.0
"""The only way from a loudspeaker's decoder to the stations that it relays: a proxy at a port of this machine.

A station's address may lead on: by a redirect, by what a playlist names, by a name that is looked up again and found
elsewhere. So the check stands where a connection is made, and what was checked is what is connected to.
"""

import ipaddress
import select
import socket
import threading
from collections.abc import Callable
from socketserver import StreamRequestHandler, ThreadingTCPServer
from urllib.parse import urlsplit

CONNECT_SECONDS = 5.0
_MOST_HEADER_BYTES = 16_384
# Of one connection alone: the next request is checked anew.
_HOP_BY_HOP = (b"connection:", b"proxy-", b"keep-alive:")
_REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public network. Raises ValueError where it is none."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_global


class WayOut:
    """An HTTP proxy (RFC 9110 and 9112: CONNECT, and requests in absolute form) for programs of this machine.

    allows: whether an IP address may be asked; a host is refused if it has one that may not.
    """

    def __init__(self, allows: Callable[[str], bool]) -> None:
        self._server = _Server(allows)
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="way out", daemon=True).start()

    @property
    def address(self) -> str:
        """As programs take it from the variable http_proxy."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Take no more connections; those that are open end with the program that uses them."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingTCPServer):
    daemon_threads, block_on_close = True, False

    def __init__(self, allows: Callable[[str], bool]) -> None:
        self.allows = allows
        super().__init__(("127.0.0.1", 0), _Request)


class _Request(StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        try:
            method, target, head = self._head()
            parts = urlsplit(f"//{target}" if method == b"CONNECT" else target)
            if method != b"CONNECT" and parts.scheme != "http":
                raise PermissionError(target)
            far = self._connect(parts.hostname or "", parts.port or 80)
        except (OSError, ValueError):
            self.connection.sendall(_REFUSED)
            return
        with far:
            if method == b"CONNECT":
                self.connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            else:
                own = parts._replace(scheme="", netloc="", path=parts.path or "/").geturl()
                far.sendall(b"%s %s HTTP/1.1\r\n%sConnection: close\r\n\r\n" % (method, own.encode(), head))
            self._pass_on(far)

    def _head(self) -> tuple[bytes, str, bytes]:
        """Method, target and the header lines that go on. Raises ValueError."""
        left = _MOST_HEADER_BYTES
        first = self.rfile.readline(left)
        method, target, _version = first.split()
        kept = b""
        while (line := self.rfile.readline(left)).strip():
            left -= len(line)
            if not line.lower().startswith(_HOP_BY_HOP):
                kept += line
        if not line.endswith(b"\n"):
            raise ValueError("a request that is too long or broke off")
        return method, target.decode("ascii"), kept

    def _connect(self, host: str, port: int) -> socket.socket:
        """A connection to an address that was checked. Raises OSError, ValueError."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        if not all(self.server.allows(str(one[4][0])) for one in found):
            raise PermissionError(host)
        failed: OSError = OSError(host)
        for family, kind, protocol, _name, address in found:
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(CONNECT_SECONDS)
                connection.connect(address)
            except OSError as problem:
                connection.close()
                failed = problem
            else:
                connection.settimeout(None)
                return connection
        raise failed

    def _pass_on(self, far: socket.socket) -> None:
        """Bytes both ways until one side ends."""
        while True:
            for ready in select.select((self.connection, far), (), ())[0]:
                try:
                    content = ready.recv(65_536)
                    if not content:
                        return
                    (far if ready is self.connection else self.connection).sendall(content)
                except OSError:
                    return
