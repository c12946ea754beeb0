# SPDX-License-Identifier: Apache-2.0
"""Telephone numbers and e-mail addresses as people type them into the cells of a list.

A cell may have several, remarks, or a word for "none".
"""

import re

from bluezone.vietnamese.spelling import fold

MAX_PHONE_CHARACTERS = 20
_WORDS_FOR_NONE = frozenset(
    {"khong", "khong co", "chua", "chua co", "chua biet", "none", "no", "n/a", "x", "-", "--", "...", "/"}
)
_PHONE = re.compile(r"\+?[0-9][0-9 .()-]{0,18}[0-9]")
# "/" separates numbers, or the digits of one; it separates numbers if there is a whole number on both sides.
_SEPARATOR = re.compile(r"[;,\n|]|\s[-–—]\s|(?<=[0-9])\s{3,}(?=[+0(])|(?<=[0-9]{6})\s*/\s*(?=[+0(])|\s/\s")
_EMAIL = re.compile(r"[^@\s,;:<>()]+@[^@\s,;:<>()]+\.[^@\s,;:<>().]+")
_MAX_EMAIL_CHARACTERS = 254
# Labels before a telephone number.
_LABEL = re.compile(
    r"^\s*(?:(?:số\s+)?(?:điện thoại|đt|đtdđ|dđ)|sđt|sdt|dt|tel|phone|di động|hotline|zalo)\s*[.:]\s*", re.IGNORECASE
)
# Numbers that have lost their zero: those of at most nine digits, fixed lines (02…), and mobiles as they were until
# 2018 (01…), but not service numbers. Others of ten digits are from abroad.
_WITHOUT_ZERO = re.compile(r"(?!1800|1900)(?:[0-9]{8,9}|[12][0-9]{9})")


def phone_of_number(number: int) -> str:
    """The telephone number in a numeric cell, with the zero that the spreadsheet program dropped."""
    return f"0{number}" if _WITHOUT_ZERO.fullmatch(str(number)) else str(number)


def read_phone(text: str) -> tuple[str, bool] | None:
    """The first telephone number in a cell, and whether the cell has more text; None if it has no number.

    At most MAX_PHONE_CHARACTERS characters; ("", False) if the cell is empty or has a word for "none".
    """
    if not text or fold(text) in _WORDS_FOR_NONE:
        return "", False
    text = _LABEL.sub("", text)
    if len(text) <= MAX_PHONE_CHARACTERS and _PHONE.fullmatch(text.replace("/", ".")) and not _SEPARATOR.search(text):
        return text, False
    for part in _SEPARATOR.split(text):
        match = re.search(r"\+?\(?[0-9][0-9 .()-]{6,}[0-9]", part)
        number = re.sub(r"[()]", "", match[0]).strip() if match else ""
        if 8 <= sum(sign.isdigit() for sign in number) <= 15 and len(number) <= MAX_PHONE_CHARACTERS:
            return number, re.sub(r"[()]", "", text).strip() != number
    return None


def read_email(text: str) -> tuple[str, bool] | None:
    """The first e-mail address in a cell, and whether the cell has more text; None if it has no address."""
    if not text or fold(text) in _WORDS_FOR_NONE:
        return "", False
    match = _EMAIL.search(re.sub(r"^\s*(mailto|e-?mail)\s*:", "", text, flags=re.IGNORECASE))
    if match is None or len(match[0]) > _MAX_EMAIL_CHARACTERS:
        return None
    remainder = text.replace(match[0], "").strip(" <>").lower()
    return match[0], remainder not in ("", "mailto:", "email:", "e-mail:")
