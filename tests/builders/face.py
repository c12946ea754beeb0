# SPDX-License-Identifier: Apache-2.0
"""The page of a phone in a real Chromium: open it, go to a screen, and check that it is usable."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.builders.accessibility import serious_findings

from bluezone.handset import Handset
from bluezone.handset.page.api import LocalPage
from bluezone.keyserver.venues.registrar import VenueDescription

PHO = VenueDescription(name="Quán phở Bắc Hồ", address="Tổ 5, phường Sông Cầu", type=4, stay_minutes=60)
PHONE, DESK = 360, 1280


@dataclass
class Face:
    """The face of one phone as its owner sees it. complaints: errors on the browser's console."""

    page: Any
    local: LocalPage
    complaints: list[str]

    def go(self, path: str) -> None:
        """Go to a screen as a link does, and wait for it."""
        self.page.evaluate("window.before = document.querySelector('main')")
        self.page.evaluate("path => { location.hash = path; }", path)
        self.page.wait_for_function(
            "path => location.hash === '#' + path && document.querySelector('main') !== window.before", arg=path
        )

    def heading(self) -> str:
        """The text of the screen's heading."""
        return self.page.inner_text("main h1")

    def text(self) -> str:
        """Every word on the page, with ordinary blanks and hyphens."""
        return plain(self.page.inner_text("body"))

    def wait(self, text: str) -> None:
        """Wait until a text is on the page."""
        self.page.wait_for_function(
            "text => document.body.innerText.replace(/\\u00a0/g, ' ').replace(/\\u2060/g, '').includes(text)", arg=text
        )


def plain(text: str) -> str:
    """A text without the characters that keep words together."""
    return text.replace("\u00a0", " ").replace("\u2060", "")


@contextmanager
def open_face(
    chromium: Any, phone: Handset, *, width: int = PHONE, language: str = "vi", started: bool = True,
    dark: bool = False, **options: Any,
) -> Iterator[Face]:  # fmt: skip
    """Serve the page of a phone and open the printed address. started: the owner has already given consent."""
    local = LocalPage(phone)
    local.start()
    if started:
        local.api.changing["start"]({"language": language})
    else:
        local.api.changing["setLanguage"]({"code": language})
    scheme = "dark" if dark else "light"
    context = chromium.new_context(viewport={"width": width, "height": 740}, color_scheme=scheme, **options)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    try:
        page.goto(local.url)
        page.wait_for_selector("#status", state="attached")
        yield Face(page, local, complaints)
    finally:
        context.close()
        local.stop()


def assert_fit(face: Face) -> None:
    """No sideways scrolling, no serious finding of axe, one heading, targets large enough to tap, no inline styles."""
    page = face.page
    where = page.evaluate("location.hash")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"{where} scrolls sideways"
    assert serious_findings(page) == [], where
    assert page.evaluate("document.querySelectorAll('main h1').length") == 1, where
    small = page.evaluate(
        """() => [...document.querySelectorAll(
            'main button, main .button, main summary, nav a, header button, .choice')]
        .filter(element => element.offsetParent && element.getBoundingClientRect().height < 47.5)
        .map(element => element.textContent)"""
    )
    assert small == [], f"{where}: too small to tap"
    assert page.evaluate("document.querySelectorAll('[style], style, script:not([src])').length") == 0, where


# Elements with text that extend beyond the screen, or that their container cuts off.
CUT_OFF = """() => [...document.querySelectorAll('h1, h2, h3, p, a, button, label, li, summary, td, input, .button')]
    .filter(element => element.getClientRects().length && !element.closest('.skip, .sr, .hidden, [hidden]'))
    .filter(element => {
        const {left, right} = element.getBoundingClientRect();
        const cut = element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX === 'hidden';
        return left < -1 || right > innerWidth + 1 || cut;
    })
    .map(element => `${element.tagName} ${element.textContent.trim().slice(0, 40)}`)"""


def assert_readable_at_twice_the_size(page: Any) -> None:
    """At a font size of 200 % nothing scrolls sideways, and nothing is cut off or outside the screen."""
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    # The face reads the font size when it paints a screen.
    page.evaluate("dispatchEvent(new HashChangeEvent('hashchange'))")
    page.wait_for_function("() => document.querySelector('main h1')")
    where = page.url.split("/", 3)[-1]
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (where, page.evaluate(CUT_OFF))
    assert page.evaluate(CUT_OFF) == [], where
