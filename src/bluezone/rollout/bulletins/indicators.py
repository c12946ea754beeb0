# SPDX-License-Identifier: Apache-2.0
"""What the bulletins add to coverage: airings that a person attests, at outlets where no machine proves them."""

import datetime
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bluezone.rollout.bulletins.air.machine_reports import read_machine_reports
from bluezone.rollout.bulletins.models import Airing
from bluezone.rollout.coverage.api import Figure, Indicator, Proof, read_once
from bluezone.rollout.report_week import Week


def week_span(week: Week) -> tuple[datetime.datetime, datetime.datetime]:
    """A week in local time as [since, until)."""
    zone = ZoneInfo(timezone.get_default_timezone_name())
    since = datetime.datetime.combine(week.first_day, datetime.time(), zone)
    return since, datetime.datetime.combine(week.last_day + datetime.timedelta(days=1), datetime.time(), zone)


@dataclass(frozen=True)
class DueAiring:
    """An airing that was due. cell: (path of the unit, key of the agency, local day) of its figure in coverage.

    was_aired: whether a person has attested that it was aired.
    """

    pk: int
    cell: tuple[str, int, datetime.date]
    has_sound: bool
    was_aired: bool


def airings_due(week: Week) -> list[DueAiring]:
    """Every airing of a week that is due by now; one query for all indicators within `cached_reads`."""
    return read_once(("airings due", week), lambda: _airings_due(week))


def _airings_due(week: Week) -> list[DueAiring]:
    since, until = week_span(week)
    due = Airing.objects.filter(due_at__gte=since, due_at__lt=min(until, timezone.now()))
    rows = due.values_list(
        "pk", "outlet__agency_id", "outlet__unit__path", "outlet__agency__unit__path", "due_at", "sound",
        "attestation__was_aired",
    )  # fmt: skip
    return [
        DueAiring(
            pk, (outlet_unit or agency_unit, agency, timezone.localdate(moment)), sound is not None, bool(was_aired)
        )
        for pk, agency, outlet_unit, agency_unit, moment, sound, was_aired in rows
    ]


class AiredAttested(Indicator):
    """Attested airings / airings due at outlets without a machine that reports; never added to the proven ones."""

    key = "aired-attested"
    proof = Proof.ATTESTED
    name = gettext_lazy("bulletins reported as aired")
    base_name = gettext_lazy("airings due without automatic reports")

    def figures(self, week: Week) -> Iterable[Figure]:
        """A constant number of queries."""
        due = airings_due(week)
        with_machines = read_machine_reports(airing.pk for airing in due)
        base: Counter[tuple[str, int, datetime.date]] = Counter()
        attested: Counter[tuple[str, int, datetime.date]] = Counter()
        for airing in due:
            if airing.pk not in with_machines:
                base[airing.cell] += 1
                attested[airing.cell] += airing.was_aired
        for cell, count in sorted(base.items()):
            yield Figure(cell[0], cell[1], attested[cell], count, _("the plan of airings"), cell[2])

    def rows_address(self, unit_id: int, week: Week) -> str:
        """The log of that week."""
        return f"{reverse('air-log')}?{urlencode({'week': week, 'unit': unit_id})}"
