# SPDX-License-Identifier: Apache-2.0
"""Pages of drives and of the help queue: the board, planning, one drive at the stall, what is printed for it; who
waits, one tap to take on, one tap to close.
"""

import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory.kinds import AgencyKind
from bluezone.directory.models import Agency
from bluezone.directory.queries import day_to_show
from bluezone.directory.request_parameters import chosen_number
from bluezone.directory.scopes import OutsideScope, agencies_of, units_of
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, admits, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Whose, touches
from bluezone.paper.pdf import pdf_response, write_pdf
from bluezone.paper.phrases import facts
from bluezone.paper.qr_codes import qr
from bluezone.rollout.drives import boards, help_requests, lifecycle, scope
from bluezone.rollout.drives import help_queue as drives_help_queue
from bluezone.rollout.drives.duty import DRIVE_PLANNERS, HELP_TAKERS, HELPERS
from bluezone.rollout.drives.forms import DriveForm, HindranceForm, OpenForm, PhoneForm, TallyForm, TeamForm
from bluezone.rollout.drives.models import Drive, DriveState, HelpOutcome, HelpProof, HelpRequest, HelpState, Hindrance
from bluezone.rollout.gates.api import devices_of
from bluezone.training import practised

PAST_SHOWN = 20


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
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
@touches(Whose.GIVEN)
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
    return render(request, "drives/team_new.html", {"form": form}, status=422 if form.errors else 200)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(DRIVE_PLANNERS)
@touches(Whose.GIVEN)
def new_drive(request: OfficeRequest) -> HttpResponse:
    """Plan a drive of a team that the reader plans for: 302 to its page, 422 bad form."""
    teams = scope.planned_teams(request.user)
    form = DriveForm(request.POST or None, teams=teams)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        planned = lifecycle.Plan(
            **{name: values[name] for name in ("campaign", "team", "unit", "place", "begins", "ends")}
        )
        made = lifecycle.plan(request.user.username, planned)
        messages.success(request, _("The drive is planned."))
        return redirect("drive", made.pk)
    context = {"form": form, "no_team": not teams.exists()}
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
        "waiting": at_it.filter(drives_help_queue.free(now)) if runs else [],
        "held": [(one, help_requests.read(one)) for one in held] if runs else [],
        "radios": devices_of(shown.gate_id) if runs and shown.gate_id else [],
        "proofs": drives_help_queue.free_proofs(shown, now),
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
        drives_help_queue.claim(request.user.username, help_requests.join_stall(shown), shown.team, timezone.now())
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


A_PAGE = 30


@practised
@require_safe
@audience(HELPERS)
@touches(Whose.REACHED)
def help_queue(request: OfficeRequest) -> HttpResponse:
    """Requests of the reader's area that nobody has, oldest first, and those of the reader's teams with the contact."""
    now = timezone.now()
    page = Paginator(scope.requests_for(request.user).filter(drives_help_queue.free(now)), A_PAGE).get_page(
        request.GET.get("page")
    )
    held = scope.claimed_by(request.user).filter(drive=None)
    context = {
        "page": page,
        "teams": scope.teams_of(request.user),
        "held": [(one, help_requests.read(one)) for one in held],
        "hindrances": Hindrance.choices,
    }
    return render(request, "drives/queue.html", context)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(HELP_TAKERS)
@touches(Whose.EVERYBODYS)
def new_help(request: OfficeRequest) -> HttpResponse:
    """A request that came by telephone: 201 with its ticket, 422 bad form."""
    form = PhoneForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        ticket = help_requests.open_help_request(
            "phone", values["contact"], values["place"], values["note"], values["unit"]
        )
        return render(request, "drives/help_opened.html", {"ticket": ticket}, status=201)
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
        drives_help_queue.claim(request.user.username, asked, team, timezone.now())
    except drives_help_queue.HelpTaken:
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
    drives_help_queue.release(request.user.username, held, [held.team_id or 0], timezone.now())
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
        outcome = drives_help_queue.help_done(
            request.user.username, held, [held.team_id or 0], wanted, timezone.now(), drive or held.drive
        )
    except drives_help_queue.HelpNotYours:
        messages.warning(request, _("Nothing was changed: the request is not with your team any more."))
    except drives_help_queue.HelpProofMissing:
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
            outcome = drives_help_queue.could_not(
                request.user.username, held, [held.team_id or 0], why, timezone.now(), drive
            )
        except drives_help_queue.HelpNotYours:
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


BOXES = range(50)
# In the order of the form that the sheet is entered into.
ROWS = (
    ("Thấy đang chạy", "người giúp thấy Bluezone đang chạy, Bluetooth bật"),
    ("Đã giúp việc khác", "giúp nhưng chưa thấy đang chạy, chỉ dùng bản web"),
    ("Không có điện thoại thông minh", ""),
    ("Chưa giúp được", "máy quá cũ, Bluetooth hỏng, không muốn nữa"),
)


def stall_link(drive: Drive) -> str:
    """The address behind the stall's code: `<public origin>/d/<code>`."""
    return f"{facts('vi').address}/d/{drive.code}"


def stall_pdf(drive: Drive) -> bytes:
    """A4, Vietnamese over English, the code 150 mm wide. Raises PdfUnavailable."""
    context = {"drive": drive, "city": facts("vi"), "qr": qr(stall_link(drive))}
    return _in_vietnamese("stall", context)


def tally_pdf(drive: Drive) -> bytes:
    """A4 tally sheet: a row of boxes for each of the four numbers. Raises PdfUnavailable."""
    day = timezone.localdate(drive.begins)
    return _in_vietnamese("tally", {"drive": drive, "day": day, "city": facts("vi"), "boxes": BOXES, "rows": ROWS})


def _in_vietnamese(name: str, context: dict[str, Any]) -> bytes:
    """The sheet whatever language the reader's page has: it hangs and is ticked where people are."""
    with translation.override("vi"):
        return write_pdf(render_to_string(f"drives/print/{name}.html", context))


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def stall(request: OfficeRequest, pk: int) -> HttpResponse:
    """The sheet with the code behind which people join the queue."""
    return pdf_response(stall_pdf(_drive(pk)), f"stall-{pk}")


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def tally_sheet(request: OfficeRequest, pk: int) -> HttpResponse:
    """A blank tally sheet."""
    return pdf_response(tally_pdf(_drive(pk)), f"tally-{pk}")


def _drive(pk: int) -> Drive:
    return get_object_or_404(Drive.objects.select_related("team__agency", "unit", "campaign"), pk=pk)
