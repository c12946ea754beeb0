# SPDX-License-Identifier: Apache-2.0
"""Whose venues a person works with: those of the own ward, or the own ones."""

from django.db.models import Q, QuerySet

from bluezone.directory.kinds import AgencyKind
from bluezone.directory.models import AdminUnit
from bluezone.identity.models import User
from bluezone.identity.roles import grants_of
from bluezone.rollout.venues.duty import VENUE_KEEPERS
from bluezone.rollout.venues.models import Venue, VenueState

KEEPERS = VENUE_KEEPERS.roles


def kept_units(user: User) -> QuerySet[AdminUnit]:
    """Units whose venues the person keeps: by a role for the unit, or at the People's Committee that serves it."""
    reach = Q(pk__in=[])
    for grant in grants_of(user):
        if grant.role not in KEEPERS:
            continue
        if grant.unit is None and grant.agency is None:
            return AdminUnit.objects.all()
        if grant.unit is not None:
            reach |= Q(path__startswith=grant.unit.path)
        elif grant.agency is not None and grant.agency.kind == AgencyKind.COMMITTEE:
            reach |= Q(path__startswith=grant.agency.unit.path)
    return AdminUnit.objects.filter(reach)


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
