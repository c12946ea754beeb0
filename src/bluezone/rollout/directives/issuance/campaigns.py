# SPDX-License-Identifier: Apache-2.0
"""What a campaign has come to, and its pages: the list, one campaign, calling and changing one."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from bluezone.directory.models import Agency
from bluezone.directory.queries import day_to_show
from bluezone.directory.request_parameters import chosen_value
from bluezone.directory.scopes import OutsideScope
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Ownership, touches
from bluezone.rollout.directives import permissions, queries
from bluezone.rollout.directives.duty import DIRECTIVE_CLERKS
from bluezone.rollout.directives.forms import CampaignForm
from bluezone.rollout.directives.models import (
    Campaign,
    Directive,
    DirectiveState,
    Dispatch,
    DispatchState,
    Report,
    ReportState,
    Task,
    TaskParty,
)
from bluezone.training import practised


@dataclass(frozen=True)
class Figures:
    """Of one campaign: directives issued, how many agencies they went to, have received and are done with them."""

    directives: int = 0
    sent: int = 0
    received: int = 0
    done: int = 0


@dataclass(frozen=True)
class TaskRow:
    """A task of a campaign: agencies that carry it out, reports made and not returned, and in time, over all periods.

    overdue: its day is past and the directive still in force.
    """

    task: Task
    agencies: int
    reports: int
    on_time: int
    overdue: bool


def campaigns(owners: QuerySet[Agency], today: datetime.date, show: str = "") -> QuerySet[Campaign]:
    """Campaigns of some agencies, and those without an owner; show: "" all, "now" under way, "past" ended."""
    found = Campaign.objects.filter(Q(owner__in=owners) | Q(owner=None)).select_related("owner", "rests_on")
    past = Q(ends__lt=today)
    if show == "now":
        found = found.exclude(past)
    if show == "past":
        found = found.filter(past)
    return found.order_by("-begins", "name", "pk")


def figures(campaign_ids: Iterable[int]) -> dict[int, Figures]:
    """The figures of each campaign; drafts and recalled documents count nowhere."""
    ids = list(campaign_ids)
    in_force = Directive.objects.filter(campaign__in=ids, state=DirectiveState.ISSUED).order_by()
    directives = dict(in_force.values_list("campaign").annotate(count=Count("pk")))
    dispatches = Dispatch.objects.filter(directive__campaign__in=ids, directive__state=DirectiveState.ISSUED)
    rows = (
        dispatches.order_by()
        .values("directive__campaign")
        .annotate(
            sent=Count("pk"),
            received=Count("pk", filter=~Q(state__in=queries.NOT_RECEIVED)),
            done=Count("pk", filter=Q(state=DispatchState.DONE)),
        )
    )
    ways = {row.pop("directive__campaign"): row for row in rows}
    return {pk: Figures(directives=directives.get(pk, 0), **ways.get(pk, {})) for pk in ids}


def sum_of(directives: Iterable[tuple[Directive, dict[str, int] | None]]) -> Figures:
    """The figures of a campaign from the counts of its directives; drafts and recalled documents count nowhere."""
    counted = [row or {} for one, row in directives if one.state == DirectiveState.ISSUED]
    sums = {name: sum(row.get(name, 0) for row in counted) for name in ("sent", "received", "done")}
    return Figures(directives=len(counted), **sums)


def directives_of(campaign: Campaign) -> list[tuple[Directive, dict[str, int] | None]]:
    """Directives of a campaign, newest first, each with its counts."""
    found = list(campaign.directives.select_related("issuer").defer("text", "proposal").order_by("-date", "-pk"))
    counted = queries.counts(one.pk for one in found)
    return [(one, counted.get(one.pk)) for one in found]


def tasks_of(campaign: Campaign, today: datetime.date) -> list[TaskRow]:
    """Tasks of the campaign's directives in force, the next due day first."""
    tasks = Task.objects.filter(directive__campaign=campaign, directive__state=DirectiveState.ISSUED)
    found = list(
        tasks.select_related("directive")
        .defer("directive__text", "directive__proposal")
        .order_by("due", "directive", "position")[:300]
    )
    made = Report.objects.filter(task__in=[task.pk for task in found]).exclude(state=ReportState.RETURNED)
    counted = {
        row["task"]: row
        for row in made.order_by()
        .values("task")
        .annotate(reports=Count("pk"), on_time=Count("pk", filter=Q(on_time=True)))
    }
    parties = TaskParty.objects.filter(task__in=[task.pk for task in found]).order_by()
    agencies = dict(parties.values_list("task").annotate(count=Count("pk")))
    return [
        TaskRow(
            task,
            agencies.get(task.pk, 0),
            counted.get(task.pk, {}).get("reports", 0),
            counted.get(task.pk, {}).get("on_time", 0),
            overdue=task.due is not None and task.due < today,
        )
        for task in found
    ]


A_PAGE = 25


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.REACHED)
def campaign_list(request: OfficeRequest) -> HttpResponse:
    """Campaigns of the agencies the reader works for, each with its figures."""
    show, today = chosen_value(request, "show", ["now", "past"]), timezone.localdate()
    found = campaigns(permissions.read_agencies(request.user), today, show)
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    counted = figures(one.pk for one in page.object_list)
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
@touches(Ownership.AGENCY.for_roles(*permissions.READERS))
def campaign(request: OfficeRequest, pk: int) -> HttpResponse:
    """One campaign: what it rests on, its days, figures, directives and tasks."""
    shown = _shown(request, pk)
    today, directives = timezone.localdate(), directives_of(shown)
    context = {
        "campaign": shown,
        "today": today,
        "figures": sum_of(directives),
        "directives": directives,
        "tasks": tasks_of(shown, today),
        "may_change": _may_change(request, shown),
    }
    return render(request, "directives/campaign.html", context)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.CREATED)
def new_campaign(request: OfficeRequest) -> HttpResponse:
    """Call a campaign: 302 to its page, 422 bad form."""
    return _form(request, None)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(DIRECTIVE_CLERKS)
@touches(Ownership.AGENCY)
def change_campaign(request: OfficeRequest, pk: int) -> HttpResponse:
    """Change a campaign: 302 to its page, 403 of another agency, 422 bad form."""
    shown = _shown(request, pk)
    if shown.owner:
        permissions.require_clerk(request.user, shown.owner)
    return _form(request, shown)


def _form(request: OfficeRequest, shown: Campaign | None) -> HttpResponse:
    on = day_to_show(Agency, timezone.localdate())
    owners: Any = permissions.issuing_agencies(request.user).filter(pk__in=Agency.objects.valid_on(on)).order_by("path")
    form = CampaignForm(request.POST or None, instance=shown, owners=owners)
    if request.method == "POST" and form.is_valid():
        made = form.save()
        messages.success(request, _("The campaign has been stored."))
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
