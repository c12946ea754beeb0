# SPDX-License-Identifier: Apache-2.0
"""Serve the canvass app to any browser; without a code from the office it shows nobody's doors."""

import gzip
from functools import cache

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from bluezone.accounts.audiences import Audience, audience
from bluezone.rollout.canvass.phone.files import canvass_files

_WORTH_PACKING = ("text/", "application/manifest", "image/svg")


@require_safe
@audience(Audience.EVERYONE)
def app(request: HttpRequest, path: str = "") -> HttpResponse:
    """A file of the app, asked for again at each visit with its ETag: an update reaches a phone at its next contact."""
    file = canvass_files().get(path)
    if file is None:
        raise Http404
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]
    if file.etag in known:
        response = HttpResponse(status=304)
    else:
        packed = _packed(path) if "gzip" in request.headers.get("Accept-Encoding", "") else None
        response = HttpResponse(file.content if packed is None else packed, content_type=file.media_type)
        if packed is not None:
            response.headers["Content-Encoding"] = "gzip"
    response.headers["ETag"] = file.etag
    response.headers["Cache-Control"] = "public, no-cache"
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


@cache
def _packed(path: str) -> bytes | None:
    file = canvass_files()[path]
    return gzip.compress(file.content, 9, mtime=0) if file.media_type.startswith(_WORTH_PACKING) else None
