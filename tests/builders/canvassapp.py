# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501 (lines of JavaScript)
"""The canvassers' app in a browser of phone size, and what its owner does with it."""

import json
from typing import Any

PHONE = {"width": 360, "height": 740}
# Time that a test lets pass: the clock of the phone is ahead by this number of seconds.
_AHEAD = "(() => { const shown = Date.now.bind(Date); Date.now = () => shown() + 1000 * Number(localStorage.getItem('ahead') || 0); })()"
# Everything that the app stores, opened, and the other places in which a page can store: storage, cookies, caches.
_KEPT = """async () => {
  const { Box } = await import('/canvass/box.js');
  const box = await Box.open();
  const kept = [JSON.stringify(await box.store.all('')), JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie];
  box.close();
  kept.push(JSON.stringify((await indexedDB.databases()).map(({ name }) => name)), location.href);
  for (const name of await caches.keys()) kept.push(...(await (await caches.open(name)).keys()).map(({ url }) => url));
  return kept.join("\\n");
}"""


class CanvassApp:
    """One phone with the app. sent: address and body of every request."""

    def __init__(self, chromium: Any, origin: str, language: str = "vi", **context: Any) -> None:
        self.origin = origin
        self.language = language
        self.context = chromium.new_context(viewport=PHONE, timezone_id="Asia/Ho_Chi_Minh", **context)
        self.page = self.context.new_page()
        self.page.add_init_script(_AHEAD)
        self.trouble: list[str] = []
        self.sent: list[str] = []
        self.page.on("pageerror", lambda error: self.trouble.append(str(error)))
        self.page.on(
            "console", lambda message: self.trouble.append(message.text) if "Security Policy" in message.text else None
        )
        self.page.on("request", lambda request: self.sent.append(f"{request.url} {request.post_data or ''}"))

    def connect(self, code: str) -> "CanvassApp":
        """Open the app for the first time and type the office's code; it is kept for offline use afterwards."""
        self.page.goto(f"{self.origin}/canvass/")
        self.page.fill("#code", code)
        self.page.click("form button[type=submit]")
        self.page.wait_for_selector("#doors a")
        self.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        if self.language == "en":
            self.page.get_by_role("button", name="English", exact=True).click()
            self.page.wait_for_selector("html[lang=en]")
        return self

    def live(self, hours: float) -> None:
        """Move the clock forward and reload the list."""
        self.page.evaluate(
            "more => localStorage.setItem('ahead', Number(localStorage.getItem('ahead') || 0) + more)", 3600 * hours
        )
        self.page.reload()
        self.page.wait_for_selector("#doors")

    def filter(self, name: str) -> list[str]:
        """Choose a filter; returns the texts of the doors it shows."""
        self.page.locator(".filters button", has_text=name).click()
        return self.doors()

    def doors(self) -> list[str]:
        """The texts of the visible doors."""
        return list(self.page.locator("#doors a").all_inner_texts())

    def first(self) -> str:
        """Open the first door of the list; returns its key."""
        door = self.page.locator("#doors a").first
        key = str(door.get_attribute("href")).rpartition("/")[2]
        door.click()
        self.page.wait_for_selector("#visit")
        return key

    def on_map(self) -> int:
        """The number of doors that the pins on the map represent."""
        return sum(int(pin.get_attribute("data-doors")) for pin in self.page.locator(".map g.pin").all())

    def pick(self, group: str, value: str) -> None:
        """Tap one choice of the form."""
        self.page.click(f"label[for={group}-{value}]")

    def save(self) -> None:
        """Save the visit and wait for the list."""
        self.page.click("#save")
        self.page.wait_for_selector("#doors")

    def kept(self) -> str:
        """Everything that the browser stores for this origin, as text."""
        return str(self.page.evaluate(_KEPT))

    def waiting(self) -> list[dict[str, Any]]:
        """The entries that are still on the phone."""
        return json.loads(
            self.page.evaluate(
                "import('/canvass/box.js').then(async ({Box}) => { const box = await Box.open(); const all = await box.entries(); box.close(); return JSON.stringify(all.map(({body}) => body)); })"
            )
        )

    def close(self) -> None:
        assert self.trouble == [], self.trouble
        self.context.close()
