# SPDX-License-Identifier: Apache-2.0
"""The sender: a thread of the tick process that looks into the outbox twice a second, and stores what the provider
said in one transaction before the provider hears that it is known.

For a city without an operator: what would have been sent is written to a file, and shown everywhere as not sent.

Numbers are written with their last two digits only, so that the file needs no purge of its own.
"""

import datetime
import json
import logging
import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.utils import timezone

from bluezone.logs import event
from bluezone.messaging.sms import leases, segmentation
from bluezone.messaging.sms.destinations import masked
from bluezone.messaging.sms.leases import ASKED_AFTER, close
from bluezone.messaging.sms.models import OPEN_STATES, EarlyReceipt, Message, Part, PartState, SenderState, State
from bluezone.messaging.sms.providers import (
    Accepted,
    Answer,
    Declined,
    Event,
    Fate,
    LogFile,
    Outgoing,
    Provider,
    Question,
    Receipt,
    Unanswered,
    Why,
)
from bluezone.messaging.sms.providers.smpp import SmppProvider
from bluezone.refusal import Refused

_ROOM = 50


class NotSent:
    """Appends a line of JSON for each part; sends nothing."""

    name = "file"
    finds_references = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self._events: list[Event] = []
        self.trouble = ""

    def room(self) -> int:
        """Always some."""
        return _ROOM

    def hand_over(self, parts: list[Outgoing]) -> None:
        """Write the parts; the outbox hears that none was sent."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8") as file:
            for part in parts:
                text = (
                    part.octets.decode("utf-16-be")
                    if part.data_coding
                    else segmentation.decode_default_alphabet(part.octets)
                )
                line = {"sent": False, "at": int(time.time()), "to": masked(part.destination), "text": text}
                file.write(json.dumps({**line, "part": part.number, "of": part.count}, ensure_ascii=False) + "\n")
                self._events.append(Accepted(part.part_id, "", is_sent=False))

    def ask(self, question: Question) -> None:
        """Nothing was ever sent, so what is not known to be written may be written again."""
        self._events.append(Answer(question.part_id, found=False))

    def listen(self, seconds: float) -> list[Event]:
        """What was written since."""
        events, self._events = self._events, []
        if not events:
            time.sleep(seconds)
        return events

    def confirm(self) -> None:
        """Nobody to tell."""

    def close(self) -> None:
        """Nothing is open."""


# Between tries of a message that the operator declined for now; the last pause repeats until it expires.
PAUSES = tuple(datetime.timedelta(seconds=seconds) for seconds in (5, 15, 60, 300, 900, 1800, 3600))
# A receipt that repeats our reference is of a part handed over no longer ago than this.
REFERENCE_DAYS = datetime.timedelta(days=3)

_STATES = {Fate.DELIVERED: PartState.DELIVERED, Fate.FAILED: PartState.FAILED, Fate.EXPIRED: PartState.EXPIRED}
# What a receipt may change: a part that failed stays failed, one that was delivered stays delivered.
_CHANGEABLE = (PartState.WAITING, PartState.SUBMITTING, PartState.ACCEPTED, PartState.UNKNOWN)


def store_events(events: Sequence[Event], now: datetime.datetime) -> None:
    """Store events in their order; an event of a part that is gone, or that was stored before, changes nothing."""
    if not events:
        return
    with transaction.atomic():
        known = {event.part_id for event in events if not isinstance(event, Receipt)}
        parts = {part.pk: part for part in Part.objects.filter(pk__in=known).select_related("message")}
        messages: dict[object, Message] = {}
        for part in parts.values():
            # One object a message, or what is said of its one part would undo what is said of the other.
            part.message = messages.setdefault(part.message_id, part.message)
        touched = _receipts(events, parts, messages, now)
        for event in events:
            if not isinstance(event, Receipt) and event.part_id in parts:
                part = parts[event.part_id]
                _apply(part, event, now)
                touched[part.pk] = part
        _early(touched.values())
        _write(touched.values())
        _bring_up({part.message_id: part.message for part in touched.values()}, now)


def _write(parts: Iterable[Part]) -> None:
    """One statement a part: bulk_update builds an expression for every value, which costs more than sending."""
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
        # Its receipt may have been quicker.
        if part.state in (PartState.WAITING, PartState.SUBMITTING, PartState.UNKNOWN):
            part.state = PartState.ACCEPTED if event.is_sent else PartState.NOT_SENT
            part.ask_at = now + ASKED_AFTER[0] if event.provider_id else None
    elif isinstance(event, Declined):
        _declined(part, message, event, now)
    elif isinstance(event, Unanswered):
        # Marked still: the lease ends now, so that it is asked for at the next connection.
        message.lease_until = now
    else:
        _answered(part, message, event, now)


def _declined(part: Part, message: Message, event: Declined, now: datetime.datetime) -> None:
    message.trouble = event.trouble
    if event.why is Why.FINAL:
        part.state = PartState.FAILED
        return
    part.state = PartState.WAITING
    if event.why is Why.LATER:
        message.next_try_at = now + PAUSES[min(message.tries, len(PAUSES) - 1)]
        message.tries += 1


def _answered(part: Part, message: Message, event: Answer, now: datetime.datetime) -> None:
    if part.state == PartState.SUBMITTING:
        # A name that is another part's already is an older message with the same reference: not ours.
        others = event.found and Part.objects.filter(provider_id=event.provider_id).exclude(pk=part.pk).exists()
        if event.found and not others and event.provider_id:
            part.state, part.provider_id = _STATES.get(event.fate, PartState.ACCEPTED), event.provider_id
            part.ask_at = now + ASKED_AFTER[0]
        elif event.found is False or others:
            part.state = PartState.WAITING
            message.next_try_at = now
        else:
            part.state = PartState.UNKNOWN
    elif part.state == PartState.ACCEPTED and event.found:
        part.state = _STATES.get(event.fate, part.state)
    if part.state not in (PartState.ACCEPTED, PartState.SUBMITTING):
        part.ask_at = None


def _bring_up(messages: dict[object, Message], now: datetime.datetime) -> None:
    """Bring messages to what their parts say, and close those that are open no longer."""
    states: dict[object, list[str]] = defaultdict(list)
    for message_id, state in Part.objects.filter(message__in=messages).values_list("message_id", "state"):
        states[message_id].append(state)
    closing: dict[State, list[Message]] = defaultdict(list)
    open_still, done = [], []
    for pk, message in messages.items():
        found = state_of(states[pk])
        if found in OPEN_STATES and message.state in OPEN_STATES:
            under_way = PartState.SUBMITTING in states[pk]
            message.state = State.SENDING if under_way else State.WAITING
            # What is under way keeps its lease, or it would be taken for lost.
            message.lease_until = message.lease_until if under_way else now
            open_still.append(message)
        elif message.state in OPEN_STATES:
            closing[found].append(message)
        elif found not in OPEN_STATES:
            message.state = found
            done.append(message)
    if open_still:
        Message.objects.bulk_update(open_still, ["next_try_at", "tries", "trouble", "lease_until", "state"])
    for state in {message.state for message in done}:
        Message.objects.filter(pk__in=[message.pk for message in done if message.state == state]).update(state=state)
    for state, ended in closing.items():
        troubles = {message.trouble for message in ended}
        for trouble in troubles:
            close([message for message in ended if message.trouble == trouble], state, now, trouble)


def state_of(parts: Iterable[str]) -> State:
    """The state of a message from those of its parts: the worst that is certain, delivered only when all are."""
    found = set(parts)
    if PartState.FAILED in found:
        return State.FAILED
    if PartState.EXPIRED in found:
        return State.EXPIRED
    if PartState.UNKNOWN in found:
        return State.UNKNOWN
    if found & {PartState.WAITING, PartState.SUBMITTING}:
        return State.SENDING
    if found == {PartState.DELIVERED}:
        return State.DELIVERED
    return State.NOT_SENT if PartState.NOT_SENT in found else State.SENT


def _receipts(
    events: Sequence[Event], parts: dict[int, Part], messages: dict[object, Message], now: datetime.datetime
) -> dict[int, Part]:
    """Note what receipts say of parts; one that belongs to none yet is kept for a day. Returns the parts changed."""
    fresh = {one.provider_id for one in events if isinstance(one, Accepted)}
    changed: dict[int, Part] = {}
    for receipt in (one for one in events if isinstance(one, Receipt)):
        if receipt.fate not in _STATES:
            continue
        found = None if receipt.provider_id in fresh else _part_of(receipt, now)
        if found is None:
            _keep(receipt, now)
            continue
        part = changed.get(found.pk) or parts.get(found.pk) or found
        part.message = messages.setdefault(part.message_id, part.message)
        if part.state in _CHANGEABLE:
            part.state, part.ask_at = _STATES[receipt.fate], None
            part.provider_id = part.provider_id or receipt.provider_id
            changed[part.pk] = part
    return changed


def _part_of(receipt: Receipt, now: datetime.datetime) -> Part | None:
    every = Part.objects.select_related("message")
    if receipt.reference is not None:
        # Newest first: a number of 16 bits is used again after 65,536 parts.
        recent = every.filter(reference=receipt.reference, submitted_at__gte=now - REFERENCE_DAYS)
        part = recent.filter(provider_id__in=["", receipt.provider_id]).order_by("-submitted_at").first()
        if part is not None:
            return part
    names = same_names(receipt.provider_id)
    found = {part.provider_id: part for part in every.filter(provider_id__in=names)} if names else {}
    return next((found[name] for name in names if name in found), None)


def same_names(provider_id: str) -> list[str]:
    """How an operator may have written the same id in its answer: as it is, then hexadecimal against decimal."""
    plain = provider_id.strip()
    names = [plain] if plain else []
    if plain.isascii() and plain.isdigit():
        names += [f"{int(plain):x}", f"{int(plain):X}", f"{int(plain):08X}", f"{int(plain):08x}"]
    if 0 < len(plain) <= 16 and all(character in "0123456789abcdefABCDEF" for character in plain):
        names += [str(int(plain, 16))]
    return list(dict.fromkeys(names))


def _keep(receipt: Receipt, now: datetime.datetime) -> None:
    if receipt.provider_id:
        EarlyReceipt.objects.update_or_create(
            provider_id=receipt.provider_id[:65], defaults={"fate": receipt.fate.value, "came_at": now}
        )


def _early(parts: Iterable[Part]) -> None:
    """Apply receipts that came before the answer to the submit."""
    names = {name: part for part in parts if part.state == PartState.ACCEPTED for name in same_names(part.provider_id)}
    if not names:
        return
    for early in EarlyReceipt.objects.filter(provider_id__in=names):
        part = names[early.provider_id]
        part.state, part.ask_at = _STATES[Fate(early.fate)], None
        early.delete()


LOOK_SECONDS = 0.5
# With something under way the next round begins as soon as anything is heard.
BUSY_SECONDS = 0.05
GATHER_SECONDS = 0.005
SETTLE_SECONDS = 2.0
SAY_SECONDS = 30.0
_AFTER_TROUBLE_SECONDS = 2.0

log = logging.getLogger(__name__)


class Sender:
    """Sends through one provider. Used by one thread."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._settled_at = self._said_at = float("-inf")
        self._said: str | None = None
        # Heard and not stored yet: kept over a moment in which the store cannot be reached.
        self._heard: list[Event] = []

    def go_on(self, now: datetime.datetime, wait_seconds: float = LOOK_SECONDS) -> int:
        """One round; how many parts were handed over. wait_seconds: how long to listen when there is nothing to do."""
        self._store(now)
        room, handed_over = self._provider.room(), 0
        # No room while connected: the window is full or the rate reached, which passes within a moment.
        busy = not room and not self._provider.trouble
        if room:
            room -= self._settle(now, room)
            claimed = leases.claim(now, room) if room > 0 else None
            if claimed is not None and claimed.parts:
                handed_over = len(claimed.parts)
                self._provider.hand_over(claimed.parts)
        self._heard += self._provider.listen(BUSY_SECONDS if busy or handed_over else wait_seconds)
        # Answers come one by one, and each round costs the store the same: take along those that are on their way.
        while handed_over and (more := self._provider.listen(GATHER_SECONDS)):
            self._heard += more
        self._store(now)
        self._say(now)
        return handed_over

    def close(self) -> None:
        """End the session; hear what came until now, so that nothing answered is asked for again."""
        self._heard += self._provider.listen(0.0)
        self._store(timezone.now())
        self._provider.close()

    def _store(self, now: datetime.datetime) -> None:
        store_events(self._heard, now)
        self._heard = []
        self._provider.confirm()

    def _settle(self, now: datetime.datetime, room: int) -> int:
        """Ask for parts whose fate is not known; how many were asked for."""
        if time.monotonic() - self._settled_at < SETTLE_SECONDS:
            return 0
        questions = leases.unsettled(now, self._provider.finds_references, room)
        if len(questions) < room:
            self._settled_at = time.monotonic()
        for question in questions:
            self._provider.ask(question)
        return len(questions)

    def _say(self, now: datetime.datetime) -> None:
        trouble = self._provider.trouble
        if trouble == self._said and time.monotonic() - self._said_at < SAY_SECONDS:
            return
        self._said, self._said_at = trouble, time.monotonic()
        SenderState.objects.update_or_create(
            pk=1, defaults={"provider": self._provider.name, "trouble": trouble[:200], "said_at": now}
        )


