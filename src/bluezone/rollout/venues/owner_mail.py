# SPDX-License-Identifier: Apache-2.0
"""Mails to the owner of a venue about what the ward decided."""

import datetime

from django.utils import translation

from bluezone.messaging.email.outbox import queue_mail
from bluezone.rollout.venues.applications import contact_of
from bluezone.rollout.venues.models import Venue


def mail_owner(venue: Venue, subject: str, text: str, now: datetime.datetime, *, more: str = "", **values: str) -> None:
    """Queue a mail to the owner, always in Vietnamese; no mail without an address or in training mode.

    subject, text, more (a second paragraph): message ids; `values` fill their placeholders.
    """
    email = contact_of(venue).email
    if not email or venue.training:
        return
    with translation.override("vi"):
        parts = [translation.gettext(part) % values for part in (text, more) if part]
        queue_mail(email, translation.gettext(subject) % {"name": venue.name}, "\n\n".join(parts), now=now)
