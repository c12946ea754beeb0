# SPDX-License-Identifier: Apache-2.0
"""Days, times of day and numbers as people type them into a form, and the invisible characters that they paste.

A text that is ambiguous or unreadable gives None: nothing is guessed.
"""

import datetime
import re
import unicodedata
from collections.abc import Callable
from typing import TypeVar

from bluezone.vietnamese.spelling import fold, without_unseen

_Read = TypeVar("_Read", datetime.date, datetime.time)
# A day without a year is the one between half a year ago and half a year ahead.
_HALF_A_YEAR = datetime.timedelta(days=182)
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"), "-")
# Full-width digits, signs and letters, which some keyboards type.
_WIDE = {sign: sign - 0xFEE0 for sign in range(0xFF01, 0xFF5F)}


def plain(text: str) -> str:
    """Normalize a typed code or number: NFC, single blanks, "-" for dashes, no full-width or invisible characters."""
    visible = "".join(sign for sign in unicodedata.normalize("NFC", text) if unicodedata.category(sign) != "Cf")
    return " ".join(visible.translate(_DASHES).translate(_WIDE).split())


def _words(text: str) -> str:
    visible = plain(text)
    # "12²" is not 122.
    return "" if any(sign.isdigit() and not sign.isascii() for sign in visible) else fold(visible)


_BULLET = re.compile(r"(?m)^ *[•·▪●○◦■□➢➤✓✔\uf0b7\uf0a7\uf0d8\uf0fc] *")


def pasted(text: str) -> str:
    """Normalize a pasted text of several lines: NFC, plain blanks, "- " for bullets, no invisible characters."""
    blanks = re.sub(r"[^\S\r\n]", " ", unicodedata.normalize("NFC", without_unseen(text)))
    return _BULLET.sub("- ", blanks)


_LOOKS_LIKE = str.maketrans("OoIl", "0011")


def digits_typed(text: str) -> str:
    """The digits of a typed code, without blanks, dashes, dots and invisible characters; O is 0, and I and l are 1."""
    signs = re.sub(r"[ .-]", "", plain(text))
    if re.fullmatch(r"[0-9OoIl]+", signs) and re.search(r"[0-9]", signs):
        return signs.translate(_LOOKS_LIKE)
    return "".join(sign for sign in signs if sign.isascii() and sign.isdigit())


_RELATIVE = {"hom kia": -2, "hom qua": -1, "hom nay": 0, "nay": 0, "ngay mai": 1, "mai": 1, "ngay kia": 2, "today": 0,
             "yesterday": -1, "tomorrow": 1}  # fmt: skip
_DAY_FIRST = re.compile(r"(?:ngay )?(\d{1,2}) ?[/.-] ?(\d{1,2})(?: ?[/.-] ?(\d{4}|\d{2}))?\.?", re.ASCII)
_YEAR_FIRST = re.compile(r"(?:ngay )?(\d{4}) ?[/.-] ?(\d{1,2}) ?[/.-] ?(\d{1,2})", re.ASCII)
_IN_WORDS = re.compile(r"(?:ngay )?(\d{1,2}) thang (\d{1,2})(?:(?:,? nam | ?/ ?)(\d{4}))?", re.ASCII)


def read_day(text: str, today: datetime.date, earliest: datetime.date | None = None) -> datetime.date | None:
    """A day: "1/9", "01-09-2020", "1.9.20", "2020-09-01", "ngày 1 tháng 9 năm 2020", "mai"; the day before the month.

    earliest: a day without a year is the first one on or after this, by default half a year before `today`.
    """
    words = _words(text)
    if words in _RELATIVE:
        return today + datetime.timedelta(days=_RELATIVE[words])
    if match := _YEAR_FIRST.fullmatch(words):
        return _day(int(match[1]), int(match[2]), int(match[3]))
    match = _DAY_FIRST.fullmatch(words) or _IN_WORDS.fullmatch(words)
    if match is None:
        return None
    day = int(match[1])
    month = int(match[2])
    year = match[3]
    if year:
        return _day(int(year) + (2000 if len(year) == 2 else 0), month, day)
    first = earliest or today - _HALF_A_YEAR
    days = (_day(first.year + more, month, day) for more in (0, 1))
    return next((day for day in days if day is not None and day >= first), None)


def _day(year: int, month: int, day: int) -> datetime.date | None:
    try:
        return datetime.date(year, month, day)
    except ValueError:
        return None


_TIME = re.compile(
    r"(\d{1,2})(?: ?(?:[:.]|h|g|gio) ?(\d{2}|ruoi)?(?::[0-5]\d)? ?(?:'|p|ph|phut)?)?"
    r"(?: ?(sang|trua|chieu|toi|dem|am|pm|sa|ch))?",
    re.ASCII,
)
_FOUR_DIGITS = re.compile(r"([01]\d|2[0-3])([0-5]\d)()", re.ASCII)
_HOURS_OF_PART = {
    "sang": range(12), "am": range(12), "sa": range(12), "trua": range(10, 15), "chieu": range(12, 19),
    "toi": range(17, 24), "dem": (*range(18, 24), *range(5)), "pm": range(12, 24), "ch": range(12, 24),
}  # fmt: skip


