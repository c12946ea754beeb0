# SPDX-License-Identifier: Apache-2.0
"""What waits for a person: applications of venues."""

import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from bluezone.directory.scopes import grants_for
from bluezone.duties.duty import MOST_MATTERS, Matter, Pile, shorten
from bluezone.identity.models import User
from bluezone.rollout.venues.models import VenueState
from bluezone.rollout.venues.queries import KEEPERS, managed_venues


def matters_of(user: User, now: datetime.datetime) -> list[Matter]:
    """Applications that wait for a decision, if the user keeps the venues of their ward."""
    if not grants_for(user, KEEPERS):
        return []
    applied = managed_venues(user).filter(state=VenueState.APPLIED).order_by("applied_at")
    matters = []
    for venue in applied[: MOST_MATTERS + 1]:
        what = f"{venue.name} · {venue.address}"
        url = reverse("venue", args=[venue.pk])
        by = venue.applied_at + datetime.timedelta(days=1)
        matters.append(Matter(f"venue {venue.pk}", what, _("Decide"), url, by, Pile.AGENCY, where=venue.unit.name))
    return shorten(matters, reverse("venues"), applied.count)
