# SPDX-License-Identifier: Apache-2.0
"""Pages of the recipient groups: the words of a "Kính gửi" line and the agencies they stand for."""

import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory import queries
from bluezone.directory.forms import RecipientForm
from bluezone.directory.models import Agency, RecipientGroup
from bluezone.directory.records import changes
from bluezone.directory.request_parameters import keeps_all, require_all
from bluezone.identity import undo_offers
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import ADMINS, SIGNED_IN
from bluezone.identity.models import User
from bluezone.identity.objects import Whose, touches

FOUND_SHOWN = 20
MEMBERS_A_PAGE = 50
# A search that means more than this is no longer looked through before it is added.
MOST_ADDED = 200


@require_safe
@audience(SIGNED_IN)
def recipient_list(request: OfficeRequest) -> HttpResponse:
    """Every recipient group with the number of its members."""
    groups = RecipientGroup.objects.annotate(members=Count("agencies"))
    return render(
        request,
        "agencies/recipient_list.html",
        {"groups": groups, "may_edit": keeps_all(request), "keeps_all": keeps_all(request)},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@audience(ADMINS)
def new_recipients(request: OfficeRequest) -> HttpResponse:
    """Make a recipient group: 302 to its page, 422 bad form."""
    require_all(request)
    form = RecipientForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        group = changes.save_recipients(request.user.username, None, values["name"], values["purpose"])
        return redirect("recipients", group.pk)
    return render(request, "agencies/recipient_form.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def recipients(request: OfficeRequest, pk: int) -> HttpResponse:
    """The members of a group and, for who may change it, a search for more."""
    group = get_object_or_404(RecipientGroup, pk=pk)
    day = queries.day_to_show(Agency, timezone.localdate())
    words = request.GET.get("q", "").strip()[:100]
    found = Agency.objects.in_force(day).matching(words).exclude(recipient_groups=group).select_related("unit")
    members = group.agencies.select_related("unit").order_by("unit__path", "name", "pk")
    page = Paginator(members, MEMBERS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "group": group,
        "page": page,
        "members": list(page.object_list),
        "count": page.paginator.count,
        "day": day,
        "words": words,
        "found": list(found[:FOUND_SHOWN]) if words else [],
        "found_count": found.count() if words else 0,
        "most_added": MOST_ADDED,
        "may_edit": keeps_all(request),
        "keeps_all": keeps_all(request),
    }
    return render(request, "agencies/recipients.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(ADMINS)
@touches(Whose.CITY)
def change_recipients(request: OfficeRequest, pk: int) -> HttpResponse:
    """Rename a group or change its purpose: 302 to its page, 422 bad form."""
    require_all(request)
    group = get_object_or_404(RecipientGroup, pk=pk)
    form = RecipientForm(request.POST or None, instance=group)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        changes.save_recipients(request.user.username, group, values["name"], values["purpose"])
        return redirect("recipients", pk)
    context = {"form": form, "group": RecipientGroup.objects.get(pk=pk)}
    return render(request, "agencies/recipient_form.html", context, status=422 if form.errors else 200)


@require_POST
@audience(ADMINS)
@touches(Whose.CITY)
def add_recipients(request: OfficeRequest, pk: int) -> HttpResponse:
    """Add one agency (`agency`) or everything a search finds (`q`) to a group; 302 back to its page."""
    require_all(request)
    group = get_object_or_404(RecipientGroup, pk=pk)
    words = request.POST.get("q", "").strip()[:100]
    chosen = request.POST.get("agency", "")
    day = queries.day_to_show(Agency, timezone.localdate())
    found = Agency.objects.in_force(day).exclude(recipient_groups=group)
    if chosen.isascii() and chosen.isdigit() and len(chosen) < 18:
        added = list(found.filter(pk=int(chosen)))
    else:
        added = list(found.matching(words)[:MOST_ADDED]) if words else []
    if added:
        changes.add_members(request.user.username, group, added)
        undo_offers.offer(request, "recipients-added", timezone.now(), group=pk, agencies=[one.pk for one in added])
        text = ngettext("%(count)s agency is added.", "%(count)s agencies are added.", len(added))
        messages.success(request, text % {"count": len(added)})
    return redirect("recipients", pk)


@require_POST
@audience(ADMINS)
@touches(Whose.CITY)
def remove_recipient(request: OfficeRequest, pk: int, agency: int) -> HttpResponse:
    """Take one agency out of a group; 302 back to its page, where the search brings it back."""
    require_all(request)
    group = get_object_or_404(RecipientGroup, pk=pk)
    removed = get_object_or_404(group.agencies, pk=agency)
    changes.remove_member(request.user.username, group, removed)
    undo_offers.offer(request, "recipient-removed", timezone.now(), group=pk, agencies=[removed.pk])
    messages.success(request, _("%(name)s is no longer in this group.") % {"name": removed.name})
    return redirect("recipients", pk)


def take_out_again(user: User, values: dict[str, Any], now: datetime.datetime) -> None:
    """Undo the adding of agencies to a group."""
    group = RecipientGroup.objects.get(pk=values["group"])
    for agency in group.agencies.filter(pk__in=values["agencies"]):
        changes.remove_member(user.username, group, agency)


def put_back(user: User, values: dict[str, Any], now: datetime.datetime) -> None:
    """Undo the removal of an agency from a group."""
    group = RecipientGroup.objects.get(pk=values["group"])
    changes.add_members(user.username, group, list(Agency.objects.filter(pk__in=values["agencies"])))
