# SPDX-License-Identifier: Apache-2.0
"""What the bulletins bring into coverage: airings said to have been aired, where no machine proves it."""

import datetime
from collections import Counter
from collections.abc import Iterable
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bluezone.rollout.bulletins import plugging
from bluezone.rollout.bulletins.models import Airing
from bluezone.rollout.coverage import Figure, Indicator, Proof, Week


def week_span(week: Week) -> tuple[datetime.datetime, datetime.datetime]:
    """A week of the city's days as [since, until)."""
    zone = ZoneInfo(timezone.get_default_timezone_name())
    since = datetime.datetime.combine(week.first_day, datetime.time(), zone)
    return since, datetime.datetime.combine(week.last_day + datetime.timedelta(days=1), datetime.time(), zone)


class AiredAttested(Indicator):
    """Attested airings / airings due at outlets whose playing no machine reports; never added to the proven ones."""

    key = "aired-attested"
    proof = Proof.ATTESTED
    name = gettext_lazy("bulletins said to have been aired")
    base_name = gettext_lazy("airings due where nothing reports them by itself")

    def figures(self, week: Week) -> Iterable[Figure]:
        """A constant number of queries."""
        since, until = week_span(week)
        due = Airing.objects.filter(due_at__gte=since, due_at__lt=min(until, timezone.now()))
        rows = list(
            due.values_list(
                "pk", "outlet_id", "outlet__agency_id", "outlet__unit__path", "outlet__agency__unit__path", "due_at",
                "attestation__was_aired",
            )
        )  # fmt: skip
        with_machines = plugging.proven(row[0] for row in rows)
        base: Counter[tuple[str, int, datetime.date]] = Counter()
        said: Counter[tuple[str, int, datetime.date]] = Counter()
        for pk, _outlet, agency, own, otherwise, moment, was_aired in rows:
            if pk in with_machines:
                continue
            cell = (own or otherwise, agency, timezone.localdate(moment))
            base[cell] += 1
            said[cell] += bool(was_aired)
        for cell, count in sorted(base.items()):
            yield Figure(cell[0], cell[1], said[cell], count, _("the plan of airings"), cell[2])

    def rows_address(self, unit_id: int, week: Week) -> str:
        """The log of that week."""
        return f"{reverse('air-log')}?{urlencode({'week': week, 'unit': unit_id})}"
