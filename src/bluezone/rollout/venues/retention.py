# SPDX-License-Identifier: Apache-2.0
"""How long venues, their contacts and their inspections are kept, and the purge."""

import datetime

from bluezone.rollout.venues.models import (
    Inspection,
    InspectionPhoto,
    MailCode,
    ScanCount,
    TillCount,
    Venue,
    VenueState,
)

UNCONFIRMED_RETENTION = datetime.timedelta(days=1)
REFUSED_RETENTION = datetime.timedelta(days=30)
CLOSED_RETENTION = datetime.timedelta(days=90)
PHOTO_RETENTION = datetime.timedelta(days=90)
FINDINGS_RETENTION = datetime.timedelta(days=365)


def purge(now: datetime.datetime) -> None:
    """Delete unconfirmed applications after a day, and refused applications after 30 days.

    The contact of closed venues and pictures are deleted after 90 days, findings and daily counts after a year.
    """
    MailCode.objects.filter(expires_at__lte=now - UNCONFIRMED_RETENTION).delete()
    Venue.objects.filter(state=VenueState.UNCONFIRMED, applied_at__lte=now - UNCONFIRMED_RETENTION).delete()
    Venue.objects.filter(state=VenueState.REFUSED, decided_at__lte=now - REFUSED_RETENTION).delete()
    closed = Venue.objects.filter(state=VenueState.CLOSED, decided_at__lte=now - CLOSED_RETENTION)
    closed.update(sealed=b"", contact_digest="", owner=None)
    InspectionPhoto.objects.filter(inspection__made_at__lte=now - PHOTO_RETENTION).delete()
    Inspection.objects.filter(made_at__lte=now - FINDINGS_RETENTION).exclude(findings="").update(findings="")
    past = (now - FINDINGS_RETENTION).date()
    ScanCount.objects.filter(day__lt=past).delete()
    TillCount.objects.filter(day__lt=past).delete()
