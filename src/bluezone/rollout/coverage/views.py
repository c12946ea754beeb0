# SPDX-License-Identifier: Apache-2.0
"""Pages of coverage: summary and table of a unit and week, units in order of priority, league tables, and the trend of
one indicator.
"""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bluezone.directory.models import AdminUnit
from bluezone.directory.records.unit_outlines import outlines_of
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Ownership, touches
from bluezone.rollout.coverage.expected.comparison import compare_week, week_to_compare
from bluezone.rollout.coverage.indicators import RUNNING, Indicator, Proof, registered_indicators
from bluezone.rollout.coverage.overview import (
    BY,
    Overview,
    city_unit,
    latest_week,
    rank_league,
    read_overview,
    summarise_changes,
)
from bluezone.rollout.coverage.priorities import rank_priorities
from bluezone.rollout.coverage.suppression import WARD_AND_BELOW, may_see_small_numbers
from bluezone.rollout.coverage.trend import HEIGHT, WIDTH, read_trend
from bluezone.rollout.coverage.unit_map import draw_map
from bluezone.rollout.report_week import Week, parse_week

# Units that the first page always lists; the reader unfolds the others.
MOST_LISTED = 8


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def show_city(request: OfficeRequest) -> HttpResponse:
    """The summary of the city; without agencies, a page that explains what to do."""
    week = parse_week(request.GET.get("week", ""), latest_week(timezone.localdate()))
    unit = city_unit(week.first_day)
    if unit is None:
        return render(request, "coverage/no_units.html", {"week": week})
    return _page(request, read_overview(unit, week, exact=may_see_small_numbers(request, unit)))


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def show_unit(request: OfficeRequest, pk: int) -> HttpResponse:
    """The summary of a unit: a sentence, the changes, a map and its table."""
    unit, week = _unit_and_week(request, pk)
    return _page(request, read_overview(unit, week, exact=may_see_small_numbers(request, unit)))


def _page(request: OfficeRequest, coverage: Overview) -> HttpResponse:
    summary = summarise_changes(coverage)
    units = [unit for unit, _cell in summary.rows]
    unit_map = None
    if summary.indicator:
        unit_map = draw_map(coverage.rows, summary.indicator.key, outlines_of(units))
    context = {
        "shown": coverage,
        "week": coverage.week,
        "unit": coverage.unit,
        "brief": summary,
        "first": summary.rows[:MOST_LISTED],
        "others": summary.rows[MOST_LISTED:],
        "map": unit_map,
        "is_part": coverage.unit.kind in WARD_AND_BELOW,
        "is_latest": _is_latest(coverage.week),
    }
    return render(request, "coverage/unit.html", context)


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def show_numbers(request: OfficeRequest, pk: int) -> HttpResponse:
    """Every number of a unit and of the units under it, with a column for each class of proof."""
    unit, week = _unit_and_week(request, pk)
    coverage = read_overview(unit, week, exact=may_see_small_numbers(request, unit))
    counted = [indicator for indicator in coverage.indicators if coverage.cell(indicator.key) is not None]
    context = {
        "shown": coverage,
        "week": week,
        "unit": unit,
        "running": coverage.cell(RUNNING),
        "self_reported": coverage.total.cells[Proof.SELF_REPORTED],
        "proofs": list(Proof),
        "counted": [(indicator, coverage.cell(indicator.key)) for indicator in counted],
        "is_latest": _is_latest(week),
    }
    return render(request, "coverage/numbers.html", context)


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def show_priorities(request: OfficeRequest, pk: int) -> HttpResponse:
    """The units under a unit in order of priority, each with the result expected from a team-hour and the reason.

    Also compares the last week with what was expected of it.
    """
    unit, week = _unit_and_week(request, pk)
    coverage = read_overview(unit, week, exact=False, keys=frozenset({RUNNING}))
    now = timezone.now()
    ranking = rank_priorities(coverage, now)
    past = week_to_compare(week, timezone.localdate(now))
    compared = compare_week(unit, [row.unit for row in ranking.rows], past, now)
    context = {"unit": unit, "week": week, "found": ranking, "compared": compared, "is_latest": _is_latest(week)}
    return render(request, "coverage/priority.html", context)


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def show_league_table(request: OfficeRequest, pk: int) -> HttpResponse:
    """The league table of the units under a unit. `?of=`: key of an indicator; `?by=`: smartphones or population."""
    unit, week = _unit_and_week(request, pk)
    able = [indicator for indicator in registered_indicators() if indicator.of_phones]
    chosen = _chosen(request, able)
    by = request.GET.get("by", "")
    units = list(AdminUnit.objects.valid_on(week.first_day).filter(parent=unit).order_by("code", "name"))
    context = {
        "unit": unit,
        "week": week,
        "able": able,
        "chosen": chosen,
        "table": rank_league(units, chosen, week, by if by in BY else BY[0]) if chosen else None,
        "is_latest": _is_latest(week),
    }
    return render(request, "coverage/league.html", context)


@require_safe
@audience(SIGNED_IN)
@touches(Ownership.EVERYBODY)
def show_trend(request: OfficeRequest, pk: int) -> HttpResponse:
    """One indicator of a unit over twelve weeks, as a drawing and a table. `?of=`: key of the indicator."""
    unit, week = _unit_and_week(request, pk)
    able = registered_indicators()
    chosen = _chosen(request, able)
    if chosen is None:
        raise Http404
    exact = may_see_small_numbers(request, unit)
    context = {
        "unit": unit,
        "week": week,
        "able": able,
        "chosen": chosen,
        "trend": read_trend(unit.pk, chosen, week, exact=exact),
        "width": WIDTH,
        "height": HEIGHT,
        "is_latest": _is_latest(week),
    }
    return render(request, "coverage/trend.html", context)


def _unit_and_week(request: OfficeRequest, pk: int) -> tuple[AdminUnit, Week]:
    """The unit of the address, and the week of `?week=`, else the latest. Raises Http404."""
    unit = get_object_or_404(AdminUnit.objects.select_related("parent"), pk=pk)
    return unit, parse_week(request.GET.get("week", ""), latest_week(timezone.localdate()))


def _chosen(request: OfficeRequest, able: list[Indicator]) -> Indicator | None:
    """The indicator of `?of=`, else the share running at the gates, else the first; None if there are none."""
    by_key = {indicator.key: indicator for indicator in able}
    return by_key.get(request.GET.get("of", "")) or by_key.get(RUNNING) or next(iter(able), None)


def _is_latest(week: Week) -> bool:
    return week.following.first_day > timezone.localdate()
