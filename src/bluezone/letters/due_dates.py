# SPDX-License-Identifier: Apache-2.0
"""Read when something is due: "trước ngày 15/8/2020", "chậm nhất 17h00 ngày 14/8", "thứ Sáu hằng tuần".

"Định kỳ nhắc lại" and "khẩn trương" set no date, and none is made up for them. A term that runs from the day a letter
is received ("trong 5 ngày kể từ ngày nhận") has no day in the calendar and is left open.
"""

import calendar
import dataclasses
import datetime
import re

from bluezone.letters.letter_text import Passage
from bluezone.letters.proposal import Confidence, Doubt, Due, Every, Proposed
from bluezone.vietnamese.spelling import fold

_DAY_MONTH = (
    r"(?P<day>\d{1,2})\s*(?:[/.-]\s*(?P<month>\d{1,2})(?:\s*[/.-]\s*(?P<year>\d{4}))?(?![\d/])"
    r"|tháng\s*(?P<month2>\d{1,2})(?:\s*(?:năm|/|,)\s*(?:năm\s*)?(?P<year2>\d{4}))?)"
)
_TIME = (
    r"(?:(?:lúc\s+|hồi\s+|vào\s+)?(?P<hour>\d{1,2})\s*(?:h|giờ|g|:)\s*(?P<minute>\d{2})?\s*(?:phút|['’])?"
    r"\s*(?:sáng|chiều|tối)?\s*,?\s*)?"
)
_DAY_WORDS = (
    r"(?:(?:hết\s+|vào\s+)?(?:ngày\s+)?(?:thứ\s+(?:hai|ba|tư|năm|sáu|bảy|[2-7])|chủ nhật|hôm nay|ngày"
    r" mai|làm việc)\s*,?\s*)?"
    r"\(?(?:tức\s+)?(?:hết\s+|vào\s+)?(?:(?:buổi\s+)?(?:sáng|trưa|chiều|tối"
    r"|đêm)\s+)?(?:ngày\s*)?(?:là\s+)?(?:ngày\s*)?\(?"
)
_STRONG = (
    r"(?P<word>xong trước|(?:hoàn thành|xong|nộp)(?: vào)?(?= ngày \d)"
    r"|trước|chậm nhất(?:\s+(?:là|vào|đến|trước))*|muộn nhất(?:\s+(?:là|vào|trước))*|không muộn hơn"
    r"|không quá|hạn cuối(?:\s+là)?|hạn chót(?:\s+là)?|(?:thời hạn|hạn)(?:\s+(?:hoàn thành|báo cáo|gửi|nộp|là|đến))*"
    r"|(?:thời gian|tiến độ)\s+(?:hoàn thành|thực hiện|gửi|báo cáo|nộp)(?:\s+(?:là|đến|trước|xong))*)"
)
_WEAK = r"(?P<word>đến hết|hết|xong trong|trong|vào|đến|lúc(?= \d))"
_ONCE_STRONG = re.compile(rf"{_STRONG}\s*:?\s*(?P<inner>trước\s+)?{_TIME}{_DAY_WORDS}{_DAY_MONTH}", re.IGNORECASE)
_ONCE_WEAK = re.compile(rf"{_WEAK}\s*:?\s*{_TIME}{_DAY_WORDS}{_DAY_MONTH}", re.IGNORECASE)
# "trước 05 giờ 00 cùng ngày", "chậm nhất 17 giờ hôm nay"
_SAME_DAY = re.compile(
    rf"{_STRONG}\s*(?P<hour>\d{{1,2}})\s*(?:h|giờ|g|:)\s*(?P<minute>\d{{2}})?\s*(?:phút)?\s*,?\s*"
    r"(?:cùng ngày|(?:ngày )?hôm nay)",
    re.IGNORECASE,
)
# "nhắc học sinh tại buổi chào cờ ngày 05/02/2024": a day to come, at the end of what is to be done.
_ON = re.compile(
    rf"\s(?P<word>(?:sáng |chiều |tối )?ngày)\s(?P<hour>(?!))?(?P<minute>(?!))?{_DAY_MONTH}(?=\s*[.;]"
    rf"|$)",
    re.IGNORECASE,
)
_MONTH = re.compile(
    r"(?P<word>trước|trong|hết|xong|thời gian(?:\s+(?:thực hiện|hoàn thành))?\s*:|thời hạn(?:\s+\w+){0,2}\s*:)\s*"
    r"(?:xong\s+)?(?:trong\s+)?(?P<part>hết\s+|cuối\s+)?(?:tháng\s*(?P<month>\d{1,2})\s*(?:/|năm"
    r"|,)\s*(?:năm\s*)?(?P<year>\d{4})"
    r"|quý\s+(?P<quarter>IV|I{1,3}|[1-4])\s*(?:/|năm|,)\s*(?:năm\s*)?(?P<year2>\d{4}))",
    re.IGNORECASE,
)
_EVERY = re.compile(
    rf"(?P<before>trước\s+)?{_TIME}(?:(?:của\s+)?(?:chiều|sáng)?\s*)"
    r"(?:(?:ngày\s+)?(?P<weekday>thứ\s+(?:hai|ba|tư|năm|sáu|bảy|[2-7])|chủ"
    r" nhật)\s+)?(?:(?:trước\s+)?ngày\s+(?P<day>\d{1,2})\s+)?"
    r"(?:hằng|hàng|mỗi)\s+(?P<every>ngày|tuần|tháng|quý)",
    re.IGNORECASE,
)
_WEEKLY = re.compile(
    rf"(?P<before>trước\s+)?{_TIME}(?P<weekday>thứ\s+(?:hai|ba|tư|năm|sáu|bảy|[2-7])|chủ"
    rf" nhật)\s+(?:hằng|hàng|mỗi)\s+tuần",
    re.IGNORECASE,
)
# "hằng tuần (thứ Năm)"
_DAY_BEHIND = re.compile(
    r"\s*\(?\s*(?:vào\s+)?(?P<weekday>thứ\s+(?:hai|ba|tư|năm|sáu|bảy|[2-7])|chủ nhật)\)?", re.IGNORECASE
)
# "báo cáo hằng ngày về Sở Y tế trước 15h30"
_HOUR_BEHIND = re.compile(
    r"[^.;:\d]{0,80}?\s(?:trước|chậm nhất)\s+(?P<hour>\d{1,2})\s*(?:h|giờ|g)\s*(?P<minute>\d{2})?", re.IGNORECASE
)
_WEEKDAYS = {"hai": 1, "2": 1, "ba": 2, "3": 2, "tư": 3, "4": 3, "năm": 4, "5": 4, "sáu": 5, "6": 5, "bảy": 6, "7": 6}
_PERIODS = {"ngày": Every.DAY, "tuần": Every.WEEK, "tháng": Every.MONTH, "quý": Every.QUARTER}
_QUARTERS = {"i": 3, "ii": 6, "iii": 9, "iv": 12, "1": 3, "2": 6, "3": 9, "4": 12}

