# SPDX-License-Identifier: Apache-2.0
"""A phone's page in a real Chromium: open it, go to a screen, and look whether it is fit to be used."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.builders.accessibility import serious_findings

from bluezone.handset import Handset
from bluezone.handset.page.api import LocalPage
from bluezone.keyserver.venues import VenueDescription

PHO = VenueDescription(name="Quán phở Bắc Hồ", address="Tổ 5, phường Sông Cầu", type=4, stay_minutes=60)
PHONE, DESK = 360, 1280


@dataclass
class Face:
    """The face of one phone as its owner sees it. told: what the browser complained of."""

    page: Any
    local: LocalPage
    told: list[str]

    def go(self, path: str) -> None:
        """Go to a screen as a link does, and wait until it is there."""
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
    """Without the marks that keep words together."""
    return text.replace("\u00a0", " ").replace("\u2060", "")


@contextmanager
def opened(
    chromium: Any, phone: Handset, *, width: int = PHONE, language: str = "vi", started: bool = True,
    dark: bool = False, **options: Any,
) -> Iterator[Face]:  # fmt: skip
    """Serve a phone's page and open the printed address. started: the owner has agreed before."""
    local = LocalPage(phone)
    local.start()
    if started:
        local.api.changing["start"]({"language": language})
    else:
        local.api.changing["setLanguage"]({"code": language})
    scheme = "dark" if dark else "light"
    context = chromium.new_context(viewport={"width": width, "height": 740}, color_scheme=scheme, **options)
    page = context.new_page()
    told: list[str] = []
    page.on("pageerror", lambda error: told.append(str(error)))
    page.on("console", lambda line: told.append(line.text) if line.type == "error" else None)
    try:
        page.goto(local.url)
        page.wait_for_selector("#status", state="attached")
        yield Face(page, local, told)
    finally:
        context.close()
        local.stop()


def assert_fit(face: Face) -> None:
    """No sideways scrolling, nothing serious for axe, a heading that has the focus, targets large enough to tap."""
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


# What sticks out of the screen, or is cut off by what it lies in, though it has words.
CUT_OFF = """() => [...document.querySelectorAll('h1, h2, h3, p, a, button, label, li, summary, td, input, .button')]
    .filter(element => element.getClientRects().length && !element.closest('.skip, .sr, .hidden, [hidden]'))
    .filter(element => {
        const {left, right} = element.getBoundingClientRect();
        const cut = element.scrollWidth > element.clientWidth + 1 && getComputedStyle(element).overflowX === 'hidden';
        return left < -1 || right > innerWidth + 1 || cut;
    })
    .map(element => `${element.tagName} ${element.textContent.trim().slice(0, 40)}`)"""


def assert_readable_at_twice_the_size(page: Any) -> None:
    """With letters of 200 % nothing scrolls sideways, and nothing is cut off or out of the screen."""
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    # The face looks at the size of the letters when it paints a screen.
    page.evaluate("dispatchEvent(new HashChangeEvent('hashchange'))")
    page.wait_for_function("() => document.querySelector('main h1')")
    where = page.url.split("/", 3)[-1]
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (where, page.evaluate(CUT_OFF))
    assert page.evaluate(CUT_OFF) == [], where
