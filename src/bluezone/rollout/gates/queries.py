# SPDX-License-Identifier: Apache-2.0
"""The table of gates of a week: what each counted, in classes of proof that stand side by side."""

from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet

from bluezone.agencies.models import AdminUnit
from bluezone.rollout.coverage import Week
from bluezone.rollout.gates.models import Gate, Verdict
from bluezone.rollout.gates.sums import Sums, came_in, gate_days, with_smartphone

GATES_A_PAGE = 50


@dataclass(frozen=True)
class GateRow:
    """One gate in a week. sums: passages by verdict."""

    gate: Gate
    sums: Sums

    @property
    def came_in(self) -> int:
        """Passages in."""
        return came_in(self.sums)

    @property
    def went_out(self) -> int:
        """Passages out."""
        return self.sums[Verdict.OUT]

    @property
    def proven(self) -> int:
        """Passages in whose phone was proven to run."""
        return self.sums[Verdict.RUNNING]

    @property
    def fresh(self) -> int:
        """Passages in with a valid code, Bluetooth not checked."""
        return self.sums[Verdict.VALID_CODE]

    @property
    def attested(self) -> int:
        """Passages in where the attendant saw the app or had asked before."""
        return self.sums[Verdict.SCREEN_SEEN] + self.sums[Verdict.ASKED_BEFORE]

    @property
    def with_smartphone(self) -> int:
        """The denominator of the share running."""
        return with_smartphone(self.sums)

    @property
    def share(self) -> float | None:
        """Proven of those with a smartphone, 0..1; None where nobody came with one."""
        return self.proven / self.with_smartphone if self.with_smartphone else None


def gate_rows(gates: QuerySet[Gate], week: Week, number: str | None) -> tuple[Page[Gate], list[GateRow]]:
    """One page of gates with what they counted in a week; four queries."""
    page = Paginator(gates.select_related("agency__unit"), GATES_A_PAGE).get_page(number)
    shown = list(page.object_list)
    sums = gate_days(week.first_day, week.last_day, Gate.objects.filter(pk__in=[gate.pk for gate in shown]))
    rows = []
    for gate in shown:
        total = Sums()
        for (gate_id, _day), passages in sums.items():
            if gate_id == gate.pk:
                total.update(passages)
        rows.append(GateRow(gate, total))
    return page, rows


def gates_under(unit: AdminUnit | None) -> QuerySet[Gate]:
    """Gates of agencies that serve a unit or a part of it; all without one."""
    return Gate.objects.filter(agency__unit__path__startswith=unit.path) if unit else Gate.objects.all()
