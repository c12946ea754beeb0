# SPDX-License-Identifier: Apache-2.0
"""What drives bring into coverage: phones that ran before a helper's eyes, proven and attested in two columns."""

import datetime
from collections import Counter
from collections.abc import Iterable
from typing import ClassVar

from django.db.models import Count, Sum
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bluezone.rollout.coverage.api import Figure, Indicator, Proof, Week, once
from bluezone.rollout.drives.models import DriveTally, HelpOutcome, HelpProof, Hindrance


def _outcomes(days: tuple[datetime.date, datetime.date]) -> list[tuple[str, int, datetime.date, str, int]]:
    """Requests closed of people with a smartphone, by unit path, union, day and proof."""
    outcomes = HelpOutcome.objects.filter(day__range=days).exclude(unit=None)
    rows = outcomes.exclude(hindrance=Hindrance.NO_SMARTPHONE).order_by()
    return list(rows.values_list("unit__path", "team__agency", "day", "proof").annotate(count=Count("pk")))


def _sheets(days: tuple[datetime.date, datetime.date]) -> list[tuple[str, int, datetime.date, int, int]]:
    """Tally sheets by unit path, union and day: seen running, and everybody helped, who are in the denominator."""
    rows = DriveTally.objects.filter(drive__begins__date__range=days).order_by()
    values = rows.values_list("drive__unit__path", "drive__team__agency", "drive__begins__date").annotate(
        seen=Sum("running"), base=Sum("running") + Sum("other_help") + Sum("could_not")
    )
    return [row for row in values if row[4]]


class ProvenWithHelp(Indicator):
    """Phones that proved at a drive's radio that they run / requests closed of people with a smartphone."""

    key = "help-proven"
    proof = Proof.PROVEN
    name = gettext_lazy("running after help, proven at the drive’s radio")
    base_name = gettext_lazy("requests for help closed, with a smartphone")
    of_phones = True
    # A phone is counted for one request, so weeks are of different phones.
    adds_up = True
    counts: ClassVar[HelpProof] = HelpProof.PROVEN

    def figures(self, week: Week) -> Iterable[Figure]:
        """One figure a unit, union and day; two queries, once for both classes of proof."""
        counted: Counter[tuple[str, int, datetime.date]] = Counter()
        bases: Counter[tuple[str, int, datetime.date]] = Counter()
        days = (week.first_day, week.last_day)
        for path, agency_id, day, proof, count in once(("help outcomes", week), lambda: _outcomes(days)):
            bases[path, agency_id, day] += count
            counted[path, agency_id, day] += count if proof == self.counts else 0
        for path, agency_id, day, running, base in once(("drive sheets", week), lambda: _sheets(days)):
            bases[path, agency_id, day] += base
            counted[path, agency_id, day] += self.on_paper(running)
        source = _("requests for help closed by teams of the unions")
        for place, base in sorted(bases.items(), key=str):
            path, agency_id, day = place
            yield Figure(path, agency_id, counted[place], base, source, day)

    def on_paper(self, running: int) -> int:
        """How many of those seen running on a sheet count here: nothing on paper is proven."""
        return 0

    def rows_address(self, unit_id: int, week: Week) -> str:
        """The board of drives."""
        return f"{reverse('drives')}#unit-{unit_id}"


class SeenWithHelp(ProvenWithHelp):
    """Phones that a helper saw running, without a radio; never counted as proven."""

    key = "help-attested"
    proof = Proof.ATTESTED
    name = gettext_lazy("running after help, seen by the helper")
    counts = HelpProof.ATTESTED

    def on_paper(self, running: int) -> int:
        """All."""
        return running
