# SPDX-License-Identifier: Apache-2.0
"""Push subscriptions of browsers, which get a message when there are new files: their format and their table.

Source: docs/contracts.md (`POST /v1/push/subscribe`, `unsubscribe`); RFC 8030, RFC 8291; docs/attacks.md row 41.
A subscription contains an address that this service will call, so it is checked as if an attacker had chosen it.
"""

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from bluezone.keyserver.limits.limits import Limits
from bluezone.keyserver.storage.store import Store, Transaction
from bluezone.protocol.intervals import SECONDS_PER_DAY
from bluezone.protocol.signed.members import JsonMembers
from bluezone.protocol.upload.puzzle import read_solution
from bluezone.refusal import Refused

MAX_BODY_BYTES = 2048
MAX_ENDPOINT_LENGTH = 512
POINT_LENGTH = 65
AUTH_LENGTH = 16
# 120 MB; more than the browsers of a province that will subscribe.
MOST_SUBSCRIPTIONS = 200_000
# How many are deleted together when there is no room: during a flood, deleting one at a time would be expensive.
DELETED_TOGETHER = MOST_SUBSCRIPTIONS // 100
# The time of a subscription is stored only as a period of 28 days; after three periods without a renewal, the
# subscription is deleted.
PERIOD_DAYS = 28
RETAINED_PERIODS = 3

_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_PATH = re.compile(r"[!-~]*")


class PushSubscriptionInvalid(Refused):
    """Not a subscription that a browser makes, or its address is not one that this service may call."""

    code = "push_subscription_invalid"


class PushPuzzle(Refused):
    """Many subscriptions come from this network: send the solution of `challenge` in a header, or come later."""

    code = "puzzle_required"

    def __init__(self, challenge: bytes) -> None:
        super().__init__("many subscriptions come from this network; solve the puzzle, or try again in an hour")
        self.challenge = challenge


@dataclass(frozen=True)
class Subscription:
    """A browser's address and keys. endpoint: of its push service; p256dh: 65 bytes; auth: 16 bytes."""

    endpoint: str
    p256dh: bytes = field(repr=False)
    auth: bytes = field(repr=False)


def read_subscription(body: bytes, services: Iterable[str]) -> Subscription:
    """Read `{"endpoint", "keys": {"p256dh", "auth"}}`. Raises PushSubscriptionInvalid.

    services: hosts of the push services that may be called, from the city's setting `push_services`.
    """
    members = JsonMembers.parse(body, PushSubscriptionInvalid)
    if members.other_names(("endpoint", "expirationTime", "keys")):
        raise PushSubscriptionInvalid("the subscription has other members than endpoint, expirationTime and keys")
    endpoint = members.text("endpoint")
    _check_endpoint(endpoint, services)
    keys = members.nested("keys")
    if keys.other_names(("p256dh", "auth")):
        raise PushSubscriptionInvalid("keys has other members than p256dh and auth")
    point = _base64url(keys.text("p256dh"), "p256dh")
    auth = _base64url(keys.text("auth"), "auth")
    if len(auth) != AUTH_LENGTH:
        raise PushSubscriptionInvalid(f"auth is {len(auth)} bytes, expected {AUTH_LENGTH}")
    try:
        if len(point) != POINT_LENGTH:
            raise ValueError
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), point)
    except ValueError:
        raise PushSubscriptionInvalid("p256dh is not an uncompressed point of P-256") from None
    return Subscription(endpoint, point, auth)


