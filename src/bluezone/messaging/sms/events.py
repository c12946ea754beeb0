# SPDX-License-Identifier: Apache-2.0
"""Store the provider's events: the new states of parts, and of the messages that they belong to."""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db import connection, transaction

from bluezone.messaging.sms.claims import ASK_AFTER, close_messages
from bluezone.messaging.sms.models import OPEN_STATES, EarlyReceipt, Message, Part, PartState, State
from bluezone.messaging.sms.providers import (
    Accepted,
    Answer,
    Declined,
    DeclineReason,
    DeliveryState,
    Event,
    Receipt,
    Unanswered,
)
from bluezone.messaging.sms.retries import RETRY_PAUSES

# A receipt with our reference is matched only to parts handed over within this time.
REFERENCE_DAYS = datetime.timedelta(days=3)
_STATES = {
    DeliveryState.DELIVERED: PartState.DELIVERED,
    DeliveryState.FAILED: PartState.FAILED,
    DeliveryState.EXPIRED: PartState.EXPIRED,
}
# States that a receipt may change: a failed part stays failed, a delivered one stays delivered.
_CHANGEABLE = (PartState.WAITING, PartState.SUBMITTING, PartState.ACCEPTED, PartState.UNKNOWN)


def store_events(events: Sequence[Event], now: datetime.datetime) -> None:
    """Store events in their order; an event of a deleted part, or one that was stored before, changes nothing."""
    if not events:
        return
    with transaction.atomic():
        part_ids = {event.part_id for event in events if not isinstance(event, Receipt)}
        parts = {part.pk: part for part in Part.objects.filter(pk__in=part_ids).select_related("message")}
        messages: dict[object, Message] = {}
        for part in parts.values():
            # The parts of a message share one object, or the change of one part would undo that of another.
            part.message = messages.setdefault(part.message_id, part.message)
        touched = _apply_receipts(events, parts, messages, now)
        for event in events:
            if not isinstance(event, Receipt) and event.part_id in parts:
                part = parts[event.part_id]
                _apply(part, event, now)
                touched[part.pk] = part
        _apply_early(touched.values())
        _write(touched.values())
        _update_messages({part.message_id: part.message for part in touched.values()}, now)


def _write(parts: Iterable[Part]) -> None:
    """Store parts with one statement each: bulk_update builds an expression for each value, which is too slow."""
    moment = connection.ops.adapt_datetimefield_value
    rows = [[part.state, part.provider_id, moment(part.ask_at), part.pk] for part in parts]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(
                f"UPDATE {Part._meta.db_table} SET state = %s, provider_id = %s, ask_at = %s WHERE id = %s",  # noqa: S608 - our table
                rows,
            )


def _apply(part: Part, event: Accepted | Declined | Unanswered | Answer, now: datetime.datetime) -> None:
    message = part.message
    if isinstance(event, Accepted):
        part.provider_id = event.provider_id
        # Its receipt may have arrived first.
        if part.state in (PartState.WAITING, PartState.SUBMITTING, PartState.UNKNOWN):
            part.state = PartState.ACCEPTED if event.is_sent else PartState.NOT_SENT
            part.ask_at = now + ASK_AFTER[0] if event.provider_id else None
    elif isinstance(event, Declined):
        _apply_declined(part, message, event, now)
    elif isinstance(event, Unanswered):
        # It stays SUBMITTING; the lease ends now, so that the next connection queries it.
        message.lease_until = now
    else:
        _apply_answer(part, message, event, now)


def _apply_declined(part: Part, message: Message, event: Declined, now: datetime.datetime) -> None:
    message.trouble = event.trouble
    if event.why is DeclineReason.FINAL:
        part.state = PartState.FAILED
        return
    part.state = PartState.WAITING
    if event.why is DeclineReason.LATER:
        message.next_try_at = now + RETRY_PAUSES[min(message.tries, len(RETRY_PAUSES) - 1)]
        message.tries += 1


def _apply_answer(part: Part, message: Message, event: Answer, now: datetime.datetime) -> None:
    if part.state == PartState.SUBMITTING:
        # If another part has this id, the answer is about an older message with the same reference, not about ours.
        is_of_other_part = (
            event.is_known and Part.objects.filter(provider_id=event.provider_id).exclude(pk=part.pk).exists()
        )
        if event.is_known and not is_of_other_part and event.provider_id:
            part.state = _STATES.get(event.fate, PartState.ACCEPTED)
            part.provider_id = event.provider_id
            part.ask_at = now + ASK_AFTER[0]
        elif event.is_known is False or is_of_other_part:
            part.state = PartState.WAITING
            message.next_try_at = now
        else:
            part.state = PartState.UNKNOWN
    elif part.state == PartState.ACCEPTED and event.is_known:
        part.state = _STATES.get(event.fate, part.state)
    if part.state not in (PartState.ACCEPTED, PartState.SUBMITTING):
        part.ask_at = None


