# SPDX-License-Identifier: Apache-2.0
"""Pages on which an agency opens and closes its gates, connects tablets, nominates gatekeepers, and prints badges,
signs and sheets.
"""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory.models import Agency
from bluezone.directory.queries import day_to_show
from bluezone.directory.scopes import agencies_of, require
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Whose, touches
from bluezone.paper.pdf import pdf_response
from bluezone.paper.qr_codes import screen_qr
from bluezone.rollout.gates import scope
from bluezone.rollout.gates.forms import EndForm, GateForm, NominationForm, TabletForm
from bluezone.rollout.gates.models import Gate, Gatekeeper
from bluezone.rollout.gates.scope import KEEPERS
from bluezone.rollout.gates.setup import registry, roster
from bluezone.rollout.gates.setup.sheets import PAPERS, SIGN_PAPERS, badge_pdf, book_pdf, sign_pdf, tally_pdf


@require_http_methods(["GET", "HEAD", "POST"])
@audience(KEEPERS)
@touches(Whose.AGENCY)
def nominate(request: OfficeRequest, pk: int) -> HttpResponse:
    """Nominate a person for a gate: 201 with the badge, shown once; 422 bad form; 403 another agency's gate."""
    gate = scope.gate_of_ours(request, pk)
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
@touches(Whose.AGENCY)
def renew(request: OfficeRequest, pk: int) -> HttpResponse:
    """Print a badge anew with another number and PIN: 201 shown once; 403 another agency's gatekeeper."""
    return _show(request, roster.new_badge(request.user.username, _ours(request, pk)))


@require_http_methods(["GET", "HEAD", "POST"])
@audience(KEEPERS)
@touches(Whose.AGENCY)
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
@touches(Whose.AGENCY)
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
    require(request.user, KEEPERS.roles, agency=found.gate.agency)
    return found


def _show(request: OfficeRequest, badge: roster.Badge) -> HttpResponse:
    context = {
        "badge": badge,
        "gatekeeper": badge.gatekeeper,
        "gate": badge.gatekeeper.gate,
        "qr": screen_qr(badge.text),
    }
    return render(request, "gates/badge.html", context, status=201)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(KEEPERS)
def new_gate(request: OfficeRequest) -> HttpResponse:
    """Open a gate of an agency that the reader keeps: 302 to its page, 422 bad form or a name that is taken."""
    in_force = Agency.objects.in_force(day_to_show(Agency, timezone.localdate()))
    reached = agencies_of(request.user, KEEPERS.roles).filter(pk__in=in_force)
    form = GateForm(request.POST or None, agencies=reached, initial={"agency": request.GET.get("agency")})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            made = registry.open_gate(request.user.username, values["agency"], values["name"], timezone.now())
        except registry.GateNameTaken:
            form.add_error("name", _("This agency already has an open gate of this name. Choose another name."))
        else:
            messages.success(request, _("The gate is open. Next: nominate who records entries and exits."))
            return redirect("gate", made.pk)
    return render(request, "gates/gate_new.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(KEEPERS)
@touches(Whose.AGENCY)
def close_gate(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask, then close a gate: 302 to its page; 403 another agency's."""
    gate = scope.gate_of_ours(request, pk)
    if request.method == "POST":
        registry.close_gate(request.user.username, gate, timezone.now())
        messages.success(request, _("The gate is closed. What it counted stays."))
        return redirect("gate", pk)
    return render(request, "gates/gate_close.html", {"gate": gate})


@require_POST
@audience(KEEPERS)
@touches(Whose.AGENCY)
def put_tablet(request: OfficeRequest, pk: int) -> HttpResponse:
    """Let a tablet of the agency count for this gate: 302 to its page; 403 another agency's gate."""
    gate = scope.gate_of_ours(request, pk)
    form = TabletForm(request.POST, gate=gate)
    if gate.closed_at is None and form.is_valid():
        registry.put_device(request.user.username, form.cleaned_data["device"], gate)
        messages.success(request, _("From now on the tablet counts for this gate; what it counted before stays."))
    else:
        messages.warning(request, _("Nothing was changed: choose a tablet of this agency, at a gate that is open."))
    return redirect("gate", pk)


@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def sign(request: OfficeRequest, pk: int) -> HttpResponse:
    """The sign at the gate in Vietnamese and English as PDF, A4 or A3."""
    gate = get_object_or_404(Gate.objects.select_related("agency"), pk=pk)
    paper = request.GET.get("paper", "")
    return pdf_response(sign_pdf(gate, paper if paper in SIGN_PAPERS else "a4"), f"gate-sign-{gate.pk}")


@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def book(request: OfficeRequest, pk: int) -> HttpResponse:
    """A blank visitor book as PDF; nothing that is written into it ever comes into this system."""
    gate = get_object_or_404(Gate.objects.select_related("agency"), pk=pk)
    return pdf_response(book_pdf(gate), f"visitor-book-{gate.pk}")


@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def tally(request: OfficeRequest, pk: int) -> HttpResponse:
    """A blank tally sheet as PDF, for a gate without a tablet; its sums are entered on the page of paper slips."""
    gate = get_object_or_404(Gate.objects.select_related("agency"), pk=pk)
    return pdf_response(tally_pdf(gate), f"gate-tally-{gate.pk}")
