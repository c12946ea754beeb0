# SPDX-License-Identifier: Apache-2.0
"""Web Push: a word to browsers that there are new files, with no disease and no name in it, sealed and signed for each
browser's push service.
"""

import asyncio
import base64
import ipaddress
import logging
import random
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import ResolveResult
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from py_vapid import Vapid02  # type: ignore[import-untyped]
from pywebpush import WebPusher, WebPushException  # type: ignore[import-untyped]

from bluezone.keyserver.push import Subscription
from bluezone.logs import event
from bluezone.refusal import Refused

if TYPE_CHECKING:
    from bluezone.keyserver.service import KeyServer


# For a whole exchange: name, connection, TLS, request and the head of the answer.
DEADLINE_SECONDS = 10.0
# As long as phones wait between two looks at most: after that the message says nothing new.
TTL_SECONDS = 4 * 3600
# How long a push service may take our signature for ours.
SIGNED_SECONDS = 12 * 3600
AT_ONCE = 50
# After so many failures of one push service in a batch the rest for it are not tried: it is down.
PATIENCE = 20
_GONE = (404, 410)


class Outcome(Enum):
    """What became of a message."""

    SENT = "sent"
    GONE = "gone"
    FAILED = "failed"


class PublicResolver(aiohttp.ThreadedResolver):
    """Gives the addresses of a name that lie in the public internet. Raises OSError where there are none."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await super().resolve(host, port, family)
        public = [one for one in found if _is_public(one["host"])]
        if not public:
            raise OSError("the address leads into a private network")
        return public


def public_connector() -> aiohttp.TCPConnector:
    """Reaches names of the public internet and nothing else."""
    return aiohttp.TCPConnector(resolver=PublicResolver())


class WebPushProvider:
    """Sends for one city.

    private_key: the city's P-256 key, whose public half browsers subscribed with.
    contact:     https address that a push service may turn to.
    connector:   how to reach push services; a test gives one that reaches this machine.
    deadline_seconds: for a whole exchange.
    """

    def __init__(
        self,
        private_key: EllipticCurvePrivateKey,
        contact: str,
        connector: Callable[[], aiohttp.BaseConnector] = public_connector,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._vapid = Vapid02(private_key)
        self._contact = contact
        self._connector = connector
        self._deadline_seconds = deadline_seconds

    def send(self, subscriptions: Sequence[Subscription], body: str) -> list[Outcome]:
        """Send one message to each, fifty at once, and say in their order what became of it.

        An address that is not there any more is `GONE`, everything else that fails `FAILED`. One that does not answer
        costs its own deadline and delays nobody else; a service of which twenty failed is not tried further.
        """
        return asyncio.run(self._send(subscriptions, body))

    async def _send(self, subscriptions: Sequence[Subscription], body: str) -> list[Outcome]:
        turns, failures = asyncio.Semaphore(AT_ONCE), Counter[str]()

        async def send(subscription: Subscription) -> Outcome:
            host = urlsplit(subscription.endpoint).netloc
            async with turns:
                if failures[host] >= PATIENCE:
                    return Outcome.FAILED
                outcome = await self._exchange(session, subscription, body)
                failures[host] += outcome is Outcome.FAILED
                return outcome

        # Nothing of the environment (proxies, .netrc), no cookies.
        async with aiohttp.ClientSession(
            connector=self._connector(), trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            return await asyncio.gather(*map(send, subscriptions))

    async def _exchange(self, session: aiohttp.ClientSession, subscription: Subscription, body: str) -> Outcome:
        try:
            async with asyncio.timeout(self._deadline_seconds):
                request = self._request(subscription, body)
                async with session.post(subscription.endpoint, allow_redirects=False, **request) as response:
                    status = response.status
        except (WebPushException, aiohttp.ClientError, TimeoutError, ValueError, OSError):
            return Outcome.FAILED
        if status in _GONE:
            return Outcome.GONE
        return Outcome.SENT if 200 <= status < 300 else Outcome.FAILED

    def _request(self, subscription: Subscription, body: str) -> dict[str, Any]:
        """The body sealed for the browser (RFC 8291) and the head signed for its push service (RFC 8292)."""
        keys = {"p256dh": _base64url(subscription.p256dh), "auth": _base64url(subscription.auth)}
        sealed = WebPusher({"endpoint": subscription.endpoint, "keys": keys}).encode(body.encode())["body"]
        address = urlsplit(subscription.endpoint)
        claims = {
            "aud": f"{address.scheme}://{address.netloc}",
            "exp": int(time.time()) + SIGNED_SECONDS,
            "sub": self._contact,
        }
        headers = {"Content-Encoding": "aes128gcm", "TTL": str(TTL_SECONDS), "Topic": "check"}
        return {"data": sealed, "headers": headers | self._vapid.sign(claims)}


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return (mapped or found).is_global


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


MESSAGE = '{"type":"check"}'
BATCH = 500
LOOK_SECONDS = 5.0
LATE_SECONDS = 60.0

logger = logging.getLogger(__name__)


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


def announcer_of(server: "KeyServer") -> Announcer:
    """The announcer that calls the browsers' push services in the city's name."""
    return Announcer(server, WebPushProvider(server.secrets.push_key, f"https://{server.city.public_host}"))


def announce_until(stopped: threading.Event, server: "KeyServer", announcer: Announcer) -> None:
    """Tell browsers until `stopped`; beside the tick, so that a slow push service holds nothing up."""
    while not stopped.wait(LOOK_SECONDS):
        try:
            announcer.go_on(server.clock())
        except Refused as refused:
            logger.warning("push: %s", refused.code, extra=event("push_refused", code=refused.code))
