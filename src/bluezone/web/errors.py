# SPDX-License-Identifier: Apache-2.0
"""Error pages: what happened, what was stored, what to do next; and the JSON shape of errors under /v1.

A device never gets a page, even for errors outside a view.
"""

import sys
from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import override

from bluezone.directory.scopes import OutsideScope
from bluezone.shortage import is_shortage

# A restarted database answers within this time.
RETRY_AFTER_SECONDS = 30
# Moving the stores of a large city takes minutes.
MOVING_SECONDS = 120

API_PREFIX = "/v1/"
_JSON = "application/json"
_LOWEST_ERROR = 400


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: signed in, but this page is for another role, or for the same role elsewhere."""
    if isinstance(exception, OutsideScope):
        return _page(
            request,
            403,
            _("Your role does not cover this"),
            _(
                "Nothing was changed. Your role is for another agency or unit, shown next to your name in the menu. If "
                "this is your work too, ask an administrator to give you the role there."
            ),
        )
    return _page(
        request,
        403,
        _("This page is for another role"),
        _(
            "Nothing was changed. If the work is part of your duties, ask an administrator to give your account "
            "that role."
        ),
    )


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403: the form's hidden token was wrong, usually because the page was open across a sign-in."""
    return _page(
        request,
        403,
        _("This form is no longer valid"),
        _(
            "Nothing was sent. What you typed is kept in this browser. Open the page again, sign in if asked, and put "
            "the text back. This site needs cookies to be allowed."
        ),
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: no such page."""
    return _page(
        request,
        404,
        _("Page not found"),
        _(
            "The address may be mistyped, or the content has been deleted after its time limit. Start again from the "
            "first page."
        ),
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: a request that none of our pages makes."""
    return _page(
        request,
        400,
        _("The request was not understood"),
        _("Nothing was changed. Start again from the first page."),
    )


def too_large(request: HttpRequest) -> HttpResponse:
    """413: more than any of our pages accepts."""
    return _page(
        request,
        413,
        _("The file is too large"),
        _(
            "Nothing was stored. Send a smaller file: split the list (at most 10 MB) or save the picture in a "
            "smaller size."
        ),
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """503: the office store does not answer or is locked, or no descriptor is free; 500: our fault."""
    error = sys.exception()
    away = isinstance(error, (OperationalError, InterfaceError)) or is_shortage(error)
    response = _page(
        request,
        503 if away else 500,
        _("The service is busy; nothing was stored"),
        _("Try again in a few minutes. If this goes on, tell the operator of the service what time it happened."),
    )
    if away:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    # The page uses neither session nor database, because these may have failed.
    context: dict[str, Any] = {"status": status, "title": title, "text": text, "plain": True}
    return render(request, "error.html", context, status=status)


def maintenance_page(language: str) -> bytes:
    """The page that replaces every page while the stores are being moved."""
    request = HttpRequest()
    request.method = "GET"
    with override(language):
        title = _("The service is being moved and will be back soon")
        text = _("Nothing is lost. Warnings on phones continue. Try again in a few minutes.")
        return _page(request, 503, title, text).content


def maintenance_problem() -> HttpResponse:
    """The answer to programs while the stores are being moved."""
    answer = api_problem(503, "move_unfinished", "the stores are being moved; nothing was stored, ask again")
    answer.headers["Retry-After"] = str(MOVING_SECONDS)
    return answer


def answer_api_errors_as_json(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Replace every error page under /v1 by a JSON answer with the same status and headers such as Allow."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_page = not response.headers.get("Content-Type", "").startswith(_JSON)
        if response.status_code < _LOWEST_ERROR or not is_page or not request.path_info.startswith(API_PREFIX):
            return response
        answer = _problem_of(response.status_code)
        for name in ("Allow", "Retry-After", "WWW-Authenticate"):
            if name in response.headers:
                answer.headers[name] = response.headers[name]
        return answer

    return middleware


def api_problem(status: int, code: str, message: str) -> HttpResponse:
    """`{"error": {"code", "message"}}` in English, never cached."""
    response = JsonResponse({"error": {"code": code, "message": message}}, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _problem_of(status: int) -> HttpResponse:
    match status:
        case 404:
            return api_problem(404, "not_found", "nothing is served at this address")
        case 405:
            return api_problem(405, "method_not_allowed", "the address exists, but not for this method")
        case 413:
            return api_problem(413, "body_too_large", "the body is larger than any call takes; it was not read")
        case 503:
            return api_problem(
                503, "office_unavailable", "the office store does not answer; nothing was stored, ask again"
            )
    if status >= 500:
        answer = api_problem(500, "server_error", "something went wrong here; nothing was stored, try again later")
    else:
        answer = api_problem(400, "request_refused", "this request was not understood; nothing was changed")
    answer.status_code = status
    return answer
