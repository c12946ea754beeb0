# SPDX-License-Identifier: Apache-2.0
"""Tell subscribed browsers that there are new files, at random times; the message names no disease and no person."""

import logging
import random
import threading
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from bluezone.keyserver.push import Subscription
from bluezone.logs import event_fields
from bluezone.refusal import Refused

if TYPE_CHECKING:
    from bluezone.keyserver.service import KeyServer

MESSAGE = '{"type":"check"}'
BATCH = 500
LOOK_SECONDS = 5.0
LATE_SECONDS = 60.0

logger = logging.getLogger(__name__)


class Outcome(Enum):
    """The result of sending a message."""

    SENT = "sent"
    GONE = "gone"
    FAILED = "failed"


class Provider(Protocol):
    """The interface for sending messages."""

    def send(self, subscriptions: Sequence[Subscription], body: str) -> list[Outcome]:
        """Send the message to each subscription; returns the outcomes, in the same order."""
        ...


class Announcer:
    """Announces new files to the subscribed browsers of a city.

    random_delay: draws seconds from 0 to its argument.
    """

    def __init__(
        self, server: "KeyServer", provider: Provider, random_delay: Callable[[float], float] | None = None
    ) -> None:
        self._server = server
        self._provider = provider
        self._random_delay = random_delay or (lambda longest: random.SystemRandom().uniform(0, longest))
        self._announced: int | None = None
        self._due: deque[tuple[float, str]] = deque()

    def send_due(self, now: float) -> int:
        """Schedule messages for a new file, and send one batch of those that are due. Returns the number sent.

        now: Unix seconds. Raises StoreRefused.
        """
        self._plan(now)
        due: list[str] = []
        while len(due) < BATCH and self._due and self._due[0][0] <= now:
            due.append(self._due.popleft()[1])
        # Some may have unsubscribed since they were scheduled.
        subscriptions = [subscription for subscription in map(self._server.push.find_subscription, due) if subscription]
        if not subscriptions:
            return 0
        endpoints: dict[Outcome, list[str]] = {outcome: [] for outcome in Outcome}
        for subscription, outcome in zip(subscriptions, self._provider.send(subscriptions, MESSAGE), strict=True):
            endpoints[outcome].append(subscription.endpoint)
        self._server.push.delete_subscriptions(endpoints[Outcome.GONE])
        self._server.push.note_proven(endpoints[Outcome.SENT])
        return len(endpoints[Outcome.SENT])

    def overdue_count(self, now: float) -> int:
        """The number of unsent messages that have been due for a minute or longer."""
        return sum(due <= now - LATE_SECONDS for due, _ in tuple(self._due))

    def _plan(self, now: float) -> None:
        index = self._server.indexes.read_index()
        newest = index.number if index else 0
        if self._announced is None:
            # What was published before this process started has been announced, or is old.
            self._announced = newest
        if newest <= self._announced:
            return
        self._announced = newest
        longest = float(self._server.city.push_delay_seconds)
        self._due = deque(
            sorted((now + self._random_delay(longest), endpoint) for endpoint in self._server.push.endpoints())
        )


def announce_until_stopped(stopped: threading.Event, server: "KeyServer", announcer: Announcer) -> None:
    """Announce new files until `stopped`. Run it in its own thread, so that a slow push service delays nothing else.

    Every error is logged and survived: an error in one message must not silently end all later ones.
    """
    while not stopped.wait(LOOK_SECONDS):
        try:
            announcer.send_due(server.clock())
        except Refused as refusal:
            logger.warning("push: %s", refusal.code, extra=event_fields("push_refused", code=refusal.code))
        except Exception:
            logger.exception("push failed", extra=event_fields("push_failed"))
