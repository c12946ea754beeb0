# SPDX-License-Identifier: Apache-2.0
"""Having the notice sent to a guest, or to many: only with their yes, and in training mode to nobody.

Clause 5 of the directive: "khách du lịch ... khi đến địa bàn nhận được ngay thông báo trên điện thoại".
"""

import datetime
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from bluezone.accounts.auditing import record
from bluezone.accounts.models import Act
from bluezone.accounts.training import practising
from bluezone.messaging.sms.destinations import language_of, read_destination
from bluezone.messaging.sms.models import Purpose
from bluezone.messaging.sms.presentcity import present_city
from bluezone.messaging.sms.queueing import OnceFor, queue
from bluezone.messaging.sms.wording import arrival_notice
from bluezone.refusal import Refused
from bluezone.rollout.visitors.houses import House
from bluezone.rollout.visitors.models import Channel, Notice

NOTICE = "arrival"


class ConsentMissing(Refused):
    """The guest was not asked, or did not say yes; nothing was queued."""

    code = "visitor_consent_missing"


@dataclass(frozen=True)
class Guest:
    """Whom to tell. phone: as typed. language: "vi", "en", or "" for what the number's prefix suggests."""

    phone: str
    language: str = ""
    consent: bool = False


@dataclass(frozen=True)
class ListTold:
    """What became of a list: queued, and by code how many were refused."""

    queued: int
    refused: dict[str, int]


def tell(actor: str, house: House, guest: Guest, now: datetime.datetime) -> Notice:
    """Queue the notice for one guest at the desk.

    Raises ConsentMissing, DestinationInvalid, SmsNotSet, SmsAlreadySent, SmsOptedOut, BudgetSpent; nothing is stored.
    """
    with transaction.atomic():
        notice = _tell(actor, house, guest, Channel.DESK, now)
        record(actor, Act.VISITOR_TOLD, house.audited)
    return notice


def tell_list(actor: str, house: House, guests: list[Guest], now: datetime.datetime) -> ListTold:
    """Queue the notice for a list; who is refused is counted and holds nobody else up."""
    queued, refused = 0, dict[str, int]()
    for guest in guests:
        try:
            with transaction.atomic():
                _tell(actor, house, guest, Channel.LIST, now)
        except Refused as refusal:
            refused[refusal.code] = refused.get(refusal.code, 0) + 1
        else:
            queued += 1
    record(actor, Act.VISITORS_LISTED, house.audited, queued=queued, refused=sum(refused.values()))
    return ListTold(queued, refused)


def _tell(actor: str, house: House, guest: Guest, channel: Channel, now: datetime.datetime) -> Notice:
    if not guest.consent:
        raise ConsentMissing("the guest has not said yes; nothing was queued")
    number = read_destination(guest.phone)
    language = guest.language or language_of(number)
    message = None
    if not practising():
        city = present_city()
        text = arrival_notice(city, language).measured.text
        once = OnceFor(NOTICE, city.sms_stay_days)
        message = queue(number, text, language, Purpose.ARRIVAL, once=once, now=now)
    return Notice.objects.create(
        house=house.key, unit_id=house.unit_id, channel=channel, language=language, consent=True, made_at=now,
        day=timezone.localdate(now), made_by=actor, message=message,
    )  # fmt: skip
