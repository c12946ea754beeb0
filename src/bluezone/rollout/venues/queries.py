# SPDX-License-Identifier: Apache-2.0
"""The venues of a user, the values on the pages of the register, and the figures for coverage."""

import datetime
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, QuerySet, Sum, Value, When
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bluezone.directory.kinds import Quantity
from bluezone.directory.models import AdminUnit, Denominator
from bluezone.directory.scopes import served_units
from bluezone.duties.duty import MOST_HITS, Hit
from bluezone.identity.models import User
from bluezone.paper.phrases import facts
from bluezone.rollout.coverage.api import Figure, Indicator, Proof
from bluezone.rollout.report_week import Week
from bluezone.rollout.venues.duty import VENUE_KEEPERS
from bluezone.rollout.venues.models import Inspection, PosterCode, ScanCount, TillCount, Venue, VenueState
from bluezone.vietnamese.spelling import fold, holds

# How long an inspection counts as evidence that the poster hangs.
EVIDENCE_LIFE = datetime.timedelta(days=30)
WAITING_FIRST = Case(When(state=VenueState.APPLIED, then=Value(0)), default=Value(1), output_field=IntegerField())
KEEPERS = VENUE_KEEPERS.roles


def registered_by(day: datetime.date) -> Q:
    """The condition for venues that had a valid code at the end of a local day."""
    after = timezone.make_aware(datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time.min))
    codes = PosterCode.objects.filter(venue=OuterRef("pk"), made_at__lt=after)
    return Q(Exists(codes.filter(Q(ended_at=None) | Q(ended_at__gte=after))))


class VenuesRegistered(Indicator):
    """Venues with a valid code, as a share of the venues open to the public that the directory counts."""

    key = "venues-registered"
    proof = Proof.SELF_REPORTED
    name = gettext_lazy("venues registered, with a current code")
    base_name = gettext_lazy("venues open to the public, according to the directory")
    of_phones = False

    def figures(self, week: Week) -> Iterable[Figure]:
        """One figure for each ward with a count in the directory; two queries."""
        day = min(week.last_day, timezone.localdate())
        rows = Venue.objects.filter(registered_by(day)).order_by().values_list("unit").annotate(count=Count("pk"))
        registered: Counter[int] = Counter(dict(rows))
        newest: dict[int, Denominator] = {}
        known = Denominator.objects.filter(kind=Quantity.VENUES, as_of__lte=day).exclude(unit=None)
        for figure in known.select_related("unit").order_by("as_of", "pk"):
            newest[figure.unit_id or 0] = figure
        for unit_id, figure in sorted(newest.items()):
            unit = figure.unit
            count = registered[unit_id]
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
    """The share of registered venues where the newest inspection, at most 30 days old, saw the poster."""

    key = "venues-poster"
    proof = Proof.ATTESTED
    name = gettext_lazy("venues where an inspection saw the poster, last 30 days")
    base_name = gettext_lazy("venues registered")

    def figures(self, week: Week) -> Iterable[Figure]:
        """One figure for each ward with registered venues; two queries."""
        day = min(week.last_day, timezone.localdate())
        registered = Venue.objects.filter(registered_by(day)).exclude(state=VenueState.CLOSED)
        bases = dict(registered.order_by().values_list("unit__path").annotate(count=Count("pk")))
        last = Inspection.objects.filter(venue=OuterRef("venue"), day__lte=day).order_by("-day", "-pk")
        newest = Inspection.objects.filter(
            venue__in=registered, day__range=(day - EVIDENCE_LIFE, day), poster_seen=True
        )
        seen = newest.filter(pk=last.values("pk")[:1])
        counts = dict(seen.order_by().values_list("venue__unit__path").annotate(count=Count("pk")))
        for path, base in sorted(bases.items()):
            yield Figure(path, None, counts.get(path, 0), base, _("register of venues and its inspections"), day)


@dataclass(frozen=True)
class WardRow:
    """The numbers of venues in one ward.

    waiting: applications without a decision. registered: approved venues. inspected, with_poster: of the registered
    venues, those inspected in the last 30 days, and those where such an inspection saw the poster.
    known: the directory's count of venues open to the public, with source and day; None if not counted.
    """

    unit: AdminUnit
    waiting: int
    registered: int
    inspected: int
    with_poster: int
    known: Denominator | None


