# SPDX-License-Identifier: Apache-2.0
"""Middleware of the two origins: language, size of bodies, stored forms, caching."""

from collections.abc import Callable
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from bluezone.desk.home import forget_menu_counts
from bluezone.web.errors import too_large
from bluezone.web.page_variants import PageLanguages

View = Callable[[HttpRequest], HttpResponse]

# The cookie that tells a page which form was stored (web/static/typed.js), and its lifetime.
STORED_COOKIE = "bluezone-stored"
_STORED_SECONDS = 300
# A redirect to these addresses means that the form was not stored: the reader has to sign in or confirm first.
_NOT_STORED = ("/sign-in/", "/confirm/")


def use_chosen_language(get_response: View) -> View:
    """The language of office pages: Vietnamese unless the reader has switched. Browsers there often send English."""
    return _speaking(get_response, lambda _accepted: str(settings.LANGUAGE_CODE))


def use_readers_language(get_response: View) -> View:
    """The language of public pages: as chosen by the reader, otherwise as the browser offers, otherwise Vietnamese."""
    return _speaking(get_response, page_languages().language_for)


def page_languages() -> PageLanguages:
    """The languages that readers of the public pages may offer; those without pages get the English ones."""
    offered = frozenset(code for code, _ in (*settings.LANGUAGES, *settings.VISITOR_LANGUAGES))
    return PageLanguages(offered, str(settings.LANGUAGE_CODE))


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
    """Answer 413 to a request that announces more than MAX_BODY_BYTES, without reading it.

    Calls under /v1/ have their own limits, and tell a device what it can do about a large body.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        announced = request.META.get("CONTENT_LENGTH") or "0"
        too_long = not announced.isdigit() or int(announced) > settings.MAX_BODY_BYTES
        if too_long and not request.path.startswith("/v1/"):
            return too_large(request)
        return get_response(request)

    return middleware


def report_stored_form(get_response: View) -> View:
    """Tell the browser the address of a form that was stored, so that it deletes its draft of the form.

    The numbers of waiting items in the menu are counted again after that.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.method != "POST" or not request.user.is_authenticated:
            return response
        forget_menu_counts(request)
        is_redirect = response.status_code == 302
        if is_redirect and not urlsplit(response.headers["Location"]).path.startswith(_NOT_STORED):
            secure = bool(settings.SESSION_COOKIE_SECURE)
            response.set_cookie(
                STORED_COOKIE, quote(request.path), max_age=_STORED_SECONDS, samesite="Lax", secure=secure
            )
        return response

    return middleware


def forbid_caching(get_response: View) -> View:
    """Forbid caching of office pages: they show codes and names, which the back button must not bring back."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers["Cache-Control"] = "no-store"
        return response

    return middleware
