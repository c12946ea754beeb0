# SPDX-License-Identifier: Apache-2.0
"""Change the state of a venue, unless another decision was first."""

import datetime

from bluezone.refusal import Refused
from bluezone.rollout.venues.models import Venue, VenueState


class VenueStateWrong(Refused):
    """The venue is not in a state in which this step is possible; nothing was changed."""

    code = "venue_state_wrong"


def change_state(
    venue: Venue, expected: list[VenueState], after: VenueState, now: datetime.datetime, reason: str = ""
) -> None:
    """Change the state of a venue that is in one of the `expected` states; `reason` is for the owner.

    Raises VenueStateWrong if another decision was first.
    """
    changed = Venue.objects.filter(pk=venue.pk, state__in=expected).update(state=after, decided_at=now, reason=reason)
    if not changed:
        raise VenueStateWrong(f"the venue is {venue.state}, expected {' or '.join(expected)}")
    venue.refresh_from_db()
