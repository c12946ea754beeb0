# SPDX-License-Identifier: Apache-2.0
"""What stands around an origin's callable: it counts answers by class of address."""

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

from bluezone.duties.catalogue import api_prefixes
from bluezone.logs import event
from bluezone.server.metrics.meters import Row

log = logging.getLogger(__name__)

Environ = dict[str, Any]
# Calls whose answer holds a status byte behind its version byte (docs/protocol.md sections 4, 7 and 8).
_REPORT_CALLS = frozenset({"/v1/verify", "/v1/upload", "/v1/tokens", "/v1/declarations"})
# By what follows /v1/ up to a slash; an address itself is never kept.
_PUBLIC_CLASSES = {
    "push": "push",
    "help": "help",
    "health": "health",
    **{prefix.split("/")[2]: "devices" for prefix in api_prefixes()},
}


def public_class(path: str) -> str:
    """The class of an address of the public origin, one of metering.ROUTES."""
    if path in _REPORT_CALLS:
        # One class for all of them: apart they would tell at what minute somebody's code met an upload.
        return "reports"
    if not path.startswith("/v1/"):
        return "pages"
    return _PUBLIC_CLASSES.get(path[4:].partition("/")[0], "files")


def office_class(path: str) -> str:
    """The same for the office."""
    return "health" if path.startswith("/health/") else "office"


class Measured:
    """A WSGI callable around another one."""

    def __init__(self, application: Callable[..., Iterable[bytes]], row: Row, class_of: Callable[[str], str]) -> None:
        self._application, self._row, self.class_of = application, row, class_of

    def note(self, path: str, status: int, seconds: float) -> None:
        """Count an answer that was given without the callable."""
        self._row.count(self.class_of(path), status, seconds)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        begun, status = time.perf_counter(), 500

        def start(line: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            nonlocal status
            status = int(line[:3])
            return start_response(line, headers)

        path = environ.get("PATH_INFO", "")
        route = self.class_of(path)
        try:
            body = self._application(environ, start)
        except Exception:
            # granian would log the error's own words, which may quote what somebody sent.
            log.exception("an answer failed", extra=event("answer_failed", route=route))
            status, body = 500, []
            start("500 Internal Server Error", [("Content-Length", "0")])
        self._row.count(route, status, time.perf_counter() - begun)
        if path in _REPORT_CALLS and status == 200 and isinstance(body, list) and body and len(body[0]) > 1:
            self._row.refuse(body[0][1])
        return body