@dataclass(frozen=True)
class PushSubscriptions:
    """The subscriptions of one city's browsers.

    store: of keys. services: hosts that may be called. clock: gives Unix seconds.
    """

    store: Store
    limits: Limits
    services: tuple[str, ...]
    clock: Callable[[], float]

    def subscribe(self, body: bytes, network: bytes, puzzle: str = "") -> None:
        """Store a subscription; it replaces an earlier one with the same endpoint.

        network: of the sender, from `networks.network_of`. puzzle: 80 hex digits, or empty. If there is no room, others
        are deleted: see `store_subscription`. Raises PushSubscriptionInvalid, PushPuzzle, StoreRefused.
        """
        subscription = read_subscription(body, self.services)
        challenge = self.limits.challenge_for(network, *read_solution(puzzle))
        if challenge is not None:
            raise PushPuzzle(challenge)
        self.limits.count_call(network, invalid=True)
        self.store.write(lambda transaction: store_subscription(transaction, subscription, period_at(self.clock())))

    def unsubscribe(self, body: bytes) -> None:
        """Delete a subscription if the caller knows its secret; does not reveal whether there was one."""
        subscription = read_subscription(body, self.services)
        stored = self.find_subscription(subscription.endpoint)
        if stored is not None and hmac.compare_digest(stored.auth, subscription.auth):
            self.delete_subscriptions([subscription.endpoint])

    def endpoints(self) -> list[str]:
        """The addresses of all subscriptions, except those of services that the city no longer calls."""
        rows = self.store.read("SELECT endpoint FROM push_subscription")
        return [endpoint for (endpoint,) in rows if _is_of(endpoint, self.services)]

    def find_subscription(self, endpoint: str) -> Subscription | None:
        """The subscription of an address, None if there is none."""
        rows = self.store.read("SELECT p256dh, auth FROM push_subscription WHERE endpoint = ?", (endpoint,))
        return Subscription(endpoint, bytes(rows[0][0]), bytes(rows[0][1])) if rows else None

    def delete_subscriptions(self, gone: list[str]) -> None:
        """Delete the subscriptions of these addresses."""
        self._execute_each("DELETE FROM push_subscription WHERE endpoint = ?", gone)

    def note_proven(self, reached: list[str]) -> None:
        """Note that the push services accepted a message for these addresses, so they are real."""
        self._execute_each("UPDATE push_subscription SET proven = 1 WHERE endpoint = ? AND proven = 0", reached)

    def _execute_each(self, sql: str, endpoints: list[str]) -> None:
        if endpoints:
            self.store.write(lambda transaction: transaction.execute_each(sql, [(endpoint,) for endpoint in endpoints]))


def period_at(now: float) -> int:
    """The number of the period of 28 days that contains `now` (Unix seconds)."""
    return int(now) // (PERIOD_DAYS * SECONDS_PER_DAY)


def store_subscription(transaction: Transaction, subscription: Subscription, period: int) -> None:
    """Store a subscription with its period.

    If there is no room, other subscriptions are deleted: unproven ones first, then those of older periods, and at
    random within a period. Push services accept no messages for invented addresses, so these are never proven, and a
    flood of them replaces only other invented ones.
    """
    (count,) = transaction.execute("SELECT COUNT(*) FROM push_subscription")[0]
    if count >= MOST_SUBSCRIPTIONS:
        transaction.execute(
            "DELETE FROM push_subscription WHERE endpoint IN"
            " (SELECT endpoint FROM push_subscription ORDER BY proven, period, random() LIMIT ?)",
            (DELETED_TOGETHER,),
        )
    transaction.execute(
        "INSERT INTO push_subscription (endpoint, p256dh, auth, period, proven) VALUES (?, ?, ?, ?, 0)"
        " ON CONFLICT (endpoint) DO UPDATE SET p256dh = excluded.p256dh, auth = excluded.auth,"
        " period = excluded.period",
        (subscription.endpoint, subscription.p256dh, subscription.auth, period),
    )


def purge_old_subscriptions(transaction: Transaction, period: int) -> None:
    """Delete subscriptions that were not renewed for three whole periods before this one."""
    transaction.execute("DELETE FROM push_subscription WHERE period < ?", (period - RETAINED_PERIODS,))


def _check_endpoint(endpoint: str, services: Iterable[str]) -> None:
    """Raise PushSubscriptionInvalid unless the address is an https address of a push service that may be called.

    So no subscription can make this server call a host of the sender's choice.
    """
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        raise PushSubscriptionInvalid("the endpoint is not an address") from None
    if len(endpoint) > MAX_ENDPOINT_LENGTH or not _PATH.fullmatch(endpoint):
        raise PushSubscriptionInvalid(f"the endpoint is not 1 to {MAX_ENDPOINT_LENGTH} printable ASCII characters")
    if parts.scheme != "https" or parts.username is not None or parts.password is not None or port not in (None, 443):
        raise PushSubscriptionInvalid("the endpoint is not https on the usual port, without a user name")
    if parts.fragment or "\\" in endpoint:
        raise PushSubscriptionInvalid("the endpoint has a fragment or a backslash")
    if not _HOST.fullmatch(parts.hostname or "") or not _is_of(endpoint, services):
        raise PushSubscriptionInvalid("the endpoint is of no push service that this city calls")


def _is_of(endpoint: str, services: Iterable[str]) -> bool:
    host = urlsplit(endpoint).hostname or ""
    return any(_matches(host, service) for service in services)


def _matches(host: str, service: str) -> bool:
    if service.startswith("*."):
        return host.endswith(service[1:])
    return host == service


def _base64url(text: str, name: str) -> bytes:
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise PushSubscriptionInvalid(f"{name} is not base64url") from None


def push_answer() -> dict[str, Any]:
    """The answer to both calls, whether or not there was a subscription."""
    return {"ok": True}
