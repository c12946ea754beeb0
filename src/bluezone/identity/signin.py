# SPDX-License-Identifier: Apache-2.0
"""Signing in: attempts and how they are slowed, the one-time link to a new account, the sessions of browsers, and the
deletion of all three.
"""

import datetime
import functools
import hashlib
import hmac
import secrets
import time
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, authenticate
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.core import signing
from django.db import transaction
from django.db.models import Min
from django.http import HttpRequest, HttpResponse

from bluezone import networks
from bluezone.audit import hash_chain
from bluezone.identity.models import AccountLink, OfficeSession, SignInFailure, User
from bluezone.keyserver.reports.limits import Limits
from bluezone.protocol.upload.puzzle import read_puzzle
from bluezone.refusal import Refused
from bluezone.vietnamese.typed import plain

WINDOW = datetime.timedelta(minutes=15)
# Wrong passwords for one account within the window: from a browser that has signed in before, and from all others.
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

    A browser that has signed in to the account before has five tries in a quarter of an hour, whatever strangers do.
    All other browsers share a hundred tries for each account; puzzles slow them down by network, but never refuse them.
    puzzle: 80 hex digits, challenge and answer, or nothing. Raises SignInLocked or SignInPuzzle before the password is
    checked, SignInRefused if it is wrong.
    """
    username = plain(username).lower()
    account = _keyed("account", username)
    device = _device_of(request)
    network = b""
    own = _keyed("device", device["name"])
    if account in device["accounts"] and _failures(account, own, now) < PAIR_LIMIT:
        lane = own
        limit = PAIR_LIMIT
    else:
        lane = _keyed("strangers", "")
        limit = ACCOUNT_LIMIT
        network = network_of(request).encode()
        challenge = _limits().admit(network, *read_puzzle(puzzle))
        if challenge is not None:
            raise SignInPuzzle(challenge)
    failure = claim_try(account, lane, limit, now)
    user = authenticate(request, username=username, password=password)
    if not isinstance(user, User):
        raise SignInRefused("name and password do not match")
    # A stranger who signs in proves nothing about other strangers; for a browser of the account, start over.
    failure.delete()
    if network:
        _limits().forgive(network)
    else:
        SignInFailure.objects.filter(account=account, address=lane).delete()
    return user


def claim_try(account: str, lane: str, limit: int, now: datetime.datetime) -> SignInFailure:
    """Count a try as a failure before it is checked; delete the row after a success. So even at the same moment, at
    most `limit` tries are checked. Raises SignInLocked.

    account, lane: keyed hashes of the account, and of where the try comes from.
    """
    SignInFailure.objects.filter(at__lte=now - WINDOW).delete()
    # Count after this row is visible to all: of two tries at once, the later one sees the earlier.
    claimed = SignInFailure.objects.create(account=account, address=lane, at=now)
    tries = SignInFailure.objects.filter(account=account, address=lane)
    if tries.count() > limit:
        claimed.delete()
        raise SignInLocked((tries.aggregate(at=Min("at"))["at"] or now) + WINDOW)
    return claimed


def remember_device(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Set a cookie that says that this account has signed in with this browser; the office stores nothing."""
    device = _device_of(request)
    account = _keyed("account", user.username)
    accounts = [digest for digest in device["accounts"] if digest != account][-(_DEVICE_ACCOUNTS - 1) :]
    value = signing.dumps({"name": device["name"], "accounts": [*accounts, account]}, salt="sign-in device")
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


def _failures(account: str, lane: str, now: datetime.datetime) -> int:
    return SignInFailure.objects.filter(account=account, address=lane, at__gt=now - WINDOW).count()


@functools.cache
def _limits() -> Limits:
    """Tries from unknown browsers by network, in this process's memory; beyond ten an hour, each needs a puzzle."""
    return Limits(bytes.fromhex(_keyed("puzzle", "")), time.time, lambda _hour: None, "sign-ins from unknown browsers")


def network_of(request: HttpRequest) -> str:
    """The caller's network in hex, behind the proxies that the city trusts; see `networks.network_of`."""
    trusted = settings.CITY.trusted_proxies if settings.CITY else ()
    meta = request.META
    return networks.network_of(str(meta.get("REMOTE_ADDR", "")), meta.get("HTTP_X_FORWARDED_FOR"), trusted).hex()


def _keyed(kind: str, value: str) -> str:
    return hmac.digest(settings.SECRET_KEY.encode(), f"sign-in {kind}\0{value}".encode(), "sha256").hex()


LINK_LIFE = datetime.timedelta(hours=72)


class AccountLinkInvalid(Refused):
    """The link is unknown, used, replaced by a newer one, or expired; the answer does not say which."""

    code = "account_link_invalid"


def make_link(actor: str, user: User, now: datetime.datetime) -> str:
    """A new one-time token for the account; its earlier links stop working.

    Returns the token, 43 characters, which is shown once: only its SHA-256 is stored.
    """
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        user.links.all().delete()
        AccountLink.objects.create(user=user, digest=_digest(token), expires_at=now + LINK_LIFE)
        hash_chain.record(actor, "link_made", user.username)
    return token


