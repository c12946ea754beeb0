# SPDX-License-Identifier: Apache-2.0
"""A WSGI callable around another one, which counts the answers by class of address (`meters.ROUTES`)."""

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

from bluezone.duties.catalogue import api_prefixes
from bluezone.logs import event_fields
from bluezone.server.metrics.meters import Row
from bluezone.shortage import is_shortage

log = logging.getLogger(__name__)

Environ = dict[str, Any]
# Calls that are answered with a version byte and a status byte (docs/protocol.md sections 4, 7 and 8).
_REPORT_CALLS = frozenset({"/v1/verify", "/v1/upload", "/v1/tokens", "/v1/declarations"})
# Classes by the part of the path after /v1/, up to the next slash; the path itself is never stored.
_PUBLIC_CLASSES = {
    "push": "push",
    "help": "help",
    "health": "health",
    **{prefix.split("/")[2]: "devices" for prefix in api_prefixes()},
}


def public_route(path: str) -> str:
    """The class of an address of the public origin, one of ROUTES."""
    if path in _REPORT_CALLS:
        # One class for all: separate ones would show in which minute a code was followed by an upload.
        return "reports"
    if not path.startswith("/v1/"):
        return "pages"
    return _PUBLIC_CLASSES.get(path[4:].partition("/")[0], "files")


def office_route(path: str) -> str:
    """The same for the office."""
    return "health" if path.startswith("/health/") else "office"


class MeasuredApplication:
    """A WSGI callable around another one."""

    def __init__(self, application: Callable[..., Iterable[bytes]], row: Row, class_of: Callable[[str], str]) -> None:
        self._application = application
        self._row = row
        self.class_of = class_of

    def count_answer(self, path: str, status: int, seconds: float, body: object = b"") -> None:
        """Count an answer that was sent without the callable."""
        self._row.count(self.class_of(path), status, seconds)
        if path in _REPORT_CALLS and status == 200 and isinstance(body, bytes) and len(body) > 1:
            self._row.refuse(body[1])

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        started_at = time.perf_counter()
        status = 500

        def start(line: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            nonlocal status
            status = int(line[:3])
            return start_response(line, headers)

        path = environ.get("PATH_INFO", "")
        try:
            body = self._application(environ, start)
        except Exception as error:
            if is_shortage(error):
                raise
            # granian would log the error's text, which may quote what a client sent.
            log.exception("an answer failed", extra=event_fields("answer_failed", route=self.class_of(path)))
            status = 500
            body = []
            start("500 Internal Server Error", [("Content-Length", "0")])
        first = body[0] if isinstance(body, list) and body else b""
        self.count_answer(path, status, time.perf_counter() - started_at, first)
        return body
