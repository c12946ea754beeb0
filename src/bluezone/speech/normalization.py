# SPDX-License-Identifier: Apache-2.0
"""Turn written Vietnamese of offices into what a reader would say: dates, times, document numbers, numbers in words."""

import re
import unicodedata
from collections.abc import Callable
from functools import partial

from bluezone.speech.lexicon import (
    ABBREVIATIONS,
    BEFORE_NAMES,
    DOCUMENTS,
    GIVEN_FOR,
    IN_ADDRESSES,
    KNOWN_DAYS,
    LETTERS,
    PROTECTED,
    ROADS,
    SAID,
    SYMBOLS,
    UNITS,
)

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
    return f"{whole(int(before))} phẩy {behind}"


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


# Places of protected words while the rest is rewritten: private-use characters, which no text carries.
_HOLD, _HELD = 0xE000, re.compile("[\ue000-\uf8ff]")
_W = r"(?<![\w])"
_E = r"(?![\w])"
_NUMBER = r"\d{1,3}(?:[. ]\d{3})+|\d+"


def spoken(text: str) -> str:
    """The text as it is said, in one line a paragraph.

    text: Vietnamese in any normal form. The result is NFC and carries no digit, percent sign or known abbreviation.
    """
    text = unicodedata.normalize("NFC", text).replace("\u00a0", " ").replace("–", "-").replace("—", " - ")
    kept: list[str] = []

    def hold(said: str) -> str:
        kept.append(said)
        return chr(_HOLD + len(kept) - 1)

    text = _ADDRESS.sub(lambda found: hold(_address(found[0])), _HELD.sub(" ", text))
    for written, said in sorted(SAID.items(), key=lambda pair: -len(pair[0])):
        text = re.sub(_W + re.escape(written) + _E, partial(_always, hold, said), text)
    for word in PROTECTED:
        text = re.sub(_W + re.escape(word) + _E, lambda found: hold(found[0]), text, flags=re.IGNORECASE)
    for pattern, say in _RULES:
        text = pattern.sub(say, text)
    for sign, said in SYMBOLS.items():
        text = text.replace(sign, said)
    text = _CLASS.sub(_class_name, text)
    text = re.sub(r"\d+", lambda found: _loose(found[0]), text)
    text = _HELD.sub(lambda found: kept[ord(found[0]) - _HOLD], text)
    text = re.sub(r"[ \t]+", " ", text)
    return re.sub(r" ([,.;:!?])", r"\1", text).strip()


def _always(hold: Callable[[str], str], said: str, _found: re.Match[str]) -> str:
    return hold(said)


def _loose(text: str) -> str:
    """A number that nothing explains: as a number, also "03"; by digits when it is long or begins with 0."""
    if len(text) > 12 or (text.startswith("0") and len(text) > 2):
        return digits(text)
    return whole(int(text))


def _number(text: str) -> str:
    return _loose(re.sub(r"[. ]", "", text))


def _date(found: re.Match[str]) -> str:
    day, month, year = int(found["d"]), int(found["m"]), found["y"]
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return found[0]
    said = f"{day_of_month(day)} tháng {month_in_words(month)}"
    if year:
        said += f" năm {whole(int(year))}"
    return said if found["before"] else f"ngày {said}" if found["lead"] is None else found["lead"] + said


def _day_and_month(found: re.Match[str]) -> str:
    """ "ngày 7/8" and "từ 7/8 đến 9/8": without such a word before it, it may be a fraction or a house number."""
    day, month = int(found["d"]), int(found["m"])
    if not (1 <= day <= 31 and 1 <= month <= 12):
        return found[0]
    ngay = "" if found["lead"].lower().startswith(("ngày", "mùng", "mồng")) else "ngày "
    mung = whole(day) if found["lead"].lower().startswith(("mùng", "mồng")) else day_of_month(day)
    return f"{found['lead']}{ngay}{mung} tháng {month_in_words(month)}"


