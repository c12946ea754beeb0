# SPDX-License-Identifier: Apache-2.0
"""What every public page has in common (menu, facts, headers), and the page by which a device trusts the server."""

from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import Certificate
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE
from bluezone.paper.city_facts import facts
from bluezone.publicpages.assets import ASSETS
from bluezone.tls.certificates import fingerprint, read_certificate
from bluezone.tls.contexts import SELF, authority_folder

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
