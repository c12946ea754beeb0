# SPDX-License-Identifier: Apache-2.0
"""Asking for help: a form for people on the public origin, and POST /v1/help for the app and the gates."""

import re
import secrets
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from bluezone.devices.audience import json_body, json_endpoint
from bluezone.devices.refusals import BodyInvalid, PuzzleRequired
from bluezone.identity.audiences import audience
from bluezone.identity.duty import EVERYONE
from bluezone.portal.forms import HelpForm
from bluezone.publicpages.form_limits import FormLimit
from bluezone.publicpages.page_frame import show
from bluezone.rollout.drives.api import PUBLIC_CHANNELS, HelpChannelUnknown, open_help_request

MOST_BYTES = 8 * 1024
# An office or a school behind one address may ask for several people.
help_limit = FormLimit(20, 600)
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
_TICKET = re.compile(r"[0-9A-Z]{3}-[0-9A-Z]{3}")
_MEMBERS = ("channel", "contact", "place", "note", "unit")


@json_endpoint("POST", EVERYONE, status=201)
def open_ticket(request: HttpRequest) -> dict[str, Any]:
    """`{"channel", "contact", "place", "note", "unit"}` -> `{"ticket"}`; `Idempotency-Key` makes repeats harmless.

    201 opened, or opened before under the same key; 400 body, 413 too long, 422 what is wrong with it, 429 too many.
    No address of the caller is kept.
    """
    body = json_body(request, MOST_BYTES)
    values = {name: body.get(name) or "" for name in _MEMBERS}
    wrong = [name for name, value in values.items() if not isinstance(value, str)]
    if wrong:
        raise BodyInvalid(f"{wrong[0]} is not a text")
    key = request.headers.get("Idempotency-Key", "")
    if key and not _KEY.fullmatch(key):
        raise BodyInvalid("Idempotency-Key is not 8 to 64 letters, digits, - and _")
    if values["channel"] not in PUBLIC_CHANNELS:
        raise HelpChannelUnknown(f"channel is {values['channel'][:20]!r}, expected portal, app or gate")
    help_limit.check(request, timezone.now())
    return {"ticket": open_help_request(**values, repeat_key=key)}


@require_http_methods(["GET", "HEAD", "POST"])
@audience(EVERYONE)
def ask(request: HttpRequest) -> HttpResponse:
    """The form: 303 to its ticket, 422 what to correct, 429 too many from this network, 403 sent from another site."""
    if request.method != "POST":
        return _form(request, HelpForm(), _new_key())
    key = request.POST.get("key", "")
    if not _KEY.fullmatch(key):
        key = _new_key()
    form = HelpForm(request.POST)
    if _from_elsewhere(request):
        return _form(
            request, form, key, 403, _("Nothing was sent: the form came from another site. Send it from here.")
        )
    if not form.is_valid():
        return _form(request, form, key, 422, _("Nothing was sent yet: please correct what is marked below."))
    try:
        help_limit.check(request, timezone.now())
    except PuzzleRequired as asked:
        return _form(request, form, key, 429, challenge=asked.challenge.hex())
    values = {name: form.cleaned_data[name] for name in ("contact", "place", "note", "unit")}
    ticket = open_help_request("portal", **values, repeat_key=key)
    response = redirect("help-sent", ticket)
    response.status_code = 303
    return response


@require_safe
@audience(EVERYONE)
def sent(request: HttpRequest, ticket: str) -> HttpResponse:
    """The number of a request; says nothing about whether there is one."""
    if not _TICKET.fullmatch(ticket):
        return redirect("help")
    return show(request, "public/help_sent.html", {"ticket": ticket})


def _form(
    request: HttpRequest, form: HelpForm, key: str, status: int = 200, refused: str = "", challenge: str = ""
) -> HttpResponse:
    context = {"form": form, "key": key, "refused": refused, "challenge": challenge}
    response = show(request, "public/help.html", context, status=status)
    # The key in it is this reader's.
    response.headers["Cache-Control"] = "no-store"
    return response


def _new_key() -> str:
    return secrets.token_urlsafe(16)


def _from_elsewhere(request: HttpRequest) -> bool:
    """Whether a browser says that another site sent this form; without a session there is no token to forge."""
    origin = request.headers.get("Origin")
    return bool(origin and urlsplit(origin).netloc != request.get_host())