def _days(found: re.Match[str]) -> str:
    """ "từ 30/4-1/5", "từ 5-10/11": two days of a year."""
    first_month = found["am"] or found["m"]
    days = ((int(found["a"]), int(first_month)), (int(found["d"]), int(found["m"])))
    if not all(1 <= day <= 31 and 1 <= month <= 12 for day, month in days):
        return found[0]
    lead = found["lead"] or ""
    month = f" tháng {month_in_words(days[0][1])}" if found["am"] else ""
    return (
        f"{re.sub('ngày $', '', lead, flags=re.IGNORECASE)}ngày {day_of_month(days[0][0])}{month}"
        f" đến ngày {day_of_month(days[1][0])} tháng {month_in_words(days[1][1])}"
    )


def _holidays(found: re.Match[str]) -> str:
    """ "lễ 30/4-1/5", which is no span of time."""
    return f"{found['lead']}ba mươi tháng tư và mùng một tháng năm"


def _known_day(found: re.Match[str]) -> str:
    """ "2/9", and "15/8", which is no share because it is more than one."""
    day, month = int(found["d"]), int(found["m"])
    known = f"{day}/{month}" in KNOWN_DAYS or (day > 12 >= month >= 1 and day <= 31)
    return f"ngày {day_of_month(day)} tháng {month_in_words(month)}" if known else found[0]


def _weekday(found: re.Match[str]) -> str:
    return found["lead"] + ("tư" if found["n"] == "4" else whole(int(found["n"])))


def _weekdays(found: re.Match[str]) -> str:
    first, last = (f"thứ {'tư' if one == '4' else whole(int(one))}" if one != "CN" else "chủ nhật"
                   for one in (found["a"], found["b"]))  # fmt: skip
    return f"{first} đến {last}"


def _road(found: re.Match[str]) -> str:
    letter = f" {LETTERS[found['l']]}" if found["l"] else ""
    return f"{ROADS[found['r']]} {whole(int(found['n']))}{letter}"


def _class_name(found: re.Match[str]) -> str:
    """ "8A", "4A1"."""
    room = f" {whole(int(found['n']))}" if found["n"] else ""
    return f"{whole(int(found['y']))} {LETTERS[found['l'].upper()]}{room}"


def _written_date(found: re.Match[str]) -> str:
    """ "ngày 07 tháng 8 năm 2020"."""
    year = f" năm {whole(int(found['y']))}" if found["y"] else ""
    return f"{found['lead']}{day_of_month(int(found['d']))} tháng {month_in_words(int(found['m']))}{year}"


def _month_year(found: re.Match[str]) -> str:
    month = int(found["m"])
    if not 1 <= month <= 12:
        return found[0]
    year = f" năm {whole(int(found['y']))}" if found["y"] else ""
    return f"{found['lead']}{month_in_words(month)}{year}"


def _time(found: re.Match[str]) -> str:
    hour, minute = int(found["h"]), found["min"]
    if hour > 24 or (minute and int(minute) > 59):
        return found[0]
    said = f"{whole(hour)} giờ"
    return said + (f" {whole(int(minute))} phút" if minute and int(minute) else "")


def _document(found: re.Match[str]) -> str:
    """ "458/UBND-VP": the number, the year where there is one, then the notation in words.

    The kind is not said twice: "Quyết định số 12/QĐ-TTg" is "Quyết định số mười hai, Thủ tướng".
    """
    year = f" năm {whole(int(found['y']))}" if found["y"] else ""
    parts = [_notation(part) for part in re.split(r"[-–/]", found["sign"])]
    before = re.sub(r"\s+(?:số)?\s*$", "", found.string[: found.start()], flags=re.IGNORECASE)
    before = re.sub(r"\S+$", lambda last: _notation_or(last[0]), before).casefold()
    said = [part for part in parts if part and not before.endswith(part.casefold())]
    return ", ".join([f"{whole(int(found['n']))}{year}", *said])


def _notation_or(word: str) -> str:
    """What an abbreviated kind of document stands for; any other word as it is."""
    return DOCUMENTS.get(word) or ABBREVIATIONS.get(word) or word


def _letters(text: str) -> str:
    return " ".join(LETTERS.get(letter.upper(), letter) for letter in text)


def _sign(found: re.Match[str]) -> str:
    """ "A2", "BĐ1": letters, then the number."""
    return f"{_letters(found['a'])} {_loose(found['n'])}"


