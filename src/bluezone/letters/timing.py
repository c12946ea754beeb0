# SPDX-License-Identifier: Apache-2.0
"""Sentences of an order that speak of a deadline or a rhythm, word for word.

A task holds one day and a report that is due once, weekly or monthly. What a letter says beyond that ("hằng ngày",
"02 tuần một lần", "05 ngày làm việc kể từ ngày nhận") is shown to people in the letter's own words, so that no page
says that the letter names no deadline where it does. A sentence too many does no harm here.
"""

import re

from bluezone.letters.proposal import Span
from bluezone.vietnamese.spelling import fold

# Not after the point of "TP. Bắc Kạn".
_ENDS = re.compile(r"\n+|(?<=[^\s.]{3}[.;])\s+|(?<=[\da-zà-ỹ][.;])\s+(?=[A-ZĐÀ-Ỹ])")
# "Công văn số 4111/UBND-VXNV ngày 05/8/2020" has the day of another document.
_CITED = re.compile(
    r"\d+\S*/\S*[A-ZĐ]\S*(?:[^.;\d]{0,60}?ngày\s+\d{1,2}(?:\s*[/.-]\s*\d{1,2}\s*[/.-]\s*\d{4}|\s+tháng\s+\d{1,2}\s+năm\s+\d{4}))?"
)
_NUMBER = r"(?:\d+|mot|hai|ba|bon|nam|sau|bay|tam|chin|muoi|muoi lam|ba muoi)"
# On folded text.
_RHYTHM = re.compile(
    r"\b(?:hang|moi|tung)\s+(?:ngay|tuan|thang|quy|nam|buoi)\b"
    rf"|\b{_NUMBER}?\s*(?:ngay|tuan|thang|quy)\s*(?:/|\b(?:mot|1|01)\b)\s*lan\b"
    rf"|\b(?:ngay|tuan|thang|quy)\s+{_NUMBER}\s+lan\b"
    r"|\bdinh ky\b"
)
_TERM = re.compile(
    rf"\b(?:trong|sau|qua|vong|han)\b\s*:?\s*(?:vong\s+|thoi gian\s+|thoi han\s+)?{_NUMBER}(?:\s+{_NUMBER})?"
    r"(?:\s*\(\d+\))?\s*(?:ngay|gio|tuan|thang)\b"
    r"|\bngay lam viec\b|\bke tu (?:ngay|khi|luc|thoi diem)\b|\bngay (?:sau )?khi\b"
)
_DAY = re.compile(
    r"\b(?:ngay|truoc|het|han|nhat|vao|den|tu)\D{0,12}?\b\d{1,2}\s*[/.-]\s*\d{1,2}(?![\d%])"
    r"|\b\d{1,2}\s*[/.-]\s*\d{1,2}\s*[/.-]\s*\d{4}\b"
    r"|\bngay\s+\d{1,2}\b|\bthang\s+\d{1,2}\b|\bquy\s+(?:iv|i{1,3}|[1-4])\b"
    r"|\b\d{1,2}\s*(?:gio|h)(?:\s*\d{2})?\b"
    r"|\b(?:cham|muon) nhat\b|\bthoi han\b|\bhan (?:cuoi|chot)\b|\b(?:hom nay|ngay mai|cung ngay|trong ngay)\b"
    r"|\bcuoi (?:ngay|tuan|thang|quy|nam)\b"
)
# Without its marks "thứ tư" is "thứ tự".
_WEEKDAY = re.compile(r"\b(?:thứ\s+(?:hai|ba|tư|năm|sáu|bảy|[2-7])|chủ nhật)\b", re.IGNORECASE)


def sentences_of_time(text: str, *, with_days: bool) -> tuple[str, ...]:
    """Sentences of an order that speak of a rhythm, or of a term that runs from some event; with_days: of a day too."""
    return tuple(
        sentence
        for part in _ENDS.split(text)
        if (sentence := part.strip().removeprefix("- ")) and _speaks(sentence, with_days)
    )


def _speaks(sentence: str, with_days: bool) -> bool:
    plain = _CITED.sub("", sentence)
    folded = fold(plain)
    if _RHYTHM.search(folded) or _TERM.search(folded):
        return True
    return with_days and bool(_DAY.search(folded) or _WEEKDAY.search(plain))


def orders_rhythm(sentence: str) -> bool:
    """Whether a sentence asks for a report again and again."""
    folded = fold(sentence)
    return "bao cao" in folded and bool(_RHYTHM.search(folded))


def sentence_around(text: str, span: Span) -> str:
    """The whole sentence of a letter in which a passage stands, on one line."""
    start, end = 0, len(text)
    for found in _ENDS.finditer(text):
        if found.end() <= span.start:
            start = found.end()
        elif found.start() >= span.end:
            end = found.start()
            break
    return " ".join(text[start:end].split())
