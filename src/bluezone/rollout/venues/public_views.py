# SPDX-License-Identifier: Apache-2.0
"""Pages of venues on the public origin, and their URLs: registration, a poster's own page, the page at the till."""

import datetime
import re
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from bluezone.devices.audience import json_endpoint, read_json_body
from bluezone.devices.refusals import PuzzleRequired
from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE
from bluezone.paper.qr_codes import screen_qr
from bluezone.publicpages.form_limits import FormLimit
from bluezone.publicpages.page_frame import render_page
from bluezone.rollout.venues import applications, posters, tills
from bluezone.rollout.venues.applications import contact_of
from bluezone.rollout.venues.forms import CodeForm, PublicVenueForm
from bluezone.rollout.venues.models import PosterCode, Venue

MOST_BYTES = 1024
_DAY = re.compile(r"20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d)")
# An office that helps owners to register may send many applications in an hour; each costs one mail.
apply_limit = FormLimit(10, 200)
code_limit = FormLimit(30, 1000)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(EVERYONE)
def submit_application(request: HttpRequest) -> HttpResponse:
    """Apply: 303 to the page for the code; 422 what to correct; 429 too many; 503 this server cannot send the code."""
    form = PublicVenueForm(request.POST or None)
    error = ""
    status = 200
    challenge = ""
    if request.method == "POST":
        error, status = _check_origin(request)
        if not error and not form.is_valid():
            error = _("Nothing was sent yet: please correct what is marked below.")
            status = 422
        elif not error:
            try:
                apply_limit.check(request, timezone.now())
                venue = applications.submit_application(form.application, timezone.now())
            except PuzzleRequired as required:
                challenge = required.challenge.hex()
                status = 429
            except applications.TooManyApplications:
                error = _("This address already has three open applications. Enter the code for one of them first.")
                status = 429
            except applications.MailMissing:
                error = _("This site cannot send codes now. Register at the People’s Committee of your ward.")
                status = 503
            else:
                return _see_other(redirect("venue-apply-code", venue.handle))
    context = {"form": form, "told": error, "challenge": challenge}
    return _fresh(render_page(request, "public/venue_register.html", context, status=status))


@require_http_methods(["GET", "HEAD", "POST"])
@audience(EVERYONE)
def confirm_application(request: HttpRequest, handle: str) -> HttpResponse:
    """The applicant's page: it asks for the code, and shows the state of the venue once the code is redeemed.

    303 redeemed, 403 sent from another site, 410 code no longer valid, 422 wrong code, 429 too many tries.
    """
    venue = get_object_or_404(Venue.everything.select_related("unit"), handle=handle)
    form = CodeForm(request.POST or None)
    error = ""
    status = 200
    challenge = ""
    if request.method == "POST":
        error, status = _check_origin(request)
        if not error and form.is_valid():
            try:
                code_limit.check(request, timezone.now())
                applications.confirm_application(venue, form.cleaned_data["code"], timezone.now())
            except PuzzleRequired as required:
                challenge = required.challenge.hex()
                status = 429
            except applications.MailCodeWrong as wrong:
                error = _("This is not the code that was sent. Tries left: %(left)s.") % {"left": wrong.left}
                status = 422
            except applications.MailCodeGone:
                error = _(
                    "This code no longer works: it was used, is older than 30 minutes, or was entered "
                    "wrongly five times."
                )
                status = 410
            else:
                return _see_other(redirect("venue-apply-code", handle))
    by_text = not contact_of(venue).email
    context = {
        "venue": venue,
        "form": form,
        "told": error,
        "gone": status == 410,
        "by_text": by_text,
        "challenge": challenge,
    }
    return _fresh(render_page(request, "public/venue_apply.html", context, status=status))


@require_http_methods(["GET", "HEAD"])
@audience(EVERYONE)
def show_poster(request: HttpRequest, short: str) -> HttpResponse:
    """A poster's own page, which shows whether its code is valid. Openings are counted by poster and day only."""
    code = get_object_or_404(PosterCode.everything.select_related("venue__unit"), short=short)
    if request.method == "GET":
        posters.count_page_opening(code, timezone.localdate())
    return _fresh(render_page(request, "public/venue_poster.html", {"code": code, "venue": code.venue}))


@require_http_methods(["GET", "HEAD"])
@audience(EVERYONE)
def show_till(request: HttpRequest, token: str) -> HttpResponse:
    """The page at the till: the valid code, large, and a button that counts people; 404 for a replaced address."""
    venue = tills.venue_of_till(token)
    code = PosterCode.everything.filter(venue=venue, ended_at=None).first() if venue else None
    if venue is None or code is None:
        return _fresh(render_page(request, "public/till_gone.html", status=404))
    context = {"venue": venue, "code": code, "qr": screen_qr(code.link, "large")}
    return _fresh(render_page(request, "public/till.html", context))


@json_endpoint("POST", EVERYONE)
def store_till_count(request: HttpRequest, token: str) -> dict[str, Any]:
    """Store the count of a tablet for a day, `{"tablet", "day", "people"}`; safe to repeat.

    people: all people of the day so far. The answer is `{"people"}` with the sum over all tablets.
    404 `till_unknown`, 422 `till_count_invalid`.
    """
    venue = tills.venue_of_till(token)
    if venue is None:
        raise tills.TillUnknown("this till's page was replaced by another; ask for its address")
    body = read_json_body(request, MOST_BYTES)
    day_text = str(body.get("day"))
    people = body.get("people")
    tablet = body.get("tablet")
    if type(people) is not int or not isinstance(tablet, str) or not _DAY.fullmatch(day_text):
        raise tills.TillCountInvalid("expected a tablet's number, one of the last seven days and a count")
    day = datetime.date.fromisoformat(day_text)
    return {"people": tills.store_till_count(venue, tablet, day, people, timezone.localdate())}


def _check_origin(request: HttpRequest) -> tuple[str, int]:
    """(error, 403) if the Origin header names another site, else ("", 200).

    Without a session there is no CSRF token.
    """
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.get_host():
        return _("Nothing was sent, because the form came from another site. Send it from this site."), 403
    return "", 200


def _fresh(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store"
    return response


def _see_other(response: HttpResponse) -> HttpResponse:
    response.status_code = 303
    return response


urlpatterns = [
    path("venues/register/", submit_application, name="venue-apply"),
    path("venues/register/<str:handle>/", confirm_application, name="venue-apply-code"),
    path("p/<slug:short>", show_poster, name="poster"),
    path("till/<str:token>/", show_till, name="till"),
    path("till/<str:token>/count", store_till_count, name="till-count"),
]
