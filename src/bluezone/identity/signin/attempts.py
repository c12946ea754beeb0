# SPDX-License-Identifier: Apache-2.0
"""Signing in with a name and a password: tries are counted and slowed down."""

import datetime
import functools
import hmac
import secrets
import time
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.core import signing
from django.db.models import Min
from django.http import HttpRequest, HttpResponse

from bluezone import networks
from bluezone.identity.models import SignInFailure, User
from bluezone.keyserver.limits.limits import Limits
from bluezone.protocol.upload.puzzle import read_solution
from bluezone.refusal import Refused
from bluezone.vietnamese.typed import plain

WINDOW = datetime.timedelta(minutes=15)
# Failures of one account within the window: of a browser that has signed in before, and of all others together.
PAIR_LIMIT = 5
ACCOUNT_LIMIT = 100
# A browser remembers for more than a year which accounts have signed in; on a shared computer there are a few.
DEVICE_SECONDS = 400 * 86_400
_DEVICE_ACCOUNTS = 8


class SignInRefused(Refused):
    """Name and password do not match, or the account may not sign in; the answer does not say which."""

    code = "sign_in_refused"


class SignInLocked(Refused):
    """Too many failures; `until`: when the next try will be accepted."""

    code = "sign_in_locked"

    def __init__(self, until: datetime.datetime) -> None:
        super().__init__(f"too many failed sign-ins, try again after {until:%H:%M} UTC")
        self.until = until


class SignInPuzzle(Refused):
    """There were many tries from this network: the next one needs the answer to `challenge`."""

    code = "puzzle_required"

    def __init__(self, challenge: bytes) -> None:
        super().__init__("many sign-ins were tried from this network; solve the puzzle and try again")
        self.challenge = challenge


def sign_in(request: HttpRequest, username: str, password: str, now: datetime.datetime, puzzle: str = "") -> User:
    """The active user with this name and password.

    A browser that has signed in to the account before has five separate tries in a quarter of an hour.
    All other browsers share a hundred tries for each account; puzzles slow them down by network, but never refuse them.
    puzzle: 80 hex digits, challenge and answer, or nothing. Raises SignInLocked or SignInPuzzle before the password is
    checked, SignInRefused if it is wrong.
    """
    username = plain(username).lower()
    account = _keyed_hash("account", username)
    device = _device_of(request)
    network = b""
    own = _keyed_hash("device", device["name"])
    if account in device["accounts"] and _failure_count(account, own, now) < PAIR_LIMIT:
        lane = own
        limit = PAIR_LIMIT
    else:
        lane = _keyed_hash("strangers", "")
        limit = ACCOUNT_LIMIT
        network = network_of(request).encode()
        challenge = _limits().admit_try(network, *read_solution(puzzle))
        if challenge is not None:
            raise SignInPuzzle(challenge)
    failure = count_attempt(account, lane, limit, now)
    user = authenticate(request, username=username, password=password)
    if not isinstance(user, User):
        raise SignInRefused("name and password do not match")
    # An unknown browser that signs in says nothing about other unknown browsers; a known one starts again at zero.
    failure.delete()
    if network:
        _limits().subtract_try(network)
    else:
        SignInFailure.objects.filter(account=account, address=lane).delete()
    return user


def count_attempt(account: str, lane: str, limit: int, now: datetime.datetime) -> SignInFailure:
    """Store a failure before the try is checked; the caller deletes it after a success. Raises SignInLocked.

    So at most `limit` tries are checked, even if they come at the same moment.
    account, lane: keyed hashes of the account, and of where the try comes from.
    """
    SignInFailure.objects.filter(at__lte=now - WINDOW).delete()
    # Counted only after this row is stored, so of two tries at the same moment at least one counts both.
    attempt = SignInFailure.objects.create(account=account, address=lane, at=now)
    tries = SignInFailure.objects.filter(account=account, address=lane)
    if tries.count() > limit:
        attempt.delete()
        raise SignInLocked((tries.aggregate(at=Min("at"))["at"] or now) + WINDOW)
    return attempt


def remember_device(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Set a cookie that says that this account has signed in with this browser; the office stores nothing."""
    device = _device_of(request)
    account = _keyed_hash("account", user.username)
    others = [digest for digest in device["accounts"] if digest != account]
    accounts = [*others[-(_DEVICE_ACCOUNTS - 1) :], account]
    value = signing.dumps({"name": device["name"], "accounts": accounts}, salt="sign-in device")
    secure = bool(settings.SESSION_COOKIE_SECURE)
    response.set_cookie(_cookie(), value, max_age=DEVICE_SECONDS, httponly=True, samesite="Lax", secure=secure)


def _cookie() -> str:
    return str(settings.SESSION_COOKIE_NAME).replace("session", "device")


def _device_of(request: HttpRequest) -> dict[str, Any]:
    """The content of the cookie: a random name and keyed hashes of accounts; without a cookie, a new name."""
    try:
        device = signing.loads(request.COOKIES.get(_cookie(), ""), salt="sign-in device", max_age=DEVICE_SECONDS)
    except signing.BadSignature:
        return {"name": secrets.token_hex(16), "accounts": []}
    return dict(device)


def _failure_count(account: str, lane: str, now: datetime.datetime) -> int:
    return SignInFailure.objects.filter(account=account, address=lane, at__gt=now - WINDOW).count()


@functools.cache
def _limits() -> Limits:
    """Tries from unknown browsers by network, in this process's memory; beyond ten an hour, each needs a puzzle."""
    return Limits(
        bytes.fromhex(_keyed_hash("puzzle", "")), time.time, lambda _hour: None, "sign-ins from unknown browsers"
    )


def network_of(request: HttpRequest) -> str:
    """The caller's network in hex, behind the proxies that the city trusts; see `networks.network_of`."""
    trusted = settings.CITY.trusted_proxies if settings.CITY else ()
    meta = request.META
    return networks.network_of(str(meta.get("REMOTE_ADDR", "")), meta.get("HTTP_X_FORWARDED_FOR"), trusted).hex()


def _keyed_hash(kind: str, value: str) -> str:
    return hmac.digest(settings.SECRET_KEY.encode(), f"sign-in {kind}\0{value}".encode(), "sha256").hex()