# What is done by a day; without such a word before it a day is when something happened, or what figures are counted to.
_DOING = (
    "bao cao", "hoan thanh", "gui", "xong", "nop",
    "trinh", "dang ky", "trien khai", "thuc hien", "tong hop", "phan hoi",
    "tra loi", "cung cap", "thong bao", "tham muu", "ra soat", "ban hanh", "cai dat", "lap ", "kiem tra", "to chuc",
    "bo tri", "cu ", "de xuat", "cap nhat", "chuan bi", "phat", "hoan thien", "nhap", "han", "thoi gian", "tien do",
    "niem yet", "y kien", "bo sung", "xay dung", "danh sach", "khac phuc", "ket thuc", "tap huan", "mua", "giai ngan",
    "chuyen", "phe duyet", "treo", "lay mau", "tiem", "khai bao", "huong dan", "dong", "so lieu", "lien he",
    "xac minh",
    "chi tra", "ban giao", "nghiem thu", "van hanh", "ve ", "quyet toan", "ky ", "dan ", "giai quyet",
    "so tan", "trao",
    "cong bo", "kiem dinh", "dang tai", "cap phat", "thiet lap", "hop", "tham gia", "co mat", "tap trung",
    "chay thu", "so ket", "tong ket", "nghi hoc", "dien tap",
    "ra quan", "phun",
)  # fmt: skip
_NOT_DUE = re.compile(
    r"(?:tính|kể từ|từ|trở về|về từ|về địa phương|đến từ|sinh|(?<!ký )(?<!để )(?<!trình )ban hành|đã ký"
    r"|nhập cảnh|đi qua|lưu trú"
    r"|diễn ra|hiệu lực|xảy ra"
    r"|phát hiện|ghi nhận|khai mạc|vào học|tại thời điểm|dự kiến|phát sinh|thông qua|ký|tổ chức)"
    r"(?:\s+(?:đến|trước|ngày|từ|tại|ở|liên quan|hết|vào|ngày thứ|thời"
    r" điểm))*\s*(?:\d{1,2}(?:\s*(?:giờ|h)\s*\d{0,2})?\s*)?$",
    re.IGNORECASE,
)
_TRAVELLERS = re.compile(
    r"\b(?:người (?:từ|về|đến|đi|trở|nhập|có|đã|ở|tiếp xúc)|công dân|trường hợp|đối tượng|ca|chuyến)\b[^,;:.]*$",
    re.IGNORECASE,
)
_FROM = re.compile(
    r"\btừ (?:sáng |chiều |tối |\d{1,2} (?:giờ|h) ?\d{0,2} )?(?:ngày )?\d{1,2}(?:/\d{1,2}(?:/\d{4})?)?\s*$",
    re.IGNORECASE,
)
# "người về trước ngày 15/8", "trẻ sinh trước ngày 1/1" say of whom it is.
_ABOUT_OTHERS = re.compile(
    r"(?:người|trẻ|công dân|trường hợp|ca bệnh|hồ sơ|đối tượng|học sinh|phụ nữ|(?<!bảo )hộ|đã|được|mũi|có|còn|theo)\b"
    r"[^,;:.]*$",
    re.IGNORECASE,
)
# How often something is done, not until when.
_TIMES = re.compile(
    r"^\s*(?:dành|(?:\d+|một|hai|ba|bốn|ít nhất[^,;.]{0,12})\s*(?:lần|lượt|buổi|phút|giờ|ca|số))", re.IGNORECASE
)
# "mỗi tháng một lần" is due every month.
_ONCE_EACH = re.compile(r"\s*(?:một|0?1)\s+lần\b", re.IGNORECASE)
_TIMES_BEFORE = re.compile(r"(?:lần|lượt|buổi|ca)\s*$", re.IGNORECASE)


