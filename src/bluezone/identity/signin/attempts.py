# SPDX-License-Identifier: Apache-2.0
"""Sign-in by password, with a growing distrust of whoever keeps guessing.

Failures are counted for fifteen minutes under keyed hashes: five for one name from one address, thirty from one
address, a hundred for one name from anywhere. The last bound is high on purpose, so that a stranger cannot lock a
health worker out by typing her name.
"""

import datetime
import hmac
import ipaddress

from django.conf import settings
from django.contrib.auth import authenticate
from django.db.models import Max
from django.http import HttpRequest

from bluezone.identity.models import SignInFailure, User
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
