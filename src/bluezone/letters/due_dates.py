# SPDX-License-Identifier: Apache-2.0
"""Read when something is due: "trước ngày 15/8/2020", "chậm nhất 17h00 ngày 14/8", "thứ Sáu hằng tuần".

"Định kỳ nhắc lại" and "khẩn trương" set no date, and none is made up for them.
"""

import datetime
import re

from bluezone.letters.letter_text import Passage
from bluezone.letters.proposal import Confidence, Doubt, Due, Every, Proposed

_DAY_MONTH = (
    r"(?P<day>\d{1,2})\s*(?:[/.-]\s*(?P<month>\d{1,2})(?:\s*[/.-]\s*(?P<year>\d{4}))?"
    r"|tháng\s*(?P<month2>\d{1,2})(?:\s*(?:năm|/)\s*(?P<year2>\d{4}))?)"
)
_TIME = r"(?:(?P<hour>\d{1,2})\s*(?:h|giờ|:)\s*(?P<minute>\d{2})?\s*(?:phút)?\s*,?\s*)?"
_BY = (
    r"(?P<word>xong trước|trước|chậm nhất(?:\s+(?:là|vào|đến|trước))?|muộn nhất(?:\s+là)?"
    r"|đến hết|hết|hạn cuối|thời hạn|hạn|trong)"
)
_ONCE = re.compile(rf"{_BY}\s*:?\s*{_TIME}(?:ngày\s*)?{_DAY_MONTH}", re.IGNORECASE)
_EVERY = re.compile(
    rf"(?P<before>trước\s+)?{_TIME}"
    r"(?:(?P<weekday>thứ\s+(?:hai|ba|tư|năm|sáu|bảy|[2-7])|chủ nhật)\s+)?(?:(?:trước\s+)?ngày\s+(?P<day>\d{1,2})\s+)?"
    r"(?:hằng|hàng|mỗi)\s+(?P<every>ngày|tuần|tháng|quý)",
    re.IGNORECASE,
)
_WEEKDAYS = {"hai": 1, "2": 1, "ba": 2, "3": 2, "tư": 3, "4": 3, "năm": 4, "5": 4, "sáu": 5, "6": 5, "bảy": 6, "7": 6}
_PERIODS = {"ngày": Every.DAY, "tuần": Every.WEEK, "tháng": Every.MONTH, "quý": Every.QUARTER}


def read_due(passage: Passage, letter_date: datetime.date | None) -> Proposed[Due] | None:
    """Propose when what this passage orders is due, the first time it names; None when it names none.

    A day without a year is taken in the year of the letter, or in the next when it would lie before the letter.
    """
    for match in _ONCE.finditer(passage.text):
        if proposed := _once(passage, match, letter_date):
            return proposed
    repeated = _EVERY.search(passage.text)
    return _every(passage, repeated) if repeated else None


def _once(passage: Passage, match: re.Match[str], letter_date: datetime.date | None) -> Proposed[Due] | None:
    year = match["year"] or match["year2"]
    month = int(match["month"] or match["month2"])
    doubts: tuple[Doubt, ...] = ()
    if year is None:
        if letter_date is None:
            return None
        year = str(letter_date.year + (month < letter_date.month))
        doubts = (Doubt.YEAR_ASSUMED,)
    try:
        date = datetime.date(int(year), month, int(match["day"]))
    except ValueError:
        return None
    time = _hour(match)
    before = "trước" in match["word"].lower()
    span = passage.span(match.start(), match.end())
    return Proposed(
        Due(date, time, inclusive=not before), span, Confidence.MEDIUM if doubts else Confidence.HIGH, doubts
    )


def _hour(match: re.Match[str]) -> datetime.time | None:
    """Return the hour that the match names, or None where it names none or one no day has."""
    try:
        return datetime.time(int(match["hour"]), int(match["minute"] or 0)) if match["hour"] else None
    except ValueError:
        return None


def _every(passage: Passage, match: re.Match[str]) -> Proposed[Due]:
    weekday = None
    if match["weekday"]:
        weekday = _WEEKDAYS.get(match["weekday"].lower().split()[-1], 7)
    day = int(match["day"]) if match["day"] and 1 <= int(match["day"]) <= 31 else None
    before = "trước" in match.group().lower()
    due = Due(
        time=_hour(match),
        every=_PERIODS[match["every"].lower()],
        weekday=weekday,
        day_of_month=day,
        inclusive=not before,
    )
    return Proposed(due, passage.span(match.start(), match.end()), Confidence.MEDIUM)
