# SPDX-License-Identifier: Apache-2.0
"""What every public page has in common (menu, facts, headers), and the page by which a device trusts the server.

A folder of files as an origin serves it: packed once, named by hash, never a path outside the folder.

Used for the assets of the public pages, whose address changes with their content, and for the web edition at /app/,
whose addresses stay and are asked for again with their ETag.
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
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE
from bluezone.paper.pdf import FONTS
from bluezone.paper.phrases import facts, headline
from bluezone.tls import SELF, authority_folder, fingerprint, read_certificate

# Only what shrinks is packed; fonts, pictures and WebAssembly of this size are sent as they are.
_PACKED = ("text/", "image/svg", "application/json", "application/manifest", "application/wasm")
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
    ".wasm": "application/wasm",
}
# Smaller than one packet: packing saves nothing.
_WORTH_PACKING_BYTES = 860
IMMUTABLE = "public, max-age=31536000, immutable"
# Kept, but asked for again each time: an update reaches a phone at its next visit.
ASK_AGAIN = "public, no-cache"
# What changes with the city's settings, under an address that stays.
KEPT_AN_HOUR = "public, max-age=3600"


@dataclass(frozen=True)
class Asset:
    """One file as it is sent. sha256: 64 hex digits over `content`, which is what a browser sees after unpacking."""

    path: str
    content: bytes
    media_type: str

    @cached_property
    def sha256(self) -> str:
        """Hash of what is served, in hex."""
        return hashlib.sha256(self.content).hexdigest()

    @cached_property
    def integrity(self) -> str:
        """The same hash as Subresource Integrity writes it."""
        return "sha256-" + base64.b64encode(bytes.fromhex(self.sha256)).decode()

    @cached_property
    def packed(self) -> bytes | None:
        """Its gzip, None where that would not be smaller."""
        if not self.media_type.startswith(_PACKED) or len(self.content) < _WORTH_PACKING_BYTES:
            return None
        packed = gzip.compress(self.content, 9, mtime=0)
        return packed if len(packed) < len(self.content) else None


class AssetFolder:
    """The files under a folder, read at the first request and kept in memory; nothing that begins with a dot.

    more: files that lie elsewhere, by the path under which they are served.
    """

    def __init__(self, folder: Path, more: Mapping[str, Path] = MappingProxyType({})) -> None:
        self._folder, self._more = folder, more

    @cached_property
    def assets(self) -> dict[str, Asset]:
        """Path inside the folder -> file, in order of path."""
        files = {path.relative_to(self._folder).as_posix(): path for path in self._folder.rglob("*") if path.is_file()}
        shown = {name: path for name, path in files.items() if not any(part[0] == "." for part in name.split("/"))}
        return {name: _read(name, path) for name, path in sorted({**shown, **self._more}.items())}

    @cached_property
    def digest(self) -> str:
        """12 hex digits that change with any file's name or bytes."""
        whole = "".join(f"{asset.path}\0{asset.sha256}\n" for asset in self.assets.values())
        return hashlib.sha256(whole.encode()).hexdigest()[:12]


# The files of the public pages, with the font that sheets are printed in as well, and its licence.
ASSETS = AssetFolder(
    Path(__file__).with_name("public"), {f"fonts/{path.name}": path for path in FONTS.glob("*be-vietnam-pro*")}
)


def answer(request: HttpRequest, asset: Asset | None, cache_control: str) -> HttpResponse:
    """The file, 304 where the browser has it already; raises Http404 where there is none."""
    if asset is None:
        raise Http404
    etag = f'"{asset.sha256[:32]}"'
    if etag in [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]:
        response = HttpResponse(status=304)
    else:
        packed = asset.packed if "gzip" in request.headers.get("Accept-Encoding", "") else None
        response = HttpResponse(asset.content if packed is None else packed, content_type=asset.media_type)
        if packed is not None:
            response.headers["Content-Encoding"] = "gzip"
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = cache_control
    if asset.packed is not None:
        patch_vary_headers(response, ["Accept-Encoding"])
    return response


def _read(name: str, path: Path) -> Asset:
    suffix = path.suffix
    media_type = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    if media_type.startswith("text/"):
        media_type += "; charset=utf-8"
    return Asset(name, path.read_bytes(), media_type)


# A page may be old by a minute; what is withdrawn is gone after that.
KEPT = "public, max-age=60"
_MENU = [
    ("protection", _("How it protects you")),
    ("guides", _("Guides")),
    ("news", _("News")),
    ("help", _("Help")),
]
_MORE = [
    ("faq", _("Questions and answers")),
    ("materials", _("Materials")),
    ("transparency", _("Transparency")),
    ("install", _("Install")),
    ("venue-apply", _("Register a venue")),
]


def show(request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200) -> HttpResponse:
    """A public page: the same for everybody who reads the same language, so caches may keep it."""
    response = render(request, template, {**chrome(request), **(context or {})}, status=status)
    response.headers["Cache-Control"] = KEPT if status == 200 and request.method in ("GET", "HEAD") else "no-store"
    response.headers["Vary"] = "Cookie, Accept-Language"
    return response


def chrome(request: HttpRequest) -> dict[str, Any]:
    """Names for public/base.html."""
    city = facts()
    return {
        "assets": reverse("assets", args=[ASSETS.digest]),
        "menu_short": _MENU,
        "menu_whole": [*_MENU, *_MORE],
        "page_name": request.resolver_match.url_name if request.resolver_match else "",
        "host": city.host,
        "origin": city.address,
        "national_hotline": city.national,
        "has_app": city.has_app,
        "headline": headline(city),
        "visitor_languages": settings.VISITOR_LANGUAGES,
        "install_links": city.links,
        "source_link": city.source_link,
    }


@require_safe
@audience(EVERYONE)
def trust(request: HttpRequest) -> HttpResponse:
    """Fingerprint, the file, and the steps for each system; 404 where the certificate is not our own authority's."""
    shown = fingerprint(_authority()).split(":")
    groups = [" ".join(shown[start : start + 8]) for start in range(0, len(shown), 8)]
    return render(
        request, "public/trust.html", {"fingerprint": groups, "valid_until": _authority().not_valid_after_utc}
    )


@require_safe
@audience(EVERYONE)
def authority_file(request: HttpRequest) -> HttpResponse:
    """The authority's certificate as the file that Android, iOS and Windows open."""
    response = HttpResponse(_authority().public_bytes(Encoding.DER), content_type="application/x-x509-ca-cert")
    response.headers["Content-Disposition"] = 'attachment; filename="bluezone-authority.crt"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _authority() -> Certificate:
    path = authority_folder(settings.DATA_FOLDER) / "authority.pem"
    if settings.TLS_MODE != SELF or not path.exists():
        raise Http404
    return read_certificate(path)
