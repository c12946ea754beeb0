# SPDX-License-Identifier: Apache-2.0
"""Whether a form of the public origin was sent from another site; without a session there is no token to forge."""

from urllib.parse import urlsplit

from django.http import HttpRequest


def from_elsewhere(request: HttpRequest) -> bool:
    """Whether the browser names another origin than this host."""
    origin = request.headers.get("Origin")
    return bool(origin and urlsplit(origin).netloc != request.get_host())
