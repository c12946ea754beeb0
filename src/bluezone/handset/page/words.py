# SPDX-License-Identifier: Apache-2.0
"""The page's language: Vietnamese unless the owner chooses English; dates, times and numbers in its own form."""

import gettext
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from bluezone.handset.dates import day_and_month, weekday_and_date

LOCALE = Path(__file__).parents[1] / "locale"
DOMAIN = "handset"
LANGUAGES = ("vi", "en")


@dataclass(frozen=True)
class Words:
    """One language. `gettext` translates an English sentence; msgids are English."""

    language: str
    translations: gettext.NullTranslations

    @classmethod
    def of(cls, language: str) -> "Words":
        """The words of "vi" or "en"; anything else is Vietnamese."""
        chosen = language if language in LANGUAGES else "vi"
        return cls(chosen, gettext.translation(DOMAIN, LOCALE, [chosen], fallback=chosen == "en"))

    def gettext(self, sentence: str) -> str:
        """The sentence in this language."""
        return self.translations.gettext(sentence)

    def ngettext(self, one: str, many: str, count: int) -> str:
        """The sentence for a number."""
        return self.translations.ngettext(one, many, count)

    def long_date(self, day: date) -> str:
        """A day with its weekday and year."""
        return weekday_and_date(day, self.language)

    def short_date(self, day: date) -> str:
        """A day without its year."""
        return day_and_month(day, self.language)

    def moment(self, at: datetime, today: date) -> str:
        """A time of day, with the day unless it is today. Used for the phone's own doings, never for a contact."""
        clock = f"{at:%H:%M}"
        if at.date() == today:
            return clock
        return (
            f"{clock} {self.short_date(at.date())}"
            if self.language == "vi"
            else f"{self.short_date(at.date())} {clock}"
        )

    def number(self, count: int) -> str:
        """A whole number with its separator of thousands."""
        return f"{count:,}".replace(",", "." if self.language == "vi" else ",")
