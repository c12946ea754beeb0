# SPDX-License-Identifier: Apache-2.0
"""Pages of the staff report: the agency table of a week, one agency's numbers, opening a locked week, the file."""

import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.accounts.scoping import require
from bluezone.accounts.training import practised
from bluezone.agencies.asking import chosen
from bluezone.agencies.exporting import write_xlsx
from bluezone.agencies.listing import XLSX
from bluezone.agencies.models import Agency
from bluezone.agencies.queries import day_to_show
from bluezone.rollout.coverage import Week
from bluezone.rollout.staffing import queries, recording, reopening
from bluezone.rollout.staffing.asking import chosen_unit, chosen_week, in_training, may_report, own_agencies
from bluezone.rollout.staffing.counts import NAMES
from bluezone.rollout.staffing.forms import ReopenForm, StaffForm
from bluezone.rollout.staffing.listing import listing


def latest_week() -> Week:
    """This week, or the last one in which there were agencies."""
    return Week.of(day_to_show(Agency, timezone.localdate()))


@practised
@require_safe
@audience(Audience.SIGNED_IN)
def agency_list(request: OfficeRequest) -> HttpResponse:
    """Every agency that owes a report for a week, with both denominators, and who has not reported."""
    week, unit = chosen_week(request, latest_week()), chosen_unit(request)
    show = chosen(request, "show", list(queries.SHOWN)) or "all"
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
    today, waiting = timezone.localdate(), reopening.open_requests(request.user)
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
        "requests": [(one, Week.of(one.week)) for one in waiting[: reopening.REQUESTS_AT_ONCE]],
        "more_wait": len(waiting) > reopening.REQUESTS_AT_ONCE,
        "usual_until": today + datetime.timedelta(days=recording.REOPENED_DAYS - 1),
    }
    return render(request, "staffing/agency_list.html", context)


@practised
@require_safe
@audience(Audience.SIGNED_IN)
def file(request: OfficeRequest) -> HttpResponse:
    """The agency table of a week as XLSX."""
    week, training = chosen_week(request, latest_week()), in_training(request)
    rows = queries.all_rows(week, chosen_unit(request), own=own_agencies(request), training=training)
    response = HttpResponse(write_xlsx([listing(rows, week, training=training)]), content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="staff-{week}.xlsx"'
    return response


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(Audience.STAFF_REPORTERS)
def report(request: OfficeRequest, pk: int) -> HttpResponse:
    """One agency's numbers for a week: 302 stored, 403 not your agency, 409 week closed, 422 numbers contradict."""
    agency = get_object_or_404(Agency.objects.select_related("unit"), pk=pk)
    require(request.user, Audience.STAFF_REPORTERS.value or (), agency=agency)
    week, training = chosen_week(request, latest_week()), in_training(request)
    form = StaffForm(request.POST or None, initial=_known(agency, week, training))
    if request.method == "POST" and form.is_valid():
        try:
            recording.record(agency, week, form.counts, request.user, timezone.now(), training=training)
        except (recording.PeriodLocked, recording.PeriodNotBegun, recording.AgencyOutOfForce):
            return _page(request, agency, week, form, status=409)
        messages.success(request, _("Stored: %(agency)s.") % {"agency": agency.name})
        return redirect(f"{reverse('staff')}?week={week}")
    return _page(request, agency, week, form, status=422 if form.errors else 200)


@practised
@require_POST
@audience(Audience.ADMINS)
def reopen(request: OfficeRequest, pk: int) -> HttpResponse:
    """Open a locked week again for one agency: 302 to its form, 403 not your agency, 422 without a reason."""
    agency = get_object_or_404(Agency.objects.select_related("unit"), pk=pk)
    require(request.user, Audience.ADMINS.value or (), agency=agency)
    week, form = chosen_week(request, latest_week()), ReopenForm(request.POST)
    if not form.is_valid():
        known = StaffForm(initial=_known(agency, week, in_training(request)))
        return _page(request, agency, week, known, status=422, reopen_form=form)
    recording.reopen(agency, week, form.cleaned_data["reason"], request.user, timezone.now())
    messages.success(request, _("The week is open again for this agency for three days."))
    return redirect(f"{reverse('staff-report', args=[pk])}?week={week}")


def _known(agency: Agency, week: Week, training: bool) -> dict[str, int]:
    """What the form begins with: this week's numbers, or from earlier weeks what seldom changes."""
    last = queries.last_before(agency, week, training=training)
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
    today, training = timezone.localdate(), in_training(request)
    closed = ""
    try:
        recording.check_open([agency], week, today)
    except (recording.PeriodLocked, recording.PeriodNotBegun, recording.AgencyOutOfForce) as refused:
        closed = refused.code
    said = queries.versions(agency, week, training=training)
    context: dict[str, Any] = {
        "agency": agency,
        "week": week,
        "form": form,
        "closed": closed,
        "versions": said,
        "reopenings": queries.reopenings(agency, week),
        "reopen_form": reopen_form or ReopenForm(),
        "asked": reopening.latest(agency, week),
        "may_open": reopening.may_answer(request.user, agency),
        "from_before": not said and bool(form.initial),
    }
    return render(request, "staffing/report.html", context, status=status)
