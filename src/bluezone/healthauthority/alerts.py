# SPDX-License-Identifier: Apache-2.0
"""Warning the guests of a venue without anybody's report: the poster's code, a day and hours, and who did it.

Source: docs/protocol.md section 6 ("For an alert by the health authority"); docs/venues.md.
"""

import datetime
import uuid

from django.db import transaction
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.identity.models import AuditEntry, User
from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.venues import VenueAlert
from bluezone.refusal import Refused
from bluezone.training import practising


class AlertAlreadySent(Refused):
    """This form was sent before; a second alert of the same hours would count their minutes twice."""

    code = "venue_alert_sent"


def hours(
    day: datetime.date, begins: datetime.time, ends: datetime.time
) -> tuple[datetime.datetime, datetime.datetime]:
    """The local time between two times of day; an end that is not after the beginning is on the next day."""
    start = timezone.make_aware(datetime.datetime.combine(day, begins))
    last = day if ends > begins else day + datetime.timedelta(days=1)
    return start, timezone.make_aware(datetime.datetime.combine(last, ends))


def alert(
    server: KeyServer,
    worker: User,
    text: str,
    start: datetime.datetime,
    end: datetime.datetime,
    form_id: uuid.UUID,
) -> VenueAlert:
    """Publish an alert with the next package, once for each form, and write down who did it.

    text: of the poster's QR code. The audit has the poster's fingerprint and the hours, not the venue's name.
    In training mode the code and the hours are checked and nothing is published.
    Raises AlertAlreadySent, AlertRefused, InvalidVenue, VenueForeign.
    """
    first, last = int(start.timestamp()), int(end.timestamp())
    if practising():
        return server.venue_alerts.check(text, first, last)
    if AuditEntry.objects.filter(action="venue_alerted", details__form=str(form_id)).exists():
        raise AlertAlreadySent("this alert was sent before; it was not sent again")
    checked = server.venue_alerts.check(text, first, last)
    with transaction.atomic():
        # Written down first: an alert that nobody answers for must not be possible. Undone where the key server cannot
        # take it, so that the same form can be sent again.
        hash_chain.record(
            worker.username, "venue_alerted", checked.fingerprint, form=str(form_id), start=first, end=last
        )
        return server.venue_alerts.publish(text, first, last)
