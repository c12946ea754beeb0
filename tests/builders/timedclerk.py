# SPDX-License-Identifier: Apache-2.0
"""A clerk with counted taps and keys, timed by the keystroke-level model.

Source: S. K. Card, T. P. Moran, A. Newell, "The keystroke-level model for user performance time with interactive
systems", Communications of the ACM 23 (1980): K 0.28 s for an average non-secretary typist, P 1.10 s, H 0.40 s, a press
or release of the mouse button 0.10 s, M 1.35 s. Reading the page's proposals is added at 230 words a minute, and the
answers of the system with the time that they take.
"""

import subprocess
import sys
import time
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

KEY, POINT, HAND, BUTTON, THINK = 0.28, 1.10, 0.40, 0.20, 1.35
WORDS_A_MINUTE = 230
# With them, Nơi nhận means exactly 8 wards and communes and 30 other agencies, including the chairs' office.
EXTRA_AGENCIES = 6


def keys_of(text: str) -> int:
    """Keys to type a text with Telex: one for each letter, one more for each mark and for đ."""
    return len(unicodedata.normalize("NFD", text)) + text.lower().count("đ")


@dataclass
class Work:
    """The work of a person: clicks, fields touched, keys pressed, words read, and the seconds that these take."""

    clicks: int = 0
    fields: int = 0
    keys: int = 0
    words: int = 0
    seconds: float = 0.0
    waited: float = field(default=0.0)

    def __str__(self) -> str:
        return (
            f"{self.clicks} clicks, {self.fields} fields, {self.keys} keys, {self.words} words read: "
            f"{self.seconds + self.waited:.0f} s, of which {self.waited:.0f} s waiting"
        )

    @property
    def total(self) -> float:
        """Seconds of work and waiting."""
        return self.seconds + self.waited


class TimedPage:
    """One page of a browser, used with mouse and keyboard; counts into `work`."""

    def __init__(self, page, work):
        self.page = page
        self.work = work

    def click(self, selector, *, leads_on=True):
        """Think, point, press; wait for the next page."""
        self.work.clicks += 1
        self.work.seconds += THINK + POINT + BUTTON
        begun = time.monotonic()
        if leads_on:
            with self.page.expect_navigation():
                self.page.click(selector)
            self.work.waited += time.monotonic() - begun
        else:
            self.page.click(selector)

    def type(self, selector, text):
        """Think, point at a field, press, move the hand to the keys, type."""
        self._touch(selector)
        self.page.locator(selector).press("Control+A")
        self.page.locator(selector).press_sequentially(text)
        self._keys(keys_of(text) + 2)

    def paste(self, selector, text):
        """Paste a text into a field: Ctrl+A and Ctrl+C at its source, Ctrl+V here."""
        self._touch(selector)
        self.page.fill(selector, text)
        self._keys(6)

    def day(self, selector, day):
        """Type a date: eight digits."""
        self._touch(selector)
        self.page.fill(selector, day)
        self._keys(8)

    def choose(self, selector, value):
        """Open a list of choices and point at one."""
        self.work.clicks += 2
        self.work.fields += 1
        self.work.seconds += 2 * (THINK + POINT + BUTTON)
        self.page.select_option(selector, value)

    def wait(self, until):
        """Count the time that `until` takes as waiting."""
        begun = time.monotonic()
        until()
        self.work.waited += time.monotonic() - begun

    def choose_file(self, selector, name, data, kind):
        """Choose a file: the button, the file in the system's window, and *Open*."""
        self._touch(selector)
        self.work.clicks += 2
        self.work.seconds += 2 * (THINK + POINT + BUTTON)
        self.page.set_input_files(selector, {"name": name, "mimeType": kind, "buffer": data})

    def read(self, text):
        """Read a text completely, to compare it with the page's proposals or to copy from it."""
        words = len(text.split())
        self.work.words += words
        self.work.seconds += 60 * words / WORDS_A_MINUTE

    def _touch(self, selector):
        self.page.locator(selector).focus()
        self.work.clicks += 1
        self.work.fields += 1
        self.work.seconds += THINK + POINT + BUTTON + HAND

    def _keys(self, count):
        self.work.keys += count
        self.work.seconds += KEY * count


def plant(data: Path) -> None:
    """Give a running `serve` a clerk, a signer, and the eight wards and thirty agencies that Nơi nhận means."""
    subprocess.run(
        [sys.executable, "-m", "tests.builders.timedclerk", str(data)], check=True, cwd=Path(__file__).parents[2]
    )


def _plant(data: Path) -> None:
    from bluezone.server.preparation import open_office

    open_office(data)
    from tests.builders import directives, peopling
    from tests.builders.agencies import agency_values

    from bluezone.directory.models import Agency, RecipientGroup
    from bluezone.directory.records.changes import save_agency
    from bluezone.identity.models import User

    directives.extend_to_today()
    for role in ("clerk", "issuer"):
        peopling._account(peopling.Person(role, 1280))
    # The signer is the person that the letter names.
    User.objects.filter(username="issuer.1280").update(name="Nguyễn Thị Hué")
    city = Agency.objects.get(key="ubnd-tp")
    group = RecipientGroup.objects.get(key="phong-ban-doan-the")
    for number in range(1, EXTRA_AGENCIES + 1):
        name = f"Ban quản lý dự án số {number}"
        group.agencies.add(save_agency("plant", None, agency_values(city.unit, name=name, kind="service", parent=city)))


if __name__ == "__main__":
    _plant(Path(sys.argv[1]))
