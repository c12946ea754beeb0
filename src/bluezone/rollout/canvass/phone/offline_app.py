# SPDX-License-Identifier: Apache-2.0
"""The canvass app as the public origin serves it under /canvass/: its files with their hashes. Without a code from the
office it shows nobody's doors.
"""

import gzip
import json
from functools import cache
from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from bluezone.face.files import StaticFile, static_files
from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE

HERE = Path(__file__).parent
INDEX, SERVICE_WORKER = "index.html", "service-worker.js"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
_FROM_FACE = (
    "app.css", "dom.js", "icons.js", "locks.js", "oldbrowser.js", "outbox.js", "uuid7.js", "words.js", "icon.svg",
    "icon-192.png", "icon-512.png", "engine/refusal.js", "engine/web/store.js", "engine/web/bytes.js",
)  # fmt: skip
# Asked for once, by the system, when the app is put on a home screen.
_NOT_KEPT = ("face/icon-512.png",)
_PLACE = "/*FILES*/{}"


@cache
def canvass_files() -> dict[str, StaticFile]:
    """Everything under /canvass/ by path, the page under ""; the service worker with what it keeps written into it."""
    own = {path.relative_to(HERE).as_posix(): path for path in sorted(HERE.rglob("*")) if path.suffix in _TYPES}
    served = {name: StaticFile(name, path.read_bytes(), _TYPES[path.suffix]) for name, path in own.items()}
    face = static_files()
    fonts = [name for name in face if name.startswith("fonts/") and name.endswith(".woff2")]
    for name in (*_FROM_FACE, *fonts):
        served[f"face/{name}"] = StaticFile(f"face/{name}", face[name].content, face[name].media_type)
    page, worker = served.pop(INDEX), served.pop(SERVICE_WORKER)
    served[""] = StaticFile("", page.content, page.media_type)
    kept = {name: file.sha256 for name, file in served.items() if name not in _NOT_KEPT}
    told = json.dumps(kept, sort_keys=True, separators=(",", ":"))
    content = worker.content.decode().replace(_PLACE, told, 1).encode()
    served[SERVICE_WORKER] = StaticFile(SERVICE_WORKER, content, worker.media_type)
    return served


_WORTH_PACKING = ("text/", "application/manifest", "image/svg")


@require_safe
@audience(EVERYONE)
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