def _plate(found: re.Match[str]) -> str:
    """ "97A-123.45", figure by figure."""
    return f"{digits(found['a'])} {_letters(found['l'])}, {digits(found['b'])}"


def _several(found: re.Match[str]) -> str:
    """ "2-3m": from one number to another of a unit."""
    return f"{_read(found['a'])} đến {_read(found['b'])} {UNITS[found['u']]}"


def _notation(part: str) -> str:
    assembly = re.fullmatch(r"QH(\d{1,2})", part)
    if assembly:
        return f"Quốc hội khóa {whole(int(assembly[1]))}"
    return DOCUMENTS.get(part) or ABBREVIATIONS.get(part) or _letters(part)


def _phone(found: re.Match[str]) -> str:
    groups = [group for group in re.split(r"[ .\-()]+", found["p"]) if group]
    plus = "cộng " if found["p"].startswith("+") else ""
    if len(groups) == 1:
        whole = re.sub(r"\D", "", groups[0])
        # Read in the groups in which numbers here are given: 0987 654 321.
        groups = [whole[:4], whole[4:7], whole[7:]] if len(whole) >= 10 else [whole[:4], whole[4:]]
    return plus + ", ".join(digits(group) for group in groups if group)


def _abbreviation(found: re.Match[str]) -> str:
    return ABBREVIATIONS[found[0]]


def _spell(found: re.Match[str]) -> str:
    """Capitals that nothing explains and that make no syllable are spelt; words in capitals are read."""
    word: str = found[0]
    if _SYLLABLE.fullmatch(word) or re.search(r"[À-Ỹ]", word.replace("Đ", "")):
        return word
    return _letters(word)


def _roman(found: re.Match[str]) -> str:
    value = roman(found["r"])
    if value is None:
        return found[0]
    year = f" năm {whole(int(found['y']))}" if found["y"] else ""
    return found["lead"] + whole(value) + year


def _money(found: re.Match[str]) -> str:
    return f"{_number(found['n'])} đồng"


def _unit(found: re.Match[str]) -> str:
    return f"{_read(found['n'])} {UNITS[found['u']]}"


def _read(text: str) -> str:
    """A number as written here: "1.250,5", "31,8", "45"."""
    before, _, after = text.partition(",")
    before = re.sub(r"[. ]", "", before)
    return decimal(before, after) if after else _loose(before)


def _range(found: re.Match[str]) -> str:
    first: str = found["a"]
    # "01-15/8/2020": the first is a day of the same month; "1/8-15/8/2020": a day of the same year.
    if first.isdigit():
        first = f"ngày {day_of_month(int(first))}"
    elif re.fullmatch(r"\d{1,2}/\d{1,2}", first):
        day, month = first.split("/")
        first = f"ngày {day_of_month(int(day))} tháng {month_in_words(int(month))}"
    if re.search(r"ngày\s$", found.string[: found.start()], re.IGNORECASE):
        first = first.removeprefix("ngày ")
    return f"{first} đến {found['b']}"


def _address(text: str) -> str:
    """A web address, letter groups as they are, dots and strokes said."""
    said = re.sub(r"^(https?://)?(www\.)?", "", text).rstrip("/")
    parts = re.split(r"([./@-])", said)
    return " ".join(IN_ADDRESSES.get(part.lower(), part) for part in parts if part)


def _fraction(found: re.Match[str]) -> str:
    return f"{whole(int(found['a']))} trên {whole(int(found['b']))}"


