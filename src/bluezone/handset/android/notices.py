# SPDX-License-Identifier: Apache-2.0
"""What the app shows outside its screen: the permanent notice of the service, and that there is news."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from bluezone.face.files import read_words
from bluezone.handset.overview import Overview

LANGUAGES = ("vi", "en")


@cache
def face_words(language: str) -> dict[str, str]:
    """Every sentence of the face by its name. language: "vi" or "en"."""
    return read_words(language)


@cache
def own_words(language: str) -> dict[str, str]:
    """Every sentence that only the app says, by its name. language: "vi" or "en"."""
    words: dict[str, str] = json.loads((Path(__file__).parent / f"words-{language}.json").read_text("utf-8"))
    return words


DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice, the same on the lock screen and behind it."""

    title: str
    text: str


def running_notice(seen: Overview, now: float, local: Callable[[float], datetime], language: str) -> Notice:
    """The permanent notice. now: trusted Unix seconds. local: a moment in the city's zone."""
    face, own = face_words(language), own_words(language)
    running = seen.bluetooth == "running"
    title = own["running.title" if running else "listening.title"]
    if not seen.stops:
        return Notice(title, own["running.text"] if running else face["home.a.listening"])
    if seen.stops[0] == "B2" and seen.bluetooth != "off":
        # It sends and hears: who reads that it stops takes it away.
        return Notice(title, _not_checked(seen, now, local, face))
    text = {"B1": _bluetooth_off, "B2": _not_checked, "B3": _clock_wrong}[seen.stops[0]]
    return Notice(face["home.b.title"], text(seen, now, local, face))


def waiting_notice(language: str) -> Notice:
    """While the service opens the phone."""
    own = own_words(language)
    return Notice(own["waiting.title"], own["waiting.text"])


def stopped_notice(language: str) -> Notice:
    """When the phone cannot run at all; the app's screen says why."""
    return Notice(face_words(language)["home.b.title"], own_words(language)["stopped.text"])


def news_notice(language: str) -> Notice:
    """For whatever the owner has not read yet: a warning, or a message of the city."""
    return Notice("Bluezone", own_words(language)["news.text"])


def _bluetooth_off(seen: Overview, now: float, local: Callable[[float], datetime], face: dict[str, str]) -> str:
    if seen.off_since is None:
        return face["home.b1.never"]
    since = local(seen.off_since)
    told = "time.today" if since.date() == local(now).date() else "time.day"
    return face["home.b1"].format(at=face[told].format(time=f"{since:%H:%M}", day=f"{since.day}/{since.month}"))


def _not_checked(seen: Overview, now: float, _local: Callable[[float], datetime], face: dict[str, str]) -> str:
    if seen.list_made_at is None:
        return face["home.b2.never"]
    days = max(1, round((now - seen.list_made_at) / DAY_SECONDS))
    return face["home.b2.days.one" if days == 1 else "home.b2.days.other"].format(count=days)


def _clock_wrong(seen: Overview, _now: float, _local: Callable[[float], datetime], face: dict[str, str]) -> str:
    minutes = round(abs(seen.clock_error_seconds) / 60)
    unit, count = ("minutes", minutes) if minutes < 180 else ("hours", round(minutes / 60))
    if minutes >= 3 * 1440:
        unit, count = "days", round(minutes / 1440)
    amount = face[f"amount.{unit}.{'one' if count == 1 else 'other'}"].format(count=count)
    return face["home.b3"].format(amount=amount)