def ward_rows(today: datetime.date) -> list[WardRow]:
    """Wards with venues or with a count in the directory, by name; five queries."""
    states: Counter[tuple[int, str]] = Counter()
    for unit_id, state, count in Venue.objects.order_by().values_list("unit", "state").annotate(count=Count("pk")):
        states[unit_id, state] += count
    recent = Inspection.objects.filter(venue=OuterRef("pk"), day__range=(today - EVIDENCE_LIFE, today))
    registered = Venue.objects.filter(state=VenueState.APPROVED).order_by()
    inspected = _by_unit(registered.filter(Exists(recent)))
    seen = _by_unit(registered.filter(Exists(recent.filter(poster_seen=True))))
    known: dict[int, Denominator] = {}
    for figure in Denominator.objects.filter(kind=Quantity.VENUES, as_of__lte=today).order_by("as_of"):
        known[figure.unit_id or 0] = figure
    units = AdminUnit.objects.filter(pk__in={*(unit_id for unit_id, _state in states), *known}).order_by("name")
    return [
        WardRow(
            unit, states[unit.pk, VenueState.APPLIED], states[unit.pk, VenueState.APPROVED],
            inspected.get(unit.pk, 0), seen.get(unit.pk, 0), known.get(unit.pk),
        )
        for unit in units
    ]  # fmt: skip


def find_matching(venues: QuerySet[Venue], words: str) -> list[int]:
    """Primary keys of the venues with these words in name or address; diacritics do not matter."""
    folded = fold(words)
    return [
        pk for pk, name, address in venues.values_list("pk", "name", "address") if folded in fold(f"{name} {address}")
    ]


def scan_counts(venue: Venue, since: datetime.date) -> list[tuple[datetime.date, int, int]]:
    """The openings of poster pages since a day: (day, number of the code, openings), newest first."""
    rows = ScanCount.objects.filter(code__venue=venue, day__gte=since).order_by("-day", "-code__number")
    return list(rows.values_list("day", "code__number", "count"))


def people_counts(venue: Venue, since: datetime.date) -> list[tuple[datetime.date, int]]:
    """The people counted at the till since a day: (day, people), newest first."""
    rows = TillCount.objects.filter(venue=venue, day__gte=since).order_by().values_list("day")
    return list(rows.annotate(people=Sum("people")).order_by("-day"))


def till_link(token: str) -> str:
    """The address of the till's page."""
    return f"{facts('vi').address}/till/{token}/"


def _by_unit(venues: QuerySet[Venue]) -> dict[int, int]:
    return dict(venues.values_list("unit").annotate(count=Count("pk")))


def managed_units(user: User) -> QuerySet[AdminUnit]:
    """Units in which the user keeps the venues: by a role for the unit, or at the People's Committee that serves it."""
    return served_units(user, KEEPERS)


def managed_venues(user: User) -> QuerySet[Venue]:
    """Venues that the user keeps, without unconfirmed applications."""
    seen = Venue.objects.exclude(state=VenueState.UNCONFIRMED)
    return seen.filter(unit__in=managed_units(user)).select_related("unit", "owner")


def own_venues(user: User) -> QuerySet[Venue]:
    """Venues that the user owns, without unconfirmed applications."""
    return Venue.objects.filter(owner=user).exclude(state=VenueState.UNCONFIRMED).select_related("unit", "owner")


def visible_venues(user: User) -> QuerySet[Venue]:
    """Venues that the user keeps or owns."""
    return (managed_venues(user) | own_venues(user)).distinct()


def manages_venue(user: User, venue: Venue) -> bool:
    """Whether the user keeps this venue."""
    return managed_units(user).filter(pk=venue.unit_id).exists()


def search(user: User, words: str) -> list[Hit]:
    """Venues with these words in name or address that the user keeps or owns."""
    venues = visible_venues(user).order_by("name", "pk")
    hits = [venue for venue in venues if holds(f"{venue.name} {venue.address}", words)]
    return [Hit(_("Venue"), venue.name, reverse("venue", args=[venue.pk]), venue.address) for venue in hits[:MOST_HITS]]
