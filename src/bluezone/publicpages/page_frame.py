# SPDX-License-Identifier: Apache-2.0
"""What every public page has in common: menu, facts about the city, assets, headers."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from bluezone.paper.pdf import FONTS
from bluezone.paper.phrases import facts, headline
from bluezone.publicpages.static_files import AssetFolder

# The files of the public pages, with the font of printed sheets and its licence.
ASSETS = AssetFolder(
    Path(__file__).with_name("public"), {f"fonts/{path.name}": path for path in FONTS.glob("*be-vietnam-pro*")}
)
# A page may be a minute old; withdrawn content disappears after that.
CACHED_A_MINUTE = "public, max-age=60"
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


def render_page(
    request: HttpRequest, template: str, context: dict[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """Render a public page, the same for everybody who reads the same language, so caches may keep it."""
    response = render(request, template, {**frame_context(request), **(context or {})}, status=status)
    is_cached = status == 200 and request.method in ("GET", "HEAD")
    response.headers["Cache-Control"] = CACHED_A_MINUTE if is_cached else "no-store"
    response.headers["Vary"] = "Cookie, Accept-Language"
    return response


def frame_context(request: HttpRequest) -> dict[str, Any]:
    """The context of public/base.html."""
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
