# SPDX-License-Identifier: Apache-2.0
"""Pages of the staff report.

The agency table of a week, also as a file; the report of one agency; pasted rows; requests to reopen a locked week.
"""

import datetime
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.directory.duty import STAFF_REPORTERS
from bluezone.directory.models import AdminUnit, Agency
from bluezone.directory.queries import day_to_show
from bluezone.directory.request_parameters import chosen_number, chosen_value
from bluezone.directory.scopes import agencies_in_reach, has_role, require_role
from bluezone.identity import acts
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import ADMINS, SIGNED_IN
from bluezone.identity.edits import SharedForm
from bluezone.identity.models import Role, User
from bluezone.identity.objects import Ownership, touches
from bluezone.identity.typed_fields import CountField, chosen_day
from bluezone.media_types import XLSX
from bluezone.paper.tables import ColumnKind, ExportColumn, ExportSheet, write_xlsx
from bluezone.refusal import Refused
from bluezone.rollout.report_week import Week, parse_week
from bluezone.rollout.staffing import counts, queries, staff_reports, week_requests
from bluezone.rollout.staffing.counts import MOST_STAFF, NAMES, StaffCounts, StaffCountsRefused
from bluezone.rollout.staffing.models import WeekRequest
from bluezone.rollout.staffing.pasted_rows import PastedRow, read_pasted_rows
from bluezone.rollout.staffing.queries import AgencyRow
from bluezone.rollout.staffing.staff_reports import REOPENED_DAYS
from bluezone.training import current_training, practised

# In characters: each takes up to three bytes, so that a paste has at most 54 of the 64 KB that a form may have.
LONGEST_PASTE = 18_000
DAY = datetime.timedelta(days=1)
# Always in Vietnamese: the file is a form of the office, not a page.
_COLUMNS = (
    ExportColumn("Cơ quan"),
    ExportColumn("Tổng số cán bộ", ColumnKind.COUNT),
    ExportColumn("Có điện thoại thông minh", ColumnKind.COUNT),
    ExportColumn("Đang chạy", ColumnKind.COUNT),
    ExportColumn("Chỉ dùng bản web", ColumnKind.COUNT),
    ExportColumn("Chưa chạy, đã nhắc", ColumnKind.COUNT),
)


def _count(label: Any, help_text: Any = "") -> CountField:
    return CountField(label=label, help_text=help_text, min_value=0, max_value=MOST_STAFF)


class StaffForm(SharedForm, forms.Form):
    """The staff numbers of one agency. counts: set once the form is valid."""

    # Even the first report of a week may conflict: two people of an agency may enter it at the same time.
    changes_something = True
    staff = _count(_("Staff"), _("All cadres, staff and workers."))
    with_smartphone = _count(_("With a smartphone"))
    running = _count(_("Bluezone running"), _("With Bluetooth on. Not the web version: it cannot run it."))
    web_edition = _count(_("Web version only"), _("Their phone does not run Bluezone."))
    reminded = _count(_("Not running, reminded"), _("Reminded this week, and not running yet."))
    counts: StaffCounts

    def clean(self) -> dict[str, Any]:
        """Set `counts`; refuse numbers that contradict each other, with an error at the number to check first."""
        values: dict[str, Any] = super().clean() or {}
        if all(name in values for name in NAMES):
            try:
                self.counts = StaffCounts(**{name: values[name] for name in NAMES})
            except StaffCountsRefused as refused:
                self.add_error(refused.field, counts.counts_sentence(refused))
        return values


class PasteForm(forms.Form):
    """Rows copied from a spreadsheet."""

    rows = forms.CharField(
        label=_("Rows copied from the spreadsheet"),
        help_text=_("Agency, staff, with a smartphone, running, web version only, reminded. With or without headings."),
        max_length=LONGEST_PASTE,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off", "wrap": "off"}),
    )


class ReopenForm(forms.Form):
    """The reason why a locked week is opened again for one agency."""

    reason = forms.CharField(label=_("Reason"), max_length=200)


def chosen_week(request: HttpRequest, default: Week) -> Week:
    """The week of `?week=2020-W33`, or `default` if it is missing or cannot be read."""
    return parse_week(request.GET.get("week", ""), default)


def chosen_unit(request: HttpRequest) -> AdminUnit | None:
    """The unit of `?unit=`, None for all units. Raises Http404 if the unit does not exist."""
    pk = chosen_number(request, "unit")
    if pk is None:
        return None
    unit = AdminUnit.objects.filter(pk=pk).first()
    if unit is None:
        raise Http404
    return unit


