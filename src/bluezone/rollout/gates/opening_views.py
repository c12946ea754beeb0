# SPDX-License-Identifier: Apache-2.0
"""Pages on which an agency opens and closes its gates and says which tablet counts for which."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from bluezone.accounts.audiences import OfficeRequest, audience
from bluezone.accounts.scoping import agencies_of
from bluezone.agencies.models import Agency
from bluezone.agencies.queries import day_to_show
from bluezone.rollout.gates import asking, opening
from bluezone.rollout.gates.asking import KEEPERS
from bluezone.rollout.gates.forms import GateForm, TabletForm


@require_http_methods(["GET", "HEAD", "POST"])
@audience(KEEPERS)
def new_gate(request: OfficeRequest) -> HttpResponse:
    """Open a gate of an agency that the reader keeps: 302 to its page, 422 bad form or a name that is taken."""
    in_force = Agency.objects.in_force(day_to_show(Agency, timezone.localdate()))
    reached = agencies_of(request.user, KEEPERS.value or ()).filter(pk__in=in_force)
    form = GateForm(request.POST or None, agencies=reached, initial={"agency": request.GET.get("agency")})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            made = opening.open_gate(request.user.username, values["agency"], values["name"], timezone.now())
        except opening.GateNameTaken:
            form.add_error("name", _("This agency already has an open gate of this name. Choose another name."))
        else:
            messages.success(request, _("The gate is open. Next: nominate who records entries and exits."))
            return redirect("gate", made.pk)
    return render(request, "gates/gate_new.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(KEEPERS)
def close_gate(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask, then close a gate: 302 to its page; 403 another agency's."""
    gate = asking.gate_of_ours(request, pk)
    if request.method == "POST":
        opening.close_gate(request.user.username, gate, timezone.now())
        messages.success(request, _("The gate is closed. What it counted stays."))
        return redirect("gate", pk)
    return render(request, "gates/gate_close.html", {"gate": gate})


@require_POST
@audience(KEEPERS)
def put_tablet(request: OfficeRequest, pk: int) -> HttpResponse:
    """Let a tablet of the agency count for this gate: 302 to its page; 403 another agency's gate."""
    gate = asking.gate_of_ours(request, pk)
    form = TabletForm(request.POST, gate=gate)
    if gate.closed_at is None and form.is_valid():
        opening.put_device(request.user.username, form.cleaned_data["device"], gate)
        messages.success(request, _("From now on the tablet counts for this gate; what it counted before stays."))
    else:
        messages.warning(request, _("Nothing was changed: choose a tablet of this agency, at a gate that is open."))
    return redirect("gate", pk)
