# SPDX-License-Identifier: Apache-2.0
"""Use a page without a mouse: by Tab, Enter, Space and arrow keys, and by the names of its elements.

Names are those of the browser's accessibility tree, which a screen reader reads. Queries to the tree are slow, so only
elements with a text that could be the name are queried.
"""

import re

MOST_TABS = 150
MOST_OPTIONS = 60
_SHOWN = """
() => {
  const node = document.activeElement, box = node.getBoundingClientRect(), style = getComputedStyle(node);
  const marked = style.outlineStyle !== 'none' || style.boxShadow !== 'none';
  return { marked, inside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth };
}
"""

# The texts of which the name of the focused element may consist; null for the page itself.
_LOOKS = """
() => {
  const node = document.activeElement;
  if (!node || node === document.body) return null;
  const named = (node.getAttribute('aria-labelledby') || '').split(' ').map(id => document.getElementById(id));
  return [...named, ...(node.labels || []), node].map(one => one?.textContent)
    .concat(['aria-label', 'title', 'placeholder', 'value'].map(name => node.getAttribute(name)))
    .map(text => (text || '').trim().replace(/\\s+/g, ' ')).filter(Boolean);
}
"""


class Keyboard:
    """The keys of one page."""

    def __init__(self, page) -> None:
        self.page = page
        self._cdp = page.context.new_cdp_session(page)

    def focused(self) -> tuple[str, str]:
        """Role and accessible name of the focused element; ("", "") without one."""
        remote_object = self._cdp.send("Runtime.evaluate", {"expression": "document.activeElement"})["result"]
        if "objectId" not in remote_object:
            return "", ""
        parameters = {"objectId": remote_object["objectId"], "fetchRelatives": False}
        node = self._cdp.send("Accessibility.getPartialAXTree", parameters)["nodes"][0]
        values = [" ".join(str(node.get(part, {}).get("value", "")).split()) for part in ("role", "name")]
        return values[0], values[1]

    def to(self, name: str, role: str = "") -> None:
        """Press Tab until the focus is on the element with this name (a pattern for its beginning)."""
        met = []
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            looks = self.page.evaluate(_LOOKS)
            met += [""] if looks is None else looks
            if met.count("") > 2:
                break
            if not any(re.match(name.removesuffix("$"), text) for text in looks or []):
                continue
            kind, called = self.focused()
            if re.match(name, called) and role in ("", kind):
                focus = self.page.evaluate(_SHOWN)
                assert focus["marked"], f"{called!r} does not show that it has the focus"
                assert focus["inside"], f"{called!r} has the focus out of sight"
                return
        raise AssertionError(f"on {self.page.url} the keyboard meets no {name!r}, only {list(dict.fromkeys(met))}")

    def press(self, name: str, role: str = "", key: str = "Enter") -> None:
        """Reach a link or button, press it, and wait for the next page."""
        self.to(name, role)
        with self.page.expect_navigation():
            self.page.keyboard.press(key)

    def unfold(self, name: str) -> None:
        """Open a collapsed section."""
        self.to(name)
        self.page.keyboard.press("Enter")

    def write(self, name: str, text: str) -> None:
        """Fill a field."""
        self.to(name)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(text)

    def date(self, name: str, day) -> None:
        """Fill a date field by typing its parts in the order of the browser (month, day, year)."""
        self.to(name)
        self.page.keyboard.type(f"{day:%m%d%Y}")
        self.page.keyboard.press("Tab")
        assert self.page.evaluate(
            "day => [...document.querySelectorAll('[type=date]')].some(f => f.value === day)", str(day)
        )

    def choose(self, name: str, option: str) -> None:
        """Select the option that begins with this text in a list, with the arrow keys."""
        self.to(name)
        self.page.keyboard.press("Home")
        for _ in range(MOST_OPTIONS):
            chosen = self.page.evaluate("document.activeElement.selectedOptions[0].textContent.trim()")
            if chosen.startswith(option):
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"{name!r} offers no {option!r}")

    def mark(self, option: str) -> None:
        """Choose a radio button: Tab to the group, arrow keys to the option."""
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            if self.focused()[0] == "radio":
                break
        for _ in range(MOST_OPTIONS):
            if self.focused()[1].startswith(option):
                self.page.keyboard.press("Space")
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"no choice {option!r}")

    def past_the_pages(self) -> None:
        """Follow the first link of every page, which leads to its content."""
        self.page.keyboard.press("Tab")
        self.page.keyboard.press("Enter")
        assert self.page.url.endswith("#main")

    def go(self, name: str) -> None:
        """Choose one of the office's pages, which are in the menu on a narrow screen."""
        if self.page.is_visible("[data-menu]"):
            self.to("Menu")
            self.page.keyboard.press("Enter")
        self.press(name, "link")
