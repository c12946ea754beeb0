# SPDX-License-Identifier: Apache-2.0
"""A word to browsers that there are new files, with no disease and no name in it: whom to tell, and when."""

import logging
import random
import threading
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from bluezone.keyserver.push import Subscription
from bluezone.logs import event
from bluezone.refusal import Refused

if TYPE_CHECKING:
    from bluezone.keyserver.service import KeyServer

MESSAGE = '{"type":"check"}'
BATCH = 500
LOOK_SECONDS = 5.0
LATE_SECONDS = 60.0

logger = logging.getLogger(__name__)


class Outcome(Enum):
    """What became of a message."""

    SENT = "sent"
    GONE = "gone"
    FAILED = "failed"


class Provider(Protocol):
    """What the announcer needs of a way to send."""

    def send(self, subscriptions: Sequence[Subscription], body: str) -> list[Outcome]:
        """Send one message to each and say in their order what became of it."""
        ...


class Announcer:
    """Tells the browsers of one city. random_delay: draws seconds from 0 to its argument."""

    def __init__(
        self, server: "KeyServer", provider: Provider, random_delay: Callable[[float], float] | None = None
    ) -> None:
        self._server = server
        self._provider = provider
        self._random_delay = random_delay or (lambda longest: random.SystemRandom().uniform(0, longest))
        self._announced: int | None = None
        self._due: deque[tuple[float, str]] = deque()

    def go_on(self, now: float) -> int:
        """Plan what a new file calls for, and send what is due, a batch of it; returns how many were sent.

        now: Unix seconds. Raises StoreRefused.
        """
        self._plan(now)
        due: list[str] = []
        while len(due) < BATCH and self._due and self._due[0][0] <= now:
            due.append(self._due.popleft()[1])
        # Looked up again: some may have unsubscribed meanwhile.
        subscriptions = [found for endpoint in due if (found := self._server.push.find(endpoint))]
        if not subscriptions:
            return 0
        endpoints: dict[Outcome, list[str]] = {outcome: [] for outcome in Outcome}
        for subscription, outcome in zip(subscriptions, self._provider.send(subscriptions, MESSAGE), strict=True):
            endpoints[outcome].append(subscription.endpoint)
        self._server.push.forget(endpoints[Outcome.GONE])
        self._server.push.prove(endpoints[Outcome.SENT])
        return len(endpoints[Outcome.SENT])

    def overdue(self, now: float) -> int:
        """How many should have been told a minute ago."""
        return sum(due <= now - LATE_SECONDS for due, _ in tuple(self._due))

    def _plan(self, now: float) -> None:
        index = self._server.indexes.read()
        newest = index.number if index else 0
        if self._announced is None:
            # What was published before this process began has been told, or is old.
            self._announced = newest
        if newest <= self._announced:
            return
        self._announced = newest
        longest = float(self._server.city.push_delay_seconds)
        self._due = deque(
            sorted((now + self._random_delay(longest), endpoint) for endpoint in self._server.push.endpoints())
        )


def announce_until(stopped: threading.Event, server: "KeyServer", announcer: Announcer) -> None:
    """Tell browsers until `stopped`; beside the tick, so that a slow push service holds nothing up.

    Whatever fails once is tried again: an error in one message must not end all later ones without a word.
    """
    while not stopped.wait(LOOK_SECONDS):
        try:
            announcer.go_on(server.clock())
        except Refused as refused:
            logger.warning("push: %s", refused.code, extra=event("push_refused", code=refused.code))
        except Exception:
            logger.exception("push failed", extra=event("push_failed"))
