# SPDX-License-Identifier: Apache-2.0
"""Putting messages into the outbox, in the caller's transaction; refusing what must not be sent before it is stored."""

import datetime
import json
from dataclasses import dataclass

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from bluezone.accounts.sealing import keyed_digest, seal
from bluezone.accounts.training import practising
from bluezone.messaging.sms import budget, quiet
from bluezone.messaging.sms.destinations import read_destination
from bluezone.messaging.sms.models import Message, Once, OptOut, Part, Purpose
from bluezone.messaging.sms.segmenting import checked
from bluezone.refusal import Refused

# How long it is worth trying: a code is asked for again, a guest who left is no visitor.
_VALID = {
    Purpose.CODE: datetime.timedelta(minutes=10),
    Purpose.ARRIVAL: datetime.timedelta(hours=24),
    Purpose.REMINDER: datetime.timedelta(hours=48),
}
_URGENCY = {Purpose.CODE: 0, Purpose.ARRIVAL: 0, Purpose.REMINDER: 1}


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
    """That a notice goes to a number once. notice: which one; days: for how long its hash is remembered."""

    notice: str
    days: int


def queue(
    destination: str,
    text: str,
    language: str,
    purpose: Purpose,
    *,
    once: OnceFor | None = None,
    now: datetime.datetime | None = None,
) -> Message:
    """Queue a message to one number; the sender takes it within a second, reminders after quiet hours.

    destination: as people type it. text: at most MOST_SEGMENTS segments.
    Raises SmsNotSet, SmsInTraining, DestinationInvalid, TextEmpty, TextTooLong, SmsOptedOut (not for codes),
    SmsAlreadySent, BudgetSpent; nothing is stored then.
    """
    if settings.SMS is None:
        raise SmsNotSet("BLUEZONE_SMS_URL names no operator; nothing was queued")
    if practising():
        raise SmsInTraining("training mode sends nothing")
    number = read_destination(destination)
    measured = checked(text)
    moment = now or timezone.now()
    hashed = destination_hash(number)
    if purpose != Purpose.CODE and OptOut.objects.filter(destination_hash=hashed).exists():
        raise SmsOptedOut("the owner of this number wants no messages; nothing was queued")
    with transaction.atomic():
        once_key = _claim_once(number, once, moment) if once else ""
        budget.spend(purpose, measured.segments, moment)
        begin = quiet.not_before(moment) if purpose == Purpose.REMINDER else moment
        message = Message(
            purpose=purpose, language=language, destination_hash=hashed, once_key=once_key,
            encoding=measured.encoding.label, segments=measured.segments, urgency=_URGENCY[purpose],
            queued_at=moment, next_try_at=begin, expires_at=begin + _VALID[purpose],
        )  # fmt: skip
        message.sealed = seal(json.dumps([number, measured.text]).encode(), f"sms {message.pk}")
        message.save(force_insert=True)
        Part.objects.bulk_create(Part(message=message, number=number) for number in range(1, measured.segments + 1))
    return message


def opt_out(destination: str, now: datetime.datetime | None = None) -> None:
    """Remember that a number wants no notices and reminders. Raises DestinationInvalid."""
    hashed = destination_hash(read_destination(destination))
    OptOut.objects.update_or_create(
        destination_hash=hashed, defaults={"day": timezone.localdate(now or timezone.now())}
    )


def destination_hash(number: str) -> str:
    """The keyed hash of a number in E.164; without the data folder's key it says nothing."""
    return keyed_digest("sms number", number)


def _claim_once(number: str, once: OnceFor, now: datetime.datetime) -> str:
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
