# SPDX-License-Identifier: Apache-2.0
"""The pages behind a stall's QR code, on the public origin: join the queue, and see one's ticket."""

import re
import secrets
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from bluezone.devices.refusals import PuzzleRequired
from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE
from bluezone.publicpages.form_limits import FormLimit
from bluezone.publicpages.page_frame import render_page
from bluezone.rollout.drives import help_requests
from bluezone.rollout.drives.models import Drive, DriveState, HelpRequest, HelpState

# Generous, as the phones at a stall often share one network address of their operator.
_limit = FormLimit(120, 1200)
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")


@require_http_methods(["GET", "HEAD", "POST"])
@audience(EVERYONE)
def join_queue(request: HttpRequest, code: str) -> HttpResponse:
    """Join the queue: 303 to the ticket, 403 sent from another site, 410 drive not live, 429 solve a puzzle first."""
    drive = get_object_or_404(Drive.everything.select_related("team__agency", "unit"), code=code)
    if drive.state != DriveState.LIVE:
        return render_page(request, "public/stall_over.html", {"drive": drive}, status=410)
    error = ""
    status = 200
    challenge = ""
    if request.method == "POST":
        origin = request.headers.get("Origin")
        key = request.POST.get("key", "")
        if origin and urlsplit(origin).netloc != request.get_host():
            error = _("Nothing was sent, because the form came from another site. Send it from this site.")
            status = 403
        else:
            try:
                _limit.check(request, timezone.now())
            except PuzzleRequired as required:
                challenge = required.challenge.hex()
                status = 429
            else:
                help_request = help_requests.join_stall(drive, key if _KEY.fullmatch(key) else "")
                ticket_page = redirect("stall-ticket", code, help_request.ticket)
                ticket_page.status_code = 303
                return ticket_page
    context = {"drive": drive, "key": secrets.token_urlsafe(16), "told": error, "challenge": challenge}
    response = render_page(request, "public/stall.html", context, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response


@require_http_methods(["GET", "HEAD"])
@audience(EVERYONE)
def show_ticket(request: HttpRequest, code: str, ticket: str) -> HttpResponse:
    """A person's ticket, and how many people are before them; 404 if the stall has no such ticket."""
    drive = get_object_or_404(Drive.everything.select_related("team__agency", "unit"), code=code)
    help_request = get_object_or_404(HelpRequest.everything, drive=drive, ticket=ticket)
    before = HelpRequest.everything.filter(
        drive=drive, state=HelpState.OPEN, opened_at__lt=help_request.opened_at
    ).count()
    context = {"drive": drive, "one": help_request, "before": before, "waits": help_request.state == HelpState.OPEN}
    response = render_page(request, "public/stall_ticket.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


urlpatterns = [
    path("d/<slug:code>", join_queue, name="stall"),
    path("d/<slug:code>/<str:ticket>", show_ticket, name="stall-ticket"),
]
