# SPDX-License-Identifier: Apache-2.0
"""Numbers in Vietnamese words: whole, decimal, by digits, of days and months; and what Roman numerals are worth."""

import re

DIGITS = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_GROUPS = ("", "nghìn", "triệu", "tỷ")
_GROUP = 1000
LARGEST = 10**12 - 1
_ROMAN = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


def whole(number: int) -> str:
    """A whole number: 105 -> "một trăm linh năm". number: 0..LARGEST."""
    if number < 10:
        return DIGITS[number]
    parts: list[str] = []
    groups: list[int] = []
    while number:
        number, rest = divmod(number, _GROUP)
        groups.append(rest)
    for place in range(len(groups) - 1, -1, -1):
        if groups[place]:
            words = _hundreds(groups[place], full=place < len(groups) - 1)
            parts.append(f"{words} {_GROUPS[place]}".strip())
    return " ".join(parts)


def digits(text: str) -> str:
    """Each digit by itself, as telephone numbers are said: "1900" -> "một chín không không"."""
    return " ".join(DIGITS[int(one)] for one in text if one.isdigit())


def decimal(before: str, after: str) -> str:
    """A number with a comma: "31", "8" -> "ba mươi mốt phẩy tám"."""
    behind = digits(after) if after.startswith("0") or len(after) > 2 else whole(int(after))
    return f"{loose(before, most=12)} phẩy {behind}"


def loose(text: str, most: int = 9) -> str:
    """A number that nothing explains: as a number, also "03"; by digits with more than `most` of them or after a 0."""
    if len(text) > most or (text.startswith("0") and len(text) > 2):
        return digits(text)
    return whole(int(text))


def number(text: str) -> str:
    """A number as written here: "1.250,5", "31,8", "45"."""
    before, _, after = text.partition(",")
    before = re.sub(r"[. ]", "", before)
    return decimal(before, after) if after else loose(before, most=12)


def day_of_month(day: int) -> str:
    """A day: the first ten are "mùng"."""
    return f"mùng {whole(day)}" if day <= 10 else whole(day)


def month_in_words(number: int) -> str:
    """A month: the fourth is "tư"."""
    return "tư" if number == 4 else whole(number)


def roman(text: str) -> int | None:
    """The value of a Roman numeral written as it should be, None for anything else."""
    total, highest = 0, 0
    for one in reversed(text):
        value = _ROMAN.get(one)
        if value is None:
            return None
        total += value if value >= highest else -value
        highest = max(highest, value)
    return total if _as_roman(total) == text else None


def _as_roman(number: int) -> str:
    signs = ((100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))
    text = ""
    for value, sign in signs:
        count, number = divmod(number, value)
        text += sign * count
    return text


def _hundreds(number: int, *, full: bool) -> str:
    """One group of three figures. full: something stands before it, so that "không trăm" is said."""
    hundreds, rest = divmod(number, 100)
    parts = [f"{DIGITS[hundreds]} trăm"] if hundreds or full else []
    tens, ones = divmod(rest, 10)
    if tens == 0:
        if ones:
            parts.append(f"linh {DIGITS[ones]}" if parts else DIGITS[ones])
    elif tens == 1:
        parts.append("mười" + _after_ten(ones))
    else:
        parts.append(f"{DIGITS[tens]} mươi" + _after_tens(ones))
    return " ".join(parts)


def _after_ten(ones: int) -> str:
    return "" if ones == 0 else " lăm" if ones == 5 else f" {DIGITS[ones]}"


def _after_tens(ones: int) -> str:
    return {0: "", 1: " mốt", 4: " tư", 5: " lăm"}.get(ones, f" {DIGITS[ones]}")
