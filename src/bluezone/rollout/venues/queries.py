# SPDX-License-Identifier: Apache-2.0
"""Which venues a person reaches, what the pages of the register show of them, and what of it goes into coverage."""

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
from bluezone.directory.scopes import granted, served_units
from bluezone.duties.duty import MOST_HITS, MOST_MATTERS, Hit, Matter, Pile, shorten
from bluezone.identity.models import User
from bluezone.paper.phrases import facts
from bluezone.rollout.coverage.api import Figure, Indicator, Proof, Week
from bluezone.rollout.venues.duty import VENUE_KEEPERS
from bluezone.rollout.venues.models import Inspection, PosterCode, ScanCount, TillCount, Venue, VenueState
from bluezone.vietnamese.spelling import fold, holds

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


WAITING_FIRST = Case(When(state=VenueState.APPLIED, then=Value(0)), default=Value(1), output_field=IntegerField())


@dataclass(frozen=True)
class WardRow:
    """One ward. known: venues open to the public by the directory, with source and day, None where not counted.

    inspected, with_poster: registered venues inspected in the last 30 days, and those where the poster was seen then.
    """

    unit: AdminUnit
    waiting: int
    registered: int
    inspected: int
    with_poster: int
    known: Denominator | None


def by_ward(today: datetime.date) -> list[WardRow]:
    """Wards with venues, or whose venues were counted, by name; five queries."""
    states: Counter[tuple[int, str]] = Counter()
    for unit_id, state, count in Venue.objects.order_by().values_list("unit", "state").annotate(count=Count("pk")):
        states[unit_id, state] += count
    recent = Inspection.objects.filter(venue=OuterRef("pk"), day__range=(today - SEEN_FOR, today))
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


def matching(found: QuerySet[Venue], words: str) -> list[int]:
    """Primary keys of venues whose name or address holds the words, diacritics or not."""
    wanted = fold(words)
    return [
        pk for pk, name, address in found.values_list("pk", "name", "address") if wanted in fold(f"{name} {address}")
    ]


def scans(venue: Venue, since: datetime.date) -> list[tuple[datetime.date, int, int]]:
    """(day, number of the code, openings of its page), newest first."""
    rows = ScanCount.objects.filter(code__venue=venue, day__gte=since).order_by("-day", "-code__number")
    return list(rows.values_list("day", "code__number", "count"))


def people(venue: Venue, since: datetime.date) -> list[tuple[datetime.date, int]]:
    """(day, people that the till counted), newest first."""
    rows = TillCount.objects.filter(venue=venue, day__gte=since).order_by().values_list("day")
    return list(rows.annotate(people=Sum("people")).order_by("-day"))


def till_link(token: str) -> str:
    """The address of the till's page."""
    return f"{facts('vi').address}/till/{token}/"


def _by_unit(found: QuerySet[Venue]) -> dict[int, int]:
    return dict(found.values_list("unit").annotate(count=Count("pk")))


KEEPERS = VENUE_KEEPERS.roles


def kept_units(user: User) -> QuerySet[AdminUnit]:
    """Units whose venues the person keeps: by a role for the unit, or at the People's Committee that serves it."""
    return served_units(user, KEEPERS)


def kept_venues(user: User) -> QuerySet[Venue]:
    """Venues that the person keeps, confirmed ones."""
    seen = Venue.objects.exclude(state=VenueState.UNCONFIRMED)
    return seen.filter(unit__in=kept_units(user)).select_related("unit", "owner")


def own_venues(user: User) -> QuerySet[Venue]:
    """Venues whose owner the person is."""
    return Venue.objects.filter(owner=user).exclude(state=VenueState.UNCONFIRMED).select_related("unit", "owner")


def seen_venues(user: User) -> QuerySet[Venue]:
    """Both."""
    return (kept_venues(user) | own_venues(user)).distinct()


def keeps(user: User, venue: Venue) -> bool:
    """Whether the person keeps this venue."""
    return kept_units(user).filter(pk=venue.unit_id).exists()


def waiting(user: User, now: datetime.datetime) -> list[Matter]:
    """Venues that applied and wait for their ward."""
    if not granted(user, KEEPERS):
        return []
    applied = kept_venues(user).filter(state=VenueState.APPLIED).order_by("applied_at")
    matters = [
        Matter(
            f"venue {one.pk}", f"{one.name} · {one.address}", _("Decide"), reverse("venue", args=[one.pk]),
            one.applied_at + datetime.timedelta(days=1), Pile.AGENCY, where=one.unit.name,
        )
        for one in applied[: MOST_MATTERS + 1]
    ]  # fmt: skip
    return shorten(matters, reverse("venues"), applied.count)


def search(user: User, words: str) -> list[Hit]:
    """Venues that the person keeps or owns."""
    found = [one for one in seen_venues(user).order_by("name", "pk") if holds(f"{one.name} {one.address}", words)]
    return [Hit(_("Venue"), one.name, reverse("venue", args=[one.pk]), one.address) for one in found[:MOST_HITS]]
