# SPDX-License-Identifier: Apache-2.0
"""The office origin as a WSGI callable. It answers nothing under /v1, which belongs to the public origin."""

import functools
import itertools
import json
import os
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from bluezone.keyserver.http import ALIVE, Response

LIVE_PATH = "/health/live"
READY_PATH = "/health/ready"


class OfficeOrigin:
    """Opens Django at the first request, so that importing this module has no effect."""

    # No page here is the same for all readers, so none is cached.
    shared_pages: None = None
    refuse_at_hand: None = None

    def __init__(self) -> None:
        self._pages: Any = None

    def open(self) -> None:
        """Open what requests need; idempotent."""
        if self._pages is None:
            os.environ["DJANGO_SETTINGS_MODULE"] = "bluezone.web.settings"
            from django.core.wsgi import get_wsgi_application

            self._pages = get_wsgi_application()

    @property
    def largest_body(self) -> int:
        """Bytes of the largest body that a page accepts; a larger one is refused unread."""
        from django.conf import settings

        return int(settings.MAX_BODY_BYTES)

    @property
    def trusted_proxies(self) -> tuple[str, ...]:
        """The proxies that are trusted to set X-Forwarded-For."""
        from django.conf import settings

        return settings.CITY.trusted_proxies if settings.CITY else ()

    @property
    def common_headers(self) -> list[tuple[str, str]]:
        """Headers of every answer."""
        return strict_transport()

    def at_hand(self, path: str, _headers: Mapping[str, str]) -> Response | None:
        """The answer to a load balancer that asks whether this process runs; None for all other paths.

        It needs no thread, because all threads may wait for a database that never answers.
        """
        if path != LIVE_PATH:
            return None
        headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
        return Response(HTTPStatus.OK, json.dumps(ALIVE).encode(), headers)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.open()
        path = environ.get("PATH_INFO", "")
        if path == READY_PATH:
            return _answer_readiness(start_response)
        pages: Iterable[bytes] = self._pages(environ, start_response)
        return pages


def _answer_readiness(start_response: Any) -> list[bytes]:
    """Answer a load balancer: whether the office store has exactly our migrations."""
    failure = _failure()
    failing = [failure] if failure else []
    body = json.dumps({"status": "failing" if failing else "ok", "failing": failing}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    start_response("503 Service Unavailable" if failing else "200 OK", headers)
    return [body]


def _failure() -> str | None:
    from django.db import DatabaseError, close_old_connections, connection
    from django.db.migrations.recorder import MigrationRecorder

    close_old_connections()
    try:
        applied = MigrationRecorder(connection).applied_migrations()
    except DatabaseError:
        return "office_unavailable"
    needed, replaced = _migrations()
    if not needed | replaced >= applied.keys():
        return "store_too_new"
    return None if needed <= applied.keys() else "store_behind"


@functools.cache
def _migrations() -> tuple[frozenset[tuple[str, str]], frozenset[tuple[str, str]]]:
    """The migrations of this version, and those that they replace, which are recorded as applied too."""
    from django.db.migrations.loader import MigrationLoader

    disk = MigrationLoader(None).disk_migrations
    replaced = itertools.chain.from_iterable(migration.replaces for migration in disk.values())
    return frozenset(disk), frozenset(replaced)


def strict_transport() -> list[tuple[str, str]]:
    """The header that keeps a browser on HTTPS, if the settings have it."""
    from django.conf import settings

    seconds = settings.SECURE_HSTS_SECONDS
    return [("Strict-Transport-Security", f"max-age={seconds}")] if seconds else []


application = OfficeOrigin()
