# SPDX-License-Identifier: Apache-2.0
"""Pages of coverage: a unit and week as a table and a map, every number with the way to its rows."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bluezone.accounts.audiences import Audience, OfficeRequest, audience
from bluezone.accounts.scoping import may
from bluezone.agencies.models import AdminUnit
from bluezone.rollout.coverage.indicators import Proof
from bluezone.rollout.coverage.overview import WARD_AND_BELOW, Overview, city_unit, latest_week, overview
from bluezone.rollout.coverage.running import RUNNING
from bluezone.rollout.coverage.tilemap import tile_map
from bluezone.rollout.coverage.weeks import week_or


@require_safe
@audience(Audience.SIGNED_IN)
def city(request: OfficeRequest) -> HttpResponse:
    """The city: the smallest unit that all agencies serve; a page that says what to do where there are none."""
    week = week_or(request.GET.get("week", ""), latest_week(timezone.localdate()))
    found = city_unit(week.first_day)
    if found is None:
        return render(request, "coverage/no_units.html", {"week": week})
    return _page(request, overview(found, week, exact=sees_small_numbers(request, found)))


@require_safe
@audience(Audience.SIGNED_IN)
def unit(request: OfficeRequest, pk: int) -> HttpResponse:
    """One unit, with what lies under it as rows."""
    found = get_object_or_404(AdminUnit.objects.select_related("parent"), pk=pk)
    week = week_or(request.GET.get("week", ""), latest_week(timezone.localdate()))
    return _page(request, overview(found, week, exact=sees_small_numbers(request, found)))


def sees_small_numbers(request: OfficeRequest, unit: AdminUnit) -> bool:
    """Whoever enters a ward's numbers sees them; `overview` refuses it above the ward."""
    return may(request.user, Audience.STAFF_REPORTERS.value or (), unit=unit)


def _page(request: OfficeRequest, shown: Overview) -> HttpResponse:
    counted = [each for each in shown.indicators if shown.cell(each.key) is not None]
    mapped = next((each for each in counted if each.key == RUNNING), counted[0] if counted else None)
    context = {
        "shown": shown,
        "week": shown.week,
        "unit": shown.unit,
        "running": shown.cell(RUNNING),
        "self_reported": shown.total.cells[Proof.SELF_REPORTED],
        "mapped": mapped,
        "map": tile_map(shown.rows, mapped.key) if mapped else None,
        "proofs": list(Proof),
        "counted": [(each, shown.cell(each.key)) for each in counted],
        "is_part": shown.unit.kind in WARD_AND_BELOW,
        "is_latest": shown.week.following.first_day > timezone.localdate(),
    }
    return render(request, "coverage/unit.html", context)
