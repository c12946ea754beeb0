# SPDX-License-Identifier: Apache-2.0
"""Turn written Vietnamese of offices into what a reader would say: dates, times, document numbers, numbers in words."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from bluezone.speech.lexicon import (
    ABBREVIATIONS,
    BEFORE_NAMES,
    DOCUMENTS,
    DUTIES,
    GIVEN_FOR,
    IN_ADDRESSES,
    LETTERS,
    PROTECTED,
    ROADS,
    SAID,
    SHARED,
    SURNAMES,
    SYMBOLS,
    TITLES,
    UNITS,
)
from bluezone.speech.moments import MOMENTS, Rule
from bluezone.speech.numerals import digits, loose, number, roman, whole
from bluezone.vietnamese.spelling import without_unseen

# Places of protected words while the rest is rewritten: private-use characters, which no text carries.
_HOLD, _HELD = 0xE000, re.compile("[\ue000-\uf8ff]")
_W = r"(?<![\w])"
_E = r"(?![\w])"
_NUMBER = r"\d{1,3}(?:[. ]\d{3})+|\d+"


_NO_WORDS: Mapping[str, str] = MappingProxyType({})


def spoken(text: str, words: Mapping[str, str] = _NO_WORDS) -> str:
    """The text as it is said, in one line a paragraph.

    text: Vietnamese in any normal form. words: a city's own words with how they are said, before every rule; one that
    is written small is met in capitals too. The result is NFC and carries no digit, percent sign or known abbreviation,
    but for what `words` say.
    """
    text = re.sub(r"[^\S\r\n]", " ", without_unseen(unicodedata.normalize("NFC", text)))
    text = text.replace("–", "-").replace("—", " - ")
    text = re.sub(r"(?<=\d)\s?[’′]", "'", text)
    kept: list[str] = []

    def hold(said: str) -> str:
        kept.append(said)
        return chr(_HOLD + len(kept) - 1)

    text = _HELD.sub(" ", text)
    for written, said in sorted(words.items(), key=lambda pair: -len(pair[0])):
        case = re.IGNORECASE if written.islower() else 0
        text = re.sub(_W + re.escape(written) + _E, partial(_always, hold, said), text, flags=case)
    text = _ADDRESS.sub(lambda found: hold(_address(found[0])), text)
    for written, said in sorted(SAID.items(), key=lambda pair: -len(pair[0])):
        text = re.sub(_W + re.escape(written) + _E, partial(_always, hold, said), text)
    for word in PROTECTED:
        text = re.sub(_W + re.escape(word) + _E, lambda found: hold(found[0]), text, flags=re.IGNORECASE)
    for pattern, say in _RULES:
        text = pattern.sub(say, text)
    for sign, said in SYMBOLS.items():
        text = text.replace(sign, said)
    text = _CLASS.sub(_class_name, text)
    # A figure stuck to letters that no rule explains.
    text = re.sub(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])", " ", text)
    text = re.sub(r"\d+", lambda found: loose(found[0]), text)
    text = _HELD.sub(lambda found: kept[ord(found[0]) - _HOLD], text)
    text = re.sub(r"[ \t]+", " ", text)
    return re.sub(r" ([,.;:!?])", r"\1", text).strip()


def _always(hold: Callable[[str], str], said: str, _found: re.Match[str]) -> str:
    return hold(said)


def _road(found: re.Match[str]) -> str:
    letter = f" {LETTERS[found['l']]}" if found["l"] else ""
    return f"{ROADS[found['r']]} {whole(int(found['n']))}{letter}"


def _class_name(found: re.Match[str]) -> str:
    """ "8A", "4A1"."""
    room = f" {whole(int(found['n']))}" if found["n"] else ""
    return f"{whole(int(found['y']))} {LETTERS[found['l'].upper()]}{room}"


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


def _code(found: re.Match[str]) -> str:
    """ "A2", "H5N1", "GD4990123": letters, then the number, figure by figure where it is long."""
    parts = re.findall(r"\d+|[^\W\d_]+", found[0])
    return " ".join((digits(one) if len(one) > 4 else loose(one)) if one.isdigit() else _letters(one) for one in parts)


def _initials(found: re.Match[str]) -> str:
    """ "N.V.A", "Trần T. H."."""
    return _letters(re.sub(r"[.\s]", "", found["a"]))


def _titled(found: re.Match[str]) -> str:
    """ "ThS.BS Lê Minh", "PGS.TS"."""
    return " ".join(TITLES[one] for one in re.findall(_TITLE, found[0])) + " "


def _plate(found: re.Match[str]) -> str:
    """ "97A-123.45", figure by figure."""
    return f"{digits(found['a'])} {_letters(found['l'])}, {digits(found['b'])}"


def _several(found: re.Match[str]) -> str:
    """ "2-3m", "2m-3m": from one number to another of a unit."""
    first = f" {UNITS[found['v']]}" if found["v"] and found["v"] != found["u"] else ""
    return f"{number(found['a'])}{first} đến {number(found['b'])} {UNITS[found['u']]}"


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
    return f"{number(found['n'])} đồng"


def _unit(found: re.Match[str]) -> str:
    return f"{number(found['n'])} {UNITS[found['u']]}"


def _address(text: str) -> str:
    """A web address, letter groups as they are, dots and strokes said, figures one by one."""
    said = re.sub(r"^(https?://)?(www\.)?", "", text).rstrip("/")
    parts = re.split(r"([./@_:?=&-]|\d+)", said)
    return " ".join(digits(part) if part.isdigit() else IN_ADDRESSES.get(part.lower(), part) for part in parts if part)


def _fraction(found: re.Match[str]) -> str:
    """ "2/3 số hộ" is a share, "15/17 tổ" and a house number are not."""
    first, last = int(found["a"]), int(found["b"])
    follows = found.string[found.end() :]
    is_share = 0 < first < last <= 10 and (last <= 4 or re.match(rf"\s(?:{'|'.join(SHARED)})(?!\w)", follows))
    addressed = re.search(
        r"(?:số|nhà|ngõ|hẻm|ngách|kiệt|tổ|phòng|lô|số nhà)\s$", found.string[: found.start()], re.IGNORECASE
    )
    return f"{whole(first)} {'phần' if is_share and not addressed else 'trên'} {whole(last)}"


def _called(found: re.Match[str]) -> str:
    """ "gọi 113, 114 hoặc 115"."""
    return re.sub(r"\d+", lambda one: digits(one[0]), found[0])


_SYLLABLE = re.compile(r"(?:NGH|NG|GH|GI|KH|NH|PH|QU|TH|TR|CH|[BCDĐGHKLMNPQRSTVX])?[AEIOUY]{1,3}(?:CH|NG|NH|[CMNPT])?")
_CLASS = re.compile(r"(?<!\w)(?P<y>\d+)(?P<l>[A-ZĐa-zđ])(?P<n>\d{1,2})?(?!\w)")
_ADDRESS = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|https?://\S+?(?=[,.;]?(?:\s|$))|\b[\w-]+(?:\.[\w-]+)*\.(?:vn|com|org|net|edu|gov|int|info|asia|app)(?::\d+)?(?:/[\w/?=&.-]*\w)?"
    r"|\b[a-zA-Z][\w-]+(?:\.[\w-]+)*\.[a-z]{2,6}/[\w/?=&.-]*\w",
    re.ASCII,
)
_ABBREVIATED = "|".join(re.escape(one) for one in sorted(ABBREVIATIONS, key=len, reverse=True))
_UNIT = "|".join(re.escape(one) for one in sorted(UNITS, key=len, reverse=True))
_TITLE = "|".join(re.escape(one) for one in sorted(TITLES, key=len, reverse=True))
_NAMES = "|".join(re.escape(one) for one in sorted(BEFORE_NAMES, key=len, reverse=True))
# Before a Roman numeral, and before a number that may be called.
_NUMERALS = (
    r"(?:phần|chương|mục|bảng|loại|hạng|bậc|độ|vùng|khu vực|học kỳ|kỳ|giai đoạn|mức|nhóm|quân khu|khu|đợt|phụ lục|tập"
    r"|bài|giải|vòng|khối|lần)"
)
_CALLED = "gọi|số|hoặc|đài|nóng|hót lai|cấp cứu|cứu hỏa|cứu nạn|cảnh sát|công an|cháy|cứu hộ|CA xã|CA phường"
_ACCOUNTS = "STK|số tài khoản|tài khoản|số thẻ|mã số|mã số thuế|MST|CCCD|CMND|số"
_SCORES = "thắng|thua|hòa|tỉ số|tỷ số|dẫn|kết thúc|kết quả"
_RULES: list[Rule] = [
    # Signs with which a line of a list begins, and the numbers of its points: "+ ", "1/", "2.1.", "I.", "b)".
    (re.compile(r"^[ \t]*[-+*•][ \t]+", re.MULTILINE), lambda _: ""),
    (re.compile(r"^[ \t]*(?P<a>\d{1,2})/(?=\s)", re.MULTILINE), lambda found: f"{whole(int(found['a']))},"),
    (re.compile(r"^[ \t]*(?P<a>\d{1,2})\.(?P<b>\d{1,2})\.?(?=\s+[A-ZĐÀ-Ỹ])", re.MULTILINE),
     lambda found: f"{whole(int(found['a']))} chấm {whole(int(found['b']))},"),
    (re.compile(r"^[ \t]*(?P<r>(?!X\.)[IVX]+)(?=\.\s)", re.MULTILINE),
     lambda found: whole(roman(found["r"]) or 0) if roman(found["r"]) else found[0]),
    (re.compile(r"(?:^|(?<=[\s;:.,(]))(?P<l>[a-eghikđ])\)(?=\s)", re.MULTILINE),
     lambda found: f"{_letters(found['l'])},"),
    (re.compile(r"(?<=\d)\s?[x×]\s?(?=\d)"), lambda _: " nhân "),
    # "cao 1m2" is no area.
    (re.compile(rf"{_W}(?P<lead>(?i:cao|cao khoảng|cao tầm|cao hơn)\s)(?P<a>\d)m(?P<b>\d{{1,2}}){_E}"),
     lambda found: f"{found['lead']}{whole(int(found['a']))} mét {loose(found['b'])}"),
    (re.compile(rf"{_W}QK(?=\s2/9{_E})"), lambda _: "Quốc khánh"),
    # Two numbers are told apart by the bracket between them.
    (re.compile(r"(?<=[\dIVX%])\s?\((?=\d)(?!\d{1,2}/)"), lambda _: ", "),
    (re.compile(rf"{_W}SN(?=\s\d{{1,3}}{_E}(?!/))"), lambda _: "số nhà"),
    (re.compile(rf"{_W}BĐ(?=\s(?:[1-3]|I{{1,3}}){_E})"), lambda _: "báo động"),
    (re.compile(rf"(?P<lead>{_W}tờ\s)BĐ{_E}"), lambda found: f"{found['lead']}bản đồ"),
    (re.compile(rf"(?P<lead>{_W}[Gg]iải\s)ĐB{_E}"), lambda found: f"{found['lead']}đặc biệt"),
    (re.compile(rf"{_W}LS(?=\s\d+(?:[.,]\d+)?\s?%)"), lambda _: "lãi suất"),
    (re.compile(rf"{_W}GĐ(?=\s\d{{4}}\s?-\s?\d{{4}})"), lambda _: "giai đoạn"),
    (re.compile(rf"{_W}HK\s?(?P<n>II|I|2|1){_E}"),
     lambda found: f"học kỳ {'hai' if found['n'] in ('II', '2') else 'một'}"),
    (re.compile(rf"{_W}(?P<lead>(?i:tỉ lệ|tỷ lệ)\s)(?P<a>\d{{1,3}}):(?P<b>\d[\d.]*\d|\d){_E}"),
     lambda found: f"{found['lead']}{whole(int(found['a']))} trên {loose(found['b'].replace('.', ''))}"),
    (re.compile(rf"{_W}(?P<lead>(?i:{_SCORES})\s)(?P<a>\d{{1,2}}):(?P<b>\d{{1,2}}){_E}"),
     lambda found: f"{found['lead']}{whole(int(found['a']))} {whole(int(found['b']))}"),
    (re.compile(rf"(?P<lead>{_W}(?:NĐ|TT|QĐ|NQ|CT|KH|Nghị định|Thông tư|Quyết định|Nghị quyết|Chỉ thị|Luật)(?:\ssố)?\s)"
                rf"(?P<n>\d{{1,4}})/(?P<y>(?:19|20)\d\d){_E}(?!/)"),
     lambda found: f"{_notation_or(found['lead'].strip())} {whole(int(found['n']))} năm {whole(int(found['y']))}"),
    (re.compile(rf"(?P<lead>{_W}[A-Z]\w+\s)CN(?=\s[A-ZĐÀ-Ỹ])"), lambda found: f"{found['lead']}chi nhánh"),
    (re.compile(r"(?<![\w)])-(?=\d+(?:,\d+)?\s?(?:°|độ))"), lambda _: "âm "),
    (re.compile(r"(?<=\d)'(?P<s>\d{2})(?:\"|''|”)?(?!\w)"), lambda found: f" phút {whole(int(found['s']))} giây"),
    (re.compile(rf"{_W}(?P<lead>(?i:{_SCORES})\s)(?P<a>\d{{1,2}})\s?-\s?(?P<b>\d{{1,2}}){_E}(?![/-])"),
     lambda found: f"{found['lead']}{whole(int(found['a']))} {whole(int(found['b']))}"),
    (re.compile(rf"{_W}TT(?=\s\d{{1,4}}/\d{{4}}/TT-)"), lambda _: "Thông tư"),
    # A decision of an office before a date: 458/UBND-VP, 39/2020/TT-BTTTT.
    (re.compile(rf"{_W}(?P<n>\d{{1,5}})/(?:(?P<y>\d{{4}})/)?(?P<sign>(?:QH\d{{1,2}}|[A-ZĐ][A-ZĐa-z]*)(?:-[A-ZĐ][A-ZĐa-z]*)*){_E}"),
     _document),
    # Of the party: 12-NQ/TU.
    (re.compile(rf"{_W}(?P<n>\d{{1,5}})(?P<y>(?!))?-(?P<sign>[A-ZĐ][A-ZĐa-z]*/(?:TU|TW|ĐU)){_E}"), _document),
    (re.compile(rf"{_W}(?P<r>{'|'.join(ROADS)})[.\- ]?(?P<n>0?[1-9]\d{{0,2}})(?P<l>[A-Z])?{_E}(?![. ]?\d)"), _road),
    (re.compile(rf"{_W}[Kk][Mm]\s?(?P<a>\d{{1,4}})(?:\s?\+\s?(?P<b>\d{{1,3}}))?{_E}"),
     lambda found: "ki-lô-mét " + whole(int(found["a"])) + (f" cộng {whole(int(found['b']))}" if found["b"] else "")),
    (re.compile(rf"(?P<lead>[Bb]ệnh nhân\s+)?{_W}BN\.?\s?(?P<n>\d{{1,6}}){_E}"),
     lambda found: f"{found['lead'] or 'bệnh nhân '}{loose(found['n'])}"),
    (re.compile(rf"{_W}(?P<lead>(?i:cao tốc)\s)CT[. -]?(?P<n>\d{{1,2}}){_E}"),
     lambda found: f"{found['lead']}xê tê {digits(found['n'])}"),
    *MOMENTS,
    (re.compile(rf"{_W}(?P<a>\d{{2}})(?P<l>[A-Z]{{1,2}}\d?)[- ](?P<b>\d{{3}}\.?\d{{2}}){_E}"), _plate),
    (re.compile(rf"{_W}(?<!\.)(?P<p>\+84[ .]?\d{{2,3}}(?:[ .]?\d{{3,4}}){{1,2}}"
                rf"|\(?0\d(?:[ .\-)]{{0,2}}\d){{8,9}}|1[89]00[ .]?\d{{4}}){_E}"), _phone),
    (re.compile(rf"{_W}(?P<lead>(?i:{_ACCOUNTS})(?:\s+số)?:?\s+)"
                rf"(?P<n>\d{{3,4}}(?: ?\d{{2,4}}){{2,6}}){_E}(?![,.]?\d)"),
     lambda found: found["lead"] + digits(found["n"])),
    (re.compile(rf"{_W}(?P<lead>(?:điện thoại|ĐT|SĐT|số máy|hót lai|đường dây nóng|tel|fax)(?:\s+số)?\s*[:.]?\s*)"
                rf"(?P<p>\d{{3,4}}[ .]?\d{{3,4}}){_E}(?![.,]?\d)", re.IGNORECASE),
     lambda found: found["lead"] + _phone(found)),
    (re.compile(rf"{_W}(?:{_CALLED})(?:\s+|:\s*)(?:số\s+)?"
                rf"(?:11[1-9]|10[0-9]{{2}})(?:(?:,| hoặc| và|/)\s?11[1-9])*{_E}(?!\s+(?:ca|người|hộ|liều|suất|em))"
                rf"|{_W}(?:gửi|gửi (?:tới|đến)|nhắn tin (?:tới|đến))\s+(?:số\s+)?\d{{3,4}}{_E}", re.IGNORECASE),
     _called),
    # A point for a comma, as on a keyboard of phones; of a list of points it is said.
    (re.compile(rf"{_W}(?P<lead>(?:mục|điểm|khoản|phần|bản|bài)\s+)(?P<a>\d{{1,2}})\.(?P<b>\d{{1,2}}){_E}(?!\.\d)",
                re.IGNORECASE),
     lambda found: f"{found['lead']}{whole(int(found['a']))} chấm {whole(int(found['b']))}"),
    (re.compile(rf"{_W}(?P<a>\d{{1,4}})\.(?P<b>\d{{1,2}})(?!\d|[.,]\d)"), lambda found: f"{found['a']},{found['b']}"),
    (re.compile(rf"{_W}(?P<a>\d{{1,3}})tr(?P<b>\d){_E}"),
     lambda found: f"{whole(int(found['a']))} triệu {whole(int(found['b']))} trăm nghìn"),
    (re.compile(rf"{_W}(?P<a>\d+(?:,\d+)?)\s?%\s?-\s?(?P<b>\d+(?:,\d+)?)\s?%"),
     lambda found: f"{number(found['a'])} phần trăm đến {number(found['b'])} phần trăm"),
    (re.compile(rf"\$\s?(?P<n>(?:{_NUMBER})(?:,\d+)?){_E}"), lambda found: f"{number(found['n'])} đô la"),
    (re.compile(rf"{_W}(?P<a>\d{{1,3}})/(?P<b>\d{{1,3}})\s?(?P<u>{_UNIT})(?![\w])"),
     lambda found: f"{_fraction(found)} {UNITS[found['u']]}"),
    (re.compile(rf"{_W}(?P<a>(?:{_NUMBER})(?:,\d+)?)\s?(?P<v>{_UNIT})?\s?-\s?(?P<b>(?:{_NUMBER})(?:,\d+)?)\s?(?P<u>{_UNIT})(?![\w])"),
     _several),
    (re.compile(rf"{_W}(?P<a>(?:{_NUMBER})(?:,\d+)?)\s?-\s?(?P<b>(?:{_NUMBER})(?:,\d+)?){_E}"),
     lambda found: f"{number(found['a'])} đến {number(found['b'])}"),
    (re.compile(rf"{_W}(?P<n>{_NUMBER})\s?(?:đồng|đ|VNĐ|VND|vnđ){_E}"), _money),
    (re.compile(rf"{_W}(?P<n>(?:{_NUMBER})(?:,\d+)?)\s?(?P<u>{_UNIT})(?![\w])"), _unit),
    (re.compile(rf"{_W}(?P<n>\d{{3,}}(?=\s?V)|\d+(?=\s?W))\s?(?P<u>[VW]){_E}"),
     lambda found: f"{loose(found['n'])} {'vôn' if found['u'] == 'V' else 'oát'}"),
    (re.compile(rf"{_W}(?P<lead>(?i:số)\s)(?P<a>[A-ZĐ]{{1,3}})\s(?P<n>\d{{5,9}}){_E}"),
     lambda found: f"{found['lead']}{_letters(found['a'])} {digits(found['n'])}"),
    (re.compile(rf"{_W}(?P<u>k?m[23²³])(?![\w])"), lambda found: UNITS[found["u"]]),
    (re.compile(rf"{_W}(?P<n>(?:{_NUMBER}),\d+){_E}"), lambda found: number(found["n"])),
    (re.compile(rf"{_W}\d{{1,3}}(?:\.\d{{3}})+{_E}"), lambda found: number(found[0])),
    (re.compile(rf"{_W}(?P<a>\d{{1,3}})/(?P<b>\d{{1,3}}){_E}"), _fraction),
    (re.compile(rf"{_W}(?P<lead>(?i:khóa|lần thứ|thứ|quý|cấp|nhiệm kỳ|{_NUMERALS})\s+)"
                rf"(?P<r>[IVX]|[IVXLC]{{2,}})(?:[/.](?P<y>\d{{4}}))?{_E}"),
     _roman),
    (re.compile(rf"{_W}(?P<lead>(?i:điểm|mục|nhóm|khu|lô|nhà|dãy|cổng|cửa|tòa|gói|lớp|mẫu|cột|bảng|vitamin)\s)(?P<a>[B-ZĐb-zđ]){_E}"
                rf"(?![.)]\s?\w)"), lambda found: found["lead"] + _letters(found["a"])),
    (re.compile(rf"{_W}(?P<a>[A-ZĐ](?:\.\s?[A-ZĐ])+){_E}\.?(?!\w)"), _initials),
    (re.compile(rf"(?<![\w])(?P<lead>(?:{'|'.join(SURNAMES)})\s(?:[A-ZĐÀ-Ỹ][^\W\d_]+\s)?)(?P<a>[A-ZĐ]){_E}\.?(?=[\s,;:)]|$)"),
     lambda found: found["lead"] + _initials(found)),
    (re.compile(rf"{_W}(?:{_TITLE})(?:[.,]?\s?(?:{_TITLE}))*{_E}\.?\s?(?=[A-ZĐÀ-Ỹ][^\W\d_])"), _titled),
    (re.compile(rf"{_W}(?:{_NAMES})(?=\s*[A-ZĐÀ-Ỹ])"), lambda found: BEFORE_NAMES[found[0]] + " "),
    (re.compile(rf"{_W}P\.\s?(?P<n>\d{{3,4}}){_E}"), lambda found: f"phòng {loose(found['n'])}"),
    (re.compile(r"(?<=[,/] )B\.(?=\s?[A-ZĐÀ-Ỹ][^\W\d_])"), lambda _: "bà"),
    (re.compile(rf"{_W}(?P<a>[PQXH])\.\s?(?P<n>\d{{1,2}}){_E}"),
     lambda found: f"{BEFORE_NAMES[found['a'] + '.']} {whole(int(found['n']))}"),
    (re.compile(rf"{_W}(?P<lead>(?i:phó|các)\s)CT{_E}|{_W}CT(?=\s(?:{'|'.join(DUTIES)}){_E})"),
     lambda found: f"{found['lead'] or ''}chủ tịch"),
    (re.compile(rf"{_W}(?:{_ABBREVIATED}){_E}"), _abbreviation),
    (re.compile(rf"{_W}(?P<lead>)(?P<r>[IVX]{{1,5}})/(?P<y>\d{{4}}){_E}"), _roman),
    (re.compile(rf"{_W}(?P<r>[IVX]{{2,5}}){_E}"), lambda found: str(roman(found["r"]) or found["r"])),
    (re.compile(rf"{_W}(?=[A-ZĐ0-9]*[A-ZĐ])(?=[A-ZĐ0-9]*\d)[A-ZĐ][A-ZĐ0-9]{{1,15}}{_E}"), _code),
    (re.compile(rf"{_W}[A-ZĐ]{{2,8}}{_E}"), _spell),
    (re.compile(r"(?<=[^\W\d])/(?P<u>kg|ha|km|g|ml|l|kWh|m[23]|m[²³])(?!\w)"),
     lambda found: f" một {UNITS[found['u']]}"),
    (re.compile(rf"(?<=[^\W\d])/(?=(?:{'|'.join(GIVEN_FOR)})(?!\w))"), lambda _: " một "),
    (re.compile(r"(?<=[^\W\d])/(?=[^\W\d])"), lambda _: ", "),
    # The sign with which a letter ends.
    (re.compile(r"\./\."), lambda _: "."),
    (re.compile(r"\s+-\s+"), lambda _: ", "),
    (re.compile(r"/"), lambda _: " trên "),
    (re.compile(r"[()\[\]\"“”*_#]"), lambda _: " "),
]  # fmt: skip
