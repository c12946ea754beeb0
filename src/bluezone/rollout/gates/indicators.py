# SPDX-License-Identifier: Apache-2.0
"""What the gates bring into coverage: three shares of the same passages, in three columns that are never added."""

from collections.abc import Iterable
from typing import ClassVar
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bluezone.rollout.coverage import Figure, Proof, RunningShare, Week
from bluezone.rollout.gates.models import Gate, Verdict
from bluezone.rollout.gates.sums import gate_days, with_smartphone


class RunningAtGates(RunningShare):
    """Proven IN passages / IN passages with a smartphone, one figure a gate and day."""

    verdicts: ClassVar[frozenset[Verdict]] = frozenset({Verdict.RUNNING})

    def figures(self, week: Week) -> Iterable[Figure]:
        """Three queries."""
        sums = gate_days(week.first_day, week.last_day)
        gates = {
            gate.pk: gate
            for gate in Gate.objects.filter(pk__in={gate_id for gate_id, _day in sums}).select_related("agency__unit")
        }
        source = _("counted at the gates")
        for (gate_id, day), passages in sorted(sums.items()):
            base = with_smartphone(passages)
            if base:
                agency = gates[gate_id].agency
                count = sum(passages[verdict] for verdict in self.verdicts)
                yield Figure(agency.unit.path, agency.pk, count, base, source, day)

    def rows_address(self, unit_id: int, week: Week) -> str:
        """The gates of the unit in that week."""
        return f"{reverse('gates')}?{urlencode({'week': week, 'unit': unit_id})}"


class CodeFresh(RunningAtGates):
    """Fresh codes whose Bluetooth was not checked; never counted as running."""

    key = "fresh-code"
    proof = Proof.FRESH
    name = gettext_lazy("valid code shown at the gates")
    verdicts = frozenset({Verdict.VALID_CODE})


class SeenAtGates(RunningAtGates):
    """The attendant saw the app, or asked before in the same half-day; never counted as running."""

    key = "screen-seen"
    proof = Proof.ATTESTED
    name = gettext_lazy("screen seen by the attendant")
    verdicts = frozenset({Verdict.SCREEN_SEEN, Verdict.ASKED_BEFORE})
