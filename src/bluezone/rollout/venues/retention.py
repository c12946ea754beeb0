# SPDX-License-Identifier: Apache-2.0
"""What the venues forget, and when."""

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

UNCONFIRMED = datetime.timedelta(days=1)
REFUSED = datetime.timedelta(days=30)
CLOSED = datetime.timedelta(days=90)
PHOTO = datetime.timedelta(days=90)
A_YEAR = datetime.timedelta(days=365)


def purge(now: datetime.datetime) -> None:
    """Delete unconfirmed applications after a day and refused ones after 30; forget whom to reach of closed venues.

    Pictures go after 90 days, findings and daily counts after a year.
    """
    MailCode.objects.filter(expires_at__lte=now - UNCONFIRMED).delete()
    Venue.objects.filter(state=VenueState.UNCONFIRMED, applied_at__lte=now - UNCONFIRMED).delete()
    Venue.objects.filter(state=VenueState.REFUSED, decided_at__lte=now - REFUSED).delete()
    closed = Venue.objects.filter(state=VenueState.CLOSED, decided_at__lte=now - CLOSED)
    closed.update(sealed=b"", contact_digest="", owner=None)
    InspectionPhoto.objects.filter(inspection__made_at__lte=now - PHOTO).delete()
    Inspection.objects.filter(made_at__lte=now - A_YEAR).exclude(findings="").update(findings="")
    past = (now - A_YEAR).date()
    ScanCount.objects.filter(day__lt=past).delete()
    TillCount.objects.filter(day__lt=past).delete()
