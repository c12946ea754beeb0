# SPDX-License-Identifier: Apache-2.0
"""Take messages out of the outbox, each leased to one sender and marked before a byte goes out; close them, and forget
what had its time.
"""

import datetime
import json
import secrets
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from bluezone.messaging.sms.models import (
    OPEN_STATES,
    EarlyReceipt,
    Message,
    Once,
    OptOut,
    Part,
    PartState,
    Purpose,
    State,
)
from bluezone.messaging.sms.providers import Outgoing, Question
from bluezone.messaging.sms.segmentation import Measured, measure
from bluezone.office_secrets import SealBroken, unseal

# After these the same number may get its one notice later: nothing has reached it, or nothing ever will.
_RELEASES = {State.FAILED, State.EXPIRED, State.SUPPRESSED, State.NOT_SENT}


def close(messages: list[Message], state: State, now: datetime.datetime, trouble: str = "") -> None:
    """Close open messages with a state that is not open; forgets number, its hash and the text of each."""
    if not messages:
        return
    released = [message.once_key for message in messages if message.once_key and state in _RELEASES]
    if released:
        Once.objects.filter(key__in=released).delete()
    changed: dict[str, object] = {"trouble": trouble} if trouble else {}
    Message.objects.filter(pk__in=[message.pk for message in messages], state__in=OPEN_STATES).update(
        state=state, closed_at=now, sealed=None, destination_hash="", once_key="", lease="", lease_until=None, **changed
    )


# Longer than a provider waits for an answer; so long is a message held up by the death of its sender.
LEASE = datetime.timedelta(seconds=20)
# How long a part without an answer waits for its receipt where the operator cannot be asked.
RECEIPT_WAIT = datetime.timedelta(minutes=5)
# When an accepted part without receipt is asked for; after the last it stays "sent".
ASKED_AFTER = tuple(datetime.timedelta(minutes=minutes) for minutes in (15, 120, 1440))
_REFERENCES = 65_536


@dataclass(frozen=True)
class Claimed:
    """Messages of one lease, and the parts of them to hand over now."""

    lease: str
    parts: list[Outgoing]


def claim(now: datetime.datetime, room: int) -> Claimed:
    """Lease what is due, at most `room` parts of it, most urgent and oldest first; mark each part as being submitted.

    Closes what is too old, and what its number has opted out of since. Two senders never get the same message.
    """
    lease = secrets.token_hex(8)
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    with transaction.atomic():
        due = Message.objects.filter(free, state__in=OPEN_STATES, next_try_at__lte=now)
        # A message with an unanswered part goes on only once that is settled.
        due = due.exclude(parts__state=PartState.SUBMITTING)
        chosen = list(due.order_by("urgency", "next_try_at", "queued_at").values_list("pk", flat=True)[:room])
        if not chosen:
            return Claimed(lease, [])
        Message.objects.filter(free, pk__in=chosen, state__in=OPEN_STATES).update(
            lease=lease, lease_until=now + LEASE, state=State.SENDING
        )
        mine = list(
            Message.objects.filter(pk__in=chosen, lease=lease)
            .order_by("urgency", "queued_at")
            .prefetch_related("parts")
        )
        mine = _without_closed(mine, now)
        return Claimed(lease, _marked(mine, now, room))


def _without_closed(messages: list[Message], now: datetime.datetime) -> list[Message]:
    """Close what is too old or opted out of meanwhile; the others."""
    hashes = {message.destination_hash for message in messages if message.purpose != Purpose.CODE}
    unwanted = set(OptOut.objects.filter(destination_hash__in=hashes).values_list("destination_hash", flat=True))
    old = [message for message in messages if message.expires_at <= now]
    stopped = [
        message
        for message in messages
        if message not in old and message.purpose != Purpose.CODE and message.destination_hash in unwanted
    ]
    close(old, State.EXPIRED, now)
    close(stopped, State.SUPPRESSED, now)
    closed = {message.pk for message in (*old, *stopped)}
    return [message for message in messages if message.pk not in closed]


def _marked(messages: list[Message], now: datetime.datetime, room: int) -> list[Outgoing]:
    out: list[Outgoing] = []
    marked: list[int] = []
    begun = []
    for message in messages:
        waiting = [part for part in message.parts.all() if part.state == PartState.WAITING][: room - len(out)]
        if not waiting:
            Message.objects.filter(pk=message.pk).update(lease="", lease_until=None)
            continue
        try:
            number, text = json.loads(unseal(bytes(message.sealed or b""), f"sms {message.pk}"))
        except SealBroken:
            close([message], State.FAILED, now, "seal broken")
            continue
        marked += [part.pk for part in waiting]
        begun.append(message.pk)
        out += _outgoing(message, waiting, number, measure(text), now)
    Part.objects.filter(pk__in=marked).update(
        state=PartState.SUBMITTING, submitted_at=now, reference=F("pk") % _REFERENCES
    )
    Message.objects.filter(pk__in=begun, submitted_at__isnull=True).update(submitted_at=now)
    return out


