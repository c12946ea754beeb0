# SPDX-License-Identifier: Apache-2.0
"""Queue messages in the caller's transaction, within the budget of segments.

Refuses what must not be sent before storing anything; reminders wait for the end of quiet hours.
"""

import datetime
import json
from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Sum
from django.utils import timezone

from bluezone.messaging.present_city import present_city
from bluezone.messaging.sms.destinations import destination_hash, read_destination
from bluezone.messaging.sms.models import Message, Once, Part, Purpose, Spent
from bluezone.messaging.sms.opt_outs import has_opted_out
from bluezone.messaging.sms.segmentation import segment_within_limit
from bluezone.messaging.sms.validity import DEFAULT_VALIDITY
from bluezone.office_secrets import keyed_digest, seal
from bluezone.refusal import Refused
from bluezone.training import practising

_URGENCY = {Purpose.CODE: 0, Purpose.ARRIVAL: 0, Purpose.REMINDER: 1}


class BudgetSpent(Refused):
    """The segments of the day or month are used up; nothing was queued."""

    code = "sms_budget_spent"


@dataclass(frozen=True)
class Budget:
    """Segments queued today and this month, and the limits."""

    today: int
    this_month: int
    a_day: int
    a_month: int
    price: int

    @property
    def cost_this_month(self) -> int:
        """The cost in the unit of `price`, which is for one segment."""
        return self.this_month * self.price


def current_budget(now: datetime.datetime) -> Budget:
    """The present budget; one query."""
    day = timezone.localdate(now)
    rows = Spent.objects.filter(day__range=(day.replace(day=1), day)).values_list("day").annotate(Sum("segments"))
    sums = dict(rows)
    city = present_city()
    return Budget(
        today=sums.get(day, 0),
        this_month=sum(sums.values()),
        a_day=city.sms_segments_a_day,
        a_month=city.sms_segments_a_month,
        price=city.sms_segment_price,
    )


def spend_segments(purpose: Purpose, segments: int, now: datetime.datetime) -> None:
    """Count segments in the caller's transaction. Raises BudgetSpent."""
    row, _made = Spent.objects.get_or_create(day=timezone.localdate(now), purpose=purpose)
    with transaction.atomic():
        # Counted before the check, so that two desks at once cannot both use the last segment.
        Spent.objects.filter(pk=row.pk).update(messages=F("messages") + 1, segments=F("segments") + segments)
        budget = current_budget(now)
        if budget.today > budget.a_day:
            raise BudgetSpent(f"the {budget.a_day} segments of today are used up; nothing was queued")
        if budget.this_month > budget.a_month:
            raise BudgetSpent(f"the {budget.a_month} segments of this month are used up; nothing was queued")


def earliest_send_time(now: datetime.datetime) -> datetime.datetime:
    """When a reminder may be sent: now, or at the end of the present quiet hours."""
    city = present_city()
    begin = city.sms_quiet_from_hour
    end = city.sms_quiet_until_hour
    local = timezone.localtime(now)
    if not _is_quiet(local.hour, begin, end):
        return now
    overnight = begin > end
    day = local.date() + datetime.timedelta(days=overnight and local.hour >= begin)
    return datetime.datetime.combine(day, datetime.time(end), timezone.get_current_timezone())


def _is_quiet(hour: int, begin: int, end: int) -> bool:
    if begin > end:  # overnight
        return hour >= begin or hour < end
    return begin <= hour < end


class SmsNotSet(Refused):
    """The city has no way to send text messages; nothing was queued."""

    code = "sms_not_set"


class SmsAlreadySent(Refused):
    """This number has had the notice of this stay; nothing was queued."""

    code = "sms_already_sent"


class SmsOptedOut(Refused):
    """The owner of this number wants no messages; nothing was queued."""

    code = "sms_opted_out"


class SmsInTraining(Refused):
    """Training mode sends nothing; nothing was queued."""

    code = "sms_in_training"


@dataclass(frozen=True)
class OnceFor:
    """Makes a notice go to a number only once. notice: its name; days: for how long its hash is stored."""

    notice: str
    days: int


def queue_sms(
    destination: str,
    text: str,
    language: str,
    purpose: Purpose,
    *,
    once: OnceFor | None = None,
    valid: datetime.timedelta | None = None,
    now: datetime.datetime | None = None,
) -> Message:
    """Queue a message to one number; it is sent within a second, a reminder not before the end of quiet hours.

    destination: as people type it. text: at most MOST_SEGMENTS segments. valid: for how long to try; None for the
    usual time of the purpose.
    Raises SmsNotSet, SmsInTraining, DestinationInvalid, TextEmpty, TextTooLong, SmsOptedOut (not for codes),
    SmsAlreadySent, BudgetSpent; nothing is stored then.
    """
    if settings.SMS is None:
        raise SmsNotSet("BLUEZONE_SMS_URL names no operator; nothing was queued")
    if practising():
        raise SmsInTraining("training mode sends nothing")
    number = read_destination(destination)
    measured = segment_within_limit(text)
    moment = now or timezone.now()
    if purpose != Purpose.CODE and has_opted_out(number):
        raise SmsOptedOut("the owner of this number wants no messages; nothing was queued")
    with transaction.atomic():
        once_key = _claim_notice(number, once, moment) if once else ""
        spend_segments(purpose, measured.segments, moment)
        begin = earliest_send_time(moment) if purpose == Purpose.REMINDER else moment
        message = Message(
            purpose=purpose, language=language, destination_hash=destination_hash(number),
            once_key=once_key, encoding=measured.encoding.label, segments=measured.segments, urgency=_URGENCY[purpose],
            queued_at=moment, next_try_at=begin, expires_at=begin + (valid or DEFAULT_VALIDITY[purpose]),
        )  # fmt: skip
        message.sealed = seal(json.dumps([number, measured.text]).encode(), f"sms {message.pk}")
        message.save(force_insert=True)
        Part.objects.bulk_create(Part(message=message, number=number) for number in range(1, measured.segments + 1))
    return message


def _claim_notice(number: str, once: OnceFor, now: datetime.datetime) -> str:
    key = keyed_digest(f"sms once {once.notice}", number)
    until = now + datetime.timedelta(days=once.days)
    if Once.objects.filter(key=key, until__lte=now).update(until=until):
        return key
    try:
        with transaction.atomic():
            Once.objects.create(key=key, until=until)
    except IntegrityError:
        raise SmsAlreadySent("this number has had the notice of this stay; nothing was queued") from None
    return key
