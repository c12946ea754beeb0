# SPDX-License-Identifier: Apache-2.0
"""Find every page of the office, by its address patterns and by the links on the pages."""

import datetime
import html
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from babel.messages.pofile import read_po
from django.urls import Resolver404, get_resolver, resolve
from tests.builders.peopling import Person
from tests.builders.visitor import Visitor

from bluezone.rollout.report_week import Week

URLCONF = "bluezone.web.urls_office"
# Roles with the most permissions come first, so that a page is checked with all its buttons.
READERS = (
    "issuer", "clerk", "lead", "officer", "admin", "supervisor", "leader", "editor", "speaker_operator", "canvasser",
    "drive_lead",
)  # fmt: skip
# How many addresses of one route one reader opens.
MOST_OF_A_ROUTE = 7
_HREF = re.compile(r'href="(/[^"#]*)')
_ACTION = re.compile(r'action="(/[^"#]*)')
_SIZES = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
# Texts for a reader: visible ones, and those that a screen reader reads instead, each as one string.
_WORDS = """
() => {
  const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    // Official forms (registers) are Vietnamese in both languages, and marked so.
    if (!parent.closest('script, style, template, [lang]:not(html)')) found.add(walker.currentNode.textContent.trim());
  }
  for (const name of ['aria-label', 'placeholder', 'title', 'alt'])
    for (const node of document.querySelectorAll(`[${name}]`)) found.add(node.getAttribute(name).trim());
  return [document.title.replace(/ · Bluezone$/, ''), ...found];
}
"""


@dataclass(frozen=True)
class Page:
    """One page to check: the name of its route, the role of its reader, and its address."""

    route: str
    role: str
    path: str


class Crew:
    """Signed-in browser profiles, one for each reader, made on first use."""

    def __init__(self, browser, served) -> None:
        self._browser = browser
        self._served = served
        self._visitors = {}

    def __getitem__(self, role: str) -> Visitor:
        if role not in self._visitors:
            visitor = self._visitors[role] = Visitor(self._browser, self._served)
            visitor.come_in(Person(role, 1280))
        return self._visitors[role]

    def close(self) -> None:
        for visitor in self._visitors.values():
            visitor.context.close()


def find_pages(crew: Crew) -> tuple[list[Page], set[str]]:
    """Pages to check, and names of routes that answer GET with something other than a page.

    A route that shows different buttons at different times gives a page for each set of buttons.
    """
    pages: dict[tuple[str, frozenset], Page] = {}
    other = set()
    for role in READERS:
        ask = crew[role].context.request
        requests = Counter()
        waiting = _plain_addresses()
        seen = set()
        while waiting:
            path = waiting.pop(0)
            route = _name_of(path)
            if route in _LEFT_ALONE or path in seen or requests[route] >= MOST_OF_A_ROUTE:
                continue
            seen.add(path)
            requests[route] += 1
            answer = ask.get(crew[role].served.office + path, max_redirects=0)
            if answer.status == 200 and "text/html" in answer.headers["content-type"]:
                text = answer.text()
                if "<html" not in text:  # a part that a page fetches
                    other.add(route)
                    continue
                acts = frozenset(_name_of(html.unescape(act)) for act in _ACTION.findall(text))
                pages.setdefault((route, acts), Page(route, role, path))
                waiting += dict.fromkeys(html.unescape(link) for link in (_HREF.findall(text) + _ACTION.findall(text)))
            elif answer.status in (200, 405):
                other.add(route)
    sorted_pages = sorted(pages.values(), key=lambda page: page.route)
    return sorted_pages, other - {page.route for page in sorted_pages}


# Routes that leave the page being checked, or change the reader.
_LEFT_ALONE = {None, "language", "sign-out"}


def named_routes() -> set[str]:
    """Names of every route of the office."""
    return {name for name in get_resolver(URLCONF).reverse_dict if isinstance(name, str)}


def _plain_addresses() -> list[str]:
    """Addresses of routes that take no arguments."""
    resolver = get_resolver(URLCONF)
    addresses = []
    for name in sorted(named_routes()):
        for possibilities, *_rest in resolver.reverse_dict.getlist(name):
            addresses += [f"/{address}" for address, arguments in possibilities if not arguments]
    # The list that `peopling` uploaded, to which only its sender has a link. And a week that is certainly locked.
    locked = Week.of(datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=21))
    return [*addresses, "/imports/1/", f"/staff/?week={locked}"]


def _name_of(path: str) -> str | None:
    try:
        return resolve(path.partition("?")[0], URLCONF).url_name
    except Resolver404:
        return None


def scrolls_sideways(page) -> str:
    """By how much a page is wider than the screen, as a text; "" if it fits."""
    width, room = page.evaluate(_SIZES)
    return "" if width <= room else f"{width} > {room}"


# Data that are also texts of the program: Vietnamese titles; and "In", which is "print" and the English word.
_DATA = {"Cán bộ phụ trách", "In", "Cài Bluezone"}


class Words:
    """The texts of each language, by the message catalogues of all apps."""

    def __init__(self) -> None:
        self.english = set()
        self.vietnamese = set()
        catalogues = Path(__file__).parents[2] / "src" / "bluezone" / "web" / "locale" / "vi" / "LC_MESSAGES"
        with (catalogues / "django.po").open("rb") as file:
            for message in read_po(file, locale="vi"):
                # A plural has two English forms and one Vietnamese.
                vietnamese = message.string if isinstance(message.string, str) else message.string[0]
                for english in [message.id] if isinstance(message.id, str) else message.id:
                    if english != vietnamese and len(english) > 2:
                        self.english.add(english)
                        self.vietnamese.update([vietnamese] if vietnamese else [])

    def left_over(self, page, language: str) -> list[str]:
        """Texts of a page in the wrong language: those that only the catalogue of the other language has."""
        wrong, right = (self.english, self.vietnamese) if language == "vi" else (self.vietnamese, self.english)
        return sorted(text for text in page.evaluate(_WORDS) if text in wrong and text not in right | _DATA)
