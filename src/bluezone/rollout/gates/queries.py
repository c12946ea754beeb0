# SPDX-License-Identifier: Apache-2.0
"""The table of gates of a week: what each counted, in classes of proof that stand side by side; and who is late."""

import datetime
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef, Q, QuerySet

from bluezone.agencies.models import AdminUnit, Agency
from bluezone.agencies.queries import day_to_show
from bluezone.rollout.coverage import Week
from bluezone.rollout.gates.keepingback import Counted, GateWeek, counted, kept_back
from bluezone.rollout.gates.models import Gate, Gatekeeper, GateKind
from bluezone.rollout.gates.papersums import PaperSums, came_in_on_paper, paper_sums
from bluezone.rollout.gates.sums import Sums, gate_sums

GATES_A_PAGE = 50


@dataclass(frozen=True)
class GateRow:
    """One gate in a week. is_own: whether the reader sees it as it was counted."""

    gate: Gate
    counted: Counted
    is_own: bool


def gate_rows(
    gates: QuerySet[Gate], week: Week, number: str | None, own: frozenset[int]
) -> tuple[Page[Gate], list[GateRow]]:
    """One page of gates with what they counted in a week, in a constant number of queries."""
    page = Paginator(gates.select_related("agency__unit"), GATES_A_PAGE).get_page(number)
    return page, rows_of(list(page.object_list), week, own)


def rows_of(gates: list[Gate], week: Week, own: frozenset[int]) -> list[GateRow]:
    """Gates, read with agency and unit, with what they counted in a week; kept back where small and not the reader's.

    own: agencies whose gates the reader sees as they were counted.
    """
    everything = everything_of(week)
    others = [gate.pk for gate in gates if gate.agency_id not in own]
    hidden = kept_back(everything, others) if others else {}
    rows = []
    for gate in gates:
        row = everything[gate.pk].counted if gate.pk in everything else counted(Sums())
        rows.append(GateRow(gate, row.without(hidden.get(gate.pk, ())), gate.agency_id in own))
    return rows


def everything_of(week: Week) -> dict[int, GateWeek]:
    """What every gate counted in a week, by tablet and on paper, with where it belongs; three queries."""
    sums, slips = gate_sums(week.first_day, week.last_day), paper_sums(week.first_day, week.last_day)
    gates = Gate.objects.filter(pk__in={*sums, *slips}).order_by("pk")
    return {
        pk: GateWeek(path, agency, counted(sums.get(pk, Sums()), came_in_on_paper(slips.get(pk, PaperSums()))))
        for pk, agency, path in gates.values_list("pk", "agency_id", "agency__unit__path")
    }


def gates_under(unit: AdminUnit | None) -> QuerySet[Gate]:
    """Gates at sites of agencies that serve a unit or a part of it; all without one."""
    sites = Gate.objects.filter(kind=GateKind.SITE)
    return sites.filter(agency__unit__path__startswith=unit.path) if unit else sites


def named(today: datetime.date) -> Q:
    """Nominations that hold today or later."""
    return Q(until__isnull=True) | Q(until__gte=today)


def without_gatekeeper(unit: AdminUnit | None, today: datetime.date) -> QuerySet[Agency]:
    """Agencies in force that have nominated nobody for an open gate (clause 1, "cử người")."""
    nominated = Gatekeeper.objects.filter(named(today), gate__agency=OuterRef("pk"), gate__closed_at__isnull=True)
    found = Agency.objects.in_force(day_to_show(Agency, today)).exclude(Exists(nominated))
    found = found.filter(unit__path__startswith=unit.path) if unit else found
    return found.select_related("unit").order_by("unit__path", "name", "pk")
