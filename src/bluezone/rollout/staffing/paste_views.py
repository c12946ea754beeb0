# SPDX-License-Identifier: Apache-2.0
"""Many agencies at once, pasted from a spreadsheet: read, shown, and stored only when no row is refused."""

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.accounts.training import practised
from bluezone.agencies.models import Agency
from bluezone.rollout.coverage import Week
from bluezone.rollout.staffing import queries, recording, sentences
from bluezone.rollout.staffing.asking import chosen_week, in_training, own_agencies
from bluezone.rollout.staffing.forms import PasteForm
from bluezone.rollout.staffing.pasting import PastedRow, read_rows
from bluezone.rollout.staffing.views import latest_week


@practised
@require_http_methods(["GET", "HEAD", "POST"])
@audience(Audience.STAFF_REPORTERS)
def paste(request: OfficeRequest) -> HttpResponse:
    """Show what was read (200; 422 with refused rows), or store it (`store` in the form): 302, 409 week closed."""
    week, form = chosen_week(request, latest_week()), PasteForm(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, week, form, None, status=422 if form.errors else 200)
    own = own_agencies(request)
    read = read_rows(form.cleaned_data["rows"], queries.expected_agencies(week))
    rows = [replace(row, refusal="outside") if row.agency and row.agency.pk not in own else row for row in read]
    good = [(row.agency, row.counts) for row in rows if row.agency and row.counts and not row.refusal]
    complete = bool(rows) and len(good) == len(rows)
    if "store" not in request.POST or not complete:
        return _page(request, week, form, rows, status=200 if complete else 422)
    try:
        recording.record_all(good, week, request.user, timezone.now(), training=in_training(request))
    except (recording.PeriodLocked, recording.PeriodNotBegun, recording.AgencyOutOfForce):
        return _page(request, week, form, rows, status=409)
    count = len(good)
    messages.success(
        request,
        ngettext("%(count)s agency is stored.", "%(count)s agencies are stored.", count) % {"count": count},
    )
    return redirect(f"{reverse('staff')}?week={week}")


def _page(
    request: OfficeRequest, week: Week, form: PasteForm, rows: list[PastedRow] | None, *, status: int
) -> HttpResponse:
    read = rows or []
    refused = [(row, _sentence(row)) for row in read if row.refusal]
    context: dict[str, Any] = {
        "week": week,
        "form": form,
        "read": rows is not None,
        "rows": [row for row in read if not row.refusal],
        "refused": refused,
        "closed": _closed([row.agency for row in read if row.agency], week),
        "nothing": rows == [],
    }
    return render(request, "staffing/paste.html", context, status=status)


def _sentence(row: PastedRow) -> str:
    if row.refusal == "counts":
        return str(sentences.COUNTS[row.rule])
    return str(sentences.ROWS[row.refusal])


def _closed(agencies: list[Agency], week: Week) -> str:
    """Why the week cannot be reported for all of them now; "" when it can."""
    try:
        recording.check_open(agencies, week, timezone.localdate())
    except recording.PeriodLocked:
        return _("The week is locked. Open it again on the page of each agency that is late, and give the reason.")
    except recording.PeriodNotBegun:
        return _("This week is still to come. Choose another.")
    except recording.AgencyOutOfForce:
        return _("An agency of the list was not in force in this week.")
    return ""
