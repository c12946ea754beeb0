# SPDX-License-Identifier: Apache-2.0
"""The sender: a thread of the tick process that looks into the outbox twice a second and never sleeps on a message.

claim (marks) -> hand over -> listen -> store -> confirm, again and again. Killed anywhere in between, the next sender
finds what was marked and settles it before anything is handed over again.
"""

import datetime
import logging
import threading
import time

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone

from bluezone.logs import event
from bluezone.messaging.sms import leases, receipts
from bluezone.messaging.sms.models import SenderState
from bluezone.messaging.sms.providers import Event, Provider
from bluezone.messaging.sms.providers.address import LogFile
from bluezone.messaging.sms.providers.notsent import NotSent
from bluezone.messaging.sms.providers.smpp import SmppProvider
from bluezone.refusal import Refused

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
        receipts.store_events(self._heard, now)
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
