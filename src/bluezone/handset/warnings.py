# SPDX-License-Identifier: Apache-2.0
"""What a warned person is told: the day, about how long, how sure, and what to do; nothing else.

The texts are the health authority's, from the signed config.
Source: protocol.md section 3 "Shown"; specs/attacks.md row 11.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from bluezone.handset.dates import full_date
from bluezone.protocol.configfile import TEXT_NAMES, Config
from bluezone.protocol.exposure import Assessment, DayExposure

WATCH_DAYS = 14


@dataclass(frozen=True, slots=True)
class Warning:
    """One day with a risk. band: minutes, coarse. texts: by language ("vi", "en") and name, placeholders filled in."""

    day: date
    level: str
    band: str
    certainty: str
    texts: Mapping[str, Mapping[str, str]]


def warnings_of(assessment: Assessment, config: Config) -> list[Warning]:
    """The warnings of an assessment, latest day first."""
    risky = [day for day in assessment.days if day.level != "none"]
    return [_warning(day, config) for day in sorted(risky, key=lambda day: day.day, reverse=True)]


def _warning(exposure: DayExposure, config: Config) -> Warning:
    texts = {
        language: {name: _filled(texts[name], language, exposure.day, config.hotline) for name in TEXT_NAMES}
        for language, texts in config.texts.items()
    }
    return Warning(exposure.day, exposure.level, exposure.band, exposure.certainty, texts)


def _filled(text: str, language: str, day: date, hotline: str) -> str:
    until = day + timedelta(days=WATCH_DAYS)
    for name, value in (("hotline", hotline), ("day", full_date(day, language)), ("until", full_date(until, language))):
        text = text.replace("{" + name + "}", value)
    return text
