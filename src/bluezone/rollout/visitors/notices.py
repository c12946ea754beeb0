# SPDX-License-Identifier: Apache-2.0
"""Queue the arrival notice for one guest or a list of guests, only with their consent.

Telephone numbers are not stored here: only the outbox has them, sealed.
"""

import datetime
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from bluezone.audit.hash_chain import record
from bluezone.messaging.present_city import present_city
from bluezone.messaging.sms.destinations import language_of, read_destination
from bluezone.messaging.sms.models import Purpose
from bluezone.messaging.sms.outbox import OnceFor, queue_sms
from bluezone.messaging.sms.wording import arrival_notice
from bluezone.refusal import Refused
from bluezone.rollout.visitors.models import Channel, Notice
from bluezone.rollout.visitors.queries import House
from bluezone.training import practising

NOTICE = "arrival"


class ConsentMissing(Refused):
    """The guest has not given consent; nothing was queued."""

    code = "visitor_consent_missing"


@dataclass(frozen=True)
class Guest:
    """A guest to notify.

    phone: as typed. language: a code of LANGUAGES, or "" to choose it by the country prefix of the number.
    """

    phone: str
    language: str = ""
    consent: bool = False


@dataclass(frozen=True)
class ListCounts:
    """The result of sending to a list. queued: the number of notices. refused: how many rows, by refusal code."""

    queued: int
    refused: dict[str, int]


def send_notice(actor: str, house: House, guest: Guest, now: datetime.datetime) -> Notice:
    """Queue the notice for one guest at the desk.

    Raises ConsentMissing, DestinationInvalid, SmsNotSet, SmsAlreadySent, SmsOptedOut, BudgetSpent; then nothing is
    stored.
    """
    with transaction.atomic():
        notice = _send(actor, house, guest, Channel.DESK, now)
        record(actor, "visitor_told", house.audited)
    return notice


def send_notices(actor: str, house: House, guests: list[Guest], now: datetime.datetime) -> ListCounts:
    """Queue the notice for each guest in a list. A refused guest is counted, and the others still get the notice."""
    queued = 0
    refused: dict[str, int] = {}
    for guest in guests:
        try:
            with transaction.atomic():
                _send(actor, house, guest, Channel.LIST, now)
        except Refused as refusal:
            refused[refusal.code] = refused.get(refusal.code, 0) + 1
        else:
            queued += 1
    record(actor, "visitors_listed", house.audited, queued=queued, refused=sum(refused.values()))
    return ListCounts(queued, refused)


def _send(actor: str, house: House, guest: Guest, channel: Channel, now: datetime.datetime) -> Notice:
    if not guest.consent:
        raise ConsentMissing("the guest has not given consent; nothing was queued")
    number = read_destination(guest.phone)
    language = guest.language or language_of(number)
    message = None
    if not practising():
        city = present_city()
        text = arrival_notice(city, language).measured.text
        once = OnceFor(NOTICE, city.sms_stay_days)
        message = queue_sms(number, text, language, Purpose.ARRIVAL, once=once, now=now)
    return Notice.objects.create(
        house=house.key, unit_id=house.unit_id, channel=channel, language=language, consent=True, made_at=now,
        day=timezone.localdate(now), made_by=actor, message=message,
    )  # fmt: skip
