# SPDX-License-Identifier: Apache-2.0
"""What every public page has in common: its menu, its facts, its headers."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from bluezone.paper.city_facts import facts
from bluezone.publicpages.assets import ASSETS

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
    response.headers["Vary"] = "Cookie"
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
        "national_hotline": city.national,
        "has_app": city.has_app,
        "install_links": city.links,
        "source_link": city.source_link,
    }
