# SPDX-License-Identifier: Apache-2.0
"""The houses (hotels, stations) whose desk a person works at, and the week a page is asked for."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.http import Http404, HttpRequest
from django.utils import timezone

from bluezone.directory.models import Agency
from bluezone.directory.queries import day_to_show
from bluezone.directory.scopes import agencies_of, granted, holds_for_the_city
from bluezone.identity.models import Role, User
from bluezone.rollout.venues import api as venues
from bluezone.rollout.visitors.duty import VISITOR_DESKS

OFFICERS = (VISITOR_DESKS.roles) - {Role.VENUE_OWNER}


@dataclass(frozen=True)
class House:
    """One house. key: "a12" for an agency, "v7" for a venue. audited: how the audit calls it."""

    key: str
    name: str
    unit_id: int
    audited: str


def houses_of(user: User) -> list[House]:
    """The houses for which a person may have notices sent, by name."""
    found = {agency.pk: agency for agency in agencies_of(user, OFFICERS).filter(pk__in=_in_force())}
    for grant in granted(user, [Role.VENUE_OWNER]):
        if grant.agency is not None:
            found[grant.agency.pk] = grant.agency
    own = [House(f"a{pk}", agency.name, agency.unit_id, agency.key) for pk, agency in found.items()]
    own += [
        House(f"v{venue.pk}", venue.name, venue.unit_id, f"venue {venue.pk}") for venue in venues.registered_of(user)
    ]
    return sorted(own, key=lambda house: house.name)


def names_of(keys: Iterable[str]) -> dict[str, str]:
    """The names of houses that are still there; two queries."""
    numbers: dict[str, list[int]] = {"a": [], "v": []}
    for key in keys:
        numbers[key[0]].append(int(key[1:]))
    found = {f"a{pk}": name for pk, name in Agency.objects.filter(pk__in=numbers["a"]).values_list("pk", "name")}
    return {**found, **{f"v{pk}": name for pk, name in venues.names_of(numbers["v"]).items()}}


def reads_all(user: User) -> bool:
    """Whether small numbers of every house may be shown: those who answer for the whole city's notices."""
    return holds_for_the_city(user, OFFICERS)


def _in_force() -> list[int]:
    return list(Agency.objects.in_force(day_to_show(Agency, timezone.localdate())).values_list("pk", flat=True))


def chosen_house(request: HttpRequest, houses: list[House]) -> House:
    """The house of `?house=a12`, else the first. Raises Http404 for another's or where there is none."""
    return house_of(request.GET.get("house"), houses)


def house_of(key: str | None, houses: list[House]) -> House:
    """The house with this key, the first without one. Raises Http404."""
    for house in houses:
        if key in (None, house.key):
            return house
    raise Http404
