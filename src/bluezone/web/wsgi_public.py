# SPDX-License-Identifier: Apache-2.0
"""The public origin as a WSGI callable: the anonymous API first, the public page behind it."""

import os
from collections.abc import Iterable
from typing import Any

from bluezone.duties.catalogue import api_prefixes
from bluezone.keyserver.http import Application, Environ, handles
from bluezone.keyserver.service import KeyServer
from bluezone.rollout.loudspeakers import plan_server

# Under /v1 but Django's: what enrolled devices call, and requests for help.
DJANGO_PREFIXES = api_prefixes()
DJANGO_ADDRESSES = ("/v1/help",)


class PublicOrigin:
    """Opens the key server and Django at the first request, so that importing this module has no effect."""

    def __init__(self) -> None:
        self._server: KeyServer | None = None
        self._pages: Any = None
        self._speakers = plan_server.PlanServer()

    def open(self) -> None:
        """Open what requests need; idempotent. Raises what KeyServer.open raises."""
        if self._server is None:
            os.environ["DJANGO_SETTINGS_MODULE"] = "bluezone.web.settings_public"
            _take_settings()
            from django.core.wsgi import get_wsgi_application

            self._pages = get_wsgi_application()
            from bluezone.healthauthority.key_server import key_server

            self._server = key_server()

    def share_limits(self, descriptor: int) -> None:
        """Count tries of codes together with the other processes of this `serve`."""
        self.open()
        assert self._server is not None
        self._server.share_limits(descriptor)

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        if self._server is None:
            self.open()
        assert self._server is not None
        path = environ.get("PATH_INFO", "")
        if plan_server.answers(path):
            return self._speakers(environ, start_response)
        if handles(path) and not path.startswith(DJANGO_PREFIXES) and path not in DJANGO_ADDRESSES:
            return Application(self._server)(environ, start_response)
        pages: Iterable[bytes] = self._pages(environ, start_response)
        return pages


def _take_settings() -> None:
    """Change to the public origin's settings, in a copy of a process that was set up as the office is (forks.py)."""
    from django.conf import settings

    if settings.configured:
        from bluezone.web import settings_public

        for name in filter(str.isupper, dir(settings_public)):
            setattr(settings, name, getattr(settings_public, name))


application = PublicOrigin()
