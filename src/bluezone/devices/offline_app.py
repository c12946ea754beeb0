# SPDX-License-Identifier: Apache-2.0
"""An app that a device's browser installs and opens without a network: its files, a worker that caches them, and the
answers that serve them.
"""

import gzip
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from bluezone.face.bundles import order_imports
from bluezone.face.files import StaticFile, static_files

INDEX = "index.html"
SERVICE_WORKER = "service-worker.js"
_WORKER = Path(__file__).with_name("offline-worker.js")
# Placeholders in the worker's script.
_FILES_PLACE = "/*FILES*/{}"
_NAME_PLACE = "/*NAME*/"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
}
# The system fetches these once, when the app is put on a home screen.
_NOT_CACHED = ("face/icon-512.png",)
_COMPRESSIBLE = ("text/", "application/json", "application/manifest", "image/svg")


def read_folder(folder: Path) -> dict[str, StaticFile]:
    """The files in an app's folder by their paths below it."""
    own = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.suffix in _TYPES}
    return {name: StaticFile(name, path.read_bytes(), _TYPES[path.suffix]) for name, path in own.items()}


def face_files(names: Iterable[str]) -> dict[str, StaticFile]:
    """Files of the face under `face/`, with every script that they import, the fonts and the icons."""
    face = static_files()
    sources = {name: file.content.decode() for name, file in face.items() if name.endswith(".js")}
    names = list(names)
    scripts = order_imports([name for name in names if name in sources], sources)
    fonts = [name for name in face if name.startswith("fonts/") and name.endswith(".woff2")]
    icons = ["icon.svg", "icon-192.png", "icon-512.png"]
    chosen = dict.fromkeys([*names, *scripts, *fonts, *icons])
    return {f"face/{name}": StaticFile(f"face/{name}", face[name].content, face[name].media_type) for name in chosen}


def build_app(name: str, files: Mapping[str, StaticFile]) -> dict[str, StaticFile]:
    """All files of an app by path: the page under "", and the worker, with the list of files to cache written into it.

    name: of the app, unique on the origin.
    """
    served = {path: file for path, file in files.items() if path != INDEX}
    served[""] = StaticFile("", files[INDEX].content, files[INDEX].media_type)
    hashes = {path: file.sha256 for path, file in served.items() if path not in _NOT_CACHED}
    listing = json.dumps(hashes, sort_keys=True, separators=(",", ":"))
    worker = _WORKER.read_text(encoding="utf-8").replace(_FILES_PLACE, listing, 1).replace(_NAME_PLACE, name, 1)
    served[SERVICE_WORKER] = StaticFile(SERVICE_WORKER, worker.encode(), _TYPES[".js"])
    return served


def serve_file(request: HttpRequest, files: Mapping[str, StaticFile], path: str) -> HttpResponse:
    """A file of an app. Browsers check its ETag at each visit, so an update reaches a phone at its next contact."""
    file = files.get(path)
    if file is None:
        raise Http404
    cached_tags = [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]
    if file.etag in cached_tags:
        response = HttpResponse(status=304)
    elif "gzip" in request.headers.get("Accept-Encoding", "") and file.media_type.startswith(_COMPRESSIBLE):
        response = HttpResponse(_compress(file.content), content_type=file.media_type)
        response.headers["Content-Encoding"] = "gzip"
    else:
        response = HttpResponse(file.content, content_type=file.media_type)
    response.headers["ETag"] = file.etag
    response.headers["Cache-Control"] = "public, no-cache"
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


@lru_cache(maxsize=256)
def _compress(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)
