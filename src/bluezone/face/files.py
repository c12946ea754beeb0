# SPDX-License-Identifier: Apache-2.0
"""The face's static files with their hashes: what is served, what works offline, what the transparency page lists.

`web_files` is everything under /app/, ready to serve: the page with the engine and the city's key written into it,
and the service worker with the list of files that it keeps for offline use. Source: docs/attacks.md row 46.
"""

import hashlib
import html
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

STATIC = Path(__file__).parent / "static"
INDEX = "index.html"
SERVICE_WORKER = "service-worker.js"
# The same worker as an ES module, which can load the engine: for browsers that have module workers (Chrome 91).
SERVICE_WORKERS = (SERVICE_WORKER, "service-worker-module.js")
# Scripts that run beside the page and have the content policy of their own answer, not the page's.
WORKERS = (*SERVICE_WORKERS, "engine/web/puzzleworker.js", "scan/decoder.js")

_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".mp3": "audio/mpeg",
}
# In a browser nothing asks for them: the other engine, the contract's text, the page under its own name.
_NOT_SERVED = ("engine/handset.js", "engine/contract.js", INDEX, *SERVICE_WORKERS)
# What the page does not open with goes to the service worker in one answer: half the bytes of 40.
PACK = "later.json"
_LATER = re.compile(
    r"(?:screens|scan|words|vendor)/.+\.js|(?:drawings|outbox|qrcode|telling|visitrow)\.js"
    r"|engine/web/(?:base45|declaration|ed25519sign|gatepass|passes|tokens)\.js"
)
# Loaded with the first screen; workers keep the headers of their own answers.
_ALONE = ("screens/boot.js", "screens/welcome.js", "words/vi.js", "vendor/noble-ed25519.js", *WORKERS)
# Asked for once, by the system, when the app is put on a home screen.
_NOT_KEPT = ("icon-512.png",)
_PLACE = "/*FILES*/{}"
_BODY = re.compile(rb"<body\b([^>]*)>")
_ENGINE_ATTRIBUTES = re.compile(rb'\s+data-(?:engine|city-key)="[^"]*"')


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is served. path: relative to where the face is served, "" for the page itself."""

    path: str
    content: bytes
    media_type: str

    @property
    def sha256(self) -> str:
        """Hex, as the transparency page lists it."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def etag(self) -> str:
        """For conditional fetches."""
        return f'"{self.sha256[:32]}"'


@cache
def static_files() -> dict[str, StaticFile]:
    """Every file of the face by its path, as it lies in the package; read once a process."""
    found = (path for path in sorted(STATIC.rglob("*")) if path.suffix in _MEDIA_TYPES and path.is_file())
    paths = {path.relative_to(STATIC).as_posix(): path for path in found}
    return {name: StaticFile(name, path.read_bytes(), _MEDIA_TYPES[path.suffix]) for name, path in paths.items()}


def page(engine: Literal["web", "handset"], *, city_key: str | None = None) -> StaticFile:
    """The one page, told which engine it has.

    city_key: the city's Ed25519 public key as 64 hex digits; the web edition believes files of no other, and keeps
              the first one it was ever given.
    """
    told = f' data-engine="{engine}"'
    if city_key is not None:
        told += f' data-city-key="{html.escape(city_key)}"'

    def body(found: re.Match[bytes]) -> bytes:
        return b"<body" + _ENGINE_ATTRIBUTES.sub(b"", found[1]) + told.encode() + b">"

    written = static_files()[INDEX]
    return StaticFile("", _BODY.sub(body, written.content, count=1), written.media_type)


def kept_offline(shown: StaticFile) -> dict[str, str]:
    """SHA-256 (hex) by path of what the service worker keeps; "" is the page. Licence texts are not among them."""
    names = [name for name in static_files() if name not in _NOT_SERVED + _NOT_KEPT]
    return {"": shown.sha256, **{name: static_files()[name].sha256 for name in names}}


def _pack() -> StaticFile:
    """Media type and text by path of what the page does not open with; the service worker checks their hashes."""
    later = [file for name, file in static_files().items() if _LATER.fullmatch(name) and name not in _ALONE]
    told = {file.path: [file.media_type, file.content.decode()] for file in later}
    content = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return StaticFile(PACK, content, _MEDIA_TYPES[".json"])


def web_files(city_key: str) -> dict[str, StaticFile]:
    """Everything that is served under /app/, by path, the page under ""; see `page` for city_key."""
    shown = page("web", city_key=city_key)
    kept = json.dumps(kept_offline(shown), sort_keys=True, separators=(",", ":"))
    served = {"": shown, **{name: file for name, file in static_files().items() if name not in _NOT_SERVED}}
    served[PACK] = _pack()
    worker = static_files()[SERVICE_WORKER]
    told = worker.content.decode().replace(_PLACE, kept, 1).encode()
    served[SERVICE_WORKER] = StaticFile(SERVICE_WORKER, told, worker.media_type)
    # A browser looks for a new version in the file it registered, so the list's hash stands in both.
    module = static_files()[SERVICE_WORKERS[1]]
    mark = f"// files {hashlib.sha256(told).hexdigest()}\n".encode()
    served[SERVICE_WORKERS[1]] = StaticFile(SERVICE_WORKERS[1], module.content + mark, module.media_type)
    return served
