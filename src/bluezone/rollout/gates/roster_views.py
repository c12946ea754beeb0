# SPDX-License-Identifier: Apache-2.0
"""Pages on which an agency nominates its gatekeepers, prints badges and ends nominations."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from bluezone.accounts.audiences import OfficeRequest, audience
from bluezone.accounts.scoping import require
from bluezone.portal.printing import pdf_response, screen_qr
from bluezone.rollout.gates import asking, roster
from bluezone.rollout.gates.asking import KEEPERS
from bluezone.rollout.gates.forms import EndForm, NominationForm
from bluezone.rollout.gates.models import Gatekeeper
from bluezone.rollout.gates.printing import PAPERS, badge_pdf


@require_http_methods(["GET", "HEAD", "POST"])
@audience(KEEPERS)
def nominate(request: OfficeRequest, pk: int) -> HttpResponse:
    """Nominate a person for a gate: 201 with the badge, shown once; 422 bad form; 403 another agency's gate."""
    gate = asking.gate_of_ours(request, pk)
    form = NominationForm(request.POST or None, initial={"since": timezone.localdate()})
    if request.method == "POST" and form.is_valid() and gate.closed_at is None:
        values = form.cleaned_data
        badge = roster.nominate(
            request.user.username, gate, values["name"], values["since"], values["until"],
            phone=values["phone"], is_substitute=values["is_substitute"], now=timezone.now(),
        )  # fmt: skip
        return _show(request, badge)
    return render(request, "gates/nominate.html", {"gate": gate, "form": form}, status=422 if form.errors else 200)


@require_POST
@audience(KEEPERS)
def renew(request: OfficeRequest, pk: int) -> HttpResponse:
    """Print a badge anew with another number and PIN: 201 shown once; 403 another agency's gatekeeper."""
    return _show(request, roster.new_badge(request.user.username, _ours(request, pk)))


@require_http_methods(["GET", "HEAD", "POST"])
@audience(KEEPERS)
def end(request: OfficeRequest, pk: int) -> HttpResponse:
    """End a nomination with a day: 302 to the gate, 422 a day before it began, 403 another agency's."""
    found = _ours(request, pk)
    form = EndForm(request.POST or None, since=found.since, initial={"until": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        roster.end(request.user.username, found, form.cleaned_data["until"])
        messages.success(request, _("The nomination of %(name)s ends with that day.") % {"name": found.name})
        return redirect("gate", found.gate_id)
    context = {"gatekeeper": found, "form": form}
    return render(request, "gates/gatekeeper_end.html", context, status=422 if form.errors else 200)


@sensitive_post_parameters("pin")
@require_POST
@audience(KEEPERS)
def badge(request: OfficeRequest, pk: int) -> HttpResponse:
    """The badge as PDF, A6 or A4, from the page that shows its PIN: 409 where the badge was made anew meanwhile."""
    found = _ours(request, pk)
    pin, paper = request.POST.get("pin", "")[:16], request.POST.get("paper", "")
    if not roster.is_pin_of(found, pin):
        messages.warning(request, _("This badge was made anew meanwhile. Print the newer one."))
        return redirect("gate", found.gate_id)
    shown = roster.Badge(found, roster.text_of(found), pin)
    return pdf_response(badge_pdf(shown, paper if paper in PAPERS else "a6"), "badge")


def _ours(request: OfficeRequest, pk: int) -> Gatekeeper:
    found = get_object_or_404(Gatekeeper.objects.select_related("gate__agency__unit"), pk=pk)
    require(request.user, KEEPERS.value or (), agency=found.gate.agency)
    return found


def _show(request: OfficeRequest, badge: roster.Badge) -> HttpResponse:
    context = {
        "badge": badge,
        "gatekeeper": badge.gatekeeper,
        "gate": badge.gatekeeper.gate,
        "qr": screen_qr(badge.text),
    }
    return render(request, "gates/badge.html", context, status=201)
