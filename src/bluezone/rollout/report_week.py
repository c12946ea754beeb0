# SPDX-License-Identifier: Apache-2.0
"""The week that agencies report on: Monday to Sunday, with the day on which its reports are due and locked."""

import datetime
import re
from dataclasses import dataclass

from bluezone.refusal import Refused

_DAY = datetime.timedelta(days=1)


class WeekUnreadable(Refused):
    """The text names no week, or the day is not a Monday."""

    code = "week_unreadable"


@dataclass(frozen=True, order=True)
class Week:
    """One week, named by its Monday. Raises WeekUnreadable for another day."""

    first_day: datetime.date

    def __post_init__(self) -> None:
        if self.first_day.isoweekday() != 1:
            raise WeekUnreadable(f"a week begins on a Monday, and {self.first_day} is not a Monday")

    @classmethod
    def of(cls, day: datetime.date) -> "Week":
        """The week of a day."""
        return cls(day - (day.isoweekday() - 1) * _DAY)

    @classmethod
    def parse(cls, text: str) -> "Week":
        """The week of "2020-W33" (ISO 8601). Raises WeekUnreadable."""
        match = re.fullmatch(r"([0-9]{4})-W([0-9]{2})", text)
        try:
            if match:
                return cls(datetime.date.fromisocalendar(int(match[1]), int(match[2]), 1))
        except ValueError:
            pass
        raise WeekUnreadable("expected a week such as 2020-W33")

    @property
    def last_day(self) -> datetime.date:
        """Its Sunday."""
        return self.first_day + 6 * _DAY

    @property
    def due(self) -> datetime.date:
        """The last day on which its reports are on time: the Monday after the week."""
        return self.first_day + 7 * _DAY

    @property
    def locks_on(self) -> datetime.date:
        """The first day on which its reports are locked: the Tuesday after the week."""
        return self.first_day + 8 * _DAY

    @property
    def previous(self) -> "Week":
        """The week before."""
        return Week(self.first_day - 7 * _DAY)

    @property
    def following(self) -> "Week":
        """The week after."""
        return Week(self.first_day + 7 * _DAY)

    def __str__(self) -> str:
        year, number, _weekday = self.first_day.isocalendar()
        return f"{year:04d}-W{number:02d}"

    def in_vietnamese(self) -> str:
        """Its days as administrative texts write them: "10–16/8/2020", "27/7–2/8/2020"."""
        first = self.first_day
        last = self.last_day
        if first.month == last.month:
            return f"{first.day}–{last.day}/{last.month}/{last.year}"
        year = "" if first.year == last.year else f"/{first.year}"
        return f"{first.day}/{first.month}{year}–{last.day}/{last.month}/{last.year}"

    def in_english(self) -> str:
        """Its days in English: "10–16 August 2020", "27 July – 2 August 2020"."""
        first = self.first_day
        last = self.last_day
        if first.month == last.month:
            return f"{first.day}–{last.day} {last:%B} {last.year}"
        year = "" if first.year == last.year else f" {first.year}"
        return f"{first.day} {first:%B}{year} – {last.day} {last:%B} {last.year}"


def parse_week(text: str, otherwise: Week) -> Week:
    """The week that a text such as "2020-W33" names; `otherwise` if it names no week."""
    try:
        return Week.parse(text)
    except WeekUnreadable:
        return otherwise
