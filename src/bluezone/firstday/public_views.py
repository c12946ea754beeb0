# SPDX-License-Identifier: Apache-2.0
"""What a telephone finds behind the picture of the first day."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bluezone.firstday.trials import is_reached
from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE
from bluezone.publicpages.page_frame import chrome


@require_safe
@audience(EVERYONE)
def try_phone(request: HttpRequest, token: str) -> HttpResponse:
    """Let the office know that some telephone is here, and show it green; a link that is over leads to the front page.

    Nothing of the telephone is kept. HEAD, with which a messenger looks a link up, passes nothing.
    """
    if request.method != "GET" or not is_reached(token, timezone.now()):
        return redirect("home")
    response = render(request, "firstday/reached.html", chrome(request))
    response.headers["Cache-Control"] = "no-store"
    return response
