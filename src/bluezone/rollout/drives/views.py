# SPDX-License-Identifier: Apache-2.0
"""Pages of drives and of the help queue.

Drives: the board, planning, a single drive and its printed sheets. Help queue: claim, release and close requests.
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
from bluezone.directory.scopes import OutsideScope, agencies_in_reach, units_in_reach
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, admits, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Ownership, touches
from bluezone.paper.pdf import pdf_response, write_pdf
from bluezone.paper.phrases import facts
from bluezone.paper.qr_codes import qr
from bluezone.rollout.drives import boards, help_requests, lifecycle, permissions
from bluezone.rollout.drives import help_queue as drives_help_queue
from bluezone.rollout.drives.duty import DRIVE_PLANNERS, HELP_TAKERS, HELPERS
from bluezone.rollout.drives.forms import DriveForm, HindranceForm, OpenForm, PhoneForm, TallyForm, TeamForm
from bluezone.rollout.drives.models import Drive, DriveState, HelpOutcome, HelpProof, HelpRequest, HelpState, Hindrance
from bluezone.rollout.gates.api import devices_of
from bluezone.training import practised

MOST_PAST = 20
A_PAGE = 30
BOXES = range(50)
# In the order of the form into which the sheet is typed.
ROWS = (
    ("Thấy đang chạy", "người giúp thấy Bluezone đang chạy, Bluetooth bật"),
    ("Đã giúp việc khác", "giúp nhưng chưa thấy đang chạy, chỉ dùng bản web"),
    ("Không có điện thoại thông minh", ""),
    ("Chưa giúp được", "máy quá cũ, Bluetooth hỏng, không muốn nữa"),
)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def drive_list(request: OfficeRequest) -> HttpResponse:
    """Drives that are live, planned or past, and the help by ward and team, per resident and per smartphone."""
    now = timezone.now()
    campaign = chosen_number(request, "campaign")
    user = request.user
    all_drives = Drive.objects.select_related("team__agency", "unit", "campaign")
    if campaign:
        all_drives = all_drives.filter(campaign=campaign)
    own = frozenset(units_in_reach(user, SIGNED_IN.roles).values_list("pk", flat=True))
    own_agencies = frozenset(agencies_in_reach(user, SIGNED_IN.roles).values_list("pk", flat=True))
    wards = boards.ward_rows(campaign, own, now)
    teams = boards.team_rows(campaign, own_agencies)
    all_numbers = [*(row.numbers for row in wards), *(row.numbers for row in teams)]
    campaigns = {(drive.campaign_id, drive.campaign.name) for drive in Drive.objects.select_related("campaign")}
    context = {
        "current": all_drives.exclude(state=DriveState.CLOSED).order_by("-state", "begins"),
        "past": all_drives.filter(state=DriveState.CLOSED).order_by("-begins")[:MOST_PAST],
        "campaigns": sorted(campaigns),
        "campaign": campaign,
        "wards": wards,
        "teams": teams,
        "plans": admits(DRIVE_PLANNERS, user),
        "helps": admits(HELPERS, user),
        "takes": admits(HELP_TAKERS, user),
        "suppresses_something": any(numbers.suppresses_something for numbers in all_numbers),
    }
    return render(request, "drives/board.html", context)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(DRIVE_PLANNERS)
@touches(Ownership.CREATED)
def new_team(request: OfficeRequest) -> HttpResponse:
    """Enter a team: 302 to the form for its first drive, 422 bad form."""
    today = timezone.localdate()
    unions = Agency.objects.valid_on(day_to_show(Agency, today)).filter(kind=AgencyKind.UNION)
    own_unions = unions.filter(pk__in=agencies_in_reach(request.user, DRIVE_PLANNERS.roles))
    form = TeamForm(request.POST or None, agencies=own_unions)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            lifecycle.create_team(request.user.username, values["agency"], values["name"], values["people"])
        except lifecycle.TeamNameTaken:
            form.add_error("name", _("This union already has a team with this name."))
        else:
            messages.success(request, _("The team has been entered. Plan its first drive."))
            return redirect("drive-new")
    return render(request, "drives/team_new.html", {"form": form}, status=422 if form.errors else 200)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(DRIVE_PLANNERS)
@touches(Ownership.CREATED)
def new_drive(request: OfficeRequest) -> HttpResponse:
    """Plan a drive of a team that the reader plans for: 302 to its page, 422 bad form."""
    teams = permissions.planned_teams(request.user)
    form = DriveForm(request.POST or None, teams=teams)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        details = lifecycle.DriveDetails(
            **{name: values[name] for name in ("campaign", "team", "unit", "place", "begins", "ends")}
        )
        drive = lifecycle.plan_drive(request.user.username, details)
        messages.success(request, _("The drive has been planned."))
        return redirect("drive", drive.pk)
    context = {"form": form, "no_team": not teams.exists()}
    return render(request, "drives/drive_new.html", context, status=422 if form.errors else 200)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def show_drive(request: OfficeRequest, pk: int) -> HttpResponse:
    """One drive, with its numbers for those who serve its ward, and its queue and buttons for those who work at it."""
    drive = _get_drive(pk)
    now = timezone.now()
    runs = permissions.works_at(request.user, drive)
    plans = permissions.may_plan(request.user, drive)
    requests = HelpRequest.objects.filter(drive=drive).order_by("opened_at")
    claimed = HelpRequest.objects.filter(team=drive.team, state=HelpState.CLAIMED).order_by("drive", "claimed_at")
    sees = runs or plans or bool(units_in_reach(request.user, SIGNED_IN.roles).filter(pk=drive.unit_id))
    context = {
        "drive": drive,
        "runs": runs,
        "plans": plans,
        "numbers": boards.drive_numbers(drive) if sees else None,
        "waiting": requests.filter(drives_help_queue.free_requests(now)) if runs else [],
        "held": [(help_request, help_requests.open_texts(help_request)) for help_request in claimed] if runs else [],
        "radios": devices_of(drive.gate_id) if runs and drive.gate_id else [],
        "proofs": drives_help_queue.count_free_proofs(drive, now),
        "hindrances": Hindrance.choices,
        "open_form": OpenForm(drive=drive),
        "tallies": drive.tallies.all(),
        "late": drive.state == DriveState.LIVE and now > drive.ends + datetime.timedelta(hours=1),
    }
    return render(request, "drives/drive.html", context)


@practised
@require_POST
@audience(DRIVE_PLANNERS)
@touches(Ownership.AGENCY)
def open_drive(request: OfficeRequest, pk: int) -> HttpResponse:
    """Open the drive: 302 to its page; 403 another union's."""
    drive = _planned_by(request, pk)
    form = OpenForm(request.POST, drive=drive)
    # If the form is invalid, the drive opens without a radio.
    radio = form.cleaned_data["radio"] if form.is_valid() else None
    try:
        lifecycle.open_drive(request.user.username, drive, timezone.now(), radio)
    except lifecycle.DriveStateWrong:
        messages.warning(request, _("Nothing was changed: the drive has already been opened or closed."))
    return redirect("drive", pk)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(DRIVE_PLANNERS)
