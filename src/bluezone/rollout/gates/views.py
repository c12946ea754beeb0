# SPDX-License-Identifier: Apache-2.0
"""Pages of the gates: the table of a week and its file, one gate, opening and closing, tablets, gatekeepers, and what
was counted on paper.
"""

import datetime
from collections.abc import Iterable

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.devices.duty import DEVICE_KEEPERS
from bluezone.directory.duty import STAFF_REPORTERS
from bluezone.directory.kinds import UnitKind
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.queries import day_to_show
from bluezone.directory.request_parameters import chosen_number, chosen_unit
from bluezone.directory.scopes import agencies_in_reach, has_role, require_role
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Ownership, touches
from bluezone.identity.typed_fields import typed_day
from bluezone.media_types import XLSX
from bluezone.paper.pdf import pdf_response
from bluezone.paper.qr_codes import screen_qr
from bluezone.paper.tables import ColumnKind, ExportColumn, ExportSheet, write_xlsx
from bluezone.rollout.gates import paper_slips, queries, registry
from bluezone.rollout.gates.duty import GATEKEEPERS
from bluezone.rollout.gates.forms import EndForm, GateForm, InsideForm, NominationForm, SlipForm, TabletForm
from bluezone.rollout.gates.health import devices_of
from bluezone.rollout.gates.models import DayPart, Gate, Gatekeeper, PaperSlip
from bluezone.rollout.gates.queries import GateRow, one_gate
from bluezone.rollout.gates.registry import PAPERS, SIGN_PAPERS, badge_pdf, book_pdf, sign_pdf, tally_pdf
from bluezone.rollout.report_week import Week, parse_week

# Head, officer in charge and administrator: who keeps an agency's tablets also keeps its gates.
KEEPERS = DEVICE_KEEPERS
# Whoever counts at a gate sees what it counted.
_READERS = frozenset[str]().union(*(one.roles for one in (STAFF_REPORTERS, KEEPERS, GATEKEEPERS)))


def chosen_week(request: HttpRequest) -> Week:
    """The week of `?week=2020-W33`, this week where there is none that can be read."""
    return parse_week(request.GET.get("week", ""), Week.of(timezone.localdate()))


def own_agencies(request: OfficeRequest) -> frozenset[int]:
    """Primary keys of the agencies whose gates the reader sees as they were counted."""
    return frozenset(agencies_in_reach(request.user, _READERS).values_list("pk", flat=True))


def keeps(request: OfficeRequest, agency: Agency | None = None) -> bool:
    """Whether the reader opens gates and nominates for an agency, or for any when none is named."""
    return has_role(request.user, KEEPERS.roles, agency=agency)


def sees(request: OfficeRequest, agency: Agency) -> bool:
    """Whether the reader sees the gates of an agency as they were counted, with their days and shifts."""
    return has_role(request.user, _READERS, agency=agency)


def gate_of_ours(request: OfficeRequest, pk: int) -> Gate:
    """A gate that the reader keeps. Raises Http404, OutsideScope (403)."""
    gate = get_object_or_404(Gate.objects.select_related("agency__unit"), pk=pk)
    require_role(request.user, KEEPERS.roles, agency=gate.agency)
    return gate


@require_http_methods(["GET", "HEAD", "POST"])
@audience(KEEPERS)
@touches(Ownership.AGENCY)
def nominate(request: OfficeRequest, pk: int) -> HttpResponse:
    """Nominate a person for a gate: 201 with the badge, shown once; 422 bad form; 403 another agency's gate."""
    gate = gate_of_ours(request, pk)
    form = NominationForm(request.POST or None, initial={"since": timezone.localdate()})
    if request.method == "POST" and form.is_valid() and gate.closed_at is None:
        values = form.cleaned_data
        badge = registry.nominate(
            request.user.username, gate, values["name"], values["since"], values["until"],
            phone=values["phone"], is_substitute=values["is_substitute"], now=timezone.now(),
        )  # fmt: skip
        return _show(request, badge)
    return render(request, "gates/nominate.html", {"gate": gate, "form": form}, status=422 if form.errors else 200)


@require_POST
@audience(KEEPERS)
@touches(Ownership.AGENCY)
def renew(request: OfficeRequest, pk: int) -> HttpResponse:
    """Print a badge anew with another number and PIN: 201 shown once; 403 another agency's gatekeeper."""
    return _show(request, registry.new_badge(request.user.username, _ours(request, pk)))


