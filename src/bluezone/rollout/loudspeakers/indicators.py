# SPDX-License-Identifier: Apache-2.0
"""What the loudspeakers bring into coverage: airings that machines report to have played."""

import datetime
from collections import Counter
from collections.abc import Iterable
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bluezone.rollout.bulletins.api import airings_due
from bluezone.rollout.coverage.api import Figure, Indicator, Proof, Week
from bluezone.rollout.loudspeakers.playback import proven


class AiredProven(Indicator):
    """Airings that a machine with a loudspeaker played whole / airings due, one for each machine."""

    key = "aired-proven"
    proof = Proof.PROVEN
    name = gettext_lazy("bulletins played, reported by the loudspeakers themselves")
    base_name = gettext_lazy("airings due at connected loudspeakers")

    def figures(self, week: Week) -> Iterable[Figure]:
        """A constant number of queries."""
        due = [one for one in airings_due(week) if one.has_sound]
        said = proven(one.pk for one in due)
        aired: Counter[tuple[str, int, datetime.date]] = Counter()
        base: Counter[tuple[str, int, datetime.date]] = Counter()
        for one in due:
            if one.pk in said:
                aired[one.cell] += said[one.pk].aired
                base[one.cell] += said[one.pk].machines
        for cell, count in sorted(base.items()):
            yield Figure(cell[0], cell[1], aired[cell], count, _("the plan of airings"), cell[2])

    def rows_address(self, unit_id: int, week: Week) -> str:
        """The log of that week."""
        return f"{reverse('air-log')}?{urlencode({'week': week, 'unit': unit_id})}"
