# SPDX-License-Identifier: Apache-2.0
"""The language switch: one cookie, no account needed."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET

from bluezone.accounts.audiences import Audience, audience


@require_GET
@audience(Audience.EVERYONE)
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
