# SPDX-License-Identifier: Apache-2.0
"""Storing what a ward officer found at a venue."""

import datetime

from django.db import transaction

from bluezone.accounts.auditing import record
from bluezone.accounts.models import Act
from bluezone.rollout.venues.models import Inspection, InspectionPhoto, Venue


def inspect(
    actor: str, venue: Venue, day: datetime.date, poster_seen: bool, findings: str, jpeg: bytes | None,
    now: datetime.datetime,
) -> Inspection:  # fmt: skip
    """Store one inspection. jpeg: of `picturing.redrawn`, None without a picture."""
    with transaction.atomic():
        made = Inspection.objects.create(
            venue=venue, day=day, poster_seen=poster_seen, findings=findings, inspected_by=actor, made_at=now,
            training=venue.training,
        )  # fmt: skip
        if jpeg is not None:
            InspectionPhoto.objects.create(inspection=made, jpeg=jpeg, training=venue.training)
        record(actor, Act.VENUE_INSPECTED, str(venue.pk), poster=poster_seen, picture=jpeg is not None)
    return made
