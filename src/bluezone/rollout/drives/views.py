# SPDX-License-Identifier: Apache-2.0
"""Pages of drives: the board, planning, one drive as its lead sees it at the stall, opening, closing, sheets."""

import datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory.kinds import AgencyKind
from bluezone.directory.models import Agency
from bluezone.directory.plain_lines import converted
from bluezone.directory.queries import day_to_show
from bluezone.directory.request_parameters import chosen_number
from bluezone.directory.scopes import OutsideScope, agencies_of, units_of
from bluezone.identity.audiences import OfficeRequest, admits, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Whose, touches
from bluezone.rollout.drives import boards, lifecycle, scope
from bluezone.rollout.drives.duty import DRIVE_PLANNERS, HELP_TAKERS, HELPERS
from bluezone.rollout.drives.forms import DriveForm, OpenForm, TallyForm, TeamForm
from bluezone.rollout.drives.help import queue, requests
from bluezone.rollout.drives.models import Drive, DriveState, HelpRequest, HelpState, Hindrance
from bluezone.training import practised

PAST_SHOWN = 20


@practised
@require_safe
@audience(SIGNED_IN)
def drives(request: OfficeRequest) -> HttpResponse:
    """Drives going on, to come and past, what was helped by ward and by team, beside both denominators."""
    now, campaign = timezone.now(), chosen_number(request, "campaign")
    user = request.user
    every = Drive.objects.select_related("team__agency", "unit", "campaign")
    every = every.filter(campaign=campaign) if campaign else every
    own = frozenset(units_of(user, SIGNED_IN.roles).values_list("pk", flat=True))
    own_agencies = frozenset(agencies_of(user, SIGNED_IN.roles).values_list("pk", flat=True))
    wards, teams = boards.by_ward(campaign, own, now), boards.by_team(campaign, own_agencies)
    context = {
        "current": every.exclude(state=DriveState.CLOSED).order_by("-state", "begins"),
        "past": every.filter(state=DriveState.CLOSED).order_by("-begins")[:PAST_SHOWN],
        "campaigns": sorted({(one.campaign_id, one.campaign.name) for one in Drive.objects.select_related("campaign")}),
        "campaign": campaign,
        "wards": wards,
        "teams": teams,
        "plans": admits(DRIVE_PLANNERS, user),
        "helps": admits(HELPERS, user),
        "takes": admits(HELP_TAKERS, user),
        "hides_something": any(
            one.hides_something for one in [*(row.numbers for row in wards), *(row.numbers for row in teams)]
        ),
    }
    return render(request, "drives/board.html", context)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(DRIVE_PLANNERS)
def new_team(request: OfficeRequest) -> HttpResponse:
    """Enter a team: 302 to a new drive, 422 bad form."""
    today = timezone.localdate()
    unions = Agency.objects.in_force(day_to_show(Agency, today)).filter(kind=AgencyKind.UNION)
    reached = unions.filter(pk__in=agencies_of(request.user, DRIVE_PLANNERS.roles))
    form = TeamForm(request.POST or None, agencies=reached)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            lifecycle.make_team(request.user.username, values["agency"], values["name"], values["people"])
        except lifecycle.TeamNameTaken:
            form.add_error("name", _("This union already has a team of this name."))
        else:
            messages.success(request, _("The team is entered. Plan its first drive."))
            return redirect("drive-new")
    converted(form)
    return render(request, "drives/team_new.html", {"form": form}, status=422 if form.errors else 200)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(DRIVE_PLANNERS)
