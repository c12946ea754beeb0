# SPDX-License-Identifier: Apache-2.0
"""The gate of the office, through which every view is called: who may open it, and what they may touch.

A view declares both beside itself: its audience (roles; the duties declare which audiences there are) and whose its
object is (reach; bluezone.identity.objects). One that declares neither is not called. One that declares a reach has to
ask for it (bluezone.directory.scopes): before that nothing it writes is stored, and nothing it shows goes out.
"""

import contextlib
import functools
import re
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.checks import CheckMessage, Error
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from bluezone.duties.duty import Audience
from bluezone.identity.duty import ACCOUNT_HOLDERS, DEVICES, EVERYONE
from bluezone.identity.models import User, remember_grants, roles_of
from bluezone.identity.second_factors import is_missing

View = Callable[..., HttpResponse]


def admits(who: Audience, user: User) -> bool:
    """Whether a signed-in person holds one of the roles today, wherever; directory.scopes says for what."""
    return who in (EVERYONE, ACCOUNT_HOLDERS) or not roles_of(user).isdisjoint(who.roles)


class OfficeRequest(HttpRequest):
    """A request that an audience has let in: its user is one of ours."""

    user: User


class ReachNotAsked(RuntimeError):
    """A view that declares a reach has asked for none: a fault of the program, answered with 500."""


# Whether the view that runs has asked what the person's roles reach; None where it need not.
_asked: ContextVar[bool | None] = ContextVar("asked", default=None)
# The session of this browser is written without asking anybody.
_WRITES = re.compile(r'\s*(?:INSERT|UPDATE|DELETE|REPLACE)\b(?![^"]*"accounts_officesession")', re.IGNORECASE)


def note_asked() -> None:
    """Whoever answers what roles reach says so here."""
    if _asked.get() is not None:
        _asked.set(True)


@contextlib.contextmanager
def apart() -> Iterator[None]:
    """Let a block ask what roles reach for the frame of a page: it does not count as asked by the view."""
    token = _asked.set(None)
    try:
        yield
    finally:
        _asked.reset(token)


def _ask_first(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
    if not _asked.get() and _WRITES.match(sql):
        raise ReachNotAsked(f"before it asks what the role reaches, the view would store: {sql[:80]}")
    return execute(sql, *rest)


def _held_to_its_reach(view: View, lists: bool, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    token = _asked.set(False)
    try:
        with connection.execute_wrapper(_ask_first):
            response = view(request, *args, **kwargs)
        # A page that names nothing and lists nothing is an empty form.
        if (kwargs or lists) and response.status_code < 300 and not _asked.get():
            raise ReachNotAsked("the view would show something without asking what the role reaches")
        return response
    finally:
        _asked.reset(token)


def audience(who: Audience) -> Callable[[View], View]:
    """Let only `who` into a view: others are asked to sign in, or told (403) that the page is for another role.

    Put it above @touches: a view of the office that has not said what it touches lets nobody in.
    """

    def decorate(view: View) -> View:
        ways = getattr(view, "touches", ())
        asks = bool(ways) and all(way.whose.is_asked for way in ways)
        lists = any(way.whose.is_listed for way in ways)

        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if who != EVERYONE:
                if not request.user.is_authenticated:
                    return redirect_to_login(request.get_full_path(), reverse("sign-in"))
                remember_grants(request.user)
                if not admits(who, request.user):
                    raise PermissionDenied
                if who != ACCOUNT_HOLDERS and is_missing(request.user):
                    return redirect("second-factor")
                if not ways and who != DEVICES:
                    raise PermissionDenied("the view has not said what it touches")
                if asks:
                    return _held_to_its_reach(view, lists, request, *args, **kwargs)
            return view(request, *args, **kwargs)

        guarded.audience = who  # type: ignore[attr-defined]
        return guarded

    return decorate


def every_route(urlconf: str | None = None, prefix: str = "/") -> Iterator[tuple[str, Audience | None]]:
    """Each address pattern of an origin with its declared audience, None where it declares none."""
    for address, _name, view in every_view(urlconf, prefix):
        yield address, getattr(view, "audience", None)


def every_view(urlconf: str | None = None, prefix: str = "/") -> Iterator[tuple[str, str, View]]:
    """Each address pattern of an origin with its name and its view."""
    yield from _views(get_resolver(urlconf), prefix)


def _views(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, str, View]]:
    for entry in resolver.url_patterns:
        address = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _views(entry, address)
        elif isinstance(entry, URLPattern):
            yield address, entry.name or "", entry.callback


def check_every_route(**_: Any) -> list[CheckMessage]:
    """Refuse to start with a page that has not said who may open it."""
    return [
        Error(
            f"the route {address} declares no audience",
            hint="decorate its view with @audience(...)",
            id="bluezone.E001",
        )
        for address, who in every_route()
        if who is None
    ]
