# SPDX-License-Identifier: Apache-2.0
"""The functions of venues for other parts of the rollout: the venues of an owner, and names of venues."""

from collections.abc import Iterable

from bluezone.identity.models import User
from bluezone.rollout.venues.models import Venue, VenueState


def registered_venues_of(user: User) -> list[Venue]:
    """The registered venues that a user owns, in training mode too: only the messages are not real then."""
    return list(
        Venue.everything.filter(training=False, owner=user, state__in=[VenueState.APPROVED, VenueState.SUSPENDED])
    )


def venue_names(numbers: Iterable[int]) -> dict[int, str]:
    """The names of venues by primary key; one query."""
    return dict(Venue.everything.filter(pk__in=list(numbers)).values_list("pk", "name"))


__all__ = ["registered_venues_of", "venue_names"]
