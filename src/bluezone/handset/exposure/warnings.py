# SPDX-License-Identifier: Apache-2.0
"""What a warned person reads: the day, about how long, how certain it is, and what to do; nothing else."""

import math
from collections.abc import Iterable, Mapping
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
    """25/11, or 25 November."""
    return f"{day.day}/{day.month}" if language == "vi" else f"{day.day} {_MONTHS[day.month - 1]}"


def full_date(day: date, language: str) -> str:
    """25/11/2026, or 25 November 2026."""
    return f"{day_and_month(day, language)}{'/' if language == 'vi' else ' '}{day.year}"


WATCH_DAYS = 14


@dataclass(frozen=True, slots=True)
class Warning:
    """One day with a risk.

    band:  minutes, coarse. texts: by language ("vi", "en") and name, placeholders filled in.
    kind:  "near" by Bluetooth, or "venue". label: names of the venues, where the owner wanted them kept.
    near:  minutes likely near, from and to, in fives; None where no distance was judged.
    """

    day: date
    level: str
    band: str
    certainty: str
    texts: Mapping[str, Mapping[str, str]]
    kind: Literal["near", "venue"] = "near"
    label: str | None = None
    near: tuple[int, int] | None = None

    @property
    def id(self) -> str:
        """Name of this warning: there is at most one of each kind a day."""
        return f"{self.kind}-{self.day.isoformat()}"

    @property
    def declared_level(self) -> DeclaredLevel:
        """What a declaration says of it: its level, or "unclear" where the phone cannot tell how near the owner was."""
        if self.kind == "near" and self.certainty == "unclear":
            return "unclear"
        return "high" if self.level == "high" else "low"


def warnings_of(assessment: Assessment, config: Config) -> list[Warning]:
    """The warnings of an assessment, latest day first."""
    risky = [day for day in assessment.days if day.level != "none"]
    return [_warning(day, config) for day in sorted(risky, key=lambda day: day.day, reverse=True)]


def venue_warnings_of(days: Iterable[VenueDay], labels: Mapping[int, str | None], config: Config) -> list[Warning]:
    """The warnings of venues, in the order of the days. labels: names of stays by their number."""
    return [
        Warning(
            day.day, day.level, day.band, day.certainty, _texts(day.day, config, "venue_"), "venue",
            ", ".join(dict.fromkeys(label for visit in day.visits if (label := labels.get(visit)))) or None,
        )
        for day in days
        if day.level != "none"
    ]  # fmt: skip


def _warning(exposure: DayExposure, config: Config) -> Warning:
    prefix = "unclear_" if exposure.certainty == "unclear" else ""
    texts = _texts(exposure.day, config, prefix)
    return Warning(
        exposure.day, exposure.level, exposure.band, exposure.certainty, texts, near=_in_fives(exposure.near)
    )


def _in_fives(near: tuple[float, float] | None) -> tuple[int, int] | None:
    """A range as it is shown: downwards below, upwards above unless that is less than a minute, never "up to 0"."""
    if near is None:
        return None
    low, high = near
    return 5 * int(low // 5), max(5 * math.ceil((high - 1) / 5), 5)


def _texts(day: date, config: Config, prefix: str = "") -> dict[str, dict[str, str]]:
    """The texts of a day; where the config has one of its own under `prefix` and the name, that one."""
    return {
        language: {
            name: _filled(texts.get(prefix + name, texts[name]), language, day, config.hotline) for name in TEXT_NAMES
        }
        for language, texts in config.texts.items()
    }


def _filled(text: str, language: str, day: date, hotline: str) -> str:
    until = day + timedelta(days=WATCH_DAYS)
    for name, value in (("hotline", hotline), ("day", full_date(day, language)), ("until", full_date(until, language))):
        text = text.replace("{" + name + "}", value)
    return text
