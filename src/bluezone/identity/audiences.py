# SPDX-License-Identifier: Apache-2.0
"""Who may open which page: every view declares its audience; the duties declare which audiences there are."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.checks import CheckMessage, Error
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from bluezone.duties.duty import Audience
from bluezone.identity.duty import ACCOUNT_HOLDERS, EVERYONE
from bluezone.identity.models import User, remember_grants, roles_of
from bluezone.identity.second_factors import is_missing

View = Callable[..., HttpResponse]


def admits(who: Audience, user: User) -> bool:
    """Whether a signed-in person holds one of the roles today, wherever; directory.scopes says for what."""
    return who in (EVERYONE, ACCOUNT_HOLDERS) or not roles_of(user).isdisjoint(who.roles)


class OfficeRequest(HttpRequest):
    """A request that an audience has let in: its user is one of ours."""

    user: User


def audience(who: Audience) -> Callable[[View], View]:
    """Let only `who` into a view: others are asked to sign in, or told (403) that the page is for another role."""

    def decorate(view: View) -> View:
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
