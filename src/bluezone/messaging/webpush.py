# SPDX-License-Identifier: Apache-2.0
"""Web Push: a word to browsers that there are new files, with no disease and no name in it, sealed and signed for each
browser's push service.
"""

import base64
import ipaddress
import logging
import random
import socket
import threading
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any, Protocol

import requests
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from py_vapid import Vapid02  # type: ignore[import-untyped]
from pywebpush import WebPushException, webpush  # type: ignore[import-untyped]
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPSConnection
from urllib3.connectionpool import HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from bluezone.keyserver.push import Subscription
from bluezone.logs import event
from bluezone.refusal import Refused

if TYPE_CHECKING:
    from bluezone.keyserver.service import KeyServer


TIMEOUT_SECONDS = 10
# As long as phones wait between two looks at most: after that the message says nothing new.
TTL_SECONDS = 4 * 3600
_GONE = (404, 410)


class Outcome(Enum):
    """What became of a message."""

    SENT = "sent"
    GONE = "gone"
    FAILED = "failed"


class WebPushProvider:
    """Sends for one city.

    private_key: the city's P-256 key, whose public half browsers subscribed with.
    contact:     https address that a push service may turn to.
    session:     how to call out; `public_session()` unless a test gives another.
    """

    def __init__(
        self, private_key: EllipticCurvePrivateKey, contact: str, session: requests.Session | None = None
    ) -> None:
        self._vapid = Vapid02(private_key)
        self._contact = contact
        self._session = session or public_session()

    def send(self, subscription: Subscription, body: str) -> Outcome:
        """Send one message; an address that is not there any more is `GONE`, everything else that fails `FAILED`."""
        told: dict[str, Any] = {
            "endpoint": subscription.endpoint,
            "keys": {"p256dh": _base64url(subscription.p256dh), "auth": _base64url(subscription.auth)},
        }
        try:
            webpush(
                told, body, vapid_private_key=self._vapid, vapid_claims={"sub": self._contact}, ttl=TTL_SECONDS,
                timeout=TIMEOUT_SECONDS, requests_session=self._session, headers={"Topic": "check"},
            )  # fmt: skip
        except WebPushException as error:
            return (
                Outcome.GONE if error.response is not None and error.response.status_code in _GONE else Outcome.FAILED
            )
        except (requests.RequestException, ValueError, OSError):
            return Outcome.FAILED
        return Outcome.SENT


class CalledSession(requests.Session):
    """A session that follows no redirect and takes nothing from the environment: one call, to the address given."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs["allow_redirects"] = False
        return super().request(*args, **kwargs)


def public_session() -> requests.Session:
    """A session that reaches https on the public internet and nothing else."""
    session = CalledSession()
    session.adapters.clear()
    session.mount("https://", _PublicAdapter(max_retries=0))
    return session


class _PublicConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        peer = ipaddress.ip_address(connected.getpeername()[0].partition("%")[0])
        mapped = peer.ipv4_mapped if isinstance(peer, ipaddress.IPv6Address) else None
        if not (mapped or peer).is_global:
            connected.close()
            raise NewConnectionError(self, "the address leads into a private network")
        return connected


class _PublicPool(HTTPSConnectionPool):
    ConnectionCls = _PublicConnection


class _PublicAdapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": _PublicPool}


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


MESSAGE = '{"type":"check"}'
BATCH = 50
LOOK_SECONDS = 5.0
LATE_SECONDS = 60.0

logger = logging.getLogger(__name__)


class Provider(Protocol):
    """What the announcer needs of a way to send."""

    def send(self, subscription: Subscription, body: str) -> Outcome:
        """Send one message and say what became of it."""
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
        """Plan what a new file calls for, and send what is due, a small batch of it; returns how many were sent.

        now: Unix seconds. Raises StoreRefused.
        """
        self._plan(now)
        sent, gone = 0, []
        for _ in range(BATCH):
            if not self._due or self._due[0][0] > now:
                break
            _, endpoint = self._due.popleft()
            # Looked up again: it may have been unsubscribed meanwhile.
            subscription = self._server.push.find(endpoint)
            outcome = self._provider.send(subscription, MESSAGE) if subscription else None
            sent += outcome is Outcome.SENT
            if outcome is Outcome.GONE:
                gone.append(endpoint)
        if gone:
            self._server.push.forget(gone)
        return sent

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
