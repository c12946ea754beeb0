# SPDX-License-Identifier: Apache-2.0
"""Pages of the campaigns: the list, one with what it has come to, calling and changing one."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from bluezone.directory.models import Agency
from bluezone.directory.queries import day_to_show
from bluezone.directory.request_parameters import chosen
from bluezone.directory.scopes import OutsideScope
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Whose, touches
from bluezone.rollout.directives import permissions
from bluezone.rollout.directives.duty import DIRECTIVE_CLERKS
from bluezone.rollout.directives.forms import CampaignForm
from bluezone.rollout.directives.issuance import campaigns
from bluezone.rollout.directives.models import Campaign
from bluezone.training import practised

A_PAGE = 25


@practised
@require_safe
@audience(SIGNED_IN)
def campaign_list(request: OfficeRequest) -> HttpResponse:
    """Campaigns of the agencies the reader works for, each with its figures."""
    show, today = chosen(request, "show", ["now", "past"]), timezone.localdate()
    found = campaigns.campaigns(permissions.read_agencies(request.user), today, show)
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    counted = campaigns.figures(one.pk for one in page.object_list)
    context = {
        "page": page,
        "rows": [(one, counted[one.pk]) for one in page.object_list],
        "show": show,
        "today": today,
        "may_call": permissions.issuing_agencies(request.user).exists(),
    }
    return render(request, "directives/campaign_list.html", context)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.AGENCY.by(*permissions.READERS))
def campaign(request: OfficeRequest, pk: int) -> HttpResponse:
    """One campaign: what it rests on, its days, figures, directives and tasks."""
    shown = _shown(request, pk)
    today, directives = timezone.localdate(), campaigns.directives_of(shown)
    context = {
        "campaign": shown,
        "today": today,
        "figures": campaigns.sum_of(directives),
        "directives": directives,
        "tasks": campaigns.tasks_of(shown, today),
        "may_change": _may_change(request, shown),
    }
    return render(request, "directives/campaign.html", context)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(DIRECTIVE_CLERKS)
def new_campaign(request: OfficeRequest) -> HttpResponse:
    """Call a campaign: 302 to its page, 422 bad form."""
    return _form(request, None)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(DIRECTIVE_CLERKS)
@touches(Whose.AGENCY)
def change_campaign(request: OfficeRequest, pk: int) -> HttpResponse:
    """Change a campaign: 302 to its page, 403 of another agency, 422 bad form."""
    shown = _shown(request, pk)
    if shown.owner:
        permissions.require_clerk(request.user, shown.owner)
    return _form(request, shown)


def _form(request: OfficeRequest, shown: Campaign | None) -> HttpResponse:
    on = day_to_show(Agency, timezone.localdate())
    owners: Any = permissions.issuing_agencies(request.user).filter(pk__in=Agency.objects.in_force(on)).order_by("path")
    form = CampaignForm(request.POST or None, instance=shown, owners=owners)
    if request.method == "POST" and form.is_valid():
        made = form.save()
        messages.success(request, _("The campaign is stored."))
        return redirect("campaign", made.pk)
    context = {"form": form, "campaign": shown}
    return render(request, "directives/campaign_form.html", context, status=422 if form.errors else 200)


def _shown(request: OfficeRequest, pk: int) -> Campaign:
    shown = get_object_or_404(Campaign.objects.select_related("owner__unit", "rests_on"), pk=pk)
    if shown.owner:
        permissions.require_reader(request.user, shown.owner)
    return shown


def _may_change(request: OfficeRequest, shown: Campaign) -> bool:
    if shown.owner is None:
        return permissions.issuing_agencies(request.user).exists()
    try:
        permissions.require_clerk(request.user, shown.owner)
    except OutsideScope:
        return False
    return True
