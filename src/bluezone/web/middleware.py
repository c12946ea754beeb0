# SPDX-License-Identifier: Apache-2.0
"""What every page of an origin has in common before and after its view."""

import re
from collections.abc import Callable
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from bluezone.desk.home import forget_waits
from bluezone.web.errors import too_large

View = Callable[[HttpRequest], HttpResponse]


def speak_the_chosen_language(get_response: View) -> View:
    """Vietnamese in the office, unless the reader has switched: its machines often claim English for nobody's sake."""
    return _speaking(get_response, lambda _accepted: str(settings.LANGUAGE_CODE))


def speak_the_readers_language(get_response: View) -> View:
    """What the reader has chosen, else what the browser says that its owner reads, else Vietnamese: public pages."""
    return _speaking(get_response, offered_language)


def offered_language(accepted: str) -> str:
    """ "vi" or "en", the language of the public pages for who has chosen none.

    accepted: the header Accept-Language, whatever it holds. Whoever lists Vietnamese at all reads it: telephones here
    often name English first. The web edition follows the same rule (face/static/words.js).
    """
    parts = (part.replace(" ", "").lower() for part in accepted.split(","))
    listed = {part.split(";")[0].split("-")[0] for part in parts if not _UNWANTED.search(part)}
    known = {code for code, _ in (*settings.LANGUAGES, *settings.VISITOR_LANGUAGES)}
    first = str(settings.LANGUAGE_CODE)
    return first if first in listed or not listed & known else "en"


_UNWANTED = re.compile(r";q=0(?:\.0*)?$")


def _speaking(get_response: View, unchosen: Callable[[str], str]) -> View:
    known = {code: code for code, _ in settings.LANGUAGES} | {code: "en" for code, _ in settings.VISITOR_LANGUAGES}

    def middleware(request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        language = known.get(chosen or "") or unchosen(request.headers.get("Accept-Language", ""))
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = get_response(request)
            response.headers.setdefault("Content-Language", language)
        return response

    return middleware


def refuse_large_bodies(get_response: View) -> View:
    """A request that announces more than MAX_BODY_BYTES is answered 413 without reading it.

    Calls under /v1/ have bounds of their own, and say of what is too large what a device can do about it.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        announced = request.META.get("CONTENT_LENGTH") or "0"
        too_long = not announced.isdigit() or int(announced) > settings.MAX_BODY_BYTES
        if too_long and not request.path.startswith("/v1/"):
            return too_large(request)
        return get_response(request)

    return middleware


# The cookie that tells a page which form was stored (web/static/typed.js), and for how long.
STORED_COOKIE = "bluezone-stored"
_STORED_SECONDS = 300
# Where a form leads that was not stored, because somebody has to prove first who they are.
_NOT_STORED = ("/sign-in/", "/confirm/")


def tell_what_was_stored(get_response: View) -> View:
    """Tell the browser the address of a form that was taken, so that it forgets what it has kept of it.

    And let the menu count anew what waits.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.method == "POST" and request.user.is_authenticated:
            forget_waits(request)
        led_on = response.status_code == 302 and request.method == "POST" and request.user.is_authenticated
        if led_on and not urlsplit(response.headers["Location"]).path.startswith(_NOT_STORED):
            secure = bool(settings.SESSION_COOKIE_SECURE)
            response.set_cookie(
                STORED_COOKIE, quote(request.path), max_age=_STORED_SECONDS, samesite="Lax", secure=secure
            )
        return response

    return middleware


def forget_responses(get_response: View) -> View:
    """Office pages show codes and names: no cache keeps them, and no back button brings a code back."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers["Cache-Control"] = "no-store"
        return response

    return middleware