def _update_messages(messages: dict[object, Message], now: datetime.datetime) -> None:
    """Update messages from the states of their parts, and close those that are no longer open."""
    states: dict[object, list[str]] = defaultdict(list)
    for message_id, state in Part.objects.filter(message__in=messages).values_list("message_id", "state"):
        states[message_id].append(state)
    closing: dict[State, list[Message]] = defaultdict(list)
    still_open = []
    done = []
    for pk, message in messages.items():
        new_state = message_state(states[pk])
        if new_state in OPEN_STATES and message.state in OPEN_STATES:
            if PartState.SUBMITTING in states[pk]:
                # It keeps its lease, or another sender would take it for lost.
                message.state = State.SENDING
            else:
                message.state = State.WAITING
                message.lease_until = now
            still_open.append(message)
        elif message.state in OPEN_STATES:
            closing[new_state].append(message)
        elif new_state not in OPEN_STATES:
            message.state = new_state
            done.append(message)
    if still_open:
        Message.objects.bulk_update(still_open, ["next_try_at", "tries", "trouble", "lease_until", "state"])
    for state in {message.state for message in done}:
        Message.objects.filter(pk__in=[message.pk for message in done if message.state == state]).update(state=state)
    for state, ending in closing.items():
        troubles = {message.trouble for message in ending}
        for trouble in troubles:
            close_messages([message for message in ending if message.trouble == trouble], state, now, trouble)


def message_state(parts: Iterable[str]) -> State:
    """The state of a message from those of its parts: the worst certain one; delivered only if all are."""
    states = set(parts)
    if PartState.FAILED in states:
        return State.FAILED
    if PartState.EXPIRED in states:
        return State.EXPIRED
    if PartState.UNKNOWN in states:
        return State.UNKNOWN
    if states & {PartState.WAITING, PartState.SUBMITTING}:
        return State.SENDING
    if states == {PartState.DELIVERED}:
        return State.DELIVERED
    return State.NOT_SENT if PartState.NOT_SENT in states else State.SENT


def _apply_receipts(
    events: Sequence[Event], parts: dict[int, Part], messages: dict[object, Message], now: datetime.datetime
) -> dict[int, Part]:
    """Apply receipts to their parts, and store those without a part for a day.

    Returns the changed parts by primary key.
    """
    newly_accepted = {item.provider_id for item in events if isinstance(item, Accepted)}
    changed: dict[int, Part] = {}
    for receipt in events:
        if not isinstance(receipt, Receipt) or receipt.fate not in _STATES:
            continue
        match = None if receipt.provider_id in newly_accepted else _part_of(receipt, now)
        if match is None:
            _store_early(receipt, now)
            continue
        part = changed.get(match.pk) or parts.get(match.pk) or match
        part.message = messages.setdefault(part.message_id, part.message)
        if part.state in _CHANGEABLE:
            part.state = _STATES[receipt.fate]
            part.ask_at = None
            part.provider_id = part.provider_id or receipt.provider_id
            changed[part.pk] = part
    return changed


def _part_of(receipt: Receipt, now: datetime.datetime) -> Part | None:
    all_parts = Part.objects.select_related("message")
    if receipt.reference is not None:
        # Newest first: a reference of 16 bits is used again after 65,536 parts.
        recent = all_parts.filter(reference=receipt.reference, submitted_at__gte=now - REFERENCE_DAYS)
        part = recent.filter(provider_id__in=["", receipt.provider_id]).order_by("-submitted_at").first()
        if part is not None:
            return part
    names = id_spellings(receipt.provider_id)
    parts = {part.provider_id: part for part in all_parts.filter(provider_id__in=names)} if names else {}
    return next((parts[name] for name in names if name in parts), None)


def id_spellings(provider_id: str) -> list[str]:
    """The spellings of an id in the operator's answers: unchanged, then hexadecimal for decimal and vice versa."""
    plain = provider_id.strip()
    names = [plain] if plain else []
    if plain.isascii() and plain.isdigit():
        names += [f"{int(plain):x}", f"{int(plain):X}", f"{int(plain):08X}", f"{int(plain):08x}"]
    if 0 < len(plain) <= 16 and all(character in "0123456789abcdefABCDEF" for character in plain):
        names += [str(int(plain, 16))]
    return list(dict.fromkeys(names))


def _store_early(receipt: Receipt, now: datetime.datetime) -> None:
    if receipt.provider_id:
        EarlyReceipt.objects.update_or_create(
            provider_id=receipt.provider_id[:65], defaults={"fate": receipt.fate.value, "came_at": now}
        )


def _apply_early(parts: Iterable[Part]) -> None:
    """Apply receipts that arrived before the answer to the submit."""
    names: dict[str, Part] = {}
    for part in parts:
        if part.state == PartState.ACCEPTED:
            names |= dict.fromkeys(id_spellings(part.provider_id), part)
    if not names:
        return
    for early in EarlyReceipt.objects.filter(provider_id__in=names):
        part = names[early.provider_id]
        part.state = _STATES[DeliveryState(early.fate)]
        part.ask_at = None
        early.delete()
