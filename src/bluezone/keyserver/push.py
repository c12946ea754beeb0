# SPDX-License-Identifier: Apache-2.0
"""Browsers that want to be told of new files: what a subscription may look like, and the table that holds nothing else.

Source: docs/contracts.md (`POST /v1/push/subscribe`, `unsubscribe`); RFC 8030, RFC 8291; docs/attacks.md row 41.
Whoever subscribes gives an address that this service will call, so it is checked as one that an attacker chose.
"""

import base64
import binascii
import hmac
import ipaddress
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from bluezone.keyserver.reports.limits import Limits
from bluezone.keyserver.storage.store import Store, Transaction
from bluezone.protocol.signed.members import JsonMembers
from bluezone.protocol.upload.puzzle import CHALLENGE_LENGTH
from bluezone.refusal import Refused

MAX_BODY_BYTES = 2048
MAX_ENDPOINT_LENGTH = 512
POINT_LENGTH = 65
AUTH_LENGTH = 16
# 120 MB; more than the browsers of a province that ask for it.
MOST_HELD = 200_000

_NONCE_LENGTH = 8
_NO_PUZZLE = bytes(CHALLENGE_LENGTH + _NONCE_LENGTH)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_TOP = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]")
_PATH = re.compile(r"[!-~]*")
# Names that mean a machine near this one, whatever a resolver here says.
_NEAR = ("local", "localhost", "internal", "intranet", "lan", "home", "corp", "arpa", "onion", "invalid", "test")


class PushSubscriptionInvalid(Refused):
    """Not a subscription that a browser makes, or its address is none that this service may call."""

    code = "push_subscription_invalid"


class PushFull(Refused):
    """As many subscriptions are held as this server keeps; phones and browsers fetch new files without push too."""

    code = "push_full"


class PushPuzzle(Refused):
    """Many subscriptions come from this network: bring the answer to `challenge` in a header, or come later."""

    code = "puzzle_required"

    def __init__(self, challenge: bytes) -> None:
        super().__init__("many subscriptions come from this network; solve the puzzle, or try again in an hour")
        self.challenge = challenge


@dataclass(frozen=True)
class Subscription:
    """Where and for whom to seal. endpoint: of the browser's push service; p256dh: 65 bytes; auth: 16 bytes."""

    endpoint: str
    p256dh: bytes = field(repr=False)
    auth: bytes = field(repr=False)


def read_subscription(body: bytes) -> Subscription:
    """Read `{"endpoint", "keys": {"p256dh", "auth"}}`. Raises PushSubscriptionInvalid."""
    read = JsonMembers.parse(body, PushSubscriptionInvalid)
    if read.other_names(("endpoint", "expirationTime", "keys")):
        raise PushSubscriptionInvalid("the subscription has other members than endpoint, expirationTime and keys")
    endpoint = read.text("endpoint")
    _check_endpoint(endpoint)
    keys = read.inner("keys")
    if keys.other_names(("p256dh", "auth")):
        raise PushSubscriptionInvalid("keys has other members than p256dh and auth")
    point, auth = (_base64url(keys.text(name), name) for name in ("p256dh", "auth"))
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
    """The subscriptions of one city's browsers. store: of keys."""

    store: Store
    limits: Limits

    def subscribe(self, body: bytes, network: bytes, puzzle: str = "") -> None:
        """Keep a subscription; the same endpoint again takes the place of the one before.

        network: where it came from, as `limits.network_of` returns it. puzzle: 80 hex digits, or nothing.
        Raises PushSubscriptionInvalid, PushPuzzle, PushFull, StoreRefused.
        """
        subscription = read_subscription(body)
        solved = _puzzle(puzzle)
        challenge = self.limits.challenge_for(network, solved[:CHALLENGE_LENGTH], solved[CHALLENGE_LENGTH:])
        if challenge is not None:
            raise PushPuzzle(challenge)
        self.limits.count(network, invalid=True)
        if not self.store.write(lambda transaction: keep(transaction, subscription)):
            raise PushFull(
                f"{MOST_HELD} subscriptions are held, which is the most; new files are fetched without push too"
            )

    def unsubscribe(self, body: bytes) -> None:
        """Forget a subscription whose secret the caller knows; says nothing of whether there was one."""
        subscription = read_subscription(body)
        held = self.find(subscription.endpoint)
        if held is not None and hmac.compare_digest(held.auth, subscription.auth):
            self.forget([subscription.endpoint])

    def endpoints(self) -> list[str]:
        """The addresses of all subscriptions."""
        return [endpoint for (endpoint,) in self.store.read("SELECT endpoint FROM push_subscription")]

    def find(self, endpoint: str) -> Subscription | None:
        """The subscription of an address, None if it is gone."""
        rows = self.store.read("SELECT p256dh, auth FROM push_subscription WHERE endpoint = ?", (endpoint,))
        return Subscription(endpoint, bytes(rows[0][0]), bytes(rows[0][1])) if rows else None

    def forget(self, gone: list[str]) -> None:
        """Delete the subscriptions of these addresses."""
        self.store.write(
            lambda transaction: transaction.execute_each(
                "DELETE FROM push_subscription WHERE endpoint = ?", [(endpoint,) for endpoint in gone]
            )
        )


def keep(transaction: Transaction, subscription: Subscription) -> bool:
    """Write a subscription down; False where there is no room for it."""
    (count,) = transaction.execute("SELECT COUNT(*) FROM push_subscription")[0]
    if count >= MOST_HELD:
        return False
    transaction.execute(
        "INSERT INTO push_subscription VALUES (?, ?, ?)"
        " ON CONFLICT (endpoint) DO UPDATE SET p256dh = excluded.p256dh, auth = excluded.auth",
        (subscription.endpoint, subscription.p256dh, subscription.auth),
    )
    return True


def _check_endpoint(endpoint: str) -> None:
    """Raise PushSubscriptionInvalid unless the address is a public https one by its name.

    Where the name leads is checked when it is called (messaging/webpush), because it may change meanwhile.
    """
    try:
        parts = urlsplit(endpoint)
        port = parts.port
    except ValueError:
        raise PushSubscriptionInvalid("the endpoint is no address") from None
    if len(endpoint) > MAX_ENDPOINT_LENGTH or not _PATH.fullmatch(endpoint):
        raise PushSubscriptionInvalid(f"the endpoint is not 1 to {MAX_ENDPOINT_LENGTH} printable ASCII characters")
    if parts.scheme != "https" or parts.username is not None or parts.password is not None or port not in (None, 443):
        raise PushSubscriptionInvalid("the endpoint is not https on the usual port, without a user name")
    if parts.fragment or "\\" in endpoint:
        raise PushSubscriptionInvalid("the endpoint has a fragment or a backslash")
    _check_host(parts.hostname or "")


def _check_host(host: str) -> None:
    labels = host.split(".")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        raise PushSubscriptionInvalid("the endpoint names a number, expected a host name")
    if len(host) > 253 or len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        raise PushSubscriptionInvalid("the endpoint names no host of the public internet")
    if not _TOP.fullmatch(labels[-1]) or labels[-1] in _NEAR:
        raise PushSubscriptionInvalid("the endpoint names no host of the public internet")


def _base64url(text: str, name: str) -> bytes:
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise PushSubscriptionInvalid(f"{name} is not base64url") from None


def _puzzle(text: str) -> bytes:
    return bytes.fromhex(text) if re.fullmatch(rf"[0-9a-f]{{{2 * len(_NO_PUZZLE)}}}", text) else _NO_PUZZLE


def answer() -> dict[str, Any]:
    """What both calls answer, whatever was held before."""
    return {"ok": True}
