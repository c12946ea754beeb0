# SPDX-License-Identifier: Apache-2.0
"""What the answer for a public page depends on besides its address.

Nothing here needs Django: the front of an installation with a user for each part has neither its settings nor its
addresses, and gets a description of them from the part with the pages.
"""

import json
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from bluezone.keyserver.http import PREFIX

_UNWANTED = re.compile(r";q=0(?:\.0*)?$")
# A parameter in a route of Django, and the texts that it matches. Of another kind it may be any text without a slash.
_PARAMETER = re.compile(r"<(?:([a-z]+):)?[a-z_]+>")
_TEXTS = {"int": "[0-9]+", "slug": "[-a-zA-Z0-9_]+", "path": ".+"}
_ANY_TEXT = "[^/]+"
_NUMBER = re.compile(r"[1-9][0-9]{0,2}")
# Limits of a description, so that a hostile process cannot make the front search for long.
_MOST_ROUTES = 1000
_LONGEST_ROUTE = 100


class PageAddresses:
    """The addresses of the pages.

    routes: as Django has them, without the first slash; with each, the names of the numbers in a query on which the
    page depends, None if it depends on all of its query. Raises ValueError.
    """

    def __init__(self, routes: Mapping[str, Sequence[str] | None]) -> None:
        self.routes = routes
        self._names = tuple(routes.values())
        self._pattern = re.compile("|".join(f"({_pattern_of(route)})" for route in routes))

    def is_known(self, path: str) -> bool:
        """Whether an address is one of the API's or of the pages', also without the slash at its end."""
        if path.startswith(PREFIX) or self._match(path):
            return True
        return not path.endswith("/") and self._match(f"{path}/") is not None

    def read_query(self, path: str, query: str) -> str | None:
        """The part of a query that the page of an address depends on, None for all of it."""
        match = None if path.startswith(PREFIX) else self._match(path)
        names = match and self._names[(match.lastindex or 0) - 1]
        if names is None:
            return None
        parameters = parse_qs(query)
        values = {name: parameters[name][0] for name in names if name in parameters}
        return urlencode({name: value for name, value in values.items() if _NUMBER.fullmatch(value)})

    def _match(self, path: str) -> re.Match[str] | None:
        return self._pattern.fullmatch(path, 1) if path.startswith("/") else None


def _pattern_of(route: str) -> str:
    literal, *rest = _PARAMETER.split(route)
    if len(route) > _LONGEST_ROUTE or rest[::2].count("path") > 1:
        raise ValueError("a route is too long")
    pieces = [re.escape(literal)]
    for kind, following in zip(rest[::2], rest[1::2], strict=True):
        pieces += [_TEXTS.get(kind, _ANY_TEXT), re.escape(following)]
    return "".join(pieces)


@dataclass(frozen=True)
class PageLanguages:
    """The languages that readers may offer. first: of readers who offer none of them."""

    offered: frozenset[str]
    first: str

    def language_for(self, accepted: str) -> str:
        """The language of the public pages for readers who have chosen none: `first` or "en".

        accepted: the header Accept-Language, unchecked. A reader who lists the first language at all gets it, because
        telephones here often list English first. The web edition follows the same rule (face/static/words.js).
        """
        parts = (part.replace(" ", "").lower() for part in accepted.split(","))
        listed = {part.split(";")[0].split("-")[0] for part in parts if not _UNWANTED.search(part)}
        if self.first in listed or not listed & self.offered:
            return self.first
        return "en"


@dataclass(frozen=True)
class PageVariants:
    """What the answer for a public page depends on.

    language_cookie: the only cookie that it may depend on. store_state: returns a value that changes when the store
    does, None if that cannot be known.
    """

    language_cookie: str
    store_state: Callable[[], Hashable]
    addresses: PageAddresses
    languages: PageLanguages

    def describe(self) -> bytes:
        """Addresses and languages, for another process."""
        routes = {route: names and list(names) for route, names in self.addresses.routes.items()}
        languages = sorted(self.languages.offered)
        return json.dumps({"routes": routes, "offered": languages, "first": self.languages.first}).encode()


def read_description(description: bytes, language_cookie: str, store_state: Callable[[], Hashable]) -> PageVariants:
    """The variants that another process has described. Raises ValueError."""
    try:
        members = json.loads(description)
        routes = {str(route): names and tuple(map(str, names)) for route, names in members["routes"].items()}
        if len(routes) > _MOST_ROUTES:
            raise ValueError("too many routes")
        languages = PageLanguages(frozenset(map(str, members["offered"])), str(members["first"]))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not a description of pages") from error
    return PageVariants(language_cookie, store_state, PageAddresses(routes), languages)
