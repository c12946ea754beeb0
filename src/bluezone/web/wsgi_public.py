# SPDX-License-Identifier: Apache-2.0
"""The public origin as a WSGI callable: the anonymous API, and Django for the public pages and the devices."""

import os
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, BinaryIO

from django.urls import URLPattern, URLResolver, get_resolver

from bluezone.duties.catalogue import api_prefixes
from bluezone.keyserver.http import Application, Environ, Response, answer_at_hand, handles, refuse_at_hand
from bluezone.keyserver.parts.process import Parts
from bluezone.paper.androidpackage import PACKAGE_ADDRESS
from bluezone.rollout.loudspeakers import plan_server
from bluezone.web.databases import database_state
from bluezone.web.page_variants import PageAddresses, PageVariants
from bluezone.web.wsgi_office import strict_transport

# Under /v1 but answered by Django: calls of enrolled devices, and requests for help.
DJANGO_PREFIXES = api_prefixes()
DJANGO_ADDRESSES = ("/v1/help",)


def is_outside_anonymous_api(path: str) -> bool:
    """Whether a path under /v1 is for other programs than the key server: enrolled devices, requests for help."""
    return plan_server.answers(path) or path.startswith(DJANGO_PREFIXES) or path in DJANGO_ADDRESSES


class PublicOrigin:
    """The callable. It opens key server and Django in `open` or at the first request, not when it is imported."""

    def __init__(self) -> None:
        self._parts: Parts | None = None
        self._pages: Any = None
        self._variants: PageVariants | None = None
        self._speakers = plan_server.PlanServer()

    def open(self) -> None:
        """Open what requests need; idempotent. Raises what KeyServer.open raises."""
        if self._parts is None:
            os.environ["DJANGO_SETTINGS_MODULE"] = "bluezone.web.settings_public"
            _use_public_settings()
            from django.core.wsgi import get_wsgi_application

            self._pages = get_wsgi_application()
            from bluezone.office_keyserver import public_parts

            self._parts = public_parts()
            self._variants = _page_variants()

    def share_limits(self, descriptor: int) -> None:
        """Count attempts at codes together with the other processes of this `serve`."""
        self.open()
        assert self._parts is not None
        self._parts.share_limits(descriptor)

    def city_key(self) -> bytes:
        """The city's public key, 32 bytes, with which phones are set up."""
        assert self._parts is not None
        assert self._parts.pages is not None
        return self._parts.pages.city_key

    @property
    def largest_body(self) -> int:
        """Bytes of the largest body that a call or page accepts; a larger one is refused unread."""
        from django.conf import settings

        return int(settings.MAX_BODY_BYTES)

    @property
    def trusted_proxies(self) -> tuple[str, ...]:
        """The proxies that are trusted to set X-Forwarded-For."""
        assert self._parts is not None
        return self._parts.city.trusted_proxies

    @property
    def common_headers(self) -> list[tuple[str, str]]:
        """Headers of every answer."""
        return strict_transport()

    def shared_pages(self) -> PageVariants:
        """What the public pages depend on besides their address."""
        assert self._variants is not None
        return self._variants

    def describe_pages(self) -> bytes:
        """The same for the front, where each part has its user."""
        return self.shared_pages().describe()

    def at_hand(self, path: str, headers: Mapping[str, str]) -> Response | None:
        """The answer to a GET that needs no waiting; None if a thread has to answer.

        headers: by names in lower case.
        """
        assert self._parts is not None
        if path == plan_server.PLAN_PATH:
            not_modified = self._speakers.unchanged(headers.get("authorization", ""), headers.get("if-none-match", ""))
            return None if not_modified is None else Response(HTTPStatus.NOT_MODIFIED, b"", tuple(not_modified))
        if path == PACKAGE_ADDRESS:
            from bluezone.paper import androidpackage

            if (package := androidpackage.package_at_hand()) is None:
                return None
            return Response(HTTPStatus.OK, package.path, tuple(androidpackage.headers(package)), package.size)
        assert self._parts.pages is not None
        return answer_at_hand(self._parts.pages.downloads, path, headers.get("if-none-match", ""))

    def refuse_at_hand(self, path: str, body: BinaryIO, length: int, network: Callable[[], bytes]) -> Response | None:
        """The answer to a POST that is refused without a store; None if a thread has to answer.

        length: of the body, in bytes. network: returns where the request came from.
        """
        assert self._parts is not None
        assert self._parts.admission is not None
        limits = self._parts.admission.uploads.limits

        def challenge_for(challenge: bytes, nonce: bytes) -> bytes | None:
            return limits.challenge_at_hand(network(), challenge, nonce)

        return refuse_at_hand(path, body, length, challenge_for)

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        if self._parts is None:
            self.open()
        assert self._parts is not None
        path = environ.get("PATH_INFO", "")
        if plan_server.answers(path):
            return self._speakers(environ, start_response)
        if handles(path) and not is_outside_anonymous_api(path):
            return Application(self._parts)(environ, start_response)
        pages: Iterable[bytes] = self._pages(environ, start_response)
        return pages


def _page_variants() -> PageVariants:
    from django.conf import settings

    from bluezone.web.middleware import page_languages

    state = database_state(settings.DATABASES["default"])
    return PageVariants(settings.LANGUAGE_COOKIE_NAME, state, page_addresses(), page_languages())


def page_addresses() -> PageAddresses:
    """The addresses of the pages: of the portal's, what `QUERIES` names of a query; of all others, all of it."""
    from bluezone.portal.urls_public import PAGES, QUERIES

    return PageAddresses(
        {
            route: QUERIES.get(pattern.name or "", ()) if pattern.callback in PAGES else None
            for route, pattern in _routes_of(get_resolver().url_patterns).items()
        }
    )


def _routes_of(patterns: Iterable[Any], prefix: str = "") -> dict[str, URLPattern]:
    """The addresses below a list of Django's patterns; the first of two that are equal counts."""
    routes: dict[str, URLPattern] = {}
    for pattern in patterns:
        route = f"{prefix}{pattern.pattern}"
        below = _routes_of(pattern.url_patterns, route) if isinstance(pattern, URLResolver) else {route: pattern}
        for address, page in below.items():
            routes.setdefault(address, page)
    return routes


def _use_public_settings() -> None:
    """Change to the public origin's settings, in a fork of a process that was set up with the office's."""
    from django.conf import settings

    if settings.configured:
        from bluezone.web import settings_public

        for name in filter(str.isupper, dir(settings_public)):
            setattr(settings, name, getattr(settings_public, name))


application = PublicOrigin()
