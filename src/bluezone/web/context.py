# SPDX-License-Identifier: Apache-2.0
"""What every template may use: the city's name in the page's language, its hotline, the other language."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language


def city(request: HttpRequest) -> dict[str, Any]:
    """Names for base.html; before the first `serve` there is no city and the names are empty."""
    language = get_language() or settings.LANGUAGE_CODE
    found = settings.CITY
    return {
        "city_name": (found.name_en if language == "en" else found.name_vi) if found else "",
        "hotline": found.hotline if found else "",
        "section": (request.resolver_match.url_name or "").split("-")[0] if request.resolver_match else "",
        "other_languages": [(code, name) for code, name in settings.LANGUAGES if code != language],
    }
