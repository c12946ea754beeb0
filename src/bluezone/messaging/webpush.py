# SPDX-License-Identifier: Apache-2.0
"""Web Push: how browsers' push services are called, each message sealed for its browser and signed by the city."""

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
# As long as phones wait between two looks at most: after that the message says nothing new.
TTL_SECONDS = 4 * 3600
# How long a push service may take our signature for ours.
SIGNED_SECONDS = 12 * 3600
AT_ONCE = 50
# After so many failures of one push service in a batch the rest for it are not tried: it is down.
PATIENCE = 20
_GONE = (404, 410)


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