def may_report(request: OfficeRequest, agency: Agency | None = None) -> bool:
    """Whether the reader may enter the staff report of an agency. agency: None for any."""
    return has_role(request.user, STAFF_REPORTERS.roles, agency=agency)


def own_agencies(request: OfficeRequest) -> frozenset[int]:
    """Primary keys of the agencies for which the reader reports, and so sees all numbers."""
    return frozenset(agencies_in_reach(request.user, STAFF_REPORTERS.roles).values_list("pk", flat=True))


def in_training(request: HttpRequest) -> bool:
    """Whether the request is in training mode; reports entered then are in no figure."""
    return current_training(request)


@practised
@require_POST
@audience(STAFF_REPORTERS)
@touches(Ownership.AGENCY)
def request_reopening(request: OfficeRequest, pk: int) -> HttpResponse:
    """Request that the locked week of `?week=` be reopened: 302 back to the report."""
    agency = get_object_or_404(Agency.objects.select_related("unit"), pk=pk)
    require_role(request.user, STAFF_REPORTERS.roles, agency=agency)
    now = timezone.now()
    reason = " ".join(request.POST.get("reason", "").split())
    week = chosen_week(request, Week.of(timezone.localdate(now)))
    with acts.refusals_as_messages(request, _reopening_sentence):
        if reason:
            week_requests.request_reopening(agency, week, reason, request.user, now)
            messages.success(
                request, gettext("The request has been sent to the office. The answer will appear on this page.")
            )
        else:
            messages.error(request, gettext("Say why the week should be reopened. Nothing was sent."))
    return redirect(f"{reverse('staff-report', args=[pk])}?week={week}")


@practised
@require_POST
@audience(STAFF_REPORTERS)
@touches(Ownership.AGENCY.for_roles(Role.ADMIN), Ownership.ABOVE.for_roles(Role.CLERK))
def answer_request(request: OfficeRequest, pk: int) -> HttpResponse:
    """Reopen the week until a day, or decline: 302 to the agency table, 403 if the reader may not answer."""
    week_request = get_object_or_404(WeekRequest.objects.select_related("agency__unit"), pk=pk)
    if not week_requests.may_answer(request.user, week_request.agency):
        raise PermissionDenied
    now = timezone.now()
    text = request.POST.get("answer", "").strip()
    until = None
    if request.POST.get("granted") == "1":
        usual = timezone.localdate(now) + DAY * (REOPENED_DAYS - 1)
        until = chosen_day(request.POST.get("until", ""), usual)
    with acts.refusals_as_messages(request, _reopening_sentence):
        opened = week_requests.answer_request(week_request, until, text, request.user, now)
        messages.success(request, gettext("The answer has been sent."))
        acts.offer_undo(request, "week-answered", now, asked=pk, opened=opened.pk if opened else None)
    return redirect(f"{reverse('staff')}?week={Week.of(week_request.week)}")


def undo_answer(user: User, values: dict[str, Any], now: datetime.datetime) -> None:
    """Undo the answer to a request to reopen a week."""
    week_requests.withdraw_answer(values["asked"], values["opened"], user, now)


def _reopening_sentence(refused: Refused) -> str:
    sentences = {
        "week_not_locked": gettext("This week is open: enter the numbers. Nothing was sent."),
        "week_request_open": gettext("The agency is waiting for the answer to an earlier request."),
        "week_request_answered": gettext("Someone has already answered this request."),
        "week_day_wrong": gettext("Choose a day from today up to one month ahead. Nothing was changed."),
    }
    return sentences.get(refused.code, gettext("You cannot ask to reopen this week. Nothing was sent."))


def agencies_sheet(rows: Iterable[AgencyRow], week: Week, *, training: bool = False) -> ExportSheet:
    """One row for each agency that owes a report; a cell is empty without a report, or if the number is suppressed."""
    cells = [
        [row.agency.name, *(getattr(row.counted, name) if row.counted else None for name in NAMES)] for row in rows
    ]
    notes = [
        f"Cán bộ, nhân viên: số liệu cơ quan tự báo, tuần {week.in_vietnamese()}",
        "Ô trống: chưa báo cáo, hoặc số dưới 5 không hiển thị. Bản web không tính là đang chạy.",
    ]
    if training:
        notes.insert(0, "CHẾ ĐỘ TẬP HUẤN: dữ liệu giả, không tính vào báo cáo.")
    return ExportSheet(f"Tuần {week}", _COLUMNS, cells, notes)


