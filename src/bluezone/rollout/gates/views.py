# SPDX-License-Identifier: Apache-2.0
"""Pages of the gates that everybody signed in reads: the table of a week, one gate, who is late, the file."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.agencies.asking import chosen_unit
from bluezone.agencies.exporting import write_xlsx
from bluezone.agencies.listing import XLSX
from bluezone.agencies.models import AdminUnit, UnitKind
from bluezone.agencies.queries import day_to_show
from bluezone.rollout.gates import asking, queries
from bluezone.rollout.gates.forms import TabletForm
from bluezone.rollout.gates.listing import listing
from bluezone.rollout.gates.models import Gate
from bluezone.rollout.gates.onegate import one_gate


@require_safe
@audience(Audience.SIGNED_IN)
def gate_list(request: OfficeRequest) -> HttpResponse:
    """What each gate counted in a week, for a unit where one is given, and how many agencies have nominated nobody."""
    week, unit, today = asking.chosen_week(request), chosen_unit(request), timezone.localdate()
    gates, own = queries.gates_under(unit), asking.own_agencies(request)
    page, rows = queries.gate_rows(gates, week, request.GET.get("page"), own)
    context = {
        "week": week,
        "unit": unit,
        "page": page,
        "rows": rows,
        "units": AdminUnit.objects.in_force(day_to_show(AdminUnit, today))
        .exclude(kind=UnitKind.GROUP)
        .order_by("path"),
        "late": queries.without_gatekeeper(unit, today).count(),
        "is_latest": week.following.first_day > today,
        "keeps": asking.keeps(request),
        "hides_something": any(row.counted.hides_something for row in rows),
    }
    return render(request, "gates/gate_list.html", context)


@require_safe
@audience(Audience.SIGNED_IN)
def late_list(request: OfficeRequest) -> HttpResponse:
    """Agencies that have nominated nobody to record entries and exits, with the telephone to call."""
    unit = chosen_unit(request)
    found = queries.without_gatekeeper(unit, timezone.localdate())
    page = Paginator(found, queries.GATES_A_PAGE).get_page(request.GET.get("page"))
    own = asking.own_agencies(request) if asking.keeps(request) else frozenset()
    return render(request, "gates/late_list.html", {"unit": unit, "page": page, "own": own})


@require_safe
@audience(Audience.SIGNED_IN)
def file(request: OfficeRequest) -> HttpResponse:
    """The table of gates of a week as XLSX, small numbers kept back as on the page."""
    week = asking.chosen_week(request)
    gates = list(queries.gates_under(chosen_unit(request)).select_related("agency__unit"))
    rows = queries.rows_of(gates, week, asking.own_agencies(request))
    response = HttpResponse(write_xlsx([listing(rows, week)]), content_type=XLSX)
    response.headers["Content-Disposition"] = f'attachment; filename="gates-{week}.xlsx"'
    return response


@require_safe
@audience(Audience.SIGNED_IN)
def gate(request: OfficeRequest, pk: int) -> HttpResponse:
    """One gate and week: everything for its own agency, the sums of the week for others."""
    found = get_object_or_404(Gate.objects.select_related("agency__unit"), pk=pk)
    week, now = asking.chosen_week(request), timezone.now()
    own = frozenset({found.agency_id}) if asking.sees(request, found.agency) else frozenset()
    context = {
        "gate": found,
        "week": week,
        "is_latest": week.following.first_day > timezone.localdate(now),
        "row": queries.rows_of([found], week, own)[0],
        "keeps": asking.keeps(request, found.agency),
        "tablets": found.devices.select_related("device").order_by("device__name"),
        "tablet_form": TabletForm(gate=found),
        "shown": one_gate(found, week, now) if own else None,
    }
    return render(request, "gates/gate.html", context)
