# SPDX-License-Identifier: Apache-2.0
"""Every page of the office, found from its address patterns and from the links of the pages themselves."""

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

from bluezone.rollout.coverage.figures import Week

URLCONF = "bluezone.web.urls_office"
# Whoever can do the most on a page comes first, so that a page is looked at with all its buttons.
READERS = (
    "issuer", "clerk", "lead", "officer", "admin", "supervisor", "leader", "editor", "speaker_operator", "canvasser",
    "drive_lead",
)  # fmt: skip
# Addresses of one route that one reader asks for.
MOST_OF_A_ROUTE = 7
_HREF = re.compile(r'href="(/[^"#]*)')
_ACTION = re.compile(r'action="(/[^"#]*)')
_SIZES = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
# Words that a reader meets: visible texts and what is read out instead of them, each as one string.
_WORDS = """
() => {
  const found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    // Forms laid down in Vietnamese (registers) are so in both languages, and say so.
    if (!parent.closest('script, style, template, [lang]:not(html)')) found.add(walker.currentNode.textContent.trim());
  }
  for (const name of ['aria-label', 'placeholder', 'title', 'alt'])
    for (const node of document.querySelectorAll(`[${name}]`)) found.add(node.getAttribute(name).trim());
  return [document.title.replace(/ · Bluezone$/, ''), ...found];
}
"""


@dataclass(frozen=True)
class Page:
    """One page to look at: the name of its route, who looks, and its address."""

    route: str
    role: str
    path: str


class Crew:
    """Signed-in browser profiles, one for each reader, made when first asked for."""

    def __init__(self, browser, served) -> None:
        self._browser, self._served, self._visitors = browser, served, {}

    def __getitem__(self, role: str) -> Visitor:
        if role not in self._visitors:
            visitor = self._visitors[role] = Visitor(self._browser, self._served)
            visitor.come_in(Person(role, 1280))
        return self._visitors[role]

    def close(self) -> None:
        for visitor in self._visitors.values():
            visitor.context.close()


def find_pages(crew: Crew) -> tuple[list[Page], set[str]]:
    """Pages to look at, and names of routes that answer GET with something else than a page.

    Of a route that shows different buttons at different times, a page of each kind that is met.
    """
    pages: dict[tuple[str, frozenset], Page] = {}
    other = set()
    for role in READERS:
        ask, asked = crew[role].context.request, Counter()
        waiting, seen = _plain_addresses(), set()
        while waiting:
            path = waiting.pop(0)
            route = _name_of(path)
            if route in _LEFT_ALONE or path in seen or asked[route] >= MOST_OF_A_ROUTE:
                continue
            seen.add(path)
            asked[route] += 1
            answer = ask.get(crew[role].served.office + path, max_redirects=0)
            if answer.status == 200 and "text/html" in answer.headers["content-type"]:
                text = answer.text()
                if "<html" not in text:  # a part that a page asks for
                    other.add(route)
                    continue
                acts = frozenset(_name_of(html.unescape(act)) for act in _ACTION.findall(text))
                pages.setdefault((route, acts), Page(route, role, path))
                waiting += dict.fromkeys(
                    html.unescape(found) for found in (_HREF.findall(text) + _ACTION.findall(text))
                )
            elif answer.status in (200, 405):
                other.add(route)
    found = sorted(pages.values(), key=lambda page: page.route)
    return found, other - {page.route for page in found}


# Leaves the page that is being looked at, or turns the reader into another.
_LEFT_ALONE = {None, "language", "sign-out"}


def named_routes() -> set[str]:
    """Names of every route of the office."""
    return {name for name in get_resolver(URLCONF).reverse_dict if isinstance(name, str)}


def _plain_addresses() -> list[str]:
    """Addresses of routes that take no arguments."""
    resolver = get_resolver(URLCONF)
    found = []
    for name in sorted(named_routes()):
        for possibilities, *_rest in resolver.reverse_dict.getlist(name):
            found += [f"/{address}" for address, arguments in possibilities if not arguments]
    # The list that `peopling` has sent in: only whoever sends a list is led to it. And a week that is surely locked.
    locked = Week.of(datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=21))
    return [*found, "/imports/1/", f"/staff/?week={locked}"]


def _name_of(path: str) -> str | None:
    try:
        return resolve(path.partition("?")[0], URLCONF).url_name
    except Resolver404:
        return None


def scrolls_sideways(page) -> str:
    """Empty, or by how much."""
    width, room = page.evaluate(_SIZES)
    return "" if width <= room else f"{width} > {room}"


# What somebody typed in Vietnamese (a title) and what is also a text of the program; "In", print and who came in.
_DATA = {"Cán bộ phụ trách", "In", "Cài Bluezone"}


class Words:
    """Which texts are of which language, by the message catalogues of all apps."""

    def __init__(self) -> None:
        self.english, self.vietnamese = set(), set()
        catalogues = Path(__file__).parents[2] / "src" / "bluezone" / "web" / "locale" / "vi" / "LC_MESSAGES"
        with (catalogues / "django.po").open("rb") as file:
            for message in read_po(file, locale="vi"):
                # A plural has two English forms and one Vietnamese.
                told = message.string if isinstance(message.string, str) else message.string[0]
                for english in [message.id] if isinstance(message.id, str) else message.id:
                    if english != told and len(english) > 2:
                        self.english.add(english)
                        self.vietnamese.update([told] if told else [])

    def left_over(self, page, language: str) -> list[str]:
        """Texts of a page that are not translated, or stand in the other language's catalogue and not in this one's."""
        wrong, right = (self.english, self.vietnamese) if language == "vi" else (self.vietnamese, self.english)
        return sorted(text for text in page.evaluate(_WORDS) if text in wrong and text not in right | _DATA)