def read_time(text: str) -> datetime.time | None:
    """A time of day: "7:30", "7h30", "19 giờ 30", "7:30 tối", "07:30 CH"; seconds are ignored.

    None if the hour contradicts the part of the day.
    """
    words = _words(text)
    match = _FOUR_DIGITS.fullmatch(words) or _TIME.fullmatch(words)
    if match is None:
        return None
    hour: int | None = int(match[1])
    if match[3]:
        hour = _hour_in_part(int(match[1]), match[3])
    minute = 30 if match[2] == "ruoi" else int(match[2] or 0)
    if hour is None or hour >= 24 or minute >= 60:
        return None
    return datetime.time(hour, minute)


# Marks of a twelve-hour clock, on which midnight is "12 AM".
_TWELVE_HOUR_MARKS = ("am", "pm", "sa", "ch")


def _hour_in_part(hour: int, part: str) -> int | None:
    """The hour 0..23 that a typed hour means in a part of the day; None if it means none or more than one."""
    if 1 <= hour < 12:
        possible = {hour, hour + 12}
    elif hour == 12 and part in _TWELVE_HOUR_MARKS:
        possible = {0, 12}
    else:
        possible = {hour}
    possible &= set(_HOURS_OF_PART[part])
    return possible.pop() if len(possible) == 1 else None


def read_times(text: str) -> tuple[datetime.time, ...] | None:
    """Several times in one line: "5:30, 17h30", "5 giờ 30 và 17 giờ 30"; None if a piece is not a time."""
    return _read_each(text, read_time)


def read_days(text: str, today: datetime.date, earliest: datetime.date) -> tuple[datetime.date, ...] | None:
    """Several days in one line: "2/9, 3/9/2020", "2/9 và 3/9"; None if a piece is not a day."""
    return _read_each(text, lambda piece: read_day(piece, today, earliest))


def _read_each(text: str, read: Callable[[str], _Read | None]) -> tuple[_Read, ...] | None:
    """Read the pieces between commas, semicolons and "and"; a piece that cannot be read is read word by word."""
    values: list[_Read] = []
    for piece in re.split(r"[,;]|\bva\b|\band\b", _words(text)):
        value = read(piece.strip())
        if value is not None:
            values.append(value)
            continue
        for word in piece.split():
            value = read(word)
            if value is None:
                return None
            values.append(value)
    return tuple(values)


def read_moment(text: str, today: datetime.date) -> datetime.datetime | None:
    """A day with a time, without a zone: "1/9/2020 17:30", "17h30 ngày 1/9", "2020-09-01T17:30"."""
    words = re.sub(r"(?<=[0-9])t(?=[0-9])|\b(?:luc|hoi|vao)\b|,", " ", _words(text)).split()
    moments = set()
    for cut in range(1, len(words)):
        first = " ".join(words[:cut])
        last = " ".join(words[cut:])
        for day, time in ((read_day(first, today), read_time(last)), (read_day(last, today), read_time(first))):
            if day is not None and time is not None:
                moments.add(datetime.datetime.combine(day, time))
    return moments.pop() if len(moments) == 1 else None


_GROUPED = re.compile(r"\d{1,3}(?:([ .,])\d{3})(?:\1\d{3})*", re.ASCII)
_COUNTED = re.compile(r"(-?\d[\d., ]*?)(?: ?(nghin|ngan|trieu|ty))?(?: ?([a-z][a-z ]*))?", re.ASCII)
_POWERS_OF_TEN = {"nghin": 3, "ngan": 3, "trieu": 6, "ty": 9}
# Words for things counted that may follow a number, without a meaning for its value.
_COUNTED_THINGS = (
    "nguoi", "em", "hoc sinh", "hs", "can bo", "nhan khau", "ho", "ho dan", "may", "cai", "chiec", "to", "to roi", "bo",
    "luot", "phut", "ngay", "ma", "phieu", "people", "minutes", "days",
)  # fmt: skip


def read_count(text: str) -> int | None:
    """A whole number: "45036", "45.036", "45 036", "12 người", "1,5 triệu"; None for decimals such as "1,5"."""
    match = _COUNTED.fullmatch(_words(text))
    if match is None or match[3] not in (None, *_COUNTED_THINGS):
        return None
    sign = "-" if match[1].startswith("-") else ""
    digits = match[1].removeprefix("-")
    places = _POWERS_OF_TEN.get(match[2], 0)
    if places and (parts := re.fullmatch(r"([0-9]{1,3})(?:[.,]([0-9]{1,2}))?", digits)):
        digits = parts[1] + (parts[2] or "").ljust(places, "0")
    elif places:
        return None
    elif _GROUPED.fullmatch(digits):
        digits = re.sub(r"[ .,]", "", digits)
    return int(sign + digits) if re.fullmatch(r"[0-9]{1,12}", digits) else None
