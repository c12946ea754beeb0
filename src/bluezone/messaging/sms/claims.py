# SPDX-License-Identifier: Apache-2.0
"""Claim messages of the outbox for one sender, and close them.

Each part is marked in the store before a byte is sent.
"""

import datetime
import json
import secrets
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Q

from bluezone.messaging.sms.models import (
    OPEN_STATES,
    Message,
    Once,
    OptOut,
    Part,
    PartState,
    Purpose,
    State,
)
from bluezone.messaging.sms.providers import OutgoingPart, StatusQuery
from bluezone.messaging.sms.segmentation import SegmentedText, segment_text
from bluezone.office_secrets import SealBroken, unseal

# After these states the number may get the notice later, since no message has reached it.
_ALLOW_REPEAT = {State.FAILED, State.EXPIRED, State.SUPPRESSED, State.NOT_SENT}

# Longer than a provider waits for an answer; the death of a sender delays a message by this.
LEASE = datetime.timedelta(seconds=20)
# How long a part without an answer waits for its receipt if the operator cannot be queried.
RECEIPT_WAIT = datetime.timedelta(minutes=5)
# When to query the fate of an accepted part without receipt; after the last query it stays "sent".
ASK_AFTER = tuple(datetime.timedelta(minutes=minutes) for minutes in (15, 120, 1440))
_REFERENCES = 65_536


def close_messages(messages: list[Message], state: State, now: datetime.datetime, trouble: str = "") -> None:
    """Close open messages with a closed state, and delete number, hash and text of each."""
    if not messages:
        return
    keys = [message.once_key for message in messages if message.once_key and state in _ALLOW_REPEAT]
    if keys:
        Once.objects.filter(key__in=keys).delete()
    changes: dict[str, object] = {"trouble": trouble} if trouble else {}
    Message.objects.filter(pk__in=[message.pk for message in messages], state__in=OPEN_STATES).update(
        state=state, closed_at=now, sealed=None, destination_hash="", once_key="", lease="", lease_until=None, **changes
    )


@dataclass(frozen=True)
class ClaimedParts:
    """A lease, and the parts to hand over now."""

    lease: str
    parts: list[OutgoingPart]


def claim_due(now: datetime.datetime, room: int) -> ClaimedParts:
    """Lease due messages, at most `room` parts, most urgent and oldest first; mark each part as being submitted.

    Closes messages that are too old, or to a number that has opted out since. Two senders never get the same message.
    """
    lease = secrets.token_hex(8)
    free = Q(lease_until__isnull=True) | Q(lease_until__lte=now)
    with transaction.atomic():
        due = Message.objects.filter(free, state__in=OPEN_STATES, next_try_at__lte=now)
        # A message with an unanswered part is continued only after the fate of that part is known.
        due = due.exclude(parts__state=PartState.SUBMITTING)
        pks = list(due.order_by("urgency", "next_try_at", "queued_at").values_list("pk", flat=True)[:room])
        if not pks:
            return ClaimedParts(lease, [])
        Message.objects.filter(free, pk__in=pks, state__in=OPEN_STATES).update(
            lease=lease, lease_until=now + LEASE, state=State.SENDING
        )
        messages = list(
            Message.objects.filter(pk__in=pks, lease=lease).order_by("urgency", "queued_at").prefetch_related("parts")
        )
        messages = _close_stale(messages, now)
        return ClaimedParts(lease, _mark_submitting(messages, now, room))


def _close_stale(messages: list[Message], now: datetime.datetime) -> list[Message]:
    """Close messages that are too old or to a number that has opted out. Returns the remaining ones."""
    hashes = {message.destination_hash for message in messages if message.purpose != Purpose.CODE}
    opted_out = set(OptOut.objects.filter(destination_hash__in=hashes).values_list("destination_hash", flat=True))
    old = [message for message in messages if message.expires_at <= now]
    stopped = [
        message
        for message in messages
        if message not in old and message.purpose != Purpose.CODE and message.destination_hash in opted_out
    ]
    close_messages(old, State.EXPIRED, now)
    close_messages(stopped, State.SUPPRESSED, now)
    closed = {message.pk for message in (*old, *stopped)}
    return [message for message in messages if message.pk not in closed]