def read_due(passage: Passage, letter_date: datetime.date | None, *, sentence: bool = True) -> Proposed[Due] | None:
    """Propose when what this passage orders is due, the first time it names; None when it names none.

    A day without a year is taken in the year of the letter, or in the next when it would lie before the letter.
    sentence: whether it is one, in which a day to come counts that stands at its end without a word before it.
    """
    for pattern in (_ONCE_STRONG, _ONCE_WEAK):
        for match in pattern.finditer(passage.text):
            if _is_due(passage.text, match, weak=pattern is _ONCE_WEAK) and (
                proposed := _once(passage, match, letter_date)
            ):
                return proposed
    if letter_date and (same := _SAME_DAY.search(passage.text)):
        due = Due(letter_date, _hour(same), inclusive="trước" not in same["word"].lower())
        return Proposed(due, passage.span(same.start(), same.end()), Confidence.MEDIUM)
    for pattern in (_WEEKLY, _EVERY):
        for match in pattern.finditer(passage.text):
            times = _TIMES.match(passage.text[match.end() :])
            if (times and not _ONCE_EACH.match(passage.text, match.end())) or _TIMES_BEFORE.search(
                passage.text[: match.start()]
            ):
                continue
            return _every(passage, match)
    for match in _MONTH.finditer(passage.text):
        if _is_due(passage.text, match, weak=True) and (proposed := _period(passage, match)):
            return proposed
    if (
        sentence
        and letter_date
        and (on := _ON.search(passage.text))
        and not _NOT_DUE.search(passage.text[: on.start()])
    ):
        found = _once(passage, on, letter_date)
        if found and found.value.date and found.value.date > letter_date:
            return dataclasses.replace(found, confidence=Confidence.LOW)
    return None


# "Từ 25/4/2024 đến 28/4/2024"
_FROM_TO = re.compile(
    r"(?:Từ\s+)?(?:ngày\s+)?\d{1,2}[/.]\d{1,2}(?:[/.]\d{4})?\s*(?:đến|[-–])\s*(?:hết\s+)?(?=\d|ngày)", re.IGNORECASE
)


def read_date_cell(cell: Passage, letter_date: datetime.date | None) -> Proposed[Due] | None:
    """Propose the day of a table's column "Thời hạn": "15/8/2020", "Trước 20/8", "Tháng 9/2020", "Hằng tuần"."""
    if found := read_due(cell, letter_date, sentence=False):
        return found
    if until := _FROM_TO.match(cell.text):
        return read_date_cell(cell.cut(until.end()), letter_date)
    bare = re.compile(rf"^\(?{_TIME}{_DAY_WORDS}{_DAY_MONTH}\)?\.?$", re.IGNORECASE)
    if match := bare.match(cell.text):
        return _once(cell, match, letter_date)
    month = re.compile(
        r"^(?P<part>cuối\s+)?(?:trong\s+)?(?:tháng\s*(?P<month>\d{1,2})\s*(?:/|năm|,)\s*(?:năm\s*)?(?P<year>\d{4})"
        r"|quý\s+(?P<quarter>IV|I{1,3}|[1-4])\s*(?:/|năm|,)\s*(?P<year2>\d{4}))\.?$",
        re.IGNORECASE,
    )
    match = month.match(cell.text)
    return _period(cell, match) if match else None


