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
