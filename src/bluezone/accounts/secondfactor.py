# SPDX-License-Identifier: Apache-2.0
"""The second factor: who needs one, whether it is set up, and whether this browser has just proved it."""

import functools
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from bluezone.accounts.models import AuthenticatorApp, Passkey, Role, User
from bluezone.accounts.scoping import roles_of

# Signing, health and administrator roles (issue: item 1); a delegated signing role counts as well.
REQUIRING = frozenset({Role.ISSUER, Role.HEALTH_WORKER, Role.SUPERVISOR, Role.ADMIN})
CONFIRMED_KEY = "second_factor_at"
RECENT_SECONDS = 300


def required_for(user: User) -> bool:
    """Whether the person holds a role today that needs a second factor."""
    return not REQUIRING.isdisjoint(roles_of(user))


def is_set_up(user: User) -> bool:
    """Whether the account has an authenticator app or a passkey."""
    return AuthenticatorApp.objects.filter(user=user).exists() or Passkey.objects.filter(user=user).exists()


def is_missing(user: User) -> bool:
    """Whether the account must not act before a second factor is set up."""
    return required_for(user) and not is_set_up(user)


def note_confirmed(request: HttpRequest) -> None:
    """This browser has just proved the second factor."""
    request.session[CONFIRMED_KEY] = int(time.time())


def recently_confirmed(request: HttpRequest, seconds: int = RECENT_SECONDS) -> bool:
    """Whether this browser proved the second factor within the last `seconds`."""
    at: int = request.session.get(CONFIRMED_KEY, 0)
    return 0 <= time.time() - at <= seconds


def confirm_second_factor(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let a signing act through only within five minutes of the second factor; put it under @audience.

    Otherwise nothing is done and the person is led to the page that asks for it, and from there back: to this page,
    or, for a form that was sent, to the page it was sent from.
    """

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if recently_confirmed(request):
            return view(request, *args, **kwargs)
        back = request.get_full_path()
        if request.method not in ("GET", "HEAD"):
            sent_from = urlsplit(request.headers.get("Referer", ""))
            back = sent_from.path or "/"
            if sent_from.query:
                back = f"{back}?{sent_from.query}"
        return redirect(f"{reverse('confirm')}?{urlencode({'next': back})}")

    return guarded