def _is_due(text: str, match: re.Match[str], *, weak: bool) -> bool:
    """Return whether a day is one something is to be done by, by the words before it in its sentence."""
    start = max(text.rfind(". ", 0, match.start()), text.rfind(";", 0, match.start())) + 1
    plain = text[max(start, match.start() - 160) : match.start()]
    before = fold(plain)
    word = fold(match["word"])
    if word.startswith(("xong", "hoan", "nop", "han", "thoi", "tien do", "cham nhat", "muon nhat", "khong")):
        return True
    if _NOT_DUE.search(plain):
        return False
    if word == "trong" and before.rstrip().endswith(("ngay", "luon")):
        return True  # "tiêu hủy ngay trong ngày 02/7/2021"
    if word == "den het" and _FROM.search(plain) and not _TRAVELLERS.search(plain):
        return True  # "cho học sinh nghỉ học từ chiều 27/10 đến hết ngày 29/10"
    if word == "truoc" and not weak and match["hour"]:
        return True
    if word == "truoc" and not weak and match["day"] and not _ABOUT_OTHERS.search(plain):
        return True
    if not before.strip() or text[: match.start()].strip() == "":
        return not weak or word.startswith(("xong", "het", "den het"))
    return any(doing in f"{before} " for doing in _DOING) or (word == "truoc" and ":" in text[: match.start()])


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
    groups = match.re.groupindex
    word = match["word"].lower() if "word" in groups else ""
    before = "trước" in word or ("inner" in groups and bool(match["inner"]))
    span = passage.span(match.start(), match.end())
    due = Due(date, _hour(match), inclusive=not before)
    return Proposed(due, span, Confidence.MEDIUM if doubts else Confidence.HIGH, doubts)


def _period(passage: Passage, match: re.Match[str]) -> Proposed[Due] | None:
    month = int(match["month"]) if match["month"] else _QUARTERS[match["quarter"].lower()]
    year = int(match["year"] or match["year2"])
    if not 1 <= month <= 12:
        return None
    word = match["word"].lower() if "word" in match.re.groupindex else ""
    if word == "trước" and match["month"]:
        # "trước tháng 9/2020": the day that month begins is already late.
        due = Due(datetime.date(year, month, 1), inclusive=False)
    else:
        due = Due(datetime.date(year, month, calendar.monthrange(year, month)[1]))
    return Proposed(due, passage.span(match.start(), match.end()), Confidence.MEDIUM, (Doubt.PERIOD,))


def _hour(match: re.Match[str]) -> datetime.time | None:
    """Return the hour that the match names, or None where it names none or one no day has."""
    try:
        if not match["hour"]:
            return None
        hour = int(match["hour"])
        afternoon = re.search(r"chiều|tối", match.group(), re.IGNORECASE) and hour < 12
        return datetime.time(hour + (12 if afternoon else 0), int(match["minute"] or 0))
    except ValueError:
        return None


def _every(passage: Passage, match: re.Match[str]) -> Proposed[Due]:
    groups = match.re.groupindex
    weekday = None
    if match["weekday"]:
        weekday = _WEEKDAYS.get(match["weekday"].lower().split()[-1], 7)
    day = int(match["day"]) if "day" in groups and match["day"] and 1 <= int(match["day"]) <= 31 else None
    before = "trước" in match.group().lower()
    time, end = _hour(match), match.end()
    if weekday is None and (named := _DAY_BEHIND.match(passage.text, end)) and "tuần" in match.group().lower():
        weekday, end = _WEEKDAYS.get(named["weekday"].lower().split()[-1], 7), named.end()
    if time is None and (hour := _HOUR_BEHIND.match(passage.text, end)):
        time, end, before = _hour(hour), hour.end(), True
    due = Due(
        time=time,
        every=_PERIODS[match["every"].lower()] if "every" in groups else Every.WEEK,
        weekday=weekday,
        day_of_month=day,
        inclusive=not before,
    )
    return Proposed(due, passage.span(match.start(), end), Confidence.MEDIUM)