def _outgoing(
    message: Message, parts: list[Part], number: str, measured: Measured, now: datetime.datetime
) -> list[Outgoing]:
    return [
        Outgoing(
            part_id=part.pk,
            reference=part.pk % _REFERENCES,
            destination=number,
            octets=measured.encoding.octets(measured.parts[part.number - 1]),
            data_coding=measured.encoding.data_coding,
            number=part.number,
            count=measured.segments,
            group=message.pk.int % 256,
            valid_seconds=int((message.expires_at - now).total_seconds()),
        )
        for part in parts
    ]


def unsettled(now: datetime.datetime, can_ask: bool, room: int) -> list[Question]:
    """Parts to ask the operator for: handed over by a sender that is gone, or accepted long ago without a receipt.

    can_ask: whether it finds a part by our reference; where it does not, unanswered parts become unknown in time.
    """
    free = Q(message__lease_until__isnull=True) | Q(message__lease_until__lte=now)
    lapsed = Part.objects.filter(free, state=PartState.SUBMITTING)
    hopeless = Q(message__expires_at__lte=now) if can_ask else Q(submitted_at__lte=now - RECEIPT_WAIT)
    with transaction.atomic():
        give_up(list(lapsed.filter(hopeless).values_list("pk", flat=True)), now)
        questions: list[Question] = []
        if can_ask:
            found = list(lapsed.select_related("message")[:room])
            Message.objects.filter(pk__in={part.message_id for part in found}).update(lease_until=now + LEASE)
            questions = [Question(part.pk, part.reference, "") for part in found]
        due = list(Part.objects.filter(ask_at__lte=now).exclude(provider_id="")[: max(0, room - len(questions))])
        for part in due:
            part.asked += 1
            part.ask_at = _next_question(part)
        Part.objects.bulk_update(due, ["asked", "ask_at"])
    return questions + [Question(part.pk, part.reference, part.provider_id) for part in due]


def give_up(part_ids: list[int], now: datetime.datetime) -> None:
    """What cannot be settled is unknown from now on, and its message is not sent again."""
    if not part_ids:
        return
    Part.objects.filter(pk__in=part_ids, state=PartState.SUBMITTING).update(state=PartState.UNKNOWN)
    messages = list(Message.objects.filter(parts__in=part_ids, state__in=OPEN_STATES).distinct())
    # Its other parts would make no whole of it either.
    close(messages, State.UNKNOWN, now)


def waiting_count() -> int:
    """How many messages are open."""
    return Message.objects.filter(state__in=OPEN_STATES).count()


def _next_question(part: Part) -> datetime.datetime | None:
    if part.submitted_at is None or part.asked >= len(ASKED_AFTER):
        return None
    return part.submitted_at + ASKED_AFTER[part.asked]


# Some days longer than those who count them keep their own rows.
KEPT = datetime.timedelta(days=35)
EARLY_KEPT = datetime.timedelta(days=1)
OPT_OUT_KEPT = datetime.timedelta(days=730)
# A message that nobody sends, because the provider was taken away, keeps its number no longer than this.
ORPHANED = datetime.timedelta(hours=1)


def purge(now: datetime.datetime) -> None:
    """Delete rows that had their time, close what expired unsent, and take closed numbers out of the database's log."""
    close(list(Message.objects.filter(state__in=OPEN_STATES, expires_at__lte=now - ORPHANED)), State.EXPIRED, now)
    Message.objects.filter(closed_at__lte=now - KEPT).delete()
    _leave_the_day(now)
    EarlyReceipt.objects.filter(came_at__lte=now - EARLY_KEPT).delete()
    Once.objects.filter(until__lte=now).delete()
    OptOut.objects.filter(day__lte=(now - OPT_OUT_KEPT).date()).delete()
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            # What was emptied was overwritten (secure_delete); this takes it out of the log, too.
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _leave_the_day(now: datetime.datetime) -> None:
    """Of the closed messages of past days with a code keep the day alone: their minute would be that of the code."""
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    timed = Message.objects.filter(purpose=Purpose.CODE, closed_at__isnull=False, queued_at__lt=midnight)
    # One that has its day alone is queued and over in the same moment.
    timed = timed.exclude(expires_at=F("queued_at"))
    while (first := timed.order_by("queued_at").values_list("queued_at", flat=True).first()) is not None:
        day = timezone.localtime(first).replace(hour=0, minute=0, second=0, microsecond=0)
        of_day = timed.filter(queued_at__gte=day, queued_at__lt=day + datetime.timedelta(days=1))
        with transaction.atomic():
            Part.objects.filter(message__in=of_day).update(submitted_at=None, ask_at=None)
            of_day.update(queued_at=day, next_try_at=day, expires_at=day, submitted_at=None, closed_at=day)
