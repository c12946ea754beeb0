# SPDX-License-Identifier: Apache-2.0
"""A small HTTP proxy in front of a server, as a content delivery network is, which can answer old copies."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class StaleProxy:
    """The proxy. origin: host and port in front of which it is.

    frozen: whether it answers each address from its copy alone, 504 without one. copies: the newest by address.
    """

    origin: tuple[str, int]
    frozen: bool = False
    copies: dict[str, bytes] = field(default_factory=dict)
    port: int = 0

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def fetch(self, path: str) -> tuple[int, bytes]:
        """Status and body of its answer."""
        if self.frozen:
            return (200, self.copies[path]) if path in self.copies else (504, b"")
        connection = http.client.HTTPConnection(*self.origin, timeout=120)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
        except OSError:
            return 502, b""
        finally:
            connection.close()
        if answer.status == 200:
            self.copies[path] = body
        return answer.status, body


@contextmanager
def stale_proxy(host: str, port: int) -> Iterator[StaleProxy]:
    """A running proxy in front of a server."""
    proxy = StaleProxy((host, port))

    class Handler(BaseHTTPRequestHandler):
        """Answers GET."""

        def do_GET(self) -> None:
            """Answer one request."""
            status, body = proxy.fetch(self.path)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Requests are not logged."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        proxy.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()
