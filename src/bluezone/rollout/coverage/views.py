# SPDX-License-Identifier: Apache-2.0
"""Pages of coverage: a unit and week as a table and a map, units to go to first, league tables, and the trend of one
indicator.
"""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bluezone.directory.models import AdminUnit
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Whose, touches
from bluezone.rollout.coverage.figures import Week, week_or
from bluezone.rollout.coverage.indicators import RUNNING, Indicator, Proof, registered
from bluezone.rollout.coverage.overview import (
    BY,
    WARD_AND_BELOW,
    Overview,
    city_unit,
    latest_week,
    league,
    overview,
    tile_map,
)
from bluezone.rollout.coverage.priorities import priorities
from bluezone.rollout.coverage.suppression import sees_small_numbers
from bluezone.rollout.coverage.trend import HEIGHT, WIDTH, trend


@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def city(request: OfficeRequest) -> HttpResponse:
    """The city: the smallest unit that all agencies serve; a page that says what to do where there are none."""
    week = week_or(request.GET.get("week", ""), latest_week(timezone.localdate()))
    found = city_unit(week.first_day)
    if found is None:
        return render(request, "coverage/no_units.html", {"week": week})
    return _page(request, overview(found, week, exact=sees_small_numbers(request, found)))


@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def unit(request: OfficeRequest, pk: int) -> HttpResponse:
    """One unit, with what lies under it as rows."""
    found = get_object_or_404(AdminUnit.objects.select_related("parent"), pk=pk)
    week = week_or(request.GET.get("week", ""), latest_week(timezone.localdate()))
    return _page(request, overview(found, week, exact=sees_small_numbers(request, found)))


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


@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def priority(request: OfficeRequest, pk: int) -> HttpResponse:
    """Units under one in the order in which help should go to them, each with its reason."""
    unit, week = _asked(request, pk)
    shown = overview(unit, week, exact=False, keys=frozenset({RUNNING}))
    found = priorities(shown, timezone.now())
    context = {"unit": unit, "week": week, "found": found, "is_latest": _is_latest(week)}
    return render(request, "coverage/priority.html", context)


@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def league_table(request: OfficeRequest, pk: int) -> HttpResponse:
    """Units under one by phones counted, against population and smartphones; `?of=` an indicator, `?by=` of BY."""
    unit, week = _asked(request, pk)
    able = [each for each in registered() if each.of_phones]
    chosen = _chosen(request, able)
    by = request.GET.get("by", "")
    units = list(AdminUnit.objects.in_force(week.first_day).filter(parent=unit).order_by("code", "name"))
    context = {
        "unit": unit,
        "week": week,
        "able": able,
        "chosen": chosen,
        "table": league(units, chosen, week, by if by in BY else BY[0]) if chosen else None,
        "is_latest": _is_latest(week),
    }
    return render(request, "coverage/league.html", context)


@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def trend_of(request: OfficeRequest, pk: int) -> HttpResponse:
    """One indicator of a unit over twelve weeks, drawn and as a table; `?of=` an indicator."""
    unit, week = _asked(request, pk)
    able = registered()
    chosen = _chosen(request, able)
    if chosen is None:
        raise Http404
    exact = unit.kind in WARD_AND_BELOW and sees_small_numbers(request, unit)
    context = {
        "unit": unit,
        "week": week,
        "able": able,
        "chosen": chosen,
        "trend": trend(unit.pk, chosen, week, exact=exact),
        "width": WIDTH,
        "height": HEIGHT,
        "is_latest": _is_latest(week),
    }
    return render(request, "coverage/trend.html", context)


def _asked(request: OfficeRequest, pk: int) -> tuple[AdminUnit, Week]:
    unit = get_object_or_404(AdminUnit.objects.select_related("parent"), pk=pk)
    return unit, week_or(request.GET.get("week", ""), latest_week(timezone.localdate()))


def _chosen(request: OfficeRequest, able: list[Indicator]) -> Indicator | None:
    """The indicator of `?of=`, else the share running at the gates, else the first."""
    by_key = {each.key: each for each in able}
    return by_key.get(request.GET.get("of", "")) or by_key.get(RUNNING) or next(iter(able), None)


def _is_latest(week: Week) -> bool:
    return week.following.first_day > timezone.localdate()
