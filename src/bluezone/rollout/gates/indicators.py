# SPDX-License-Identifier: Apache-2.0
"""What the gates bring into coverage: three shares of the same passages, and one of paper slips, never added."""

import datetime
from collections.abc import Iterable, Sequence
from typing import ClassVar
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bluezone.rollout.coverage.api import Figure, Place, Proof, RunningShare, Week, hidden_places, once
from bluezone.rollout.gates.counts.counters import Sums, gate_days, with_smartphone
from bluezone.rollout.gates.counts.paper_slips import came_in_on_paper, paper_days
from bluezone.rollout.gates.counts.queries import everything_of
from bluezone.rollout.gates.counts.suppression import hidden_by_name
from bluezone.rollout.gates.models import Gate, Verdict


def _days_and_cells(week: Week) -> tuple[dict[tuple[int, datetime.date], Sums], dict[int, tuple[str, int]]]:
    """A week's sums by gate and day, and the unit's path and agency of each gate; two queries."""
    sums = gate_days(week.first_day, week.last_day)
    found = Gate.objects.filter(pk__in={gate_id for gate_id, _day in sums})
    # Rows of numbers: making gates, agencies and units of them takes most of a page's time.
    places = found.values_list("pk", "agency__unit__path", "agency_id")
    return sums, {pk: (path, agency_id) for pk, path, agency_id in places}


class RunningAtGates(RunningShare):
    """Proven IN passages / IN passages with a smartphone, one figure a gate and day.

    counts_of_row, bases_of_row: which numbers of a gate's row the figures add up to.
    """

    counts_of_row: ClassVar[str] = "proven"
    bases_of_row: ClassVar[str] = "with_smartphone"
    verdicts: ClassVar[frozenset[Verdict]] = frozenset({Verdict.RUNNING})

    def figures(self, week: Week) -> Iterable[Figure]:
        """Three queries."""
        sums, places = once(("gate days", week), lambda: _days_and_cells(week))
        source = _("counted at the gates")
        for (gate_id, day), passages in sorted(sums.items()):
            base = with_smartphone(passages)
            if base:
                path, agency_id = places[gate_id]
                count = sum(passages[verdict] for verdict in self.verdicts)
                yield Figure(path, agency_id, count, base, source, day)

    def kept_back(self, figures: Sequence[Figure]) -> tuple[set[Place], set[Place]]:
        """As the table of gates keeps them back, so that neither page gives away what the other hides."""
        if not figures:
            return set(), set()
        week = Week.of(figures[0].as_of)
        hidden = once(("gates hidden", week), lambda: hidden_by_name(everything_of(week)))
        return set(hidden[self.counts_of_row]), set(hidden[self.bases_of_row])

    def rows_address(self, unit_id: int, week: Week) -> str:
        """The gates of the unit in that week."""
        return f"{reverse('gates')}?{urlencode({'week': week, 'unit': unit_id})}"


class CodeFresh(RunningAtGates):
    """Fresh codes whose Bluetooth was not checked; never counted as running."""

    key = "fresh-code"
    proof = Proof.FRESH
    name = gettext_lazy("valid code shown at the gates")
    counts_of_row = "fresh"
    verdicts = frozenset({Verdict.VALID_CODE})


class SeenAtGates(RunningAtGates):
    """The attendant saw the app, or asked before in the same half-day; never counted as running."""

    key = "screen-seen"
    proof = Proof.ATTESTED
    name = gettext_lazy("screen seen by the attendant")
    counts_of_row = "attested"
    verdicts = frozenset({Verdict.SCREEN_SEEN, Verdict.ASKED_BEFORE})


class SeenOnPaper(RunningAtGates):
    """Screens seen by the paper slips of gates without a tablet: the agency's own word, never counted as running."""

    key = "paper-slips"
    proof = Proof.SELF_REPORTED
    name = gettext_lazy("screen seen, by the paper slips of the gates")
    base_name = gettext_lazy("passages in on paper")
    bases_of_row = "on_paper"

    def figures(self, week: Week) -> Iterable[Figure]:
        """Two queries."""
        sums = paper_days(week.first_day, week.last_day)
        gates = Gate.objects.select_related("agency__unit").in_bulk({pk for pk, _day in sums})
        source = _("paper slips of the gates")
        for (gate_id, day), numbers in sorted(sums.items()):
            if base := came_in_on_paper(numbers):
                agency = gates[gate_id].agency
                yield Figure(agency.unit.path, agency.pk, numbers["screen_seen"], base, source, day)

    def kept_back(self, figures: Sequence[Figure]) -> tuple[set[Place], set[Place]]:
        """The bases as the table of gates keeps them back; the counts are in no other table."""
        if not figures:
            return set(), set()
        counts = hidden_places((figure.unit_path, figure.agency_id, figure.count) for figure in figures)
        week = Week.of(figures[0].as_of)
        hidden = once(("gates hidden", week), lambda: hidden_by_name(everything_of(week)))
        return counts, set(hidden[self.bases_of_row])
