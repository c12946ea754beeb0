# SPDX-License-Identifier: Apache-2.0
"""Store which telephone numbers want no notices and reminders, and purge these opt-outs when they are too old."""

import datetime

from django.utils import timezone

from bluezone.messaging.sms.destinations import destination_hash, read_destination
from bluezone.messaging.sms.models import OptOut

RETENTION = datetime.timedelta(days=730)


def opt_out(destination: str, now: datetime.datetime | None = None) -> None:
    """Store that a number wants no notices and reminders. Raises DestinationInvalid."""
    hashed = destination_hash(read_destination(destination))
    OptOut.objects.update_or_create(
        destination_hash=hashed, defaults={"day": timezone.localdate(now or timezone.now())}
    )


def has_opted_out(number: str) -> bool:
    """Whether the owner of a number in E.164 wants no notices and reminders."""
    return OptOut.objects.filter(destination_hash=destination_hash(number)).exists()


def purge_opt_outs(now: datetime.datetime) -> None:
    """Delete the opt-outs that are older than RETENTION."""
    OptOut.objects.filter(day__lte=(now - RETENTION).date()).delete()
