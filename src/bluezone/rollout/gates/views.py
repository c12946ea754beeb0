# SPDX-License-Identifier: Apache-2.0
"""Pages of the gates in the office."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.agencies.models import AdminUnit
from bluezone.rollout.coverage import Week, week_or
from bluezone.rollout.gates.queries import gate_rows, gates_under


@require_safe
@audience(Audience.SIGNED_IN)
def gate_list(request: OfficeRequest) -> HttpResponse:
    """What each gate counted in a week, for a unit where one is given."""
    week = week_or(request.GET.get("week", ""), Week.of(timezone.localdate()))
    chosen = request.GET.get("unit", "")
    unit = AdminUnit.objects.filter(pk=int(chosen)).first() if chosen.isdecimal() and len(chosen) < 10 else None
    page, rows = gate_rows(gates_under(unit), week, request.GET.get("page"))
    return render(request, "gates/gate_list.html", {"week": week, "unit": unit, "page": page, "rows": rows})
