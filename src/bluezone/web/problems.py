# SPDX-License-Identifier: Apache-2.0
"""The one error shape under /v1, also for what goes wrong before or behind a view: no device ever gets a page.

Source: contracts.md, HTTP ("one error shape"); docs/reference/problems.md has the codes.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

API_PREFIX = "/v1/"
_JSON = "application/json"
_LOWEST_ERROR = 400


def answer_api_errors_as_json(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Put the error shape in the place of any error page under /v1; headers such as Allow stay."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_page = not response.headers.get("Content-Type", "").startswith(_JSON)
        if response.status_code < _LOWEST_ERROR or not is_page or not request.path_info.startswith(API_PREFIX):
            return response
        told = _problem_of(response.status_code)
        for name in ("Allow", "Retry-After", "WWW-Authenticate"):
            if name in response.headers:
                told.headers[name] = response.headers[name]
        return told

    return middleware


def problem(status: int, code: str, message: str) -> HttpResponse:
    """`{"error": {"code", "message"}}` in English, kept by no cache."""
    response = JsonResponse({"error": {"code": code, "message": message}}, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _problem_of(status: int) -> HttpResponse:
    match status:
        case 404:
            return problem(404, "not_found", "nothing is served at this address")
        case 405:
            return problem(405, "method_not_allowed", "the address exists, but not for this method")
        case 413:
            return problem(413, "body_too_large", "the body is larger than any call takes; it was not read")
        case 503:
            return problem(503, "office_unavailable", "the office store does not answer; nothing was stored, ask again")
    if status >= 500:
        answer = problem(500, "server_error", "something went wrong here; nothing was stored, try again later")
    else:
        answer = problem(400, "request_refused", "this request was not understood; nothing was changed")
    answer.status_code = status
    return answer