def new_drive(request: OfficeRequest) -> HttpResponse:
    """Plan a drive of a team that the reader plans for: 302 to its page, 422 bad form."""
    form = DriveForm(request.POST or None, teams=scope.planned_teams(request.user))
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        planned = lifecycle.Plan(
            **{name: values[name] for name in ("campaign", "team", "unit", "place", "begins", "ends")}
        )
        made = lifecycle.plan(request.user.username, planned)
        messages.success(request, _("The drive is planned."))
        return redirect("drive", made.pk)
    converted(form)
    context = {"form": form, "no_team": not scope.planned_teams(request.user).exists()}
    return render(request, "drives/drive_new.html", context, status=422 if form.errors else 200)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def drive(request: OfficeRequest, pk: int) -> HttpResponse:
    """One drive: its numbers for everybody; who waits, and the buttons, for those who work at it."""
    shown, now = _shown(pk), timezone.now()
    runs, plans = scope.runs(request.user, shown), scope.plans(request.user, shown)
    at_it = HelpRequest.objects.filter(drive=shown).order_by("opened_at")
    held = HelpRequest.objects.filter(team=shown.team, state=HelpState.CLAIMED).order_by("drive", "claimed_at")
    sees = runs or plans or bool(units_of(request.user, SIGNED_IN.roles).filter(pk=shown.unit_id))
    context = {
        "drive": shown,
        "runs": runs,
        "plans": plans,
        "numbers": boards.of_drive(shown) if sees else None,
        "waiting": at_it.filter(queue.free(now)) if runs else [],
        "held": [(one, requests.read(one)) for one in held] if runs else [],
        "proofs": queue.free_proofs(shown, now),
        "hindrances": Hindrance.choices,
        "open_form": OpenForm(drive=shown),
        "tallies": shown.tallies.all(),
        "late": shown.state == DriveState.LIVE and now > shown.ends + datetime.timedelta(hours=1),
    }
    return render(request, "drives/drive.html", context)


@practised
@require_POST
@audience(DRIVE_PLANNERS)
@touches(Whose.AGENCY)
def open_drive(request: OfficeRequest, pk: int) -> HttpResponse:
    """Begin the drive: 302 to its page; 403 another union's."""
    shown = _planned_by(request, pk)
    form = OpenForm(request.POST, drive=shown)
    try:
        radio = form.cleaned_data["radio"] if form.is_valid() else None
        lifecycle.open_drive(request.user.username, shown, timezone.now(), radio)
    except lifecycle.DriveStateWrong:
        messages.warning(request, _("Nothing was changed: the drive was opened or closed before."))
    return redirect("drive", pk)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(DRIVE_PLANNERS)
@touches(Whose.AGENCY)
def close_drive(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask, then end the drive or call it off: 302 to its page; 403 another union's."""
    shown = _planned_by(request, pk)
    if request.method != "POST":
        waiting = HelpRequest.objects.filter(drive=shown, closed_at=None).count()
        return render(request, "drives/drive_close.html", {"drive": shown, "waiting": waiting})
    try:
        lifecycle.close_drive(request.user.username, shown, timezone.now())
        messages.success(request, _("The drive is over. Sheets kept on paper can still be entered."))
    except lifecycle.DriveStateWrong:
        messages.warning(request, _("Nothing was changed: the drive was closed before."))
    return redirect("drive", pk)


@practised
@require_POST
@audience(HELPERS)
@touches(Whose.AGENCY)
def walk_in(request: OfficeRequest, pk: int) -> HttpResponse:
    """A ticket for somebody at the table, made and taken on in one tap: 302; 403 another team's drive."""
    shown = _shown(pk)
    if not scope.runs(request.user, shown):
        raise OutsideScope("the role does not reach the team of this drive")
    if shown.state == DriveState.LIVE:
        queue.claim(request.user.username, requests.join_stall(shown), shown.team, timezone.now())
    return redirect("drive", pk)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(DRIVE_PLANNERS)
@touches(Whose.AGENCY)
def tally(request: OfficeRequest, pk: int) -> HttpResponse:
    """Enter tally sheets one after another: 302 to the next; 422 bad numbers or a sheet entered before; 403."""
    shown = _planned_by(request, pk)
    last = shown.tallies.order_by("-sheet").first()
    form = TallyForm(request.POST or None, initial={"sheet": last.sheet + 1 if last else 1})
    if request.method == "POST" and form.is_valid():
        try:
            lifecycle.enter_tally(request.user.username, shown, form.cleaned_data["sheet"], form.counts)
        except lifecycle.TallySheetKnown:
            form.add_error("sheet", _("A sheet of this number was entered before. Nothing was stored."))
        else:
            messages.success(request, _("Sheet %(sheet)s is stored.") % {"sheet": form.cleaned_data["sheet"]})
            return redirect("drive-tally", pk)
    context = {"drive": shown, "form": form, "tallies": shown.tallies.all()}
    return render(request, "drives/tally.html", context, status=422 if form.errors else 200)


def _shown(pk: int) -> Drive:
    return get_object_or_404(Drive.objects.select_related("team__agency__unit", "unit", "campaign"), pk=pk)


def _planned_by(request: OfficeRequest, pk: int) -> Drive:
    """A drive whose team the reader plans for. Raises Http404, OutsideScope (403)."""
    shown = _shown(pk)
    if not scope.plans(request.user, shown):
        raise OutsideScope("the role does not reach the team of this drive")
    return shown
