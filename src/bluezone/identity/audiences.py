# SPDX-License-Identifier: Apache-2.0
"""Access control of the office, for every view: who may open it, and which objects they may touch.

A view declares both in decorators: its audience (roles; the duties declare which audiences there are) and who may touch
its object (reach; bluezone.identity.objects). A view that declares neither is not called. A view that declares a reach
has to query it (bluezone.directory.scopes): before that it can store nothing, and its page is not sent.
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
from bluezone.identity.factors.second_factors import is_missing
from bluezone.identity.models import User, cache_grants, valid_roles

View = Callable[..., HttpResponse]

# Whether the current view has queried the reach of the person's roles; None if it need not.
_reach_queried: ContextVar[bool | None] = ContextVar("asked", default=None)
# Writes, except those to the session of this browser, which need no reach.
_WRITES = re.compile(r'\s*(?:INSERT|UPDATE|DELETE|REPLACE)\b(?![^"]*"accounts_officesession")', re.IGNORECASE)


def admits(who: Audience, user: User) -> bool:
    """Whether a signed-in person holds one of the roles today, anywhere; directory.scopes has the reach."""
    return who in (EVERYONE, ACCOUNT_HOLDERS) or not valid_roles(user).isdisjoint(who.roles)


class OfficeRequest(HttpRequest):
    """A request that an audience has admitted: its user is an account of the office."""

    user: User


class ReachNotQueried(RuntimeError):
    """A view declares a reach but has not queried it: a bug, answered with 500."""


def note_reach_queried() -> None:
    """Note that the reach of the person's roles was queried; directory.scopes calls this."""
    if _reach_queried.get() is not None:
        _reach_queried.set(True)


@contextlib.contextmanager
def reach_of_page_frame() -> Iterator[None]:
    """Let a block query the reach of roles for the frame of a page; it does not count as a query by the view."""
    token = _reach_queried.set(None)
    try:
        yield
    finally:
        _reach_queried.reset(token)


def _refuse_early_writes(execute: Callable[..., Any], sql: str, *arguments: Any) -> Any:
    if not _reach_queried.get() and _WRITES.match(sql):
        raise ReachNotQueried(f"the view would store this before it queries the reach of the role: {sql[:80]}")
    return execute(sql, *arguments)


def _call_with_reach(view: View, lists: bool, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """Call a view; raises ReachNotQueried if it stores or shows something before it queries the reach."""
    token = _reach_queried.set(False)
    try:
        with connection.execute_wrapper(_refuse_early_writes):
            response = view(request, *args, **kwargs)
        # If the address has no arguments and the view lists nothing, the page is an empty form.
        if (kwargs or lists) and response.status_code < 300 and not _reach_queried.get():
            raise ReachNotQueried("the view would show something without querying the reach of the role")
        return response
    finally:
        _reach_queried.reset(token)


def audience(who: Audience) -> Callable[[View], View]:
    """Admit only `who` to a view: others are sent to the sign-in page, or get 403 because the page needs another role.

    Put it above @touches: a view of the office that does not declare what it touches admits no one.
    """

    def decorate(view: View) -> View:
        ways = getattr(view, "touches", ())
        needs_reach = bool(ways) and all(way.ownership.needs_reach for way in ways)
        lists = any(way.ownership.is_listed for way in ways)

        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if who != EVERYONE:
                if not request.user.is_authenticated:
                    return redirect_to_login(request.get_full_path(), reverse("sign-in"))
                cache_grants(request.user)
                if not admits(who, request.user):
                    raise PermissionDenied
                if who != ACCOUNT_HOLDERS and is_missing(request.user):
                    return redirect("second-factor")
                if not ways and who != DEVICES:
                    raise PermissionDenied("the view does not declare what it touches")
                if needs_reach:
                    return _call_with_reach(view, lists, request, *args, **kwargs)
            return view(request, *args, **kwargs)

        guarded.audience = who  # type: ignore[attr-defined]
        return guarded

    return decorate


def every_route(urlconf: str | None = None, prefix: str = "/") -> Iterator[tuple[str, Audience | None]]:
    """Each address pattern of an origin with its audience, None if it declares none."""
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
    """Refuse to start with a page that does not declare an audience."""
    return [
        Error(
            f"the route {address} declares no audience",
            hint="decorate its view with @audience(...)",
            id="bluezone.E001",
        )
        for address, who in every_route()
        if who is None
    ]
