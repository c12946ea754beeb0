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
    IN_ADDRESSES,
    LETTERS,
    PROTECTED,
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
    text = re.sub(r"(\d)([A-ZĐa-zđ])\b", lambda found: f"{found[1]} {LETTERS[found[2].upper()]}", text)
    text = re.sub(r"\d+", lambda found: _loose(found[0]), text)
    text = _HELD.sub(lambda found: kept[ord(found[0]) - _HOLD], text)
    text = re.sub(r"[ \t]+", " ", text)
    return re.sub(r" ([,.;:!?])", r"\1", text).strip()


def _always(hold: Callable[[str], str], said: str, _found: re.Match[str]) -> str:
    return hold(said)


def _loose(text: str) -> str:
    """A number that nothing explains: as a number, or by digits when it is long or begins with 0."""
    if len(text) > 12 or (text.startswith("0") and len(text) > 1):
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
    parts = [_notation(part) for part in re.split(r"[-–]", found["sign"])]
    before = re.sub(r"\s+(?:số)?\s*$", "", found.string[: found.start()], flags=re.IGNORECASE).casefold()
    said = [part for part in parts if part and not before.endswith(part.casefold())]
    return ", ".join([f"{whole(int(found['n']))}{year}", *said])


def _notation(part: str) -> str:
    return (
        DOCUMENTS.get(part)
        or ABBREVIATIONS.get(part)
        or " ".join(LETTERS.get(letter.upper(), letter) for letter in part)
    )


def _phone(found: re.Match[str]) -> str:
    groups = [group for group in re.split(r"[ .\-()]+", found["p"]) if group]
    plus = "cộng " if found["p"].startswith("+") else ""
    if len(groups) == 1:
        whole = re.sub(r"\D", "", groups[0])
        # Read in the groups in which numbers here are given: 0987 654 321.
        groups = [whole[:4], whole[4:7], whole[7:]] if len(whole) >= 10 else [whole]
    return plus + ", ".join(digits(group) for group in groups if group)


def _abbreviation(found: re.Match[str]) -> str:
    return ABBREVIATIONS[found[0]]


def _spell(found: re.Match[str]) -> str:
    """Capitals without a vowel between them that nothing explains are spelt; words in capitals are read."""
    word: str = found[0]
    if re.search(r"[AEIOUYÀ-Ỹ]", word.replace("Đ", "")):
        return word
    return " ".join(LETTERS.get(letter, letter) for letter in word)


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
    return f"{first} đến {found['b']}"


def _address(text: str) -> str:
    """A web address, letter groups as they are, dots and strokes said."""
    said = re.sub(r"^(https?://)?(www\.)?", "", text).rstrip("/")
    parts = re.split(r"([./-])", said)
    return " ".join(IN_ADDRESSES.get(part.lower(), part) for part in parts if part)


def _fraction(found: re.Match[str]) -> str:
    return f"{whole(int(found['a']))} trên {whole(int(found['b']))}"


