# SPDX-License-Identifier: Apache-2.0
"""The office origin as a WSGI callable. It answers nothing under /v1: that is the public origin's."""

import os
from collections.abc import Iterable
from typing import Any


class OfficeOrigin:
    """Opens Django at the first request, so that importing this module has no effect."""

    def __init__(self) -> None:
        self._pages: Any = None

    def open(self) -> None:
        """Open what requests need; idempotent."""
        if self._pages is None:
            os.environ["DJANGO_SETTINGS_MODULE"] = "bluezone.web.settings"
            from django.core.wsgi import get_wsgi_application

            self._pages = get_wsgi_application()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.open()
        pages: Iterable[bytes] = self._pages(environ, start_response)
        return pages


application = OfficeOrigin()
