# SPDX-License-Identifier: Apache-2.0
"""The witness on a port: cities ask it to cosign, and anybody may fetch what it has cosigned last.

Small on purpose, and to be run behind a proxy that speaks TLS: docs/operating.md, "Witnesses".
"""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bluezone.refusal import Refused
from bluezone.witness.watcher import MOST_REQUEST_BYTES, Answer, Watcher

# A call has a small body, and whoever is slower holds a place among these.
CALL_SECONDS = 10.0
MOST_CALLS = 32


def answer_get(watcher: Watcher, path: str) -> Answer:
    """What is answered to GET: `/checkpoint/ORIGIN`, the newest that was cosigned, and `/evidence`."""
    if path.startswith("/checkpoint/"):
        try:
            note = watcher.log(path.removeprefix("/checkpoint/")).note
        except Refused as refused:
            return Answer(404, f"{refused.code}: {refused.message}\n".encode())
        return Answer(200, note.data) if note else Answer(404, b"nothing was seen of this log yet\n")
    if path == "/evidence":
        return Answer(200, b"\n".join(held + b"\n" + offered for _, _, held, offered in watcher.evidence()))
    return Answer(404, b"nothing is served at this address\n")


def server_of(watcher: Watcher, host: str, port: int) -> ThreadingHTTPServer:
    """A server of this witness; the caller runs and ends it."""
    places = threading.BoundedSemaphore(MOST_CALLS)

    class Handler(BaseHTTPRequestHandler):
        timeout = CALL_SECONDS
        server_version = "bluezone-witness"
        sys_version = ""

        def do_GET(self) -> None:
            self._send(answer_get(watcher, self.path))

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length") or ""
            if not length.isdecimal() or int(length) > MOST_REQUEST_BYTES:
                self._send(Answer(413, b"the request is too large, or does not say how large it is\n"))
            elif not self.path.endswith("/add-checkpoint"):
                self._send(Answer(404, b"nothing is served at this address\n"))
            else:
                self._send(watcher.add_checkpoint(self.rfile.read(int(length))))

        def _send(self, answer: Answer) -> None:
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.media_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody's address is noted."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def process_request_thread(self, request: Any, client_address: Any) -> None:
            # Whoever finds no place is turned away at once rather than made to wait.
            if not places.acquire(blocking=False):
                self.shutdown_request(request)
                return
            try:
                super().process_request_thread(request, client_address)
            finally:
                places.release()

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A caller that hung up is no event."""

    return Server((host, port), Handler)
