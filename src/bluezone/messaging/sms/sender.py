# SPDX-License-Identifier: Apache-2.0
"""The sender: a thread of the tick process that looks into the outbox twice a second.

It stores the provider's events in one transaction before it confirms them to the provider.
"""

import datetime
import logging
import threading
import time

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone

from bluezone.logs import event_fields
from bluezone.messaging.sms import claims
from bluezone.messaging.sms.events import store_events
from bluezone.messaging.sms.models import SenderState
from bluezone.messaging.sms.providers import Event, LogFile, Provider
from bluezone.messaging.sms.providers.logfile import LogFileProvider
from bluezone.messaging.sms.providers.smpp import SmppProvider
from bluezone.refusal import Refused

LOOK_SECONDS = 0.5
# While something is under way the next round starts as soon as an event arrives.
BUSY_SECONDS = 0.05
GATHER_SECONDS = 0.005
SETTLE_SECONDS = 2.0
REPORT_SECONDS = 30.0
_AFTER_TROUBLE_SECONDS = 2.0

log = logging.getLogger(__name__)


class Sender:
    """Sends through one provider. Used by one thread."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._settled_at = self._reported_at = float("-inf")
        self._reported_trouble: str | None = None
        # Events that are not stored yet: if the store cannot be reached, a later round stores them.
        self._unstored: list[Event] = []

    def send_due(self, now: datetime.datetime, wait_seconds: float = LOOK_SECONDS) -> int:
        """One round; the number of parts handed over. wait_seconds: how long to listen if there is nothing to do."""
        self._store(now)
        room = self._provider.capacity()
        handed_over = 0
        # No room while connected means that the window is full or the rate reached, which passes within a moment.
        busy = not room and not self._provider.trouble
        if room:
            room -= self._settle(now, room)
            claimed = claims.claim_due(now, room) if room > 0 else None
            if claimed is not None and claimed.parts:
                handed_over = len(claimed.parts)
                self._provider.submit(claimed.parts)
        self._unstored += self._provider.wait_for_events(BUSY_SECONDS if busy or handed_over else wait_seconds)
        # Answers arrive one by one, and every round costs the store the same: collect those that are on their way.
        while handed_over and (more := self._provider.wait_for_events(GATHER_SECONDS)):
            self._unstored += more
        self._store(now)
        self._report(now)
        return handed_over

    def close(self) -> None:
        """Store the events that have arrived and end the session; the next sender need not query their parts again."""
        self._unstored += self._provider.wait_for_events(0.0)
        self._store(timezone.now())
        self._provider.close()

    def _store(self, now: datetime.datetime) -> None:
        store_events(self._unstored, now)
        self._unstored = []
        self._provider.acknowledge()

    def _settle(self, now: datetime.datetime, room: int) -> int:
        """Query the parts with an unknown fate; the number of queries."""
        if time.monotonic() - self._settled_at < SETTLE_SECONDS:
            return 0
        questions = claims.claim_parts_to_query(now, self._provider.finds_references, room)
        if len(questions) < room:
            self._settled_at = time.monotonic()
        for question in questions:
            self._provider.query(question)
        return len(questions)

    def _report(self, now: datetime.datetime) -> None:
        trouble = self._provider.trouble
        if trouble == self._reported_trouble and time.monotonic() - self._reported_at < REPORT_SECONDS:
            return
        self._reported_trouble = trouble
        self._reported_at = time.monotonic()
        SenderState.objects.update_or_create(
            pk=1, defaults={"provider": self._provider.name, "trouble": trouble[:200], "said_at": now}
        )


def configured_provider() -> Provider | None:
    """The provider that BLUEZONE_SMS_URL names; None without this setting."""
    setting = settings.SMS
    if setting is None:
        return None
    if isinstance(setting, LogFile):
        return LogFileProvider(settings.DATA_FOLDER / setting.name)
    return SmppProvider(setting)


def send_until_stopped(stopped: threading.Event, provider: Provider | None = None) -> None:
    """Send until `stopped`, outside the tick, so that no work of the tick delays a message.

    Returns at once if no provider is passed or configured.
    """
    chosen = provider or configured_provider()
    if chosen is None:
        return
    sender = Sender(chosen)
    durable = False
    while not stopped.is_set():
        if connection.vendor != "sqlite":
            # PostgreSQL may have ended the connection. SQLite's stays open, with the setting of sync_every_commit.
            close_old_connections()
        try:
            if not durable:
                sync_every_commit()
                durable = True
            sender.send_due(timezone.now())
        except Exception as error:  # the messages of a city must not stop because of any error
            durable = False
            connection.close()
            code = error.code if isinstance(error, Refused) else type(error).__name__
            log.warning("sms: %s", code, extra=event_fields("sms_refused", code=code))
            stopped.wait(_AFTER_TROUBLE_SECONDS)
    try:
        sender.close()
    except (Refused, DatabaseError, OSError) as error:
        # The next sender queries the parts that are under way.
        log.warning("sms: %s", type(error).__name__, extra=event_fields("sms_refused", code=type(error).__name__))
    finally:
        connection.close()


def sync_every_commit() -> None:
    """Sync every commit: a mark must survive a power cut, or a message could be sent twice."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=FULL")
