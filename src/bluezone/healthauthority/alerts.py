# SPDX-License-Identifier: Apache-2.0
"""Warn the guests of a venue without a report: from the poster's code, a day and hours; with an audit entry.

Source: docs/protocol.md section 6 ("For an alert by the health authority"); docs/venues.md.
"""

import datetime
import uuid

from django.db import transaction
from django.utils import timezone

from bluezone.audit import hash_chain
from bluezone.identity.models import AuditEntry, User
from bluezone.keyserver.service import KeyServer
from bluezone.keyserver.venues.alerts import VenueAlert
from bluezone.refusal import Refused
from bluezone.training import practising


class AlertAlreadySent(Refused):
    """This form was sent before; a second alert of the same hours would count their minutes twice."""

    code = "venue_alert_sent"


def hours_between(
    day: datetime.date, begins: datetime.time, ends: datetime.time
) -> tuple[datetime.datetime, datetime.datetime]:
    """Start and end of the hours between two times of day; an end not after the beginning is on the next day."""
    start = timezone.make_aware(datetime.datetime.combine(day, begins))
    last = day if ends > begins else day + datetime.timedelta(days=1)
    return start, timezone.make_aware(datetime.datetime.combine(last, ends))


def publish_alert(
    server: KeyServer,
    worker: User,
    text: str,
    start: datetime.datetime,
    end: datetime.datetime,
    form_id: uuid.UUID,
) -> VenueAlert:
    """Publish an alert with the next package, once for each form, with an audit entry.

    text: of the poster's QR code. The audit has the poster's fingerprint and the hours, not the venue's name.
    In training mode the code and the hours are checked, and nothing is published.
    Raises AlertAlreadySent, AlertRefused, InvalidVenue, VenueForeign.
    """
    first = int(start.timestamp())
    last = int(end.timestamp())
    if practising():
        return server.venue_alerts.check_alert(text, first, last)
    if AuditEntry.objects.filter(action="venue_alerted", details__form=str(form_id)).exists():
        raise AlertAlreadySent("this alert was sent before; it was not sent again")
    checked = server.venue_alerts.check_alert(text, first, last)
    with transaction.atomic():
        # Recorded first, so that no alert is without an audit entry. If the key server refuses, the transaction undoes
        # it, and the same form can be sent again.
        hash_chain.record(
            worker.username, "venue_alerted", checked.fingerprint, form=str(form_id), start=first, end=last
        )
        return server.venue_alerts.publish_alert(text, first, last)
