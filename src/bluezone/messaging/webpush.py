# SPDX-License-Identifier: Apache-2.0
"""Web Push: call the push services of browsers, with each message sealed for its browser and signed by the city."""

import asyncio
import base64
import ipaddress
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import ResolveResult
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from py_vapid import Vapid02  # type: ignore[import-untyped]
from pywebpush import WebPusher, WebPushException  # type: ignore[import-untyped]

from bluezone.keyserver.push import Subscription
from bluezone.messaging.announcer import Outcome

# For a whole exchange: name, connection, TLS, request and the head of the answer.
DEADLINE_SECONDS = 10.0
# The longest time between two fetches of a phone: after it, the message is no longer news.
TTL_SECONDS = 4 * 3600
# How long a push service may accept our signature.
SIGNED_SECONDS = 12 * 3600
AT_ONCE = 50
# After this many failures of one push service in a batch it is considered down, and skipped.
PATIENCE = 20
_GONE = (404, 410)


class PublicResolver(aiohttp.ThreadedResolver):
    """Resolves a name to its addresses in the public internet. Raises OSError if there are none."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = await super().resolve(host, port, family)
        public = [address for address in addresses if _is_public(address["host"])]
        if not public:
            raise OSError("the address is in a private network")
        return public


def public_connector() -> aiohttp.TCPConnector:
    """A connector that reaches only the public internet."""
    return aiohttp.TCPConnector(resolver=PublicResolver())


class WebPushProvider:
    """Sends for one city.

    private_key: the city's P-256 key; browsers subscribed with its public half.
    contact:     https address for questions of a push service.
    connector:   makes connections to push services; tests pass one that reaches this machine.
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
        """Send one message to each, fifty at a time; the outcomes, in the same order.

        An address that no longer exists is `GONE`, any other failure `FAILED`. An address without an answer uses
        up its own deadline and does not delay the rest. After twenty failures of a service its remaining addresses are
        skipped.
        """
        return asyncio.run(self._send(subscriptions, body))

    async def _send(self, subscriptions: Sequence[Subscription], body: str) -> list[Outcome]:
        slots = asyncio.Semaphore(AT_ONCE)
        failures: Counter[str] = Counter()

        async def send(subscription: Subscription) -> Outcome:
            host = urlsplit(subscription.endpoint).netloc
            async with slots:
                if failures[host] >= PATIENCE:
                    return Outcome.FAILED
                outcome = await self._exchange(session, subscription, body)
                failures[host] += outcome is Outcome.FAILED
                return outcome

        # No proxies or .netrc from the environment, no cookies.
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
        """The body sealed for the browser (RFC 8291) and the headers signed for its push service (RFC 8292)."""
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
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_global


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
