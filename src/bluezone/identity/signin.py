# SPDX-License-Identifier: Apache-2.0
"""Signing in: the attempts and how they are slowed, the link by which a person takes their account, the sessions of
browsers, and what is forgotten of all three.
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
# Wrong passwords of one account within the window: from a browser that it was used in before, and from all others.
PAIR_LIMIT = 5
ACCOUNT_LIMIT = 100
# A browser remembers which accounts came in with it, for more than a year; a shared computer, a few.
DEVICE_SECONDS = 400 * 86_400
_DEVICE_ACCOUNTS = 8


class SignInRefused(Refused):
    """Name and password do not fit together, or the account may not sign in; it is not said which."""

    code = "sign_in_refused"


class SignInLocked(Refused):
    """Too many failures; `until` says when the next try will be looked at."""

    code = "sign_in_locked"

    def __init__(self, until: datetime.datetime) -> None:
        super().__init__(f"too many failed sign-ins, try again after {until:%H:%M} UTC")
        self.until = until


class SignInPuzzle(Refused):
    """Many tries come from this network: the answer to `challenge` comes with the next one."""

    code = "puzzle_required"

    def __init__(self, challenge: bytes) -> None:
        super().__init__("many sign-ins were tried from this network; solve the puzzle and try again")
        self.challenge = challenge


def sign_in(request: HttpRequest, username: str, password: str, now: datetime.datetime, puzzle: str = "") -> User:
    """The active user whose name and password these are.

    A browser in which the account was used before has five tries in a quarter of an hour, whatever strangers do. Others
    share a hundred for each account; by network they are slowed with puzzles, and never refused.
    puzzle: 80 hex digits, challenge and answer, or nothing. Raises SignInLocked or SignInPuzzle before the password is
    looked at, SignInRefused when it does not fit.
    """
    username = plain(username).lower()
    account, device = _keyed("account", username), _device_of(request)
    lane, limit, network = _keyed("strangers", ""), ACCOUNT_LIMIT, b""
    if account in device["accounts"] and _failures(account, own := _keyed("device", device["name"]), now) < PAIR_LIMIT:
        lane, limit = own, PAIR_LIMIT
    else:
        network = network_of(request).encode()
        challenge = _limits().admit(network, *read_puzzle(puzzle))
        if challenge is not None:
            raise SignInPuzzle(challenge)
    failure = claim_try(account, lane, limit, now)
    user = authenticate(request, username=username, password=password)
    if not isinstance(user, User):
        raise SignInRefused("name and password do not fit together")
    # A stranger who comes in says nothing of the other strangers; an own browser starts anew.
    failure.delete()
    if network:
        _limits().forgive(network)
    else:
        SignInFailure.objects.filter(account=account, address=lane).delete()
    return user


def claim_try(account: str, lane: str, limit: int, now: datetime.datetime) -> SignInFailure:
    """Count a try as a failure before it is looked at; whoever succeeds deletes it. So of many at once no more are
    looked at than `limit`. Raises SignInLocked.

    account, lane: keyed hashes of whose password or code, and of where it comes from.
    """
    SignInFailure.objects.filter(at__lte=now - WINDOW).delete()
    # Counted after the own row is there for all to see: of two at once the later sees the earlier.
    claimed = SignInFailure.objects.create(account=account, address=lane, at=now)
    tried = SignInFailure.objects.filter(account=account, address=lane)
    if tried.count() > limit:
        claimed.delete()
        raise SignInLocked((tried.aggregate(at=Min("at"))["at"] or now) + WINDOW)
    return claimed


def remember_device(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Let the browser carry that this account came in with it; the office keeps nothing of it."""
    device, account = _device_of(request), _keyed("account", user.username)
    accounts = [one for one in device["accounts"] if one != account][-(_DEVICE_ACCOUNTS - 1) :]
    value = signing.dumps({"name": device["name"], "accounts": [*accounts, account]}, salt="sign-in device")
    secure = bool(settings.SESSION_COOKIE_SECURE)
    response.set_cookie(_cookie(), value, max_age=DEVICE_SECONDS, httponly=True, samesite="Lax", secure=secure)


def _cookie() -> str:
    return str(settings.SESSION_COOKIE_NAME).replace("session", "device")


def _device_of(request: HttpRequest) -> dict[str, Any]:
    """What the browser carries: a random name and keyed hashes of accounts; a new name where it carries nothing."""
    try:
        device = signing.loads(request.COOKIES.get(_cookie(), ""), salt="sign-in device", max_age=DEVICE_SECONDS)
    except signing.BadSignature:
        return {"name": secrets.token_hex(16), "accounts": []}
    return dict(device)


def _failures(account: str, lane: str, now: datetime.datetime) -> int:
    return SignInFailure.objects.filter(account=account, address=lane, at__gt=now - WINDOW).count()


@functools.cache
def _limits() -> Limits:
    """Tries from unknown browsers by network, in this process's memory; beyond ten an hour each costs a puzzle."""
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
    """The link is unknown, used, replaced by a newer one, or past its time; it is not said which."""

    code = "account_link_invalid"