def user_of_link(token: str, now: datetime.datetime) -> User:
    """The account of a link, without using the link; raises AccountLinkInvalid."""
    link = AccountLink.objects.select_related("user").filter(digest=_digest(token), expires_at__gt=now).first()
    if link is None or not link.user.is_active:
        raise AccountLinkInvalid("the link is unknown, used or expired")
    return link.user


def set_first_password(token: str, name: str, password: str, now: datetime.datetime) -> User:
    """Use the link: store name and password of its account. A second use raises AccountLinkInvalid."""
    with transaction.atomic():
        user = user_of_link(token, now)
        # Of two requests with the same link, one deletes it; the other finds nothing to delete.
        if not AccountLink.objects.filter(digest=_digest(token)).delete()[0]:
            raise AccountLinkInvalid("the link is unknown, used or expired")
        user.name = name
        user.set_password(password)
        user.save(update_fields=["name", "password"])
        hash_chain.record(user.username, "password_set", user.username)
    return user


def delete_past_links(now: datetime.datetime) -> int:
    """Delete expired links; returns their number."""
    return AccountLink.objects.filter(expires_at__lte=now).delete()[0]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


BROWSER_KEY = "browser"
BEGUN_KEY = "begun"
# When this browser last proved the second factor, and for how long that is valid (second_factors.py).
CONFIRMED_KEY = "second_factor_at"
RECENT_SECONDS = 300
# Who has entered the password and not yet proved the second factor, and for how long that is valid (signin_views.py).
WAITING_KEY = "password_given"
WAITING_SECONDS = 600


ALMOST_AN_HOUR = datetime.timedelta(minutes=59, seconds=59, microseconds=999_999)


class SessionStore(DatabaseStore):
    """Fills the columns of OfficeSession from the data of the session."""

    @classmethod
    def get_model_class(cls) -> Any:
        """OfficeSession."""
        from bluezone.identity.models import OfficeSession

        return OfficeSession

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        """The row of a session, with its user and browser."""
        row: Any = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        row.browser = data.get(BROWSER_KEY, "")
        # Acts of the owner save the session again; its end must not reveal the minute.
        row.expire_date = (row.expire_date + ALMOST_AN_HOUR).replace(minute=0, second=0, microsecond=0)
        if BEGUN_KEY in data:
            row.begun_at = _hour_of(data[BEGUN_KEY])
        return row


def browser_of(request: HttpRequest) -> str:
    """Browser and system from the User-Agent, in words: "Chrome, Android"; "" if it names none."""
    agent = request.headers.get("User-Agent", "")
    browsers = {"Edg": "Edge", "OPR": "Opera", "coc_coc": "Cốc Cốc", "Firefox": "Firefox", "Chrom": "Chrome"}
    systems = {"Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS": "macOS"}
    browser = next((name for sign, name in browsers.items() if sign in agent), "Safari" if "Safari" in agent else "")
    system = next((name for sign, name in {**systems, "Linux": "Linux"}.items() if sign in agent), "")
    return ", ".join(filter(None, (browser, system)))


def purge(now: datetime.datetime) -> None:
    """Delete expired sign-in failures, links and sessions, and audit entries after a year."""
    SignInFailure.objects.filter(at__lte=now - WINDOW).delete()
    delete_past_links(now)
    OfficeSession.objects.filter(expire_date__lt=now).delete()
    _forget_minutes(now)
    hash_chain.delete_past_retention(now)


def _forget_minutes(now: datetime.datetime) -> None:
    """Remove the minutes of a sign-in from open sessions: expired proofs, and starts that older versions stored."""
    for session in OfficeSession.objects.all():
        data = session.get_decoded()
        cleaned = {name: value for name, value in data.items() if not _is_expired_proof(name, value, now)}
        if BEGUN_KEY in cleaned:
            cleaned[BEGUN_KEY] = _hour_of(cleaned[BEGUN_KEY]).isoformat()
        begun_at = session.begun_at.replace(minute=0, second=0, microsecond=0)
        if cleaned == data and begun_at == session.begun_at:
            continue
        # If a person at work has saved the session in the meantime, theirs has priority.
        unchanged = OfficeSession.objects.filter(pk=session.pk, session_data=session.session_data)
        unchanged.update(session_data=SessionStore().encode(cleaned), begun_at=begun_at)


def _is_expired_proof(name: str, value: Any, now: datetime.datetime) -> bool:
    if name == CONFIRMED_KEY:
        return bool(now.timestamp() - value > RECENT_SECONDS)
    return name == WAITING_KEY and bool(now.timestamp() - value[2] > WAITING_SECONDS)


def _hour_of(moment: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(moment).replace(minute=0, second=0, microsecond=0)


DEMO_NAME = "demo-office"


def demo_office() -> User:
    """An account that no one can sign in to; created on the first call."""
    user, is_new = User.objects.get_or_create(username=DEMO_NAME, defaults={"name": "Văn phòng (trình diễn)"})
    if is_new:
        user.is_active = False
        user.set_unusable_password()
        user.save()
    return user
