# SPDX-License-Identifier: Apache-2.0
"""The app's notices: the permanent notice of its service, and the notice of news."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from bluezone.face.files import read_words
from bluezone.handset.overview import Overview

DAY_SECONDS = 86_400


@cache
def face_words(language: str) -> dict[str, str]:
    """The face's sentences by name. language: "vi" or "en"."""
    return read_words(language)


@cache
def app_words(language: str) -> dict[str, str]:
    """The sentences of the app that the face does not have, by name. language: "vi" or "en"."""
    words: dict[str, str] = json.loads((Path(__file__).parent / f"words-{language}.json").read_text("utf-8"))
    return words


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice; the lock screen shows the same text."""

    title: str
    text: str


def running_notice(overview: Overview, now: float, local: Callable[[float], datetime], language: str) -> Notice:
    """The permanent notice. now: trusted Unix seconds. local: converts them to the city's zone."""
    face = face_words(language)
    app = app_words(language)
    running = overview.bluetooth == "running"
    title = app["running.title" if running else "listening.title"]
    if not overview.stops:
        return Notice(title, app["running.text"] if running else face["home.a.listening"])
    if overview.stops[0] == "B2" and overview.bluetooth != "off":
        # Bluetooth still runs. Owners who read that it has stopped might remove the app.
        return Notice(title, _not_checked(overview, now, local, face))
    text = {"B1": _bluetooth_off, "B2": _not_checked, "B3": _clock_wrong}[overview.stops[0]]
    return Notice(face["home.b.title"], text(overview, now, local, face))


def waiting_notice(language: str) -> Notice:
    """The notice while the service opens the phone."""
    own = app_words(language)
    return Notice(own["waiting.title"], own["waiting.text"])


def stopped_notice(language: str) -> Notice:
    """The notice if the phone cannot run; the app's screen shows the reason."""
    return Notice(face_words(language)["home.b.title"], app_words(language)["stopped.text"])


def news_notice(language: str) -> Notice:
    """The notice that there is something unread: a warning, or a message from the city."""
    return Notice("Bluezone", app_words(language)["news.text"])


def _bluetooth_off(overview: Overview, now: float, local: Callable[[float], datetime], face: dict[str, str]) -> str:
    if overview.off_since is None:
        return face["home.b1.never"]
    since = local(overview.off_since)
    template = "time.today" if since.date() == local(now).date() else "time.day"
    return face["home.b1"].format(at=face[template].format(time=f"{since:%H:%M}", day=f"{since.day}/{since.month}"))


def _not_checked(overview: Overview, now: float, _local: Callable[[float], datetime], face: dict[str, str]) -> str:
    if overview.list_made_at is None:
        return face["home.b2.never"]
    days = max(1, round((now - overview.list_made_at) / DAY_SECONDS))
    number = "one" if days == 1 else "other"
    return face[f"home.b2.days.{number}"].format(count=days)


def _clock_wrong(overview: Overview, _now: float, _local: Callable[[float], datetime], face: dict[str, str]) -> str:
    minutes = round(abs(overview.clock_error_seconds) / 60)
    if minutes < 180:
        unit = "minutes"
        count = minutes
    elif minutes < 3 * 1440:
        unit = "hours"
        count = round(minutes / 60)
    else:
        unit = "days"
        count = round(minutes / 1440)
    number = "one" if count == 1 else "other"
    amount = face[f"amount.{unit}.{number}"].format(count=count)
    return face["home.b3"].format(amount=amount)
