# SPDX-License-Identifier: Apache-2.0
"""Pages of delegation: who acts in my role, in whose role I act, and passing a role on for some days."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from bluezone.authority import role_grants
from bluezone.authority.forms import DelegationForm
from bluezone.authority.undo_views import offer_ended_role
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.models import RoleGrant
from bluezone.identity.objects import Whose, touches


@require_http_methods(["GET", "HEAD", "POST"])
@audience(SIGNED_IN)
def delegations(request: OfficeRequest) -> HttpResponse:
    """Show the own delegations and make one: 302 made, 422 refused."""
    form = DelegationForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            role_grants.delegate(
                values["grant"], values["to"], values["first_day"], form.valid_to, timezone.localdate()
            )
        except role_grants.DelegationRefused:
            form.add_error(
                None,
                _(
                    "Nothing was stored. Choose another person, a first day from today on, and a last day "
                    "not before the first and not after the end of your role."
                ),
            )
        else:
            messages.success(request, _("%(name)s acts for you on these days.") % {"name": values["to"]})
            return redirect("delegations")
    passed = RoleGrant.objects.filter(delegated_by__user=request.user, valid_to__gt=timezone.localdate())
    context = {"form": form, "passed": passed.select_related("user", "agency", "unit")}
    return render(request, "accounts/delegations.html", context, status=422 if form.errors else 200)


@require_POST
@audience(SIGNED_IN)
@touches(Whose.OWN)
def end_delegation(request: OfficeRequest, pk: int) -> HttpResponse:
    """Take a delegation of one's own back, from today on."""
    passed = get_object_or_404(RoleGrant.objects.select_related("user"), pk=pk, delegated_by__user=request.user)
    before = passed.valid_to
    role_grants.end(request.user.username, passed, timezone.localdate())
    offer_ended_role(request, passed, before)
    messages.success(request, _("%(name)s no longer acts for you.") % {"name": passed.user})
    return redirect("delegations")
