# SPDX-License-Identifier: Apache-2.0
"""Days, times of day and numbers as people type them into a form, and the signs that they paste without seeing them.

What can be read two ways, or not at all, gives None: nothing is guessed.
"""

import datetime
import re
import unicodedata
from collections.abc import Callable
from typing import TypeVar

from bluezone.vietnamese.spelling import fold, without_unseen

_Read = TypeVar("_Read", datetime.date, datetime.time)
# A day without a year is the one from half a year ago to half a year ahead.
_HALF_A_YEAR = datetime.timedelta(days=182)
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"), "-")
# Digits, signs and letters as wide as a Chinese one, which some keyboards give.
_WIDE = {sign: sign - 0xFEE0 for sign in range(0xFF01, 0xFF5F)}


def plain(text: str) -> str:
    """What is typed where only digits, signs and letters of a code count: composed, one blank for every kind of space,
    "-" for every dash, narrow digits and letters, and nothing that is not seen.
    """
    seen = "".join(sign for sign in unicodedata.normalize("NFC", text) if unicodedata.category(sign) != "Cf")
    return " ".join(seen.translate(_DASHES).translate(_WIDE).split())


def _words(text: str) -> str:
    seen = plain(text)
    # "12²" is not 122.
    return "" if any(sign.isdigit() and not sign.isascii() for sign in seen) else fold(seen)


_BULLET = re.compile(r"(?m)^ *[•·▪●○◦■□➢➤✓✔\uf0b7\uf0a7\uf0d8\uf0fc] *")


def pasted(text: str) -> str:
    """A text of several lines as if it had been typed: composed, plain blanks, "- " before a point, nothing unseen."""
    blanks = re.sub(r"[^\S\r\n]", " ", unicodedata.normalize("NFC", without_unseen(text)))
    return _BULLET.sub("- ", blanks)


_LOOKS_LIKE = str.maketrans("OoIl", "0011")


def digits_typed(text: str) -> str:
    """A code of digits without blanks, dashes, dots and what is not seen; O is 0, and I and l are 1."""
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
    """A day: "1/9", "01-09-2020", "1.9.20", "2020-09-01", "ngày 1 tháng 9 năm 2020", "mai". The day stands first.

    earliest: a day without a year is the first such on or after this one, by default half a year before `today`.
    """
    words = _words(text)
    if words in _RELATIVE:
        return today + datetime.timedelta(days=_RELATIVE[words])
    if found := _YEAR_FIRST.fullmatch(words):
        return _day(int(found[1]), int(found[2]), int(found[3]))
    found = _DAY_FIRST.fullmatch(words) or _IN_WORDS.fullmatch(words)
    if found is None:
        return None
    day, month, year = int(found[1]), int(found[2]), found[3]
    if year:
        return _day(int(year) + (2000 if len(year) == 2 else 0), month, day)
    first = earliest or today - _HALF_A_YEAR
    days = (_day(first.year + more, month, day) for more in (0, 1))
    return next((one for one in days if one is not None and one >= first), None)


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
_PARTS = {
    "sang": range(12), "am": range(12), "sa": range(12), "trua": range(10, 15), "chieu": range(12, 19),
    "toi": range(17, 24), "dem": (*range(18, 24), *range(5)), "pm": range(12, 24), "ch": range(12, 24),
}  # fmt: skip


def read_time(text: str) -> datetime.time | None:
    """A time of day: "7:30", "7h30", "19 giờ 30", "7:30 tối", "07:30 CH"; seconds are left out. A part of the day
    may not contradict the hour.
    """
    words = _words(text)
    found = _FOUR_DIGITS.fullmatch(words) or _TIME.fullmatch(words)
    if found is None:
        return None
    hour, minute = int(found[1]), 30 if found[2] == "ruoi" else int(found[2] or 0)
    if found[3]:
        twelve = {hour, hour + 12} if 1 <= hour < 12 else {0, 12} if hour == 12 and found[3] in _CLOCK else {hour}
        hours = twelve & set(_PARTS[found[3]])
        hour = hours.pop() if len(hours) == 1 else 24
    return datetime.time(hour, minute) if hour < 24 and minute < 60 else None


# Marks of a clock of twelve hours, by which 12 at night is "12 AM".
_CLOCK = ("am", "pm", "sa", "ch")


def read_times(text: str) -> tuple[datetime.time, ...] | None:
    """Several times in one line: "5:30, 17h30", "5 giờ 30 và 17 giờ 30"; None where a piece of it is no time."""
    return _read_each(text, read_time)


def read_days(text: str, today: datetime.date, earliest: datetime.date) -> tuple[datetime.date, ...] | None:
    """Several days in one line: "2/9, 3/9/2020", "2/9 và 3/9"; None where a piece of it is no day."""
    return _read_each(text, lambda piece: read_day(piece, today, earliest))


def _read_each(text: str, read: Callable[[str], _Read | None]) -> tuple[_Read, ...] | None:
    pieces = [piece.strip() for piece in re.split(r"[,;]|\bva\b|\band\b", _words(text)) if piece.strip()]
    found = [one for piece in pieces for one in ([read(piece)] if read(piece) else map(read, piece.split()))]
    return None if None in found else tuple(one for one in found if one is not None)


def read_moment(text: str, today: datetime.date) -> datetime.datetime | None:
    """A day and a time of it, without a zone: "1/9/2020 17:30", "17h30 ngày 1/9", "2020-09-01T17:30"."""
    words = re.sub(r"(?<=[0-9])t(?=[0-9])|\b(?:luc|hoi|vao)\b|,", " ", _words(text)).split()
    found = set()
    for cut in range(1, len(words)):
        first, last = " ".join(words[:cut]), " ".join(words[cut:])
        for day, time in ((read_day(first, today), read_time(last)), (read_day(last, today), read_time(first))):
            if day is not None and time is not None:
                found.add(datetime.datetime.combine(day, time))
    return found.pop() if len(found) == 1 else None


_GROUPED = re.compile(r"\d{1,3}(?:([ .,])\d{3})(?:\1\d{3})*", re.ASCII)
_COUNTED = re.compile(r"(-?\d[\d., ]*?)(?: ?(nghin|ngan|trieu|ty))?(?: ?([a-z][a-z ]*))?", re.ASCII)
_TIMES = {"nghin": 3, "ngan": 3, "trieu": 6, "ty": 9}
# What a number may be followed by: it says what is counted, and changes nothing of the number.
_COUNTED_THINGS = (
    "nguoi", "em", "hoc sinh", "hs", "can bo", "nhan khau", "ho", "ho dan", "may", "cai", "chiec", "to", "to roi", "bo",
    "luot", "phut", "ngay", "ma", "phieu", "people", "minutes", "days",
)  # fmt: skip


def read_count(text: str) -> int | None:
    """A whole number: "45036", "45.036", "45 036", "12 người", "1,5 triệu". Decimals that are no thousands are none."""
    found = _COUNTED.fullmatch(_words(text))
    if found is None or found[3] not in (None, *_COUNTED_THINGS):
        return None
    sign, digits = ("-", found[1][1:]) if found[1].startswith("-") else ("", found[1])
    places = _TIMES.get(found[2], 0)
    if places and (parts := re.fullmatch(r"([0-9]{1,3})(?:[.,]([0-9]{1,2}))?", digits)):
        digits = parts[1] + (parts[2] or "").ljust(places, "0")
    elif places:
        return None
    elif _GROUPED.fullmatch(digits):
        digits = re.sub(r"[ .,]", "", digits)
    return int(sign + digits) if re.fullmatch(r"[0-9]{1,12}", digits) else None
