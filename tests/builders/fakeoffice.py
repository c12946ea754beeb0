# SPDX-License-Identifier: Apache-2.0
"""A fake office, for the reaction of gates and loudspeakers to answers that the real office seldom gives."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any


class FakeOffice(BaseHTTPRequestHandler):
    """A handler of requests; its state is in attributes of its `server`."""

    def json_body(self) -> Any:
        """The JSON of the request."""
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, status: int, body: Any) -> None:
        """Send bytes, or anything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serve_fake_office(handler: type[FakeOffice], **remembered: Any) -> Iterator[Any]:
    """Serve on a port of this machine. remembered: attributes of the server at the start."""
    server = HTTPServer(("127.0.0.1", 0), handler)
    for name, value in remembered.items():
        setattr(server, name, value)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
