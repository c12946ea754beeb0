# SPDX-License-Identifier: Apache-2.0
"""Days, weekdays, months and times as people write them, in the words of a reader: "30/4-1/5", "T2-T6", "7h30"."""

import re
from collections.abc import Callable

from bluezone.speech.lexicon import KNOWN_DAYS, MATTER
from bluezone.speech.numerals import day_of_month, month_in_words, whole

_W = r"(?<![\w])"
_E = r"(?![\w])"
Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]


def _is_day(day: int, month: int) -> bool:
    return 1 <= day <= 31 and 1 <= month <= 12


def _said(day: int, month: int) -> str:
    return f"{day_of_month(day)} tháng {month_in_words(month)}"


def _year(text: str | None) -> str:
    """Two figures are of this century."""
    return f" năm {whole(int(text) + (2000 if len(text) == 2 else 0))}" if text else ""


def _date(found: re.Match[str]) -> str:
    """ "07/8/2020", with "ngày" where that does not stand before it."""
    day, month = int(found["d"]), int(found["m"])
    if not _is_day(day, month):
        return found[0]
    before = found["before"]
    said = (whole(day) if before and before.lower().startswith(("mùng", "mồng")) else day_of_month(day)) + (
        f" tháng {month_in_words(month)}{_year(found['y'])}"
    )
    return before + said if before else f"ngày {said}"


def _day_and_month(found: re.Match[str]) -> str:
    """ "ngày 7/8" and "từ 7/8 đến 9/8": without such a word before it, it may be a fraction or a house number."""
    day, month = int(found["d"]), int(found["m"])
    if not _is_day(day, month):
        return found[0]
    lead = found["lead"]
    word = lead.lower().lstrip("(")
    ngay = "" if word.startswith(("ngày", "mùng", "mồng")) else "ngày "
    mung = whole(day) if word.startswith(("mùng", "mồng")) else day_of_month(day)
    return f"{lead}{ngay}{mung} tháng {month_in_words(month)}"


def _one_of_the_days(found: re.Match[str]) -> str:
    """ "Quốc tế Thiếu nhi 1/6": a day, because a word that goes with days stands before it in the same clause."""
    day, month = int(found["d"]), int(found["m"])
    return f"{found['lead']}ngày {_said(day, month)}" if _is_day(day, month) else found[0]


def _days(found: re.Match[str]) -> str:
    """ "từ 30/4-1/5", "từ 5-10/11": two days of a year."""
    first_month = found["am"] or found["m"]
    days = ((int(found["a"]), int(first_month)), (int(found["d"]), int(found["m"])))
    if not all(_is_day(day, month) for day, month in days) or (first_month == found["m"] and days[0] >= days[1]):
        return found[0]
    month = f" tháng {month_in_words(days[0][1])}" if found["am"] else ""
    lead = re.sub("ngày $", "", found["lead"] or "", flags=re.IGNORECASE)
    return f"{lead}ngày {day_of_month(days[0][0])}{month} đến ngày {_said(*days[1])}"


def _listed_days(found: re.Match[str]) -> str:
    """ "các ngày 5, 6 và 7/8" and "các ngày 5/8, 7/8": the month stands at each or at the last."""
    items = re.split(r"(,\s*|\s*;\s*|\s+và\s+|\s+hoặc\s+)", found["days"])
    pairs = [one.split("/") for one in items[::2]]
    lead = found["lead"] or ""
    if not all(_is_day(int(one[0]), int(one[1]) if len(one) > 1 else 1) for one in pairs):
        return found[0]
    if not lead and not any(f"{int(one[0])}/{int(one[1])}" in KNOWN_DAYS or int(one[0]) > 12 for one in pairs):
        return found[0]
    said = [_said(int(one[0]), int(one[1])) if len(one) > 1 else day_of_month(int(one[0])) for one in pairs]
    items[::2] = said if lead else [f"ngày {one}" for one in said]
    return lead + "".join(items)


def _span(found: re.Match[str]) -> str:
    """ "từ 5 đến 7/8": the month stands at the end alone."""
    return f"{found['lead']}{day_of_month(int(found['a']))}{found['to']}" if int(found["a"]) <= 31 else found[0]


def _holidays(found: re.Match[str]) -> str:
    """ "lễ 30/4-1/5", which is no span of time."""
    return f"{found['lead']}ba mươi tháng tư và mùng một tháng năm"