def _mark_submitting(messages: list[Message], now: datetime.datetime, room: int) -> list[OutgoingPart]:
    """Mark up to `room` waiting parts as being submitted. Returns them as the provider takes them."""
    out: list[OutgoingPart] = []
    part_pks: list[int] = []
    message_pks = []
    for message in messages:
        waiting = [part for part in message.parts.all() if part.state == PartState.WAITING][: room - len(out)]
        if not waiting:
            Message.objects.filter(pk=message.pk).update(lease="", lease_until=None)
            continue
        try:
            number, text = json.loads(unseal(bytes(message.sealed or b""), f"sms {message.pk}"))
        except SealBroken:
            close_messages([message], State.FAILED, now, "seal broken")
            continue
        part_pks += [part.pk for part in waiting]
        message_pks.append(message.pk)
        out += _outgoing(message, waiting, number, segment_text(text), now)
    Part.objects.filter(pk__in=part_pks).update(
        state=PartState.SUBMITTING, submitted_at=now, reference=F("pk") % _REFERENCES
    )
    Message.objects.filter(pk__in=message_pks, submitted_at__isnull=True).update(submitted_at=now)
    return out


def _outgoing(
    message: Message, parts: list[Part], number: str, measured: SegmentedText, now: datetime.datetime
) -> list[OutgoingPart]:
    return [
        OutgoingPart(
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


def claim_parts_to_query(now: datetime.datetime, can_ask: bool, room: int) -> list[StatusQuery]:
    """Parts to query: handed over by a sender that is gone, or accepted long ago without a receipt.

    can_ask: whether the operator finds a part by our reference; if not, unanswered parts become unknown after a while.
    """
    free = Q(message__lease_until__isnull=True) | Q(message__lease_until__lte=now)
    lapsed = Part.objects.filter(free, state=PartState.SUBMITTING)
    hopeless = Q(message__expires_at__lte=now) if can_ask else Q(submitted_at__lte=now - RECEIPT_WAIT)
    with transaction.atomic():
        give_up(list(lapsed.filter(hopeless).values_list("pk", flat=True)), now)
        questions: list[StatusQuery] = []
        if can_ask:
            lapsed_parts = list(lapsed.select_related("message")[:room])
            Message.objects.filter(pk__in={part.message_id for part in lapsed_parts}).update(lease_until=now + LEASE)
            questions = [StatusQuery(part.pk, part.reference, "") for part in lapsed_parts]
        due = list(Part.objects.filter(ask_at__lte=now).exclude(provider_id="")[: max(0, room - len(questions))])
        for part in due:
            part.asked += 1
            part.ask_at = _next_ask_at(part)
        Part.objects.bulk_update(due, ["asked", "ask_at"])
    return questions + [StatusQuery(part.pk, part.reference, part.provider_id) for part in due]


def give_up(part_ids: list[int], now: datetime.datetime) -> None:
    """Set parts that cannot be settled to unknown; their messages are not sent again."""
    if not part_ids:
        return
    Part.objects.filter(pk__in=part_ids, state=PartState.SUBMITTING).update(state=PartState.UNKNOWN)
    messages = list(Message.objects.filter(parts__in=part_ids, state__in=OPEN_STATES).distinct())
    # The other parts of the message would be useless without this one.
    close_messages(messages, State.UNKNOWN, now)


def waiting_count() -> int:
    """The number of open messages."""
    return Message.objects.filter(state__in=OPEN_STATES).count()


def _next_ask_at(part: Part) -> datetime.datetime | None:
    if part.submitted_at is None or part.asked >= len(ASK_AFTER):
        return None
    return part.submitted_at + ASK_AFTER[part.asked]
