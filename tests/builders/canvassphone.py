# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501 (lines of JavaScript)
"""A canvass phone: a Chromium that a test can kill, with a profile on disk, and the acts of its owner in the app."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

from tests.builders.chromium import FLAGS, PATIENCE_MILLISECONDS, needed
from tests.builders.serving import free_port

# As a separate program, not as playwright starts it.
OWN = ("--headless=new", "--disable-gpu")
PHONE = {"width": 360, "height": 740}
# Enter visits directly into the app's store, each with a drawn picture; each id is logged once it is on disk.
ENTER = """async ({doors, turf, photos}) => {
  const {Box} = await import('/canvass/box.js');
  const {shrink} = await import('/canvass/photo.js');
  const box = await Box.open();
  const canvas = document.createElement('canvas');
  canvas.width = 640; canvas.height = 480;
  const brush = canvas.getContext('2d');
  for (const [place, door] of doors.entries()) {
    brush.fillStyle = `hsl(${place * 3} 80% 50%)`;
    brush.fillRect(0, 0, 640, 480);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
    const photo = photos ? await shrink(new File([blob], 'leaflet.png')) : null;
    const visit = {outcome: 'leaflet', leaflets: 1, lot: 'L7', phones: 2, told: 1};
    const id = await box.keep({door, turf, visit, facts: {smartphones: {value: 2, base: ''}}, photo});
    console.log(`kept ${id} ${door}`);
  }
  box.close();
}"""


class KillablePhone:
    """One phone. profile: the folder of its browser, which survives `kill`. kept: ids of visits that are on disk."""

    def __init__(self, playwright: Any, profile: Path, origin: str) -> None:
        self.playwright = playwright
        self.profile = profile
        self.origin = origin
        self.kept: list[str] = []

    def open(self) -> "KillablePhone":
        """Start the browser on its profile; `page` is empty."""
        port = free_port()
        self.process = subprocess.Popen(
            [needed(), *FLAGS, *OWN, f"--user-data-dir={self.profile}", f"--remote-debugging-port={port}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        _wait_for(port)
        self.browser = self.playwright.chromium.connect_over_cdp(
            f"http://127.0.0.1:{port}", timeout=PATIENCE_MILLISECONDS
        )
        context = self.browser.contexts[0]
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        self.page = context.pages[0] if context.pages else context.new_page()
        self.page.set_viewport_size(PHONE)
        self.page.on("console", lambda message: self._heard(message.text))
        return self

    def kill(self) -> None:
        """SIGKILL to the browser and all its processes, as when the battery is removed."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        """End the browser if it runs."""
        if self.process.poll() is None:
            self.kill()

    def show(self, path: str = "/", afresh: bool = False) -> None:
        """Go to a screen. afresh: load the app again, as when it is opened; the first call always does."""
        if afresh or not self.page.url.startswith(f"{self.origin}/canvass/"):
            self.page.goto("about:blank")
            self.page.goto(f"{self.origin}/canvass/#{path}")
        else:
            self.page.evaluate("path => { location.hash = path; }", path)

    def connect(self, code: str) -> None:
        """Type the office's code, and wait until the app is stored for offline use."""
        self.show()
        self.page.fill("#code", code)
        self.page.click("form button[type=submit]")
        self.page.wait_for_selector("#doors a, main h1:has-text('Chưa có danh sách')")
        self.page.evaluate("navigator.serviceWorker.ready.then(() => true)")

    def speak(self, language: str) -> None:
        """Switch the language of the app, which is Vietnamese at first."""
        if language == "en":
            self.page.get_by_role("button", name="English", exact=True).click()
        self.page.wait_for_selector(f"html[lang={language}]")

    def visit(self, door: str, outcome: str, **facts: str) -> None:
        """Enter one visit in the form. facts: fields of the household to correct first."""
        if facts:
            self.correct(door, **facts)
        else:
            self.show(f"/door/{door}")
        self.page.click(f"label[for=outcome-{outcome}]")
        if outcome == "leaflet":
            self.page.fill("#lot", "L7")
        self.page.click("#save")
        self.page.wait_for_selector("#doors")

    def correct(self, door: str, **facts: str) -> None:
        """Correct fields of a household in the form; the form of its visit is open afterwards."""
        self.show(f"/facts/{door}")
        for name, value in facts.items():
            self.page.fill(f"#{name}", value)
        self.page.click("#save")
        self.page.wait_for_selector("#visit")

    def enter(self, doors: list[str], turf: int, photos: bool = True) -> None:
        """Enter a visit with a photo for each door, directly into the app's store."""
        self.page.evaluate(ENTER, {"doors": doors, "turf": turf, "photos": photos})

    def waiting(self) -> list[dict[str, Any]]:
        """The entries that are still on the phone."""
        return self.page.evaluate(
            "import('/canvass/box.js').then(async ({Box}) => { const box = await Box.open(); const all = await box.entries(); box.close(); return all.map(({body}) => body); })"
        )

    def me(self) -> dict[str, Any]:
        """The identity of the phone, with its token."""
        return self.page.evaluate(
            "import('/canvass/box.js').then(async ({Box}) => { const box = await Box.open(); const me = await box.me(); box.close(); return me; })"
        )

    def lose(self, key: str) -> None:
        """Remove an entry, as when a browser clears data that it should keep."""
        self.page.evaluate(
            "id => import('/canvass/box.js').then(async ({Box}) => { const box = await Box.open(); await box.remove(id); box.close(); })", key,
        )  # fmt: skip

    def _heard(self, text: str) -> None:
        if text.startswith("kept "):
            self.kept.append(text.split()[1])


def call(origin: str, token: str, body: dict[str, Any]) -> dict[str, Any]:
    """Send a body as the app does; returns the answer."""
    request = urllib.request.Request(
        f"{origin}/v1/canvass/sync", json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {token}"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)


def wait_until(holds, seconds: float = 600, pause: float = 0.1) -> None:
    """Wait until `holds` returns true."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "the condition did not become true"
        time.sleep(pause)


def _wait_for(port: int) -> None:
    def opened() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_until(opened)