_SYLLABLE = re.compile(r"(?:NGH|NG|GH|GI|KH|NH|PH|QU|TH|TR|CH|[BCDĐGHKLMNPQRSTVX])?[AEIOUY]{1,3}(?:CH|NG|NH|[CMNPT])?")
_CLASS = re.compile(r"(?<!\w)(?P<y>\d+)(?P<l>[A-ZĐa-zđ])(?P<n>\d{1,2})?(?!\w)")
_ADDRESS = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|https?://\S+?(?=[,.;]?(?:\s|$))|\b[\w-]+(?:\.[\w-]+)*\.(?:vn|com|org|net)(?:/[\w/-]+)?",
    re.ASCII,
)
_ABBREVIATED = "|".join(re.escape(one) for one in sorted(ABBREVIATIONS, key=len, reverse=True))
_UNIT = "|".join(re.escape(one) for one in sorted(UNITS, key=len, reverse=True))
_NAMES = "|".join(re.escape(one) for one in sorted(BEFORE_NAMES, key=len, reverse=True))
_CLOCK = r"\d{1,2}\s?(?:h|g|giờ)\s?\d{0,2}|\d{1,2}:\d{2}"
_DAYS = (
    r"(?P<lead>(?:từ|đến|hết|trước|sau|ngày|sáng|trưa|chiều|tối|đêm|mùng|mồng|và|Từ|Đến|Ngày"
    r"|[Tt]hứ (?:hai|ba|tư|năm|sáu|bảy),?|[Cc]hủ nhật,?|thứ Hai,?|thứ Ba,?|thứ Tư,?|thứ Năm,?|thứ Sáu,?|thứ Bảy,?)\s+)"
)
_LEAD = r"(?P<before>(?:ngày|mùng|mồng|Ngày)\s+)?"
_RULES: list[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = [
    # A decision of an office before a date: 458/UBND-VP, 39/2020/TT-BTTTT.
    (re.compile(rf"{_W}(?P<n>\d{{1,5}})/(?:(?P<y>\d{{4}})/)?(?P<sign>(?:QH\d{{1,2}}|[A-ZĐ][A-ZĐa-z]*)(?:-[A-ZĐ][A-ZĐa-z]*)*){_E}"),
     _document),
    # Of the party: 12-NQ/TU.
    (re.compile(rf"{_W}(?P<n>\d{{1,5}})(?P<y>(?!))?-(?P<sign>[A-ZĐ][A-ZĐa-z]*/(?:TU|TW|ĐU)){_E}"), _document),
    (re.compile(rf"{_W}(?P<lead>ngày\s+)(?P<d>\d{{1,2}})\s+tháng\s+(?P<m>\d{{1,2}})(?:\s+năm\s+(?P<y>\d{{4}}))?{_E}",
                re.IGNORECASE), _written_date),
    (re.compile(rf"{_W}(?P<a>(?:\d{{1,2}}/)?\d{{1,2}}(?:/\d{{4}})?)\s?-\s?(?P<b>\d{{1,2}}/\d{{1,2}}/\d{{4}}){_E}"),
     _range),
    (re.compile(rf"{_W}(?P<lead>(?:lễ|dịp|kỷ niệm|nghỉ)\s+)30/4\s?(?:-|,|và)\s?0?1/5{_E}(?!/)", re.IGNORECASE),
     _holidays),
    (re.compile(rf"{_W}(?P<lead>(?:từ|trong|nghỉ|đợt)\s+(?:ngày\s+)?|ngày\s+)?(?P<a>\d{{1,2}})/(?P<am>\d{{1,2}})\s?-\s?"
                rf"(?P<d>\d{{1,2}})/(?P<m>\d{{1,2}}){_E}(?!/)", re.IGNORECASE), _days),
    (re.compile(rf"{_W}(?P<lead>(?:từ|trong|nghỉ|đợt)\s+(?:ngày\s+)?|ngày\s+)(?P<a>\d{{1,2}})(?P<am>(?!))?\s?-\s?"
                rf"(?P<d>\d{{1,2}})/(?P<m>\d{{1,2}}){_E}(?!/)", re.IGNORECASE), _days),
    (re.compile(rf"{_W}T(?P<a>[2-7])\s?-\s?T?(?P<b>[2-7]|CN){_E}"), _weekdays),
    (re.compile(rf"{_W}(?P<lead>(?:sáng|trưa|chiều|tối|đêm)\s+)T(?P<n>[2-7]){_E}"),
     lambda found: f"{found['lead']}thứ {'tư' if found['n'] == '4' else whole(int(found['n']))}"),
    (re.compile(rf"{_W}(?P<lead>(?:sáng|trưa|chiều|tối|đêm|ngày)\s+)CN{_E}"), lambda found: found["lead"] + "chủ nhật"),
    (re.compile(rf"{_W}(?P<lead>thứ\s+)(?P<n>[2-7]){_E}", re.IGNORECASE), _weekday),
    (re.compile(rf"{_W}(?P<lead>(?:đợt|kỳ|lần|số|khóa)\s+)(?P<m>\d{{1,2}})/(?P<y>\d{{4}}){_E}", re.IGNORECASE),
     lambda found: f"{found['lead']}{whole(int(found['m']))} năm {whole(int(found['y']))}"),
    (re.compile(rf"{_W}(?P<d>\d{{1,2}})/(?P<m>\d{{1,2}})(?=\s+(?:âm lịch|ÂL|dương lịch))"),
     lambda found: f"{day_of_month(int(found['d']))} tháng {month_in_words(int(found['m']))}"),
    (re.compile(rf"(?<=[^\W\d])/(?P<h>\d{{1,2}})h{_E}"), lambda found: f" trong {whole(int(found['h']))} giờ"),
    (re.compile(rf"{_W}(?P<r>{'|'.join(ROADS)})[. ]?(?P<n>[1-9]\d{{0,2}})(?P<l>[A-Z])?{_E}(?![. ]?\d)"), _road),
    (re.compile(rf"{_W}[Kk][Mm]\s?(?P<a>\d{{1,4}})(?:\+(?P<b>\d{{1,3}}))?{_E}"),
     lambda found: "ki-lô-mét " + whole(int(found["a"])) + (f" cộng {whole(int(found['b']))}" if found["b"] else "")),
    (re.compile(rf"{_W}(?P<a>{_CLOCK})\s?-\s?(?P<b>{_CLOCK}){_E}"), _range),
    (re.compile(rf"{_LEAD}{_W}(?P<lead>(?!))?(?P<d>\d{{1,2}})[/.-](?P<m>\d{{1,2}})[/.-](?P<y>\d{{4}}){_E}"),
     lambda found: (found["before"] or "") + _date(found)),
    (re.compile(rf"{_W}(?P<lead>tháng\s+)(?P<m>\d{{1,2}})(?:[/-]|\s+năm\s+)(?P<y>\d{{4}}){_E}", re.IGNORECASE),
     _month_year),
    (re.compile(rf"{_W}(?P<lead>tháng\s+)(?P<m>\d{{1,2}})(?P<y>(?!))?{_E}(?![/\d])", re.IGNORECASE), _month_year),
    (re.compile(rf"{_W}{_DAYS}(?P<d>\d{{1,2}})/(?P<m>\d{{1,2}}){_E}(?!/)"), _day_and_month),
    (re.compile(rf"{_W}(?P<h>\d{{1,2}})\s?(?:h|g|giờ)\s?(?P<min>\d{{2}})(?:\s?(?:phút|p|'))?{_E}"), _time),
    (re.compile(rf"{_W}(?P<h>\d{{1,2}})(?P<min>(?!))?\s?(?:h|g){_E}"), _time),
    (re.compile(rf"{_W}(?P<h>\d{{1,2}}):(?P<min>\d{{2}}){_E}"), _time),
    (re.compile(rf"{_W}(?P<a>\d{{2}})(?P<l>[A-Z]{{1,2}}\d?)[- ](?P<b>\d{{3}}\.?\d{{2}}){_E}"), _plate),
    (re.compile(rf"{_W}(?<!\.)(?P<p>\+84[ .]?\d{{2,3}}(?:[ .]?\d{{3,4}}){{1,2}}"
                rf"|\(?0\d(?:[ .\-)]{{0,2}}\d){{8,9}}|1[89]00[ .]?\d{{4}}){_E}"), _phone),
    (re.compile(rf"{_W}(?P<lead>(?:gọi|số|hoặc|đài|nóng|hót lai)\s+)(?P<p>11[1-5]|10[0-9]{{2}}){_E}"
                rf"(?!\s+(?:ca|người|hộ|liều))|{_W}(?P<sent>gửi\s+)(?P<to>\d{{3,4}}){_E}", re.IGNORECASE),
     lambda found: (found["lead"] or found["sent"]) + digits(found["p"] or found["to"])),
    # A point for a comma, as on a keyboard of phones; of a list of points it is said.
    (re.compile(rf"{_W}(?P<lead>(?:mục|điểm|khoản|phần|bản|bài)\s+)(?P<a>\d{{1,2}})\.(?P<b>\d{{1,2}}){_E}(?!\.\d)",
                re.IGNORECASE),
     lambda found: f"{found['lead']}{whole(int(found['a']))} chấm {whole(int(found['b']))}"),
    (re.compile(rf"{_W}(?P<a>\d{{1,4}})\.(?P<b>\d{{1,2}})(?![\d.,])"), lambda found: f"{found['a']},{found['b']}"),
    (re.compile(rf"{_W}(?P<a>\d+(?:,\d+)?)\s?%\s?-\s?(?P<b>\d+(?:,\d+)?)\s?%"),
     lambda found: f"{_read(found['a'])} phần trăm đến {_read(found['b'])} phần trăm"),
    (re.compile(rf"{_W}(?P<a>(?:{_NUMBER})(?:,\d+)?)\s?-\s?(?P<b>(?:{_NUMBER})(?:,\d+)?)\s?(?P<u>{_UNIT})(?![\w])"),
     _several),
    (re.compile(rf"{_W}(?P<a>(?:{_NUMBER})(?:,\d+)?)\s?-\s?(?P<b>(?:{_NUMBER})(?:,\d+)?){_E}"),
     lambda found: f"{_read(found['a'])} đến {_read(found['b'])}"),
    (re.compile(rf"{_W}(?P<n>{_NUMBER})\s?(?:đồng|đ|VNĐ|VND|vnđ){_E}"), _money),
    (re.compile(rf"{_W}(?P<n>(?:{_NUMBER})(?:,\d+)?)\s?(?P<u>{_UNIT})(?![\w])"), _unit),
    (re.compile(rf"{_W}(?P<n>(?:{_NUMBER}),\d+){_E}"), lambda found: _read(found["n"])),
    (re.compile(rf"{_W}\d{{1,3}}(?:\.\d{{3}})+{_E}"), lambda found: _number(found[0])),
    (re.compile(rf"{_W}(?<!số )(?<!nhà )(?<!ngõ )(?<!hẻm )(?<!ngách )(?P<d>\d{{1,2}})/(?P<m>\d{{1,2}}){_E}(?!/)"),
     _known_day),
    (re.compile(rf"{_W}(?P<a>\d{{1,3}})/(?P<b>\d{{1,3}}){_E}"), _fraction),
    (re.compile(rf"{_W}(?P<lead>(?:khóa|lần thứ|thứ|quý|cấp|nhiệm kỳ|phần|chương)\s+)"
                rf"(?P<r>[IVXLC]+)(?:/(?P<y>\d{{4}}))?{_E}"),
     _roman),
    (re.compile(rf"{_W}(?:{_NAMES})(?=\s*[A-ZĐÀ-Ỹ])"), lambda found: BEFORE_NAMES[found[0]] + " "),
    (re.compile(rf"{_W}(?P<a>[PQXH])\.\s?(?P<n>\d{{1,2}}){_E}"),
     lambda found: f"{BEFORE_NAMES[found['a'] + '.']} {whole(int(found['n']))}"),
    (re.compile(rf"{_W}(?:{_ABBREVIATED}){_E}"), _abbreviation),
    (re.compile(rf"{_W}(?P<r>[IVX]{{2,5}}){_E}"), lambda found: str(roman(found["r"]) or found["r"])),
    (re.compile(rf"{_W}(?P<a>[A-ZĐ]{{1,4}})(?P<n>\d{{1,3}}){_E}"), _sign),
    (re.compile(rf"{_W}[A-ZĐ]{{2,8}}{_E}"), _spell),
    (re.compile(rf"(?<=[^\W\d])/(?=(?:{'|'.join(GIVEN_FOR)})(?!\w))"), lambda _: " một "),
    (re.compile(r"(?<=[^\W\d])/(?=[^\W\d])"), lambda _: ", "),
    # The sign with which a letter ends.
    (re.compile(r"\./\."), lambda _: "."),
    (re.compile(r"\s+-\s+"), lambda _: ", "),
    (re.compile(r"/"), lambda _: " trên "),
    (re.compile(r"[()\[\]\"“”*_#]"), lambda _: " "),
]  # fmt: skip
