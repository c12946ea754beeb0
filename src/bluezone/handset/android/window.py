# SPDX-License-Identifier: Apache-2.0
"""The content of the app's window, and the actions of the buttons on the app's screens."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bluezone.handset.android.permissions import PhoneState, Step, answers_after, may_run, next_step, step_permissions
from bluezone.handset.android.screens import Screen, problem_screen, step_screen, waiting_screen
from bluezone.handset.android.service import PhoneService
from bluezone.handset.android.setup import Setup
from bluezone.handset.page.api import Spoken, Voice
from bluezone.handset.store import HandsetDiskFull

Order = Literal["nothing", "ask", "app_settings", "location_settings", "battery_question"]


@dataclass(frozen=True, slots=True)
class WindowContent:
    """The content of the window.

    step:    the current step of the set-up.
    screen:  one of the app's own screens, or None if the window shows the phone's page.
    start:   whether the service must be started, because it may run and does not.
    address: of the phone's page.
    """

    step: Step
    screen: Screen | None
    start: bool
    address: str | None = None


class Reader:
    """Reads the app's own screens aloud. on_change: called, from any thread, when reading begins, ends or fails."""

    def __init__(self, voice: Voice, on_change: Callable[[], None]) -> None:
        self._voice = voice
        self._on_change = on_change
        self._current: Screen | None = None
        self.outcome: Spoken | None = None

    @property
    def reading(self) -> bool:
        """Whether it is reading now."""
        return self._current is not None

    def toggle(self, screen: Screen) -> None:
        """Read a screen, or stop if it is reading."""
        if self._current is not None:
            self.stop()
            return
        self._current = screen
        self.outcome = None
        threading.Thread(target=self._speak, args=(screen,), name="bluezone-voice", daemon=True).start()

    def stop(self) -> None:
        """Stop, if it is reading."""
        self._voice.stop()

    def _speak(self, screen: Screen) -> None:
        self._on_change()
        self.outcome = self._voice.speak(screen.language, list(screen.texts))
        self._current = None
        self._on_change()

    def with_reading_state(self, screen: Screen) -> Screen:
        """A screen with the button for reading aloud, and the outcome of the last time."""
        if self._current is not None and screen.texts != self._current.texts:
            self.stop()  # the window no longer shows what is being read
        return screen.with_read_aloud(self.reading, self.outcome)


def choose_content(state: PhoneState, setup: Setup, tracing: PhoneService, maker: str) -> WindowContent:
    """Choose the content of the window. maker: Android's name for the phone's maker."""
    answers = setup.answers
    start = may_run(state, answers) and not tracing.running
    step = next_step(state, answers)
    if step != "go":
        return WindowContent(step, step_screen(step, answers.language, maker, answers.killed, setup.problem), start)
    url = tracing.url
    problem = tracing.problem
    if problem is not None:
        return WindowContent(step, problem_screen(problem, answers.language), start)
    if url is None:
        return WindowContent(step, waiting_screen(answers.language), start)
    return WindowContent(step, None, start, url)


def handle_press(action: str, now: WindowContent, setup: Setup, tracing: PhoneService) -> Order:
    """Do the part of a button's action that needs no Android; return what Android has to do.

    If the disk is full, nothing is done, and the screen shows `setup.problem`.
    """
    try:
        return _do(action, now, setup, tracing)
    except HandsetDiskFull:
        return "nothing"


def _do(action: str, now: WindowContent, setup: Setup, tracing: PhoneService) -> Order:
    if action == "language":
        setup.update(language="en" if setup.answers.language == "vi" else "vi")
    elif action == "anew":
        tracing.erase_and_restart()
    elif action in ("next", "later"):
        setup.update(**answers_after(now.step))
    elif action == "settings":
        if now.step == "location_switch":
            setup.update(**answers_after(now.step))
            return "location_settings"
        return "app_settings"
    elif action == "allow":
        permissions = step_permissions(now.step)
        requested = tuple(dict.fromkeys((*setup.answers.requested, *permissions)))
        setup.update(**answers_after(now.step), requested=requested)
        return "battery_question" if now.step == "battery" else "ask"
    return "nothing"