_ADDRESS = re.compile(
    r"https?://\S+?(?=[,.;]?(?:\s|$))|\b[\w-]+(?:\.[\w-]+)*\.(?:vn|com|org|net)(?:/[\w/-]+)?", re.ASCII
)
_ABBREVIATED = "|".join(re.escape(one) for one in sorted(ABBREVIATIONS, key=len, reverse=True))
_UNIT = "|".join(re.escape(one) for one in sorted(UNITS, key=len, reverse=True))
_NAMES = "|".join(re.escape(one) for one in sorted(BEFORE_NAMES, key=len, reverse=True))
_CLOCK = r"\d{1,2}\s?(?:h|g|giờ)\s?\d{0,2}|\d{1,2}:\d{2}"
_DAYS = r"(?P<lead>(?:từ|đến|hết|trước|sau|ngày|sáng|chiều|tối|mùng|mồng|và|Từ|Đến|Ngày)\s+)"
_LEAD = r"(?P<before>(?:ngày|mùng|mồng|Ngày)\s+)?"
_RULES: list[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = [
    # A decision of an office before a date: 458/UBND-VP, 39/2020/TT-BTTTT.
    (re.compile(rf"{_W}(?P<n>\d{{1,5}})/(?:(?P<y>\d{{4}})/)?(?P<sign>[A-ZĐ][A-ZĐa-z]*(?:-[A-ZĐ][A-ZĐa-z]*)*){_E}"),
     _document),
    (re.compile(rf"{_W}(?P<lead>ngày\s+)(?P<d>\d{{1,2}})\s+tháng\s+(?P<m>\d{{1,2}})(?:\s+năm\s+(?P<y>\d{{4}}))?{_E}",
                re.IGNORECASE), _written_date),
    (re.compile(rf"{_W}(?P<a>(?:\d{{1,2}}/)?\d{{1,2}}(?:/\d{{4}})?)\s?-\s?(?P<b>\d{{1,2}}/\d{{1,2}}/\d{{4}}){_E}"),
     _range),
    (re.compile(rf"{_W}(?P<a>{_CLOCK})\s?-\s?(?P<b>{_CLOCK}){_E}"), _range),
    (re.compile(rf"{_LEAD}{_W}(?P<lead>(?!))?(?P<d>\d{{1,2}})[/.-](?P<m>\d{{1,2}})[/.-](?P<y>\d{{4}}){_E}"),
     lambda found: (found["before"] or "") + _date(found)),
    (re.compile(rf"{_W}(?P<lead>tháng\s+)(?P<m>\d{{1,2}})(?:[/-]|\s+năm\s+)(?P<y>\d{{4}}){_E}", re.IGNORECASE),
     _month_year),
    (re.compile(rf"{_W}(?P<lead>tháng\s+)(?P<m>\d{{1,2}})(?P<y>(?!))?{_E}(?![/\d])", re.IGNORECASE), _month_year),
    (re.compile(rf"{_W}{_DAYS}(?P<d>\d{{1,2}})/(?P<m>\d{{1,2}}){_E}(?!/)"), _day_and_month),
    (re.compile(rf"{_W}(?P<h>\d{{1,2}})\s?(?:h|g|giờ)\s?(?P<min>\d{{2}})(?:\s?(?:phút|p))?{_E}"), _time),
    (re.compile(rf"{_W}(?P<h>\d{{1,2}})(?P<min>(?!))?\s?(?:h|g){_E}"), _time),
    (re.compile(rf"{_W}(?P<h>\d{{1,2}}):(?P<min>\d{{2}}){_E}"), _time),
    (re.compile(rf"{_W}(?<!\.)(?P<p>\+84[ .]?\d{{2,3}}(?:[ .]?\d{{3,4}}){{1,2}}"
                rf"|\(?0\d{{2,4}}\)?(?:[ .\-]\d{{3,4}}){{1,2}}"
                rf"|0\d{{9,10}}|1[89]00[ .]?\d{{4}}){_E}"), _phone),
    (re.compile(rf"{_W}(?P<lead>(?:gọi|số|hoặc|đài)\s+)(?P<p>11[1-5]){_E}(?!\s+(?:ca|người))", re.IGNORECASE),
     lambda found: found["lead"] + digits(found["p"])),
    (re.compile(rf"{_W}(?P<a>(?:{_NUMBER})(?:,\d+)?)\s?-\s?(?P<b>(?:{_NUMBER})(?:,\d+)?){_E}"),
     lambda found: f"{_read(found['a'])} đến {_read(found['b'])}"),
    (re.compile(rf"{_W}(?P<n>{_NUMBER})\s?(?:đồng|đ|VNĐ|VND|vnđ){_E}"), _money),
    (re.compile(rf"{_W}(?P<n>(?:{_NUMBER})(?:,\d+)?)\s?(?P<u>{_UNIT})(?![\w])"), _unit),
    (re.compile(rf"{_W}(?P<n>(?:{_NUMBER}),\d+){_E}"), lambda found: _read(found["n"])),
    (re.compile(rf"{_W}\d{{1,3}}(?:\.\d{{3}})+{_E}"), lambda found: _number(found[0])),
    (re.compile(rf"{_W}(?P<a>\d{{1,3}})/(?P<b>\d{{1,3}}){_E}"), _fraction),
    (re.compile(rf"{_W}(?P<lead>(?:khóa|lần thứ|thứ|quý|cấp|nhiệm kỳ|phần|chương)\s+)"
                rf"(?P<r>[IVXLC]+)(?:/(?P<y>\d{{4}}))?{_E}"),
     _roman),
    (re.compile(rf"{_W}(?:{_NAMES})(?=\s*[A-ZĐÀ-Ỹ])"), lambda found: BEFORE_NAMES[found[0]] + " "),
    (re.compile(rf"{_W}(?:{_ABBREVIATED}){_E}"), _abbreviation),
    (re.compile(rf"{_W}[A-ZĐ]{{2,6}}{_E}"), _spell),
    # The sign with which a letter ends.
    (re.compile(r"\./\."), lambda _: "."),
    (re.compile(r"\s+-\s+"), lambda _: ", "),
    (re.compile(r"/"), lambda _: " trên "),
    (re.compile(r"[()\[\]\"“”*_#]"), lambda _: " "),
]  # fmt: skip