def _known_day(found: re.Match[str]) -> str:
    """ "2/9", and "15/8", which is no share because it is more than one."""
    day, month = int(found["d"]), int(found["m"])
    known = f"{day}/{month}" in KNOWN_DAYS or (day > 12 >= month >= 1 and day <= 31)
    return f"ngày {_said(day, month)}" if known else found[0]


def _known_with_dash(found: re.Match[str]) -> str:
    """ "dịp 8-3", "ngày 01.12"."""
    day, month = int(found["d"]), int(found["m"])
    lead = found["lead"] if found["lead"].lower().startswith("ngày") else f"{found['lead']}ngày "
    is_day = f"{day}/{month}" in KNOWN_DAYS or (lead == found["lead"] and "." in found[0] and _is_day(day, month))
    return f"{lead}{_said(day, month)}" if is_day else found[0]


def _weekday(number: str) -> str:
    return "chủ nhật" if number == "CN" else f"thứ {'tư' if number == '4' else whole(int(number))}"


def _weekdays(found: re.Match[str]) -> str:
    """ "T2-T6", "T2, T4 và CN"."""
    said = re.sub(r"T?([2-7]|CN)", lambda one: _weekday(one[1]), found[0])
    said = re.sub(r"\s?-\s?", " đến ", said)
    return re.sub(r"\s?/\s?", ", ", said)


def _written_date(found: re.Match[str]) -> str:
    """ "ngày 07 tháng 8 năm 2020"."""
    return f"{found['lead']}{_said(int(found['d']), int(found['m']))}{_year(found['y'])}"


def _month_year(found: re.Match[str]) -> str:
    month = int(found["m"])
    return f"{found['lead']}{month_in_words(month)}{_year(found['y'])}" if 1 <= month <= 12 else found[0]


def _month_alone(found: re.Match[str]) -> str:
    """ "T8/2026", "trước 8/2026"."""
    month = int(found["m"])
    return f"{found['lead']}tháng {month_in_words(month)}{_year(found['y'])}" if 1 <= month <= 12 else found[0]


def _time(found: re.Match[str]) -> str:
    hour, minute = int(found["h"]), found["min"]
    if hour > 24 or (minute and int(minute) > 59):
        return found[0]
    said = f"{whole(hour)} giờ"
    return said + (f" {whole(int(minute))} phút" if minute and int(minute) else "")


def _range(found: re.Match[str]) -> str:
    first: str = found["a"]
    # "01-15/8/2020": the first is a day of the same month; "1/8-15/8/2020": a day of the same year.
    if first.isdigit():
        first = f"ngày {day_of_month(int(first))}"
    elif re.fullmatch(r"\d{1,2}/\d{1,2}", first):
        day, month = first.split("/")
        first = f"ngày {_said(int(day), int(month))}"
    if re.search(r"ngày\s$", found.string[: found.start()], re.IGNORECASE):
        first = first.removeprefix("ngày ")
    return f"{first} đến {found['b']}"


_CLOCK = r"\d{1,2}\s?(?:h|g|giờ)\s?\d{0,2}'?|\d{1,2}:\d{2}"
# Words after which "7/8" is a day.
_DAYS = (
    r"(?P<lead>(?:từ|đến|hết|trước|sau|ngày|hôm|sáng|trưa|chiều|tối|đêm|mùng|mồng|và|khai mạc|khai giảng|tức|nhằm"
    r"|thứ (?:hai|ba|tư|năm|sáu|bảy),?|chủ nhật,?|(?:giờ|h|g)(?:\s?\d\d)?(?:\s?phút|')?,?)\s+)"
)
_LEAD = r"(?P<before>(?:ngày|mùng|mồng)\s+)?"
_DM = r"\d{1,2}/\d{1,2}"
_ADDRESSED = r"(?<!số )(?<!nhà )(?<!ngõ )(?<!hẻm )(?<!ngách )(?<!tổ )(?<!phòng )"


def _rule(pattern: str, say: Callable[[re.Match[str]], str], flags: re.RegexFlag = re.IGNORECASE) -> Rule:
    return re.compile(pattern, flags), say


def _months(found: re.Match[str]) -> str:
    """ "tháng 10-11/2026"."""
    first, last = int(found["a"]), int(found["b"])
    if not 1 <= first < last <= 12:
        return found[0]
    return f"{found['lead']}{month_in_words(first)} đến tháng {month_in_words(last)}{_year(found['y'])}"


