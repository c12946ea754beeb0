# SPDX-License-Identifier: Apache-2.0
"""What other parts may ask of venues: whose they are, and what they are called.

Models are imported inside functions: the package's front is loaded before Django's models are.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bluezone.identity.models import User
    from bluezone.rollout.venues.models import Venue


def registered_of(user: "User") -> "list[Venue]":
    """The venues in force that a person runs, also while practising: the house is real, what is sent is not."""
    from bluezone.rollout.venues.models import Venue, VenueState

    return list(
        Venue.everything.filter(training=False, owner=user, state__in=[VenueState.APPROVED, VenueState.SUSPENDED])
    )


def names_of(numbers: Iterable[int]) -> dict[int, str]:
    """The names of venues by their numbers; one query."""
    from bluezone.rollout.venues.models import Venue

    return dict(Venue.everything.filter(pk__in=list(numbers)).values_list("pk", "name"))
