# SPDX-License-Identifier: Apache-2.0
"""What the venues bring into coverage: how many of those known are registered, and at how many the poster hangs.

Venues are no phones: neither number ever stands beside a population.
"""

import datetime
from collections import Counter
from collections.abc import Iterable
from urllib.parse import urlencode

from django.db.models import Count, Exists, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bluezone.directory.kinds import Quantity
from bluezone.directory.models import Denominator
from bluezone.rollout.coverage.api import Figure, Indicator, Proof, Week
from bluezone.rollout.venues.models import Inspection, PosterCode, Venue, VenueState

# An inspection says something of the poster for so long.
SEEN_FOR = datetime.timedelta(days=30)


def registered_by(day: datetime.date) -> Q:
    """Venues with a code in force at the end of a local day."""
    after = timezone.make_aware(datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time.min))
    codes = PosterCode.objects.filter(venue=OuterRef("pk"), made_at__lt=after)
    return Q(Exists(codes.filter(Q(ended_at=None) | Q(ended_at__gte=after))))


class VenuesRegistered(Indicator):
    """Venues with a code in force / venues open to the public, as the directory has counted them."""

    key = "venues-registered"
    proof = Proof.SELF_REPORTED
    name = gettext_lazy("venues registered, with a code in force")
    base_name = gettext_lazy("venues open to the public, as the directory counts them")
    of_phones = False

    def figures(self, week: Week) -> Iterable[Figure]:
        """One a ward whose venues were counted; two queries."""
        day = min(week.last_day, timezone.localdate())
        rows = Venue.objects.filter(registered_by(day)).order_by().values_list("unit").annotate(count=Count("pk"))
        registered: Counter[int] = Counter(dict(rows))
        newest: dict[int, Denominator] = {}
        known = Denominator.objects.filter(kind=Quantity.VENUES, as_of__lte=day).exclude(unit=None)
        for figure in known.select_related("unit").order_by("as_of", "pk"):
            newest[figure.unit_id or 0] = figure
        for unit_id, figure in sorted(newest.items()):
            unit, count = figure.unit, registered[unit_id]
            if unit is None or not figure.value:
                continue
            source = figure.source
            if count > figure.value:
                source = _("%(source)s; more are registered than were counted") % {"source": figure.source}
            yield Figure(unit.path, None, count, max(count, figure.value), source, figure.as_of)

    def rows_address(self, unit_id: int, week: Week) -> str:
        """The venues of the unit."""
        return f"{reverse('venues')}?{urlencode({'unit': unit_id})}"


class VenuesWithPoster(VenuesRegistered):
    """Registered venues where an inspection of the last 30 days saw the poster / registered venues."""

    key = "venues-poster"
    proof = Proof.ATTESTED
    name = gettext_lazy("venues where an inspection saw the poster, last 30 days")
    base_name = gettext_lazy("venues registered")

    def figures(self, week: Week) -> Iterable[Figure]:
        """One a ward with registered venues; two queries."""
        day = min(week.last_day, timezone.localdate())
        registered = Venue.objects.filter(registered_by(day)).exclude(state=VenueState.CLOSED)
        bases = dict(registered.order_by().values_list("unit__path").annotate(count=Count("pk")))
        last = Inspection.objects.filter(venue=OuterRef("venue"), day__lte=day).order_by("-day", "-pk")
        newest = Inspection.objects.filter(venue__in=registered, day__range=(day - SEEN_FOR, day), poster_seen=True)
        seen = newest.filter(pk=last.values("pk")[:1])
        counts = dict(seen.order_by().values_list("venue__unit__path").annotate(count=Count("pk")))
        for path, base in sorted(bases.items()):
            yield Figure(path, None, counts.get(path, 0), base, _("register of venues and its inspections"), day)