def latest_week() -> Week:
    """This week, or the last week in which there were agencies."""
    return Week.of(day_to_show(Agency, timezone.localdate()))


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def agency_list(request: OfficeRequest) -> HttpResponse:
    """Every agency that owes a report for a week, whether it has reported or not, with its shares running."""
    week = chosen_week(request, latest_week())
    unit = chosen_unit(request)
    show = chosen_value(request, "show", list(queries.SHOWN)) or "all"
    words = request.GET.get("q", "").strip()[:100]
    table = queries.agency_table(
        week,
        unit,
        show,
        words,
        request.GET.get("page"),
        own=own_agencies(request),
        training=in_training(request),
    )
    today = timezone.localdate()
    requests = week_requests.open_requests(request.user)
    shown_requests = requests[: week_requests.REQUESTS_AT_ONCE]
    context = {
        "week": week,
        "unit": unit,
        "show": show,
        "words": words,
        "table": table,
        "page": table.page,
        "units": queries.units_to_choose(week),
        "is_latest": week.following.first_day > today,
        "is_locked": today >= week.locks_on,
        "may_report": may_report(request),
        "requests": [(week_request, Week.of(week_request.week)) for week_request in shown_requests],
        "more_wait": len(requests) > week_requests.REQUESTS_AT_ONCE,
        "usual_until": today + datetime.timedelta(days=REOPENED_DAYS - 1),
    }
    return render(request, "staffing/agency_list.html", context)