def provider_of_settings() -> Provider | None:
    """The provider that BLUEZONE_SMS_URL names."""
    named = settings.SMS
    if named is None:
        return None
    return NotSent(settings.DATA_FOLDER / named.name) if isinstance(named, LogFile) else SmppProvider(named)


def send_until(stopped: threading.Event, provider: Provider | None = None) -> None:
    """Send until `stopped`, beside the tick, so that nothing there holds a message up; nothing without a provider."""
    chosen = provider or provider_of_settings()
    if chosen is None:
        return
    sender = Sender(chosen)
    durable = False
    while not stopped.is_set():
        if connection.vendor != "sqlite":
            # A server may have ended it; SQLite's is kept, with what make_durable set.
            close_old_connections()
        try:
            if not durable:
                make_durable()
                durable = True
            sender.go_on(timezone.now())
        except Exception as error:  # whatever it is, the messages of a city must not stop with this thread
            durable = False
            connection.close()
            code = error.code if isinstance(error, Refused) else type(error).__name__
            log.warning("sms: %s", code, extra=event("sms_refused", code=code))
            stopped.wait(_AFTER_TROUBLE_SECONDS)
    try:
        sender.close()
    except (Refused, DatabaseError, OSError) as error:
        # What was under way is settled by the next sender.
        log.warning("sms: %s", type(error).__name__, extra=event("sms_refused", code=type(error).__name__))
    finally:
        connection.close()


def make_durable() -> None:
    """A mark must outlive a power cut, or a message could go out twice; the office else syncs less often."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=FULL")