@touches(Ownership.AGENCY)
def close_drive(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask, then close the drive, or cancel it if it is only planned: 302 to its page; 403 another union's."""
    drive = _planned_by(request, pk)
    if request.method != "POST":
        waiting = HelpRequest.objects.filter(drive=drive, closed_at=None).count()
        return render(request, "drives/drive_close.html", {"drive": drive, "waiting": waiting})
    try:
        lifecycle.close_drive(request.user.username, drive, timezone.now())
        messages.success(request, _("The drive is over. Sheets kept on paper can still be entered."))
    except lifecycle.DriveStateWrong:
        messages.warning(request, _("Nothing was changed: the drive has already been closed."))
    return redirect("drive", pk)


@practised
@require_POST
@audience(HELPERS)
@touches(Ownership.AGENCY)
def claim_walk_in(request: OfficeRequest, pk: int) -> HttpResponse:
    """Open a ticket for a person at the stall and claim it, in one tap: 302; 403 if the reader does not work there."""
    drive = _get_drive(pk)
    if not permissions.works_at(request.user, drive):
        raise OutsideScope("the role does not reach the team of this drive")
    if drive.state == DriveState.LIVE:
        drives_help_queue.claim_request(
            request.user.username, help_requests.join_stall(drive), drive.team, timezone.now()
        )
    return redirect("drive", pk)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(DRIVE_PLANNERS)
@touches(Ownership.AGENCY)
def enter_tally(request: OfficeRequest, pk: int) -> HttpResponse:
    """Enter tally sheets one after another: 302 to the next; 422 bad form or a known sheet; 403 another union's."""
    drive = _planned_by(request, pk)
    last = drive.tallies.order_by("-sheet").first()
    form = TallyForm(request.POST or None, initial={"sheet": last.sheet + 1 if last else 1})
    if request.method == "POST" and form.is_valid():
        try:
            lifecycle.enter_tally(request.user.username, drive, form.cleaned_data["sheet"], form.counts)
        except lifecycle.TallySheetKnown:
            form.add_error("sheet", _("A sheet with this number has already been entered. Nothing was stored."))
        else:
            messages.success(request, _("Sheet %(sheet)s has been stored.") % {"sheet": form.cleaned_data["sheet"]})
            return redirect("drive-tally", pk)
    context = {"drive": drive, "form": form, "tallies": drive.tallies.all()}
    return render(request, "drives/tally.html", context, status=422 if form.errors else 200)


def _get_drive(pk: int) -> Drive:
    return get_object_or_404(Drive.objects.select_related("team__agency__unit", "unit", "campaign"), pk=pk)


def _planned_by(request: OfficeRequest, pk: int) -> Drive:
    """A drive of a team that the reader plans for. Raises Http404, OutsideScope (403)."""
    drive = _get_drive(pk)
    if not permissions.may_plan(request.user, drive):
        raise OutsideScope("the role does not reach the team of this drive")
    return drive


@practised
@require_safe
@audience(HELPERS)
@touches(Ownership.REACHED)
def show_help_queue(request: OfficeRequest) -> HttpResponse:
    """Free requests of the reader's area, oldest first, and those of the reader's teams, with the contact."""
    free = permissions.requests_for(request.user).filter(drives_help_queue.free_requests(timezone.now()))
    page = Paginator(free, A_PAGE).get_page(request.GET.get("page"))
    claimed = permissions.claimed_by(request.user).filter(drive=None)
    context = {
        "page": page,
        "teams": permissions.teams_of(request.user),
        "held": [(help_request, help_requests.open_texts(help_request)) for help_request in claimed],
        "hindrances": Hindrance.choices,
    }
    return render(request, "drives/queue.html", context)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(HELP_TAKERS)
@touches(Ownership.EVERYBODY)
def new_help_request(request: OfficeRequest) -> HttpResponse:
    """Enter a request by telephone: 201 with its ticket, 422 bad form."""
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
@touches(Ownership.SERVED, Ownership.AGENCY)
def claim_request(request: OfficeRequest, pk: int) -> HttpResponse:
    """Claim a request for one of the reader's teams: 302, with a warning if another has it; 404 another area's."""
    drive = _live_drive_in_form(request)
    requests = HelpRequest.objects.filter(drive=drive) if drive else permissions.requests_for(request.user)
    help_request = get_object_or_404(requests, pk=pk)
    team = drive.team if drive else get_object_or_404(permissions.teams_of(request.user), pk=_number(request, "team"))
    try:
        drives_help_queue.claim_request(request.user.username, help_request, team, timezone.now())
    except drives_help_queue.HelpTaken:
        messages.warning(request, _("Another team has just taken %(ticket)s on.") % {"ticket": help_request.ticket})
    else:
        acts.offer_undo(request, "help-claimed", timezone.now(), asked=help_request.pk, at=str(help_request.claimed_at))
    return _back(request)


@practised
@require_POST
@audience(HELPERS)
@touches(Ownership.AGENCY)
def release_request(request: OfficeRequest, pk: int) -> HttpResponse:
    """Release a request: 302; 404 if none of the reader's teams has it."""
    help_request = get_object_or_404(permissions.claimed_by(request.user), pk=pk)
    drives_help_queue.release_request(request.user.username, help_request, _team_ids(help_request), timezone.now())
    messages.success(request, _("%(ticket)s is open for other teams again.") % {"ticket": help_request.ticket})
    return _back(request)


@practised
@require_POST
@audience(HELPERS)
@touches(Ownership.AGENCY)
def close_as_helped(request: OfficeRequest, pk: int) -> HttpResponse:
    """Close a request as helped: 302; 404 if none of the reader's teams has it.

    Form field `proof`: proven, attested or none.
    """
    help_request = get_object_or_404(permissions.claimed_by(request.user), pk=pk)
    typed_proof = request.POST.get("proof", "")
    proof = HelpProof(typed_proof) if typed_proof in HelpProof.values else HelpProof.NONE
    drive = _live_drive_in_form(request)
    if drive is not None and drive.team_id != help_request.team_id:
        drive = None
    try:
        outcome = drives_help_queue.close_as_helped(
            request.user.username,
            help_request,
            _team_ids(help_request),
            proof,
            timezone.now(),
            drive or help_request.drive,
        )
    except drives_help_queue.HelpNotYours:
        messages.warning(request, _("Nothing was changed: the request is not with your team any more."))
    except drives_help_queue.HelpProofMissing:
        messages.error(
            request,
            _("Not closed: the radio has heard no running phone in the last 15 minutes that is not counted yet. Ask "
        "the person to show the gate code again, or record it as seen."),
        )  # fmt: skip
    else:
        _show_outcome(request, outcome, proof)
    return _back(request)


@practised
@require_POST
@audience(HELPERS)
@touches(Ownership.AGENCY)
def close_as_not_helped(request: OfficeRequest, pk: int) -> HttpResponse:
    """Close a request that could not be helped, with its reason: 302, with a warning if the reason is unknown."""
    help_request = get_object_or_404(permissions.claimed_by(request.user), pk=pk)
    form = HindranceForm(request.POST)
    if form.is_valid():
        drive = _live_drive_in_form(request)
        hindrance = Hindrance(form.cleaned_data["hindrance"])
        try:
            outcome = drives_help_queue.close_as_not_helped(
                request.user.username, help_request, _team_ids(help_request), hindrance, timezone.now(), drive
            )
        except drives_help_queue.HelpNotYours:
            messages.warning(request, _("Nothing was changed: the request is not with your team any more."))
        else:
            _show_outcome(request, outcome, HelpProof.NONE)
    else:
        messages.warning(request, _("Nothing was changed: choose why it could not be done."))
    return _back(request)


def _show_outcome(request: OfficeRequest, outcome: HelpOutcome, requested_proof: HelpProof) -> None:
    """Show how the request was closed, and offer to undo it."""
    ticket = outcome.request.ticket if outcome.request else ""
    acts.offer_undo(request, "help-closed", timezone.now(), outcome=outcome.pk)
    if requested_proof != outcome.proof:
        sentence = _(
            "%(ticket)s is closed as helped, but not counted as a phone: this number was already counted for a team."
        )
        messages.warning(request, sentence % {"ticket": ticket})
    else:
        messages.success(request, _("%(ticket)s is closed.") % {"ticket": ticket})


def _live_drive_in_form(request: OfficeRequest) -> Drive | None:
    """The live drive named in the form, if the reader works at it."""
    pk = _number(request, "drive")
    if pk is None:
        return None
    drive = get_object_or_404(Drive.objects.select_related("team__agency__unit"), pk=pk, state=DriveState.LIVE)
    return drive if permissions.works_at(request.user, drive) else None


def _number(request: OfficeRequest, name: str) -> int | None:
    value = request.POST.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 18 else None


def _back(request: OfficeRequest) -> HttpResponse:
    next_address: Any = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(next_address, allowed_hosts=None):
        return redirect(next_address)
    return redirect("help-queue")


def _team_ids(help_request: HelpRequest) -> list[int]:
    """The key of the team that has a request, as a list for `show_help_queue`; without a team [0], which has none."""
    return [help_request.team_id or 0]


def stall_link(drive: Drive) -> str:
    """The address behind the stall's code: `<public origin>/d/<code>`."""
    return f"{facts('vi').address}/d/{drive.code}"


def stall_pdf(drive: Drive) -> bytes:
    """The stall's sheet as PDF: A4, Vietnamese above English, a code 150 mm wide. Raises PdfUnavailable."""
    context = {"drive": drive, "city": facts("vi"), "qr": qr(stall_link(drive))}
    return _in_vietnamese("stall", context)


def tally_pdf(drive: Drive) -> bytes:
    """A4 tally sheet: a row of boxes for each of the four numbers. Raises PdfUnavailable."""
    day = timezone.localdate(drive.begins)
    return _in_vietnamese("tally", {"drive": drive, "day": day, "city": facts("vi"), "boxes": BOXES, "rows": ROWS})


def _in_vietnamese(name: str, context: dict[str, Any]) -> bytes:
    """A sheet as PDF, in Vietnamese whatever the reader's language, as it is used on site. Raises PdfUnavailable."""
    with translation.override("vi"):
        return write_pdf(render_to_string(f"drives/print/{name}.html", context))


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def print_stall_poster(request: OfficeRequest, pk: int) -> HttpResponse:
    """The sheet with the code that people scan to join the queue."""
    return pdf_response(stall_pdf(_drive_to_print(pk)), f"stall-{pk}")


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def print_tally_sheet(request: OfficeRequest, pk: int) -> HttpResponse:
    """A blank tally sheet."""
    return pdf_response(tally_pdf(_drive_to_print(pk)), f"tally-{pk}")


def _drive_to_print(pk: int) -> Drive:
    return get_object_or_404(Drive.objects.select_related("team__agency", "unit", "campaign"), pk=pk)
