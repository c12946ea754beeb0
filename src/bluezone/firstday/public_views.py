# SPDX-License-Identifier: Apache-2.0
"""The page that a telephone opens with the QR code of the first day."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bluezone.firstday.trials import record_phone_visit
from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE
from bluezone.publicpages.page_frame import frame_context


@require_safe
@audience(EVERYONE)
def try_phone(request: HttpRequest, token: str) -> HttpResponse:
    """Record that a telephone has opened the link, and show a green page; an expired link leads to the front page.

    Nothing about the telephone is stored. HEAD, with which a messenger previews a link, does not count.
    """
    if request.method != "GET" or not record_phone_visit(token, timezone.now()):
        return redirect("home")
    response = render(request, "firstday/reached.html", frame_context(request))
    response.headers["Cache-Control"] = "no-store"
    return response
