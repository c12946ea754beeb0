# SPDX-License-Identifier: Apache-2.0
"""Signing in: the attempts and how they are slowed, the link by which a person takes their account, the sessions of
browsers, and what is forgotten of all three.
"""

import datetime
import hashlib
import hmac
import ipaddress
import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, authenticate
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import transaction
from django.db.models import Max
from django.http import HttpRequest

from bluezone.audit import hash_chain
from bluezone.identity.models import AccountLink, OfficeSession, SignInFailure, User
from bluezone.refusal import Refused

WINDOW = datetime.timedelta(minutes=15)
PAIR_LIMIT = 5
ADDRESS_LIMIT = 30
ACCOUNT_LIMIT = 100


class SignInRefused(Refused):
    """Name and password do not fit together, or the account may not sign in; it is not said which."""

    code = "sign_in_refused"


class SignInLocked(Refused):
    """Too many failures; `until` says when the next try will be looked at."""

    code = "sign_in_locked"

    def __init__(self, until: datetime.datetime) -> None:
        super().__init__(f"too many failed sign-ins, try again after {until:%H:%M} UTC")
        self.until = until


def sign_in(request: HttpRequest, username: str, password: str, now: datetime.datetime) -> User:
    """The active user whose name and password these are.

    Raises SignInLocked before the password is looked at, SignInRefused when it does not fit.
    """
    username = username.strip().lower()
    account, address = _keyed("account", username), _keyed("address", network_of(request))
    SignInFailure.objects.filter(at__lte=now - WINDOW).delete()
    until = _locked_until(account, address)
    if until is not None:
        raise SignInLocked(until)
    user = authenticate(request, username=username, password=password)
    if not isinstance(user, User):
        SignInFailure.objects.create(account=account, address=address, at=now)
        raise SignInRefused("name and password do not fit together")
    SignInFailure.objects.filter(account=account, address=address).delete()
    return user


def network_of(request: HttpRequest) -> str:
    """The caller's IPv4 address or IPv6 /56, behind the proxies that the city trusts."""
    address = str(request.META.get("REMOTE_ADDR", ""))
    trusted = settings.CITY.trusted_proxies if settings.CITY else ()
    for hop in reversed(str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")):
        if not hop.strip() or not any(_inside(address, network) for network in trusted):
            break
        address = hop.strip()
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 6:
        return str(ipaddress.ip_network((parsed, 56), strict=False))
    return str(parsed)


def _inside(address: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network)
    except ValueError:
        return False


def _locked_until(account: str, address: str) -> datetime.datetime | None:
    """When the window of the limit that is full ends, None when none is."""
    for limit, failures in (
        (PAIR_LIMIT, SignInFailure.objects.filter(account=account, address=address)),
        (ADDRESS_LIMIT, SignInFailure.objects.filter(address=address)),
        (ACCOUNT_LIMIT, SignInFailure.objects.filter(account=account)),
    ):
        if failures.count() >= limit:
            newest = failures.aggregate(at=Max("at"))["at"]
            until: datetime.datetime = newest + WINDOW
            return until
    return None


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
        if BEGUN_KEY in data:
            row.begun_at = datetime.datetime.fromisoformat(data[BEGUN_KEY])
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
    hash_chain.delete_past_retention(now)


def demo_office() -> User:
    """An account that nobody can sign in to; made when it is first asked for."""
    user, made = User.objects.get_or_create(username="demo-office", defaults={"name": "Văn phòng (trình diễn)"})
    if made:
        user.is_active = False
        user.set_unusable_password()
        user.save()
    return user
