# SPDX-License-Identifier: Apache-2.0
"""The HTTP service of a witness: cities ask it to cosign, and anyone may fetch the last checkpoint it has cosigned.

Small on purpose; it runs behind a proxy with TLS: docs/operating.md, "Witnesses".
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from bluezone.refusal import Refused
from bluezone.witness.leafstore import SecondLeaf
from bluezone.witness.watcher import MOST_REQUEST_BYTES, Answer, Watcher

# Calls have small bodies; a slow call occupies one of the places below.
CALL_SECONDS = 10.0
MOST_CALLS = 32


def answer_get(watcher: Watcher, path: str) -> Answer:
    """The answer to a GET of `/checkpoint/ORIGIN`, the newest cosigned checkpoint, or of `/evidence`."""
    if path.startswith("/checkpoint/"):
        try:
            note = watcher.log(path.removeprefix("/checkpoint/")).note
        except Refused as refused:
            return Answer(404, f"{refused.code}: {refused.message}\n".encode())
        return Answer(200, note.data) if note else Answer(404, b"nothing was seen of this log yet\n")
    if path == "/evidence":
        pairs = [stored + b"\n" + offered for _, _, stored, offered in watcher.evidence()]
        seconds = [json.dumps(members_of(second)).encode() + b"\n" for second in watcher.second_leaves()]
        return Answer(200, b"\n".join([*pairs, *seconds]))
    return Answer(404, b"nothing is served at this address\n")


def members_of(second: SecondLeaf) -> dict[str, Any]:
    """A second leaf as members of JSON: both leaves with their numbers."""
    return {
        "log": second.origin, "name": second.name,
        "leaves": [
            {"number": second.first_number, "leaf": second.first.decode(errors="backslashreplace")},
            {"number": second.number, "leaf": second.content.decode(errors="backslashreplace")},
        ],
    }  # fmt: skip


def make_server(watcher: Watcher, host: str, port: int) -> ThreadingHTTPServer:
    """A server for this witness; the caller runs and stops it."""
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
            """Log no addresses."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def process_request_thread(self, request: Any, client_address: Any) -> None:
            # A call without a free place is refused at once and does not wait.
            if not places.acquire(blocking=False):
                self.shutdown_request(request)
                return
            try:
                super().process_request_thread(request, client_address)
            finally:
                places.release()

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Ignore callers that hang up."""

    return Server((host, port), Handler)
