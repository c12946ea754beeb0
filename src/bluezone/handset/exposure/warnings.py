# SPDX-License-Identifier: Apache-2.0
"""The owner's warnings: the day, the approximate duration, the certainty, and what to do; nothing else.

Source: docs/protocol.md section 3; docs/attacks.md rows 18 and 20.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from bluezone.protocol.declaration import DeclaredLevel
from bluezone.protocol.risk.assessment import Assessment, DayExposure
from bluezone.protocol.signed.config import TEXT_NAMES, Config
from bluezone.protocol.venues.overlaps import VenueDay

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def day_and_month(day: date, language: str) -> str:
    """Return a date such as 25/11 for "vi", else 25 November."""
    return f"{day.day}/{day.month}" if language == "vi" else f"{day.day} {_MONTHS[day.month - 1]}"


def full_date(day: date, language: str) -> str:
    """Return a date such as 25/11/2026 for "vi", else 25 November 2026."""
    separator = "/" if language == "vi" else " "
    return f"{day_and_month(day, language)}{separator}{day.year}"


@dataclass(frozen=True, slots=True)
class Warning:
    """One day with a risk.

    band:  range of the minutes.
    texts: by language ("vi", "en") and name, with the placeholders replaced.
    kind:  "near" by Bluetooth, or "venue".
    label: names of the venues that the owner wanted stored, None without any.
    near:  lowest and highest probable minutes near, in multiples of 5; None if no distance could be estimated.
    watch_days: how long the owner should watch their health.
    neighbours: ids of other cities with files that contain cases of this day.
    """

    day: date
    level: str
    band: str
    certainty: str
    texts: Mapping[str, Mapping[str, str]]
    kind: Literal["near", "venue"] = "near"
    label: str | None = None
    near: tuple[int, int] | None = None
    watch_days: int = 14
    neighbours: tuple[str, ...] = ()

    @property
    def watch_until(self) -> date:
        """The last day on which the owner should watch their health."""
        return self.day + timedelta(days=self.watch_days)

    @property
    def id(self) -> str:
        """Identifies this warning: each day has at most one of each kind."""
        return f"{self.kind}-{self.day.isoformat()}"

    @property
    def declared_level(self) -> DeclaredLevel:
        """The level for a declaration: "unclear" if the phone could not estimate the distance."""
        if self.kind == "near" and self.certainty == "unclear":
            return "unclear"
        return "high" if self.level == "high" else "low"


def build_warnings(assessment: Assessment, config: Config) -> list[Warning]:
    """Return the warnings of an assessment, latest day first."""
    risky = [day for day in assessment.days if day.level != "none"]
    return [_warning(day, config) for day in sorted(risky, key=lambda day: day.day, reverse=True)]


def build_venue_warnings(days: Iterable[VenueDay], labels: Mapping[int, str | None], config: Config) -> list[Warning]:
    """Return the warnings of venues, in the order of `days`. labels: names of stays by their number."""
    return [_venue_warning(day, labels, config) for day in days if day.level != "none"]


def _warning(exposure: DayExposure, config: Config) -> Warning:
    texts = _texts(exposure.day, config, _kinds("near", exposure))
    return Warning(
        exposure.day, exposure.level, exposure.band, exposure.certainty, texts, near=_in_fives(exposure.near),
        watch_days=config.care.watch_days,
    )  # fmt: skip


def _venue_warning(day: VenueDay, labels: Mapping[int, str | None], config: Config) -> Warning:
    texts = _texts(day.day, config, _kinds("venue", day))
    names = dict.fromkeys(label for stay in day.stays if (label := labels.get(stay)))
    return Warning(
        day.day, day.level, day.band, day.certainty, texts, "venue", ", ".join(names) or None,
        watch_days=config.care.watch_days,
    )  # fmt: skip


def _in_fives(near: tuple[float, float] | None) -> tuple[int, int] | None:
    """Return a range in multiples of 5: the start rounded down, the end less one minute rounded up, at least 5."""
    if near is None:
        return None
    low, high = near
    return 5 * int(low // 5), max(5 * math.ceil((high - 1) / 5), 5)


def _kinds(kind: str, exposure: DayExposure | VenueDay) -> tuple[str, ...]:
    """Return the kinds of text for a day, preferred first. Texts for a low level never ask the owner to isolate.

    A config of an earlier release has no texts for "low"; those for "unclear" ask the owner for the same.
    """
    if kind == "near" and exposure.certainty == "unclear":
        return ("unclear",)
    kinds = ("venue",) if kind == "venue" else ()
    return kinds if exposure.level == "high" else (*kinds, "low", "unclear")


def _texts(day: date, config: Config, kinds: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the texts of a day: for each name, the first of the kinds in the config, or else the general text."""
    return {
        language: {name: _filled(_choose_text(texts, name, kinds), language, day, config) for name in TEXT_NAMES}
        for language, texts in config.texts.items()
    }


def _choose_text(texts: Mapping[str, str], name: str, kinds: Sequence[str]) -> str:
    return next((texts[f"{kind}_{name}"] for kind in kinds if f"{kind}_{name}" in texts), texts[name])


def _filled(text: str, language: str, day: date, config: Config) -> str:
    until = full_date(day + timedelta(days=config.care.watch_days), language)
    for name, value in (("hotline", config.hotline), ("day", full_date(day, language)), ("until", until)):
        text = text.replace("{" + name + "}", value)
    return text