MOMENTS: list[Rule] = [
    _rule(rf"{_W}(?P<lead>tháng\s+)(?P<a>\d{{1,2}})\s?-\s?(?P<b>\d{{1,2}})/(?P<y>\d{{4}}){_E}", _months),
    _rule(rf"{_W}(?P<lead>ngày\s+)(?P<d>\d{{1,2}})\s+tháng\s+(?P<m>\d{{1,2}})(?:\s+năm\s+(?P<y>\d{{4}}))?{_E}",
          _written_date),
    _rule(rf"{_W}(?P<a>(?:\d{{1,2}}/)?\d{{1,2}}(?:/\d{{4}})?)\s?-\s?(?P<b>\d{{1,2}}/\d{{1,2}}/\d{{4}}){_E}", _range),
    _rule(rf"{_W}(?P<lead>(?:lễ|dịp|kỷ niệm|nghỉ)\s+)30/0?4\s?(?:-|,|và)\s?0?1/0?5{_E}(?!/)", _holidays),
    _rule(rf"{_W}(?P<lead>(?:từ|trong|nghỉ|đợt)\s+(?:ngày\s+)?|ngày\s+)?(?P<a>\d{{1,2}})/(?P<am>\d{{1,2}})\s?-\s?"
          rf"(?P<d>\d{{1,2}})/(?P<m>\d{{1,2}}){_E}(?!/)", _days),
    _rule(rf"{_W}(?P<lead>(?:từ|trong|nghỉ|đợt)\s+(?:ngày\s+)?|ngày\s+)?(?P<a>\d{{1,2}})(?P<am>(?!))?\s?-\s?"
          rf"(?P<d>\d{{1,2}})/(?P<m>\d{{1,2}}){_E}(?!/)", _days),
    _rule(rf"{_W}(?P<lead>ngày\s+)(?P<days>\d{{1,2}}(?:/\d{{1,2}})?(?:(?:,|;| và| hoặc)\s+\d{{1,2}}(?:/\d{{1,2}})?)*"
          rf"(?:,|;| và| hoặc)\s+{_DM}){_E}(?!/)", _listed_days),
    _rule(rf"{_W}(?P<lead>(?!))?(?P<days>{_DM}(?:(?:,|;| và| hoặc)\s+{_DM})+){_E}(?!/)", _listed_days),
    _rule(rf"{_W}(?P<lead>từ\s+(?:ngày\s+)?)(?P<a>\d{{1,2}})(?P<to>\s+đến\s+(?:hết\s+)?(?:ngày\s+)?(?={_DM}{_E}))",
          _span),
    _rule(rf"{_W}(?P<lead>ngày\s+)(?P<d>\d)(?=\s+(?:h[ằà]ng|tới|này|vừa|đến)\b)",
          lambda found: f"{found['lead']}{day_of_month(int(found['d']))}"),
    _rule(rf"{_W}T[2-7]\s?-\s?(?:T?[2-7]|CN){_E}", _weekdays, re.RegexFlag(0)),
    _rule(rf"{_W}(?:T[2-7]|CN)(?:\s?(?:,|;|và|-|/)\s?(?:T[2-7]|CN))+{_E}", _weekdays, re.RegexFlag(0)),
    _rule(r"(?<!tòa )(?<!nhà )(?<!khu )(?<!lô )(?<!dãy )(?<!tháng )(?<![\w.])T[2-7](?![\w/-]|\.\w)", _weekdays,
          re.RegexFlag(0)),
    _rule(rf"{_W}(?P<lead>(?:[Ss]áng|[Tt]rưa|[Cc]hiều|[Tt]ối|[Đđ]êm|[Nn]gày|[Vv]à|[Đđ]ến|[Hh](?:ằ|à)ng tuần)\s+)"
          rf"(?P<n>T[2-7]|CN){_E}", lambda found: found["lead"] + _weekday(found["n"].removeprefix("T")),
          re.RegexFlag(0)),
    _rule(rf"{_W}(?P<lead>thứ\s+)(?P<n>[2-7]){_E}",
          lambda found: found["lead"] + _weekday(found["n"]).removeprefix("thứ ")),
    _rule(rf"(?P<lead>{_W}thứ (?:hai|ba|tư|năm|sáu|bảy)[^.\n]{{0,60}}[,;:]\s)CN{_E}",
          lambda found: f"{found['lead']}chủ nhật", re.RegexFlag(0)),
    _rule(rf"{_W}(?P<lead>(?:đợt|kỳ|lần|số|khóa)\s+)(?P<m>\d{{1,2}})/(?P<y>\d{{4}}){_E}",
          lambda found: f"{found['lead']}{whole(int(found['m']))}{_year(found['y'])}"),
    _rule(rf"{_W}(?P<d>\d{{1,2}})/(?P<m>\d{{1,2}})(?=\s+(?:âm lịch|ÂL|dương lịch))",
          lambda found: _said(int(found["d"]), int(found["m"])) if _is_day(int(found["d"]), int(found["m"]))
          else found[0]),
    _rule(rf"(?<=[^\W\d])/(?P<h>\d{{1,2}})h{_E}", lambda found: f" trong {whole(int(found['h']))} giờ"),
    _rule(rf"{_W}(?P<a>{_CLOCK})\s?-\s?(?P<b>{_CLOCK}){_E}", _range),
    _rule(rf"{_W}(?P<a>\d{{1,2}})\s?-\s?(?=\d{{1,2}}\s?(?:h|giờ)\s?(?:\d\d)?{_E})",
          lambda found: f"{whole(int(found['a']))} giờ đến "),
    _rule(rf"{_LEAD}{_W}(?P<d>\d{{1,2}})[/.-](?P<m>\d{{1,2}})[/.-](?P<y>\d{{4}}){_E}", _date),
    _rule(rf"{_LEAD}{_W}{_ADDRESSED}(?P<d>\d{{1,2}})/(?P<m>\d{{1,2}})/(?P<y>\d{{2}}){_E}(?!/)", _date),
    _rule(rf"{_W}(?P<lead>tháng\s+)(?P<m>\d{{1,2}})(?:[/-]|\s+năm\s+)(?P<y>\d{{4}}){_E}", _month_year),
    _rule(rf"{_W}(?P<lead>tháng\s+)(?P<m>\d{{1,2}})(?P<y>(?!))?{_E}(?![/\d])", _month_year),
    _rule(rf"{_W}(?P<lead>)T?(?P<m>\d{{1,2}})/(?P<y>20\d\d){_E}", _month_alone, re.RegexFlag(0)),
    _rule(rf"{_W}(?P<lead>(?:[Tt]rong|[Tt]ừ|[Đđ]ến|[Hh]ết|[Tt]rước|[Đđ]ầu|[Cc]uối|[Gg]iữa)\s+)T(?P<m>\d{{1,2}})(?P<y>(?!))?{_E}",
          _month_alone, re.RegexFlag(0)),
    _rule(rf"{_W}(?P<lead>(?:lễ|dịp|kỷ niệm|mừng|ngày|ngày lễ)\s+)(?P<d>\d{{1,2}})[.-](?P<m>\d{{1,2}}){_E}(?!-)",
          _known_with_dash),
    _rule(rf"{_W}(?P<lead>(?:trước|đến|hết|đến hết)\s+)(?P<d>1[3-9]|2\d|3[01])-(?P<m>1[0-2]|0?[1-9]){_E}(?![-/])",
          _day_and_month),
    _rule(rf"{_W}{_DAYS}(?P<d>\d{{1,2}})/(?P<m>\d{{1,2}}){_E}(?!/|\s(?:số|dân|diện|tổng|lượng))", _day_and_month),
    _rule(rf"(?P<lead>{_W}(?:ngày|lễ|dịp|kỷ niệm|mừng|hưởng ứng|tết|quốc tế|quốc khánh|thành lập)\s[^.;:\d]{{0,60}}\(?)"
          rf"(?<=[\s(]){_ADDRESSED}(?P<d>\d{{1,2}})/(?P<m>\d{{1,2}}){_E}(?!/|\s(?:số|dân|diện|tổng|hộ))",
          _one_of_the_days),
    _rule(r"(?P<lead>^|\()(?P<d>\d{1,2})/(?P<m>\d{1,2})(?=:|\)|,\s)", _one_of_the_days, re.MULTILINE),
    _rule(rf"{_W}(?<!\d[.,])(?P<h>\d{{1,2}})\s?(?:h|g|giờ)\s?(?P<min>\d{{2}})(?:\s?(?:phút|ph|p|'))?{_E}", _time),
    _rule(rf"{_W}(?<!\d[.,])(?P<h>\d{{1,2}})(?P<min>(?!))?\s?(?:h|g){_E}(?!\s+(?:{'|'.join(MATTER)}))", _time),
    _rule(rf"{_W}(?<!\d[.,])(?P<h>\d{{2,3}})\s?h{_E}", lambda found: f"{whole(int(found['h']))} giờ"),
    _rule(rf"{_W}(?<!\d[.,])(?P<h>\d{{1,2}}):(?P<min>\d{{2}}){_E}", _time),
    _rule(rf"{_W}{_ADDRESSED}(?P<d>\d{{1,2}})/(?P<m>\d{{1,2}}){_E}(?!/)", _known_day),
]  # fmt: skip