def make_link(actor: str, user: User, now: datetime.datetime) -> str:
    """A new one-time token for the account; links made for it before stop working.

    Returns the token, 43 characters, which is shown once: only its SHA-256 is stored.
    """
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        user.links.all().delete()
        AccountLink.objects.create(user=user, digest=_digest(token), expires_at=now + LINK_LIFE)
        hash_chain.record(actor, "link_made", user.username)
    return token


def user_of_link(token: str, now: datetime.datetime) -> User:
    """Whose link this is, without using it; raises AccountLinkInvalid."""
    link = AccountLink.objects.select_related("user").filter(digest=_digest(token), expires_at__gt=now).first()
    if link is None or not link.user.is_active:
        raise AccountLinkInvalid("the link is unknown, used or past its time")
    return link.user


def set_first_password(token: str, name: str, password: str, now: datetime.datetime) -> User:
    """Use the link: store name and password of its account. A second use raises AccountLinkInvalid."""
    with transaction.atomic():
        user = user_of_link(token, now)
        # Of two requests with one link, one deletes it; the other finds nothing to delete.
        if not AccountLink.objects.filter(digest=_digest(token)).delete()[0]:
            raise AccountLinkInvalid("the link is unknown, used or past its time")
        user.name = name
        user.set_password(password)
        user.save(update_fields=["name", "password"])
        hash_chain.record(user.username, "password_set", user.username)
    return user


def delete_past_links(now: datetime.datetime) -> int:
    """Delete links past their time; how many went."""
    return AccountLink.objects.filter(expires_at__lte=now).delete()[0]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


BROWSER_KEY = "browser"
BEGUN_KEY = "begun"
# When this browser last proved the second factor, and for how long that counts (second_factors.py).
CONFIRMED_KEY = "second_factor_at"
RECENT_SECONDS = 300
# Who has given the password and not yet proved the second factor, and for how long that counts (signin_views.py).
WAITING_KEY = "password_given"
WAITING_SECONDS = 600


ALMOST_AN_HOUR = datetime.timedelta(minutes=59, seconds=59, microseconds=999_999)


class SessionStore(DatabaseStore):
    """Fills the columns of OfficeSession from what the session holds."""

    @classmethod
    def get_model_class(cls) -> Any:
        """OfficeSession."""
        from bluezone.identity.models import OfficeSession

        return OfficeSession

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        """The row of a session, with whose it is and in which browser."""
        row: Any = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        row.browser = data.get(BROWSER_KEY, "")
        # A session is written anew by what its owner does; its end must not tell in which minute.
        row.expire_date = (row.expire_date + ALMOST_AN_HOUR).replace(minute=0, second=0, microsecond=0)
        if BEGUN_KEY in data:
            row.begun_at = _hour_of(data[BEGUN_KEY])
        return row


def browser_of(request: HttpRequest) -> str:
    """Browser and system as the request announces them, in words: "Chrome, Android"; "" when it announces none."""
    said = request.headers.get("User-Agent", "")
    browsers = {"Edg": "Edge", "OPR": "Opera", "coc_coc": "Cốc Cốc", "Firefox": "Firefox", "Chrom": "Chrome"}
    systems = {"Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "Mac OS": "macOS"}
    browser = next((name for sign, name in browsers.items() if sign in said), "Safari" if "Safari" in said else "")
    system = next((name for sign, name in {**systems, "Linux": "Linux"}.items() if sign in said), "")
    return ", ".join(filter(None, (browser, system)))


def purge(now: datetime.datetime) -> None:
    """Delete sign-in failures, links and sessions past their time, and audit entries after a year."""
    SignInFailure.objects.filter(at__lte=now - WINDOW).delete()
    delete_past_links(now)
    OfficeSession.objects.filter(expire_date__lt=now).delete()
    _forget_minutes(now)
    hash_chain.delete_past_retention(now)


def _forget_minutes(now: datetime.datetime) -> None:
    """Take minutes of a sign-in out of the sessions that go on: proofs that count no longer, and older beginnings."""
    for session in OfficeSession.objects.all():
        data = session.get_decoded()
        kept = {name: value for name, value in data.items() if not _is_past_proof(name, value, now)}
        if BEGUN_KEY in kept:
            kept[BEGUN_KEY] = _hour_of(kept[BEGUN_KEY]).isoformat()
        begun_at = session.begun_at.replace(minute=0, second=0, microsecond=0)
        if kept == data and begun_at == session.begun_at:
            continue
        # A person at work may have written the session meanwhile; theirs goes first.
        unchanged = OfficeSession.objects.filter(pk=session.pk, session_data=session.session_data)
        unchanged.update(session_data=SessionStore().encode(kept), begun_at=begun_at)


def _is_past_proof(name: str, value: Any, now: datetime.datetime) -> bool:
    if name == CONFIRMED_KEY:
        return bool(now.timestamp() - value > RECENT_SECONDS)
    return name == WAITING_KEY and bool(now.timestamp() - value[2] > WAITING_SECONDS)


def _hour_of(begun: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(begun).replace(minute=0, second=0, microsecond=0)


DEMO_NAME = "demo-office"


def demo_office() -> User:
    """An account that nobody can sign in to; made when it is first asked for."""
    user, made = User.objects.get_or_create(username=DEMO_NAME, defaults={"name": "Văn phòng (trình diễn)"})
    if made:
        user.is_active = False
        user.set_unusable_password()
        user.save()
    return user
