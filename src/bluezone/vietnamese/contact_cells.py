# SPDX-License-Identifier: Apache-2.0
"""Telephone numbers and e-mail addresses as people type them into the cells of a list: several in one cell, with
remarks, or a word that says that there is none.
"""

import re

from bluezone.vietnamese.spelling import fold

MAX_PHONE_CHARACTERS = 20
_NONE = frozenset(
    {"khong", "khong co", "chua", "chua co", "chua biet", "none", "no", "n/a", "x", "-", "--", "...", "/"}
)
_PHONE = re.compile(r"\+?[0-9][0-9 .()-]{0,18}[0-9]")
# "/" parts numbers as often as it parts the digits of one: it does where a whole number stands on both sides.
_BETWEEN = re.compile(r"[;,\n|]|\s[-–—]\s|(?<=[0-9])\s{3,}(?=[+0(])|(?<=[0-9]{6})\s*/\s*(?=[+0(])|\s/\s")
_EMAIL = re.compile(r"[^@\s,;:<>()]+@[^@\s,;:<>()]+\.[^@\s,;:<>().]+")
_MAX_EMAIL_CHARACTERS = 254
# What says that a telephone number follows.
_CALLED = re.compile(
    r"^\s*(?:(?:số\s+)?(?:điện thoại|đt|đtdđ|dđ)|sđt|sdt|dt|tel|phone|di động|hotline|zalo)\s*[.:]\s*", re.IGNORECASE
)
# Whose zero was dropped: those of at most nine digits, and lines (02…) or mobiles as they were until 2018 (01…), but no
# numbers of services. Others of ten digits are from abroad.
_WITHOUT_ZERO = re.compile(r"(?!1800|1900)(?:[0-9]{8,9}|[12][0-9]{9})")


def phone_of_number(number: int) -> str:
    """The telephone number that a spreadsheet program took for a number, and whose zero it dropped."""
    return f"0{number}" if _WITHOUT_ZERO.fullmatch(str(number)) else str(number)


def read_phone(text: str) -> tuple[str, bool] | None:
    """The first telephone number in a cell, and whether the cell says more than it; None where it holds none.

    At most MAX_PHONE_CHARACTERS characters; ("", False) where the cell is empty or says that there is none.
    """
    if not text or fold(text) in _NONE:
        return "", False
    text = _CALLED.sub("", text)
    if len(text) <= MAX_PHONE_CHARACTERS and _PHONE.fullmatch(text.replace("/", ".")) and not _BETWEEN.search(text):
        return text, False
    for part in _BETWEEN.split(text):
        found = re.search(r"\+?\(?[0-9][0-9 .()-]{6,}[0-9]", part)
        number = re.sub(r"[()]", "", found[0]).strip() if found else ""
        if 8 <= sum(sign.isdigit() for sign in number) <= 15 and len(number) <= MAX_PHONE_CHARACTERS:
            return number, re.sub(r"[()]", "", text).strip() != number
    return None


def read_email(text: str) -> tuple[str, bool] | None:
    """The first e-mail address in a cell, and whether the cell says more than it; None where it holds none."""
    if not text or fold(text) in _NONE:
        return "", False
    found = _EMAIL.search(re.sub(r"^\s*(mailto|e-?mail)\s*:", "", text, flags=re.IGNORECASE))
    if found is None or len(found[0]) > _MAX_EMAIL_CHARACTERS:
        return None
    rest = text.replace(found[0], "").strip(" <>").lower()
    return found[0], rest not in ("", "mailto:", "email:", "e-mail:")
