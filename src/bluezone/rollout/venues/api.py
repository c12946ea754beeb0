# SPDX-License-Identifier: Apache-2.0
"""What other parts of the rollout use of the venues, and nothing else: whose they are, and what they are called."""

from collections.abc import Iterable

from bluezone.identity.models import User
from bluezone.rollout.venues.models import Venue, VenueState


def registered_of(user: User) -> list[Venue]:
    """The venues in force that a person runs, also while practising: the house is real, what is sent is not."""
    return list(
        Venue.everything.filter(training=False, owner=user, state__in=[VenueState.APPROVED, VenueState.SUSPENDED])
    )


def names_of(numbers: Iterable[int]) -> dict[int, str]:
    """The names of venues by their numbers; one query."""
    return dict(Venue.everything.filter(pk__in=list(numbers)).values_list("pk", "name"))


__all__ = ["names_of", "registered_of"]
