# SPDX-License-Identifier: Apache-2.0
"""The moving picture of the README, docs/images/warned.webp: a patient reports, the phone that was near is warned.

The pages are those of two phones of the demo, in Chromium; nothing in them is drawn here but the mark of a tap.
Run: .venv/bin/python -m tools.moving_picture [FILE]
"""

import io
import random
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from tests.builders.chromium import launched

from bluezone.cli.demo import (
    STARTED_SECONDS_AGO,
    DemoClock,
    DemoServer,
    prepare_city,
    run_episodes,
)
from bluezone.handset import Handset
from bluezone.handset.page.api import LocalPage

FILE = Path(__file__).parents[1] / "docs" / "images" / "warned.webp"
SEED = 7
NAMES = ("patient", "near", "far", "earlier")
PHONE = {"width": 360, "height": 700}
SCALE, GAP, EDGE = 0.75, 24, 16
PAPER, LINE, TAP = "#e9eef5", "#9fb0c4", (10, 79, 191, 150)
QUALITY = 72


class Film:
    """Both phones side by side, one frame after another. durations: milliseconds of each frame."""

    def __init__(self, left: Any, right: Any) -> None:
        self._pages = (left, right)
        self.frames: list[Image.Image] = []
        self.durations: list[int] = []

    def show(self, milliseconds: int, tap: tuple[int, Any] | None = None) -> None:
        """Take a frame. tap: which phone is touched, and where on it."""
        shots = [Image.open(io.BytesIO(page.screenshot())).convert("RGB") for page in self._pages]
        if tap is not None:
            side, box = tap
            middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            drawn = ImageDraw.Draw(shots[side], "RGBA")
            drawn.ellipse([middle[0] - 26, middle[1] - 26, middle[0] + 26, middle[1] + 26], fill=TAP)
        size = (round(PHONE["width"] * SCALE), round(PHONE["height"] * SCALE))
        whole = Image.new("RGB", (2 * size[0] + GAP + 2 * EDGE, size[1] + 2 * EDGE), PAPER)
        for side, shot in enumerate(shots):
            left = EDGE + side * (size[0] + GAP)
            whole.paste(shot.resize(size, Image.Resampling.LANCZOS), (left, EDGE))
            ImageDraw.Draw(whole).rectangle([left - 1, EDGE - 1, left + size[0], EDGE + size[1]], outline=LINE)
        self.frames.append(whole)
        self.durations.append(milliseconds)

    def touch(self, side: int, selector: str) -> None:
        """Show where a phone is touched, and touch it."""
        found = self._pages[side].locator(selector).first
        found.scroll_into_view_if_needed()
        self.show(700, (side, found.bounding_box()))
        found.click()

    def write(self, file: Path) -> None:
        """All frames as an animated WebP that begins again by itself."""
        first, *others = self.frames
        first.save(
            file, save_all=True, append_images=others, duration=self.durations, loop=0, quality=QUALITY, method=6
        )


def main(file: Path) -> None:
    """Live through the demo's meetings, report and be warned on the pages, write the film."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = DemoServer(folder / "server", fixed_ports=False)
        prepare_city(server)
        with server:
            clock = DemoClock(time.time() - STARTED_SECONDS_AGO)
            key, url = server.public_key(), server.public_url
            phones = {
                one: Handset.open(folder / one, url, clock, random.Random(f"{SEED}/{one}"), trust=key) for one in NAMES
            }
            run_episodes(phones, clock, SEED, print)
            for one in ("patient", "near"):
                phones[one].store.put("started_at", phones[one].time.now())
                phones[one].check()
            film(server, phones["patient"], phones["near"], file)
            for phone in phones.values():
                phone.close()
    print(f"{file}: {file.stat().st_size // 1000} kB")


def film(server: DemoServer, patient: Handset, near: Handset, file: Path) -> None:
    """Play the story on the pages of two phones."""
    code = server.issue_code("confirmed", patient.time.local(time.time()).date() - timedelta(days=2))
    pages = [LocalPage(phone) for phone in (patient, near)]
    for page in pages:
        page.start()
    with launched() as browser:
        left, right = (browser.new_context(viewport=PHONE, device_scale_factor=1).new_page() for _ in pages)
        # What each shows first; their Bluetooth has ended with the meetings, and home would speak of that.
        for shown, page, screen in zip((left, right), pages, ("report", "inbox"), strict=True):
            shown.goto(page.url)
            shown.wait_for_selector("[data-state]")
            shown.evaluate("screen => { location.hash = '/' + screen; }", screen)
        right.wait_for_function("() => location.hash === '#/inbox' && !document.querySelector('[data-state]')")
        made = Film(left, right)
        left.wait_for_selector("#code")
        left.fill("#code", code)
        made.show(1500)
        made.touch(0, "form button[type=submit]")
        left.wait_for_selector("fieldset")
        made.show(2000)
        made.touch(0, "form button[type=submit]")
        left.wait_for_selector("details code", state="attached")
        made.show(2000)
        made.touch(0, "main .buttons button")
        left.wait_for_function("() => location.hash === '#/report-done' && document.querySelector('main h1')")
        left.evaluate("scrollTo(0, 0)")
        made.show(1500)
        server.wait_for_export(after=patient.downloads.position.number, seconds=60)
        # As it does by itself a few times a day.
        near.check()
        right.evaluate("() => { location.hash = '/'; }")
        right.wait_for_selector("[data-state=D]")
        right.evaluate("scrollTo(0, 0)")
        made.show(3000)
        made.touch(1, "text=Xem 3 việc cần làm")
        right.wait_for_selector("main .steps")
        right.evaluate("scrollTo(0, 0)")
        made.show(2500)
        right.evaluate("document.querySelector('main .steps').scrollIntoView()")
        made.show(3500)
    for page in pages:
        page.stop()
    made.write(file)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FILE)