@require_http_methods(["GET", "HEAD", "POST"])
@audience(KEEPERS)
@touches(Ownership.AGENCY)
def end(request: OfficeRequest, pk: int) -> HttpResponse:
    """End a nomination with a day: 302 to the gate, 422 a day before it began, 403 another agency's."""
    found = _ours(request, pk)
    form = EndForm(request.POST or None, since=found.since, initial={"until": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        registry.end(request.user.username, found, form.cleaned_data["until"])
        messages.success(request, _("The nomination of %(name)s ends at the end of that day.") % {"name": found.name})
        return redirect("gate", found.gate_id)
    context = {"gatekeeper": found, "form": form}
    return render(request, "gates/gatekeeper_end.html", context, status=422 if form.errors else 200)


@sensitive_post_parameters("pin")
@require_POST
@audience(KEEPERS)
@touches(Ownership.AGENCY)
def badge(request: OfficeRequest, pk: int) -> HttpResponse:
    """The badge as PDF, A6 or A4, from the page that shows its PIN: 409 where the badge was made anew meanwhile."""
    found = _ours(request, pk)
    pin, paper = request.POST.get("pin", "")[:16], request.POST.get("paper", "")
    if not registry.is_pin_of(found, pin):
        messages.warning(request, _("A newer badge has been created in the meantime. Print that one."))
        return redirect("gate", found.gate_id)
    shown = registry.Badge(found, registry.text_of(found), pin)
    return pdf_response(badge_pdf(shown, paper if paper in PAPERS else "a6"), "badge")


def _ours(request: OfficeRequest, pk: int) -> Gatekeeper:
    found = get_object_or_404(Gatekeeper.objects.select_related("gate__agency__unit"), pk=pk)
    require_role(request.user, KEEPERS.roles, agency=found.gate.agency)
    return found


def _show(request: OfficeRequest, badge: registry.Badge) -> HttpResponse:
    context = {
        "badge": badge,
        "gatekeeper": badge.gatekeeper,
        "gate": badge.gatekeeper.gate,
        "qr": screen_qr(badge.text),
    }
    return render(request, "gates/badge.html", context, status=201)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(KEEPERS)
@touches(Ownership.CREATED)
def new_gate(request: OfficeRequest) -> HttpResponse:
    """Open a gate of an agency that the reader keeps: 302 to its page, 422 bad form or a name that is taken."""
    in_force = Agency.objects.valid_on(day_to_show(Agency, timezone.localdate()))
    reached = agencies_in_reach(request.user, KEEPERS.roles).filter(pk__in=in_force)
    form = GateForm(request.POST or None, agencies=reached, initial={"agency": request.GET.get("agency")})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            made = registry.open_gate(request.user.username, values["agency"], values["name"], timezone.now())
        except registry.GateNameTaken:
            form.add_error("name", _("This agency already has an open gate with this name. Choose another name."))
        else:
            messages.success(request, _("The gate is open. Next: nominate who records entries and exits."))
            return redirect("gate", made.pk)
    return render(request, "gates/gate_new.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@audience(KEEPERS)
@touches(Ownership.AGENCY)
def close_gate(request: OfficeRequest, pk: int) -> HttpResponse:
    """Ask, then close a gate: 302 to its page; 403 another agency's."""
    gate = gate_of_ours(request, pk)
    if request.method == "POST":
        registry.close_gate(request.user.username, gate, timezone.now())
        messages.success(request, _("The gate has been closed. Its counts stay."))
        return redirect("gate", pk)
    return render(request, "gates/gate_close.html", {"gate": gate})


@require_POST
@audience(KEEPERS)
@touches(Ownership.AGENCY)
def put_tablet(request: OfficeRequest, pk: int) -> HttpResponse:
    """Let a tablet of the agency count for this gate: 302 to its page; 403 another agency's gate."""
    gate = gate_of_ours(request, pk)
    form = TabletForm(request.POST, gate=gate)
    if gate.closed_at is None and form.is_valid():
        registry.put_device(request.user.username, form.cleaned_data["device"], gate)
        messages.success(request, _("From now on the tablet counts for this gate; what it counted before stays."))
    else:
        messages.warning(request, _("Nothing was changed: choose a tablet of this agency, at a gate that is open."))
    return redirect("gate", pk)


@require_POST
@audience(KEEPERS)
@touches(Ownership.AGENCY)
def correct_inside(request: OfficeRequest, pk: int) -> HttpResponse:
    """Let so many people be inside now: 302 to the gate's page; 403 another agency's gate."""
    gate = gate_of_ours(request, pk)
    form = InsideForm(request.POST)
    if form.is_valid():
        number = form.cleaned_data["number"]
        registry.correct_inside(request.user.username, gate, number, timezone.localdate())
        messages.success(request, _("Counting continues from this number. The tablets show it at their next contact."))
    else:
        messages.warning(request, _("Nothing was changed: enter how many people are inside now, 0 for none."))
    return redirect("gate", pk)


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def sign(request: OfficeRequest, pk: int) -> HttpResponse:
    """The sign at the gate in Vietnamese and English as PDF, A4 or A3."""
    gate = get_object_or_404(Gate.objects.select_related("agency"), pk=pk)
    paper = request.GET.get("paper", "")
    return pdf_response(sign_pdf(gate, paper if paper in SIGN_PAPERS else "a4"), f"gate-sign-{gate.pk}")


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def book(request: OfficeRequest, pk: int) -> HttpResponse:
    """A blank visitor book as PDF; nothing that is written into it ever comes into this system."""
    gate = get_object_or_404(Gate.objects.select_related("agency"), pk=pk)
    return pdf_response(book_pdf(gate), f"visitor-book-{gate.pk}")


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def tally(request: OfficeRequest, pk: int) -> HttpResponse:
    """A blank tally sheet as PDF, for a gate without a tablet; its sums are entered on the page of paper slips."""
    gate = get_object_or_404(Gate.objects.select_related("agency"), pk=pk)
    return pdf_response(tally_pdf(gate), f"gate-tally-{gate.pk}")


# Vietnamese in every language: the file is a form of the office and not a page.
_COLUMNS = (
    ExportColumn("Cơ quan"),
    ExportColumn("Cổng"),
    ExportColumn("Lượt vào", ColumnKind.COUNT),
    ExportColumn("Lượt ra", ColumnKind.COUNT),
    ExportColumn("Đang chạy (đã xác thực)", ColumnKind.COUNT),
    ExportColumn("Mã hợp lệ", ColumnKind.COUNT),
    ExportColumn("Đã xem màn hình", ColumnKind.COUNT),
    ExportColumn("Chưa bật hoặc chưa cài", ColumnKind.COUNT),
    ExportColumn("Có điện thoại thông minh", ColumnKind.COUNT),
    ExportColumn("Không có điện thoại thông minh", ColumnKind.COUNT),
    ExportColumn("Tỷ lệ đang chạy", ColumnKind.SHARE),
    ExportColumn("Lượt vào ghi trên giấy (tự báo)", ColumnKind.COUNT),
)


def listing(rows: Iterable[GateRow], week: Week) -> ExportSheet:
    """One row for each gate; empty where a number is kept back."""
    cells = [
        [
            row.gate.agency.name,
            row.gate.name,
            row.counted.came_in,
            row.counted.went_out,
            row.counted.proven,
            row.counted.fresh,
            row.counted.attested,
            row.counted.other,
            row.counted.with_smartphone,
            row.counted.no_smartphone,
            row.counted.share,
            row.counted.on_paper,
        ]
        for row in rows
    ]
    notes = [
        f"Lượt ra vào tại các cổng, tuần {week.in_vietnamese()}. Chỉ đếm số lượt, không ghi tên.",
        "Ba loại (đã xác thực, mã hợp lệ, đã xem màn hình) không cộng với nhau. Ô trống: số dưới 5 không hiển thị.",
        "Lượt ghi trên giấy do cơ quan tự báo, không nằm trong các cột khác.",
        "Lượt không rõ ngày vì đồng hồ của máy tại cổng đã sai không nằm trong cột nào.",
    ]
    return ExportSheet(f"Tuần {week}", _COLUMNS, cells, notes)


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def gate_list(request: OfficeRequest) -> HttpResponse:
    """What each gate counted in a week, for a unit where one is given, and how many agencies have nominated nobody."""
    week, unit, today = chosen_week(request), chosen_unit(request), timezone.localdate()
    gates, own = queries.gates_under(unit), own_agencies(request)
    page, rows = queries.gate_rows(gates, week, request.GET.get("page"), own)
    context = {
        "week": week,
        "unit": unit,
        "page": page,
        "rows": rows,
        "units": AdminUnit.objects.valid_on(day_to_show(AdminUnit, today))
        .exclude(kind=UnitKind.GROUP)
        .order_by("path"),
        "late": queries.without_gatekeeper(unit, today).count(),
        "is_latest": week.following.first_day > today,
        "keeps": keeps(request),
        "has_suppressed": any(row.counted.has_suppressed for row in rows),
    }
    return render(request, "gates/gate_list.html", context)


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def late_list(request: OfficeRequest) -> HttpResponse:
    """Agencies that have nominated nobody to record entries and exits, with the telephone to call."""
    unit = chosen_unit(request)
    found = queries.without_gatekeeper(unit, timezone.localdate())
    page = Paginator(found, queries.GATES_A_PAGE).get_page(request.GET.get("page"))
    own = own_agencies(request) if keeps(request) else frozenset()
    return render(request, "gates/late_list.html", {"unit": unit, "page": page, "own": own})


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def file(request: OfficeRequest) -> HttpResponse:
    """The table of gates of a week as XLSX, small numbers kept back as on the page."""
    week = chosen_week(request)
    gates = list(queries.gates_under(chosen_unit(request)).select_related("agency__unit"))
    rows = queries.rows_of(gates, week, own_agencies(request))
    response = HttpResponse(write_xlsx([listing(rows, week)]), content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="gates-{week}.xlsx"'
    return response


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def gate(request: OfficeRequest, pk: int) -> HttpResponse:
    """One gate and week: everything for its own agency, the sums of the week for others."""
    found = get_object_or_404(Gate.objects.select_related("agency__unit"), pk=pk)
    week, now = chosen_week(request), timezone.now()
    own = frozenset({found.agency_id}) if sees(request, found.agency) else frozenset()
    context = {
        "gate": found,
        "week": week,
        "is_latest": week.following.first_day > timezone.localdate(now),
        "row": queries.rows_of([found], week, own)[0],
        "keeps": keeps(request, found.agency),
        "tablets": devices_of(found.pk),
        "tablet_form": TabletForm(gate=found),
        "inside_form": InsideForm(),
        "shown": one_gate(found, week, now) if own else None,
    }
    return render(request, "gates/gate.html", context)


SHOWN_DAYS = 14


@require_http_methods(["GET", "HEAD", "POST"])
@audience(KEEPERS)
@touches(Ownership.AGENCY)
def paper(request: OfficeRequest, pk: int) -> HttpResponse:
    """Enter a slip: 302 back here with the button that takes it back; 409 changed meanwhile; 422; 403 another's gate.

    GET with `?slip=` shows the numbers of that slip, to correct them.
    """
    gate, today = gate_of_ours(request, pk), timezone.localdate()
    if request.method != "POST":
        known = _initial(request, gate, today)
        return _page(request, gate, SlipForm(initial=known, slips=_slips(gate, today)), today)
    with transaction.atomic():
        # Of two who enter a slip in one moment the second sees what the first has stored.
        list(Gate.objects.select_for_update().filter(pk=pk).values_list("pk"))
        form = SlipForm(request.POST, slips=_slips(gate, today))
        if form.is_valid():
            day, part = form.cleaned_data["day"], DayPart(form.cleaned_data["part"])
            try:
                entered = paper_slips.enter(request.user.username, gate, day, part, form.counts, today)
            except paper_slips.SlipOfAnotherTime:
                form.add_error("day", _("Choose today or one of the 60 days before it."))
            except paper_slips.SlipsOverlap:
                form.add_error(
                    "part", _("This day already has a slip for the whole day, or for parts of it. Correct that one.")
                )
            else:
                _notice(request, entered)
                return redirect("gate-paper", pk)
    return _page(request, gate, form, today)


def _slips(gate: Gate, today: datetime.date) -> QuerySet[PaperSlip]:
    """What can still be corrected."""
    return gate.slips.filter(day__gte=today - datetime.timedelta(days=paper_slips.OLDEST_DAYS))


@require_POST
@audience(KEEPERS)
@touches(Ownership.AGENCY)
def take_out(request: OfficeRequest, pk: int) -> HttpResponse:
    """Take a slip out that does not belong here: 302, with the button that brings it back; 403 another agency's."""
    gate = gate_of_ours(request, pk)
    slip = get_object_or_404(PaperSlip, gate=gate, pk=chosen_number(request, "slip") or 0)
    acts.offer_undo(request, paper_slips.UNDO_ACT, timezone.now(), **paper_slips.take_out(request.user.username, slip))
    messages.success(request, _("The slip has been removed; its numbers no longer count."))
    return redirect("gate-paper", pk)


def _page(request: OfficeRequest, gate: Gate, form: SlipForm, today: datetime.date) -> HttpResponse:
    slips = gate.slips.filter(day__gt=today - datetime.timedelta(days=SHOWN_DAYS))
    context = {"gate": gate, "form": form, "slips": slips, "shown_days": SHOWN_DAYS}
    return render(request, "gates/paper.html", context, status=acts.form_status(form))


def _initial(request: OfficeRequest, gate: Gate, today: datetime.date) -> dict[str, object]:
    number = chosen_number(request, "slip")
    found = gate.slips.filter(pk=number).first() if number is not None else None
    if found is None:
        return {"day": typed_day(request.GET.get("day", "")) or today}
    return {"day": found.day, "part": found.part, **{name: getattr(found, name) for name in paper_slips.COUNTS}}


def _notice(request: OfficeRequest, entered: paper_slips.Entered) -> None:
    if not entered.changed:
        messages.info(request, _("These numbers have already been entered; nothing was changed."))
        return
    acts.offer_undo(request, paper_slips.UNDO_ACT, timezone.now(), **paper_slips.undo_values(entered))
    if entered.before is None:
        messages.success(
            request, _("The slip has been entered. It is in the column “on paper” and not in any proven number.")
        )
    else:
        messages.success(request, _("The slip has been corrected; the earlier numbers are in the audit."))
