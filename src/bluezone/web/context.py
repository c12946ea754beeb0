# SPDX-License-Identifier: Apache-2.0
"""What every template may use: the city's name in the page's language, its hotline; the language switch; and how forms
look.
"""

from functools import cache
from typing import Any

from django.conf import settings
from django.forms.renderers import DjangoTemplates
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from bluezone.authority.waiting_views import alarms_for
from bluezone.duties import catalogue
from bluezone.duties.duty import Audience, MenuEntry
from bluezone.identity import acts
from bluezone.identity.audiences import admits, audience
from bluezone.identity.duty import EVERYONE
from bluezone.identity.models import RoleGrant, grants_of
from bluezone.training import current_training


@cache
def audiences() -> dict[str, Audience]:
    """Every audience by its name."""
    return catalogue.audiences()


def menu_of(request: HttpRequest) -> list[MenuEntry]:
    """The menu as the reader sees it; empty for who is not signed in."""
    user = getattr(request, "user", None)
    if not user or not user.is_authenticated:
        return []
    return [entry for entry in catalogue.menu() if entry.audience is None or admits(entry.audience, user)]


def _alarms(request: HttpRequest) -> dict[str, Any]:
    """What stands at the top of every page of the office; nothing on the public site and before signing in."""
    user = getattr(request, "user", None)
    return alarms_for(user, timezone.now()) if user and user.is_authenticated else {}


class _May:
    """`may.ADMINS` in a template: whether the reader is of this audience. Asked only where a page asks it."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __getitem__(self, name: str) -> bool:
        user = getattr(self._request, "user", None)
        return bool(user and user.is_authenticated and admits(audiences()[name], user))

    @property
    def held(self) -> list[RoleGrant]:
        """The grants under which the reader works today."""
        user = getattr(self._request, "user", None)
        return grants_of(user) if user and user.is_authenticated else []


def city(request: HttpRequest) -> dict[str, Any]:
    """Names for base.html; before the first `serve` there is no city and the names are empty."""
    language = get_language() or settings.LANGUAGE_CODE
    found = settings.CITY
    return {
        "may": _May(request),
        "menu": SimpleLazyObject(lambda: menu_of(request)),
        "undo": SimpleLazyObject(lambda: acts.is_offered(request, timezone.now())),
        "alarms": SimpleLazyObject(lambda: _alarms(request)),
        "training": SimpleLazyObject(lambda: current_training(request)),
        "city_name": (found.name_en if language == "en" else found.name_vi) if found else "",
        "hotline": found.hotline if found else "",
        "section": (request.resolver_match.url_name or "").split("-")[0] if request.resolver_match else "",
        "other_languages": [(code, name) for code, name in settings.LANGUAGES if code != language],
    }


@require_GET
@audience(EVERYONE)
def choose_language(request: HttpRequest, code: str) -> HttpResponse:
    """Remember the language and go back to the page the reader came from; an unknown language changes nothing."""
    back = request.GET.get("next", "/")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        back = "/"
    response = HttpResponseRedirect(back)
    if code in dict(settings.LANGUAGES):
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            code,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            samesite="Lax",
            secure=settings.LANGUAGE_COOKIE_SECURE,
            httponly=True,
        )
    return response


class HouseRenderer(DjangoTemplates):
    """Fields as blocks that fit 360 px, with help and errors tied to the field for screen readers."""

    field_template_name = "field.html"
