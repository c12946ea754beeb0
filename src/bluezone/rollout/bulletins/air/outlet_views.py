# SPDX-License-Identifier: Apache-2.0
"""Pages of outlets: enter one, and lend it to agencies."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from bluezone.directory.models import Agency
from bluezone.directory.queries import day_to_show
from bluezone.directory.scopes import agencies_in_reach
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.factors.second_factors import (
    confirm_second_factor,
)
from bluezone.identity.objects import Ownership, touches
from bluezone.rollout.bulletins import permissions, sentences
from bluezone.rollout.bulletins.air.outlets import create_outlet, lend_outlet
from bluezone.rollout.bulletins.duty import AIRING_KEEPERS
from bluezone.rollout.bulletins.forms import LendForm, OutletForm
from bluezone.rollout.bulletins.models import (
    Outlet,
    OutletKind,
)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(AIRING_KEEPERS)
@touches(Ownership.CREATED)
def new_outlet(request: OfficeRequest) -> HttpResponse:
    """Enter a station or paper: 302 to the plan, 422 bad form or a name that exists."""
    current_agencies = Agency.objects.valid_on(day_to_show(Agency, timezone.localdate()))
    own_agencies = agencies_in_reach(request.user, permissions.KEEPERS).filter(pk__in=current_agencies)
    form = OutletForm(request.POST or None, agencies=own_agencies)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        with acts.refusals_as_form_errors(form, sentences.sentence_of, field="name"):
            create_outlet(request.user.username, OutletKind(values["kind"]), values["name"], values["agency"])
            messages.success(request, _("You can now choose it in schedules."))
            return redirect("air-plan")
    return render(request, "bulletins/outlet_new.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(AIRING_KEEPERS)
@touches(Ownership.AGENCY)
@confirm_second_factor
def set_lent_agencies(request: OfficeRequest, pk: int) -> HttpResponse:
    """Set which other agencies may air at an outlet: 302 stored, 409 changed meanwhile, 403 that of another agency."""
    outlet = permissions.own_outlet(request, pk)
    current_agencies = Agency.objects.valid_on(day_to_show(Agency, timezone.localdate()))
    with transaction.atomic():
        if request.method == "POST":
            # If two people store at the same time, the second sees what the first has stored.
            list(Outlet.objects.select_for_update().filter(pk=pk).values_list("pk"))
        form = LendForm(request.POST or None, agencies=current_agencies, initial={"lent_to": outlet.lent_to.all()})
        if request.method == "POST" and form.is_valid():
            lend_outlet(request.user.username, outlet, list(form.cleaned_data["lent_to"]))
            messages.success(request, _("Stored."))
            return redirect("air-plan")
    return render(request, "bulletins/lend.html", {"form": form, "outlet": outlet}, status=acts.form_status(form))
