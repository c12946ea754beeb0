# SPDX-License-Identifier: Apache-2.0
"""Pages of coverage: a unit and week in short and as a table, units to go to first, league tables, and the trend of
one indicator.
"""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from bluezone.directory.models import AdminUnit
from bluezone.directory.records.shapes import outlines_of
from bluezone.identity.audiences import OfficeRequest, audience
from bluezone.identity.duty import SIGNED_IN
from bluezone.identity.objects import Whose, touches
from bluezone.rollout.coverage.expected.comparison import compare, week_to_compare
from bluezone.rollout.coverage.figures import Week, week_or
from bluezone.rollout.coverage.indicators import RUNNING, Indicator, Proof, registered
from bluezone.rollout.coverage.overview import BY, Overview, brief, city_unit, latest_week, league, overview
from bluezone.rollout.coverage.priorities import priorities
from bluezone.rollout.coverage.suppression import WARD_AND_BELOW, sees_small_numbers
from bluezone.rollout.coverage.trend import HEIGHT, WIDTH, trend
from bluezone.rollout.coverage.unit_map import tile_map

# Units that are listed at once on the first page; the others unfold.
LISTED = 8


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
    """One unit in short: a sentence, what changed, a map and its table."""
    found, week = _asked(request, pk)
    return _page(request, overview(found, week, exact=sees_small_numbers(request, found)))


def _page(request: OfficeRequest, shown: Overview) -> HttpResponse:
    said = brief(shown)
    units = [unit for unit, _cell in said.rows]
    drawn = tile_map(shown.rows, said.indicator.key, outlines_of(units)) if said.indicator else None
    context = {
        "shown": shown,
        "week": shown.week,
        "unit": shown.unit,
        "brief": said,
        "first": said.rows[:LISTED],
        "others": said.rows[LISTED:],
        "map": drawn,
        "is_part": shown.unit.kind in WARD_AND_BELOW,
        "is_latest": _is_latest(shown.week),
    }
    return render(request, "coverage/unit.html", context)


@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def numbers(request: OfficeRequest, pk: int) -> HttpResponse:
    """Every number of a unit, what lies under it as rows, in a column for each class of proof."""
    found, week = _asked(request, pk)
    shown = overview(found, week, exact=sees_small_numbers(request, found))
    counted = [each for each in shown.indicators if shown.cell(each.key) is not None]
    context = {
        "shown": shown,
        "week": week,
        "unit": found,
        "running": shown.cell(RUNNING),
        "self_reported": shown.total.cells[Proof.SELF_REPORTED],
        "proofs": list(Proof),
        "counted": [(each, shown.cell(each.key)) for each in counted],
        "is_latest": _is_latest(week),
    }
    return render(request, "coverage/numbers.html", context)


@require_safe
@audience(SIGNED_IN)
@touches(Whose.EVERYBODYS)
def priority(request: OfficeRequest, pk: int) -> HttpResponse:
    """Units under one in the order in which teams should go to them, each with what an hour is expected to bring and
    why; and what came of what was expected of the last week.
    """
    unit, week = _asked(request, pk)
    shown = overview(unit, week, exact=False, keys=frozenset({RUNNING}))
    now = timezone.now()
    found = priorities(shown, now)
    past = week_to_compare(week, timezone.localdate(now))
    compared = compare(unit, [row.unit for row in found.rows], past, now)
    context = {"unit": unit, "week": week, "found": found, "compared": compared, "is_latest": _is_latest(week)}
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
    exact = sees_small_numbers(request, unit)
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