@practised
@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def download_agency_table(request: OfficeRequest) -> HttpResponse:
    """The agency table of a week as XLSX."""
    week = chosen_week(request, latest_week())
    training = in_training(request)
    rows = queries.all_rows(week, chosen_unit(request), own=own_agencies(request), training=training)
    response = HttpResponse(write_xlsx([agencies_sheet(rows, week, training=training)]), content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="staff-{week}.xlsx"'
    return response


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(STAFF_REPORTERS)
@touches(Ownership.AGENCY)
def submit_report(request: OfficeRequest, pk: int) -> HttpResponse:
    """Report one agency's numbers for a week: 302 stored, 403 not your agency, 409 closed or reported meanwhile.

    422 bad form.
    """
    agency = get_object_or_404(Agency.objects.select_related("unit"), pk=pk)
    require_role(request.user, STAFF_REPORTERS.roles, agency=agency)
    week = chosen_week(request, latest_week())
    training = in_training(request)
    with transaction.atomic():
        if request.method == "POST":
            # If two people report at once, the second waits here and sees what the first has stored.
            list(Agency.objects.select_for_update().filter(pk=pk).values_list("pk"))
        form = StaffForm(request.POST or None, initial=_initial(agency, week, training))
        if request.method == "POST" and form.is_valid():
            try:
                staff_reports.submit_staff_report(
                    agency, week, form.counts, request.user, timezone.now(), training=training
                )
            except (staff_reports.PeriodLocked, staff_reports.PeriodNotBegun, staff_reports.AgencyOutOfForce):
                return _page(request, agency, week, form, status=409)
            messages.success(request, gettext("Stored: %(agency)s.") % {"agency": agency.name})
            return redirect(f"{reverse('staff')}?week={week}")
    return _page(request, agency, week, form, status=acts.form_status(form))


@practised
@require_POST
@audience(ADMINS)
@touches(Ownership.AGENCY)
def reopen_week(request: OfficeRequest, pk: int) -> HttpResponse:
    """Reopen a locked week for one agency: 302 to its report, 403 not your agency, 422 without a reason."""
    agency = get_object_or_404(Agency.objects.select_related("unit"), pk=pk)
    require_role(request.user, ADMINS.roles, agency=agency)
    week = chosen_week(request, latest_week())
    form = ReopenForm(request.POST)
    if not form.is_valid():
        staff_form = StaffForm(initial=_initial(agency, week, in_training(request)))
        return _page(request, agency, week, staff_form, status=422, reopen_form=form)
    staff_reports.reopen_week(agency, week, form.cleaned_data["reason"], request.user, timezone.now())
    notice = ngettext(
        "The week is open again for this agency for %(count)d day.",
        "The week is open again for this agency for %(count)d days.",
        REOPENED_DAYS,
    )
    messages.success(request, notice % {"count": REOPENED_DAYS})
    return redirect(f"{reverse('staff-report', args=[pk])}?week={week}")


def _initial(agency: Agency, week: Week, training: bool) -> dict[str, int]:
    """Initial values of the form: the numbers of the week; without them, the earlier ones that seldom change."""
    last = queries.last_report_before(agency, week, training=training)
    if last is None:
        return {}
    names = NAMES if last.week == week.first_day else NAMES[:2]
    return {name: getattr(last, name) for name in names}


def _page(
    request: OfficeRequest,
    agency: Agency,
    week: Week,
    form: StaffForm,
    *,
    status: int,
    reopen_form: ReopenForm | None = None,
) -> HttpResponse:
    closed = ""
    try:
        staff_reports.check_open([agency], week, timezone.localdate())
    except (staff_reports.PeriodLocked, staff_reports.PeriodNotBegun, staff_reports.AgencyOutOfForce) as refused:
        closed = refused.code
    reports = queries.report_versions(agency, week, training=in_training(request))
    context: dict[str, Any] = {
        "agency": agency,
        "week": week,
        "form": form,
        "closed": closed,
        "versions": reports,
        "reopenings": queries.reopenings(agency, week),
        "reopen_form": reopen_form or ReopenForm(),
        "reopened_days": REOPENED_DAYS,
        "asked": week_requests.latest_request(agency, week),
        "may_open": week_requests.may_answer(request.user, agency),
        "from_before": not reports and bool(form.initial),
    }
    return render(request, "staffing/report.html", context, status=status)


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(STAFF_REPORTERS)
@touches(Ownership.CREATED)
def paste_reports(request: OfficeRequest) -> HttpResponse:
    """Show what was read from the pasted rows: 200, or 422 with refused rows. With `store` in the form, store it: 302.

    409 week closed.
    """
    week = chosen_week(request, latest_week())
    form = PasteForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _paste_page(request, week, form, None, status=422 if form.errors else 200)
    own = own_agencies(request)
    rows = read_pasted_rows(form.cleaned_data["rows"], queries.expected_agencies(week))
    for index, row in enumerate(rows):
        if row.agency and row.agency.pk not in own:
            rows[index] = replace(row, refusal="outside")
    counted = [(row.agency, row.counts) for row in rows if row.agency and row.counts and not row.refusal]
    complete = bool(rows) and len(counted) == len(rows)
    if "store" not in request.POST or not complete:
        return _paste_page(request, week, form, rows, status=200 if complete else 422)
    try:
        staff_reports.submit_staff_reports(counted, week, request.user, timezone.now(), training=in_training(request))
    except (staff_reports.PeriodLocked, staff_reports.PeriodNotBegun, staff_reports.AgencyOutOfForce):
        return _paste_page(request, week, form, rows, status=409)
    count = len(counted)
    messages.success(
        request,
        ngettext("%(count)s agency is stored.", "%(count)s agencies are stored.", count) % {"count": count},
    )
    return redirect(f"{reverse('staff')}?week={week}")


def _paste_page(
    request: OfficeRequest, week: Week, form: PasteForm, rows: list[PastedRow] | None, *, status: int
) -> HttpResponse:
    read = rows or []
    refused = [(row, _paste_sentence(row)) for row in read if row.refusal]
    context: dict[str, Any] = {
        "week": week,
        "form": form,
        "read": rows is not None,
        "rows": [row for row in read if not row.refusal],
        "refused": refused,
        "closed": _closed_sentence([row.agency for row in read if row.agency], week),
        "nothing": rows == [],
    }
    return render(request, "staffing/paste.html", context, status=status)


def _paste_sentence(row: PastedRow) -> str:
    if row.refusal == "counts":
        return str(counts.COUNTS[row.rule])
    return str(counts.ROWS[row.refusal])


def _closed_sentence(agencies: list[Agency], week: Week) -> str:
    """Why not all of the agencies can report for the week now; "" if they can."""
    try:
        staff_reports.check_open(agencies, week, timezone.localdate())
    except staff_reports.PeriodLocked:
        return gettext("The week is locked. Reopen it on the page of each late agency, and give the reason.")
    except staff_reports.PeriodNotBegun:
        return gettext("This week is in the future. Choose another.")
    except staff_reports.AgencyOutOfForce:
        return gettext("An agency in the list was not active in this week.")
    return ""
