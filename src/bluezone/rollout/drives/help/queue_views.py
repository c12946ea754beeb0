# SPDX-License-Identifier: Apache-2.0
"""The help queue in the office: who waits, one tap to take on, one tap to close; undo for ten seconds."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory.plain_lines import converted
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.objects import Whose, touches
from bluezone.rollout.drives import scope
from bluezone.rollout.drives.duty import HELP_TAKERS, HELPERS
from bluezone.rollout.drives.forms import HindranceForm, PhoneForm
from bluezone.rollout.drives.help import queue, requests
from bluezone.rollout.drives.models import Drive, DriveState, HelpOutcome, HelpProof, HelpRequest, Hindrance
from bluezone.training import practised

A_PAGE = 30


@practised
@require_safe
@audience(HELPERS)
def help_queue(request: OfficeRequest) -> HttpResponse:
    """Requests of the reader's area that nobody has, oldest first, and those of the reader's teams with the contact."""
    now = timezone.now()
    page = Paginator(scope.requests_for(request.user).filter(queue.free(now)), A_PAGE).get_page(request.GET.get("page"))
    held = scope.claimed_by(request.user).filter(drive=None)
    context = {
        "page": page,
        "teams": scope.teams_of(request.user),
        "held": [(one, requests.read(one)) for one in held],
        "hindrances": Hindrance.choices,
    }
    return render(request, "drives/queue.html", context)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(HELP_TAKERS)
def new_help(request: OfficeRequest) -> HttpResponse:
    """A request that came by telephone: 201 with its ticket, 422 bad form."""
    form = PhoneForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        ticket = requests.open_help_request("phone", values["contact"], values["place"], values["note"], values["unit"])
        return render(request, "drives/help_opened.html", {"ticket": ticket}, status=201)
    converted(form)
    return render(request, "drives/help_new.html", {"form": form}, status=422 if form.errors else 200)


@practised
@require_POST
@audience(HELPERS)
@touches(Whose.SERVED, Whose.AGENCY)
def claim(request: OfficeRequest, pk: int) -> HttpResponse:
    """Take a request on for one of the reader's teams: 302 back; 404 not of the reader's area; told if it is taken."""
    drive = _own_drive(request)
    found = HelpRequest.objects.filter(drive=drive) if drive else scope.requests_for(request.user)
    asked = get_object_or_404(found, pk=pk)
    team = drive.team if drive else get_object_or_404(scope.teams_of(request.user), pk=_number(request, "team"))
    try:
        queue.claim(request.user.username, asked, team, timezone.now())
    except queue.HelpTaken:
        messages.warning(request, _("Another team has just taken %(ticket)s on.") % {"ticket": asked.ticket})
    else:
        acts.offer(request, "help-claimed", timezone.now(), asked=asked.pk, at=str(asked.claimed_at))
    return _back(request)


@practised
@require_POST
@audience(HELPERS)
@touches(Whose.AGENCY)
def release(request: OfficeRequest, pk: int) -> HttpResponse:
    """Give a request back: 302; 404 not with one of the reader's teams."""
    held = get_object_or_404(scope.claimed_by(request.user), pk=pk)
    queue.release(request.user.username, held, [held.team_id or 0], timezone.now())
    messages.success(request, _("%(ticket)s is open for other teams again.") % {"ticket": held.ticket})
    return _back(request)


@practised
@require_POST
@audience(HELPERS)
@touches(Whose.AGENCY)
def done(request: OfficeRequest, pk: int) -> HttpResponse:
    """Close a request as helped, `proof` proven, attested or none: 302; 404 not with one of the reader's teams."""
    held = get_object_or_404(scope.claimed_by(request.user), pk=pk)
    proof = request.POST.get("proof", "")
    wanted = HelpProof(proof) if proof in HelpProof.values else HelpProof.NONE
    drive = _own_drive(request)
    if drive is not None and drive.team_id != held.team_id:
        drive = None
    try:
        outcome = queue.help_done(
            request.user.username, held, [held.team_id or 0], wanted, timezone.now(), drive or held.drive
        )
    except queue.HelpNotYours:
        messages.warning(request, _("Nothing was changed: the request is not with your team any more."))
    except queue.HelpProofMissing:
        messages.error(
            request,
            _("Not closed: the radio has heard no running phone in the last 15 minutes that is not counted yet. "
              "Let the person show the gate code again, or book it as seen."),
        )  # fmt: skip
    else:
        _notice(request, outcome, wanted)
    return _back(request)


@practised
@require_POST
@audience(HELPERS)
@touches(Whose.AGENCY)
def cannot(request: OfficeRequest, pk: int) -> HttpResponse:
    """Close a request that could not be helped, with its reason: 302; told if the reason is none of the list."""
    held = get_object_or_404(scope.claimed_by(request.user), pk=pk)
    form = HindranceForm(request.POST)
    if form.is_valid():
        drive = _own_drive(request)
        why = Hindrance(form.cleaned_data["hindrance"])
        try:
            outcome = queue.could_not(request.user.username, held, [held.team_id or 0], why, timezone.now(), drive)
        except queue.HelpNotYours:
            messages.warning(request, _("Nothing was changed: the request is not with your team any more."))
        else:
            _notice(request, outcome, HelpProof.NONE)
    else:
        messages.warning(request, _("Nothing was changed: choose why it could not be done."))
    return _back(request)


def _notice(request: OfficeRequest, outcome: HelpOutcome, wanted: HelpProof) -> None:
    ticket = outcome.request.ticket if outcome.request else ""
    acts.offer(request, "help-closed", timezone.now(), outcome=outcome.pk)
    if wanted != outcome.proof:
        told = _("%(ticket)s is closed as helped, and counted as no phone: this number was counted for a team before.")
        messages.warning(request, told % {"ticket": ticket})
    else:
        messages.success(request, _("%(ticket)s is closed.") % {"ticket": ticket})


def _own_drive(request: OfficeRequest) -> Drive | None:
    """The live drive named in the form, if the reader works at it."""
    pk = _number(request, "drive")
    if pk is None:
        return None
    found = get_object_or_404(Drive.objects.select_related("team__agency__unit"), pk=pk, state=DriveState.LIVE)
    return found if scope.runs(request.user, found) else None


def _number(request: OfficeRequest, name: str) -> int | None:
    value = request.POST.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 18 else None


def _back(request: OfficeRequest) -> HttpResponse:
    onward: Any = request.POST.get("next", "")
    return redirect(onward if url_has_allowed_host_and_scheme(onward, allowed_hosts=None) else "help-queue")
