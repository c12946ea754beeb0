# SPDX-License-Identifier: Apache-2.0
"""Files of a folder as an origin serves them: compressed once, named by hash, never from outside the folder.

Used for the assets of the public pages, which have another address when their content changes, and for the web edition
at /app/, where addresses stay and browsers ask again with an ETag.
"""

import base64
import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

# Types that compression makes smaller; fonts and pictures are sent as they are.
_COMPRESSED = ("text/", "image/svg", "application/json", "application/manifest", "application/wasm")
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
}
# Smaller than one packet: compression saves nothing.
_LEAST_COMPRESSED_BYTES = 860
IMMUTABLE = "public, max-age=31536000, immutable"
# Cached, but asked for again each time: an update reaches a phone at its next visit.
ASK_AGAIN = "public, no-cache"
# For content that changes with the city's settings, under an address that stays.
CACHED_AN_HOUR = "public, max-age=3600"


@dataclass(frozen=True)
class Asset:
    """One file as it is sent. content: what a browser sees after decompression."""

    path: str
    content: bytes
    media_type: str

    @cached_property
    def sha256(self) -> str:
        """Hash of the content, 64 hex digits."""
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def integrity(self) -> str:
        """The same hash as Subresource Integrity writes it."""
        return "sha256-" + base64.b64encode(bytes.fromhex(self.sha256)).decode()

    @cached_property
    def compressed(self) -> bytes | None:
        """Its gzip, None if that would not be smaller."""
        if not self.media_type.startswith(_COMPRESSED) or len(self.content) < _LEAST_COMPRESSED_BYTES:
            return None
        compressed = gzip.compress(self.content, 9, mtime=0)
        return compressed if len(compressed) < len(self.content) else None


class AssetFolder:
    """The files under a folder, read at the first request and kept in memory; nothing that begins with a dot.

    more: files from elsewhere, by the path under which they are served.
    """

    def __init__(self, folder: Path, more: Mapping[str, Path] = MappingProxyType({})) -> None:
        self._folder = folder
        self._more = more

    @cached_property
    def assets(self) -> dict[str, Asset]:
        """Path inside the folder -> file, in order of path."""
        files = {path.relative_to(self._folder).as_posix(): path for path in self._folder.rglob("*") if path.is_file()}
        served = {name: path for name, path in files.items() if not any(part[0] == "." for part in name.split("/"))}
        return {name: _read(name, path) for name, path in sorted({**served, **self._more}.items())}

    @cached_property
    def digest(self) -> str:
        """12 hex digits that change with any file's name or bytes."""
        whole = "".join(f"{asset.path}\0{asset.sha256}\n" for asset in self.assets.values())
        return hashlib.sha256(whole.encode()).hexdigest()[:12]


def serve_asset(request: HttpRequest, asset: Asset | None, cache_control: str) -> HttpResponse:
    """Answer with the file, or with 304 if the browser has it already. Raises Http404 if there is none."""
    if asset is None:
        raise Http404
    etag = f'"{asset.sha256[:32]}"'
    if etag in [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]:
        response = HttpResponse(status=304)
    else:
        compressed = asset.compressed if "gzip" in request.headers.get("Accept-Encoding", "") else None
        response = HttpResponse(asset.content if compressed is None else compressed, content_type=asset.media_type)
        if compressed is not None:
            response.headers["Content-Encoding"] = "gzip"
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = cache_control
    if asset.compressed is not None:
        patch_vary_headers(response, ["Accept-Encoding"])
    return response


def _read(name: str, path: Path) -> Asset:
    suffix = path.suffix
    media_type = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    if media_type.startswith("text/"):
        media_type += "; charset=utf-8"
    return Asset(name, path.read_bytes(), media_type)
