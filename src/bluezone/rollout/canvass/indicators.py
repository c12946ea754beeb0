# SPDX-License-Identifier: Apache-2.0
"""What house visits bring into coverage: doors visited, and phones seen or said to run; none of it is proven running.

A canvasser who saw the screen attests; a household that says so reports of itself; they are two columns, never added.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable
from typing import ClassVar
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Sum
from django.db.models.functions import Least, TruncDate
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bluezone.rollout.canvass.households.facts import REACHED
from bluezone.rollout.canvass.models import DoorsDay, Household, Visit
from bluezone.rollout.coverage.api import Figure, Indicator, Proof, Week, once


def week_bounds(week: Week) -> tuple[datetime.datetime, datetime.datetime]:
    """The moments between which a week lies in the city's zone; the second is the first no longer in it."""
    zone = timezone.get_default_timezone()
    assert isinstance(zone, ZoneInfo)
    first = datetime.datetime.combine(week.first_day, datetime.time(), zone)
    return first, datetime.datetime.combine(week.last_day + datetime.timedelta(days=1), datetime.time(), zone)


class _OfDoors(Indicator):
    """What these indicators have in common: the rows behind their numbers."""

    def rows_address(self, unit_id: int, week: Week) -> str:
        """The house visits of the unit."""
        return f"{reverse('canvass')}?{urlencode({'unit': unit_id})}"


class DoorsVisited(_OfDoors):
    """Households visited by the end of a week / households in the lists of the ward."""

    key = "doors-visited"
    proof = Proof.ATTESTED
    name = gettext_lazy("households visited, by the canvassers’ word")
    base_name = gettext_lazy("households in the lists")

    def figures(self, week: Week) -> Iterable[Figure]:
        """One for each ward: of its doors, how many were reached by the week's end; two queries."""
        _begin, end = week_bounds(week)
        real = Household.everything.filter(training=False, arriving=None)
        doors = real.filter(merged_into=None, made_at__lt=end).order_by()
        every = dict(doors.values_list("unit__path").annotate(Count("pk")))
        first = Visit.everything.filter(training=False, outcome__in=REACHED, at__lt=end).order_by()
        reached = dict(first.values_list("household__unit__path").annotate(Count("household", distinct=True)))
        source = _("lists of households of the ward")
        day = min(week.last_day, timezone.localdate())
        return [Figure(path, None, min(reached.get(path, 0), base), base, source, day) for path, base in every.items()]


def _phones_of(week: Week) -> list[tuple[str, datetime.date, int, int, int]]:
    """Phones at the doors of a week by unit path and day: seen running, told to run, all; two queries."""
    begin, end = week_bounds(week)
    visits = Visit.everything.filter(training=False, at__gte=begin, at__lt=end, phones__gt=0).order_by()
    rows = visits.annotate(
        day=TruncDate("at"), capped_seen=Least(F("seen"), F("phones")), capped_told=Least(F("told"), F("phones"))
    ).values_list("household__unit__path", "day")
    kept = DoorsDay.objects.filter(day__range=(week.first_day, week.last_day), phones__gt=0)
    return [
        *rows.annotate(Sum("capped_seen"), Sum("capped_told"), Sum("phones")),
        *kept.values_list("unit__path", "day", "seen", "told", "phones"),
    ]


class _Phones(_OfDoors):
    """Phones of the households at which somebody was spoken to in a week."""

    base_name = gettext_lazy("smartphones in the households spoken to")
    of_phones = True
    column: ClassVar[str]

    def figures(self, week: Week) -> Iterable[Figure]:
        """One for each ward and day; two queries, once for both classes of proof."""
        sums: defaultdict[tuple[str, datetime.date], list[int]] = defaultdict(lambda: [0, 0])
        for path, day, seen, told, base in once(("phones at doors", week), lambda: _phones_of(week)):
            sums[path, day][0] += seen if self.column == "seen" else told
            sums[path, day][1] += base
        source = _("counted at the doors")
        return [Figure(path, None, min(count, base), base, source, day) for (path, day), (count, base) in sums.items()]


class SeenAtDoors(_Phones):
    """Phones whose screen the canvasser saw running."""

    key = "doors-seen"
    proof = Proof.ATTESTED
    name = gettext_lazy("running on the screen that the canvasser saw")
    column = "seen"


class ToldAtDoors(_Phones):
    """Phones that run by the household's word."""

    key = "doors-told"
    proof = Proof.SELF_REPORTED
    name = gettext_lazy("running, by the household’s word")
    column = "told"
