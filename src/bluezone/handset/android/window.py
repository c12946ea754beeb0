# SPDX-License-Identifier: Apache-2.0
"""What the app's one window shows now, and what a button of its own screens means."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bluezone.handset.android.permissions import PhoneState, Step, asked_at, left, may_run, next_step
from bluezone.handset.android.screens import Screen, problem_screen, step_screen, waiting_screen
from bluezone.handset.android.service import Tracing
from bluezone.handset.android.setup import Setup
from bluezone.handset.page.api import Spoken, Voice
from bluezone.handset.store import HandsetDiskFull

Order = Literal["nothing", "ask", "app_settings", "location_settings", "battery_question"]


@dataclass(frozen=True, slots=True)
class Shown:
    """screen: one of the app's own, or None where the phone's page at `address` is shown. step: what is asked.

    start: the service may run and does not: start it.
    """

    step: Step
    screen: Screen | None
    start: bool
    address: str | None = None


class Reader:
    """Reads the app's own screens aloud. on_change: called, from any thread, when it began, ended or could not."""

    def __init__(self, voice: Voice, on_change: Callable[[], None]) -> None:
        self._voice, self._on_change = voice, on_change
        self._read: Screen | None = None
        self.outcome: Spoken | None = None

    @property
    def reading(self) -> bool:
        """Whether it reads now."""
        return self._read is not None

    def press(self, screen: Screen) -> None:
        """Read a screen, or stop."""
        if self._read is not None:
            self.hush()
            return
        self._read, self.outcome = screen, None
        threading.Thread(target=self._speak, args=(screen,), name="bluezone-voice", daemon=True).start()

    def hush(self) -> None:
        """Stop; nothing happens where nothing is read."""
        self._voice.hush()

    def _speak(self, screen: Screen) -> None:
        self._on_change()
        self.outcome = self._voice.speak(screen.language, list(screen.texts))
        self._read = None
        self._on_change()

    def shown(self, screen: Screen) -> Screen:
        """A screen with its button, and with what came of pressing it."""
        if self._read is not None and screen.texts != self._read.texts:
            self.hush()  # what is read stands there no more
        return screen.heard(self.reading, self.outcome)


def shown(state: PhoneState, setup: Setup, tracing: Tracing, maker: str) -> Shown:
    """Choose what to show. maker: as Android calls it."""
    answers = setup.answers
    start = may_run(state, answers) and not tracing.running
    step = next_step(state, answers)
    if step != "go":
        return Shown(step, step_screen(step, answers.language, maker, answers.killed, setup.problem), start)
    url, problem = tracing.url, tracing.problem
    if problem is not None:
        return Shown(step, problem_screen(problem, answers.language), start)
    if url is None:
        return Shown(step, waiting_screen(answers.language), start)
    return Shown(step, None, start, url)


def pressed(action: str, now: Shown, setup: Setup, tracing: Tracing) -> Order:
    """Do what a button asks for as far as it needs no Android; returns what is left for Android to do.

    Where the disk is full nothing is done: the screen stays and says so (`setup.problem`).
    """
    try:
        return _ordered(action, now, setup, tracing)
    except HandsetDiskFull:
        return "nothing"


def _ordered(action: str, now: Shown, setup: Setup, tracing: Tracing) -> Order:
    if action == "language":
        setup.note(language="en" if setup.answers.language == "vi" else "vi")
    elif action == "anew":
        tracing.start_anew()
    elif action in ("next", "later"):
        setup.note(**left(now.step))
    elif action == "settings":
        if now.step == "location_switch":
            setup.note(**left(now.step))
            return "location_settings"
        return "app_settings"
    elif action == "allow":
        asked = asked_at(now.step)
        setup.note(**left(now.step), asked=tuple(dict.fromkeys((*setup.answers.asked, *asked))))
        return "battery_question" if now.step == "battery" else "ask"
    return "nothing"
