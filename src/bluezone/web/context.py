# SPDX-License-Identifier: Apache-2.0
"""What every template may use: the city's name in the page's language, its hotline, the other language."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from bluezone.accounts import undoing
from bluezone.accounts.audiences import Audience
from bluezone.accounts.models import RoleGrant
from bluezone.accounts.scoping import grants_of
from bluezone.accounts.training import current_training


class _May:
    """`may.ADMINS` in a template: whether the reader is of this audience. Asked only where a page asks it."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __getitem__(self, name: str) -> bool:
        user = getattr(self._request, "user", None)
        return bool(user and user.is_authenticated and Audience[name].admits(user))

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
        "undo": SimpleLazyObject(lambda: undoing.is_offered(request, timezone.now())),
        "training": SimpleLazyObject(lambda: current_training(request)),
        "city_name": (found.name_en if language == "en" else found.name_vi) if found else "",
        "hotline": found.hotline if found else "",
        "section": (request.resolver_match.url_name or "").split("-")[0] if request.resolver_match else "",
        "other_languages": [(code, name) for code, name in settings.LANGUAGES if code != language],
    }
