# SPDX-License-Identifier: Apache-2.0
"""Read the head of a letter: number, date and place, urgency, issuer, kind, subject, and what it rests on."""

import datetime
import difflib
import re
from collections.abc import Sequence, Set

from bluezone.letters.letter_text import Passage, folded_ocr, joined
from bluezone.letters.proposal import (
    Confidence,
    DocumentKind,
    DocumentNumber,
    DocumentReference,
    Doubt,
    Proposed,
    Urgency,
)
from bluezone.vietnamese.spelling import fold

NATIONAL_TITLE = ("cong hoa xa hoi chu nghia viet nam", "doc lap tu do hanh phuc", "dang cong san viet nam")
# Letters of the Youth Union bear its name where others bear the national title.
_UNION_TITLE = ("doan tncs ho chi minh", "doan thanh nien cong san ho chi minh")

# In a narrow column the title wraps.
_TITLE_ENDS = {
    " ".join(title.split()[start:]) for title in NATIONAL_TITLE for start in range(1, len(title.split()))
} - {"tu do", "do", "san"}

# A head is short; what looks like a number further down is somebody else's.
HEAD_LINES = 48

_PART = r"[A-ZĐƯÂĂÔ][A-Za-zĐđƯưÂâĂăÔô0-9&.]{0,14}"
NOTATION = rf"(?:\d{{4}}\s*/\s*)?{_PART}(?:\s?[-–]\s?{_PART}){{0,4}}"
_NUMBER = re.compile(
    rf"^(?:S[ốôõỐ]|[Ss][o06]|SỐ)\s*[:.;]?\s*(?P<number>[0-9OoIl]{{0,6}}[a-z]?)[\s…._]*/\s*(?P<notation>{NOTATION})"
)
# The Party and the unions write number-kind/body: "145-CV/TU".
_PARTY_NUMBER = re.compile(
    r"^(?:Số|SỐ)\s*[:.;]?\s*(?P<number>[0-9]{0,6}[a-z]?)[\s…._]*[-–]\s*"
    rf"(?P<notation>[A-ZĐ][A-Za-zĐđ]{{0,5}}\s*/\s*{NOTATION})"
)
_OPEN_NUMBER = re.compile(rf"^(?P<number>\d{{1,6}})\s*/\s*(?P<notation>{NOTATION})$")
_CALENDAR = (
    r"(?:(?P<day>[0-9OoIl]{1,2})?[\s.…_]*th[aáà]ng\s*(?P<month>[0-9OoIl]{1,2})?[\s.…_]*n[aăâ]m\s*(?P<year>\d{4})"
    r"|(?P<day2>\d{1,2})\s*[/.-]\s*(?P<month2>\d{1,2})\s*[/.-]\s*(?P<year2>\d{4}))"
)
_HOUR = r"(?:(?:vào\s+)?(?:hồi|lúc)\s*[\dhgiờphút:\s']{1,20},?\s*)?"
_DATE = re.compile(
    rf"(?P<place>[^,;:\d]{{2,50}}|(?:Phường|Quận|Xã|Khu phố|P\.|Q\.)\s*\d{{1,2}}),\s*{_HOUR}ng[aàá]y\s*{_CALENDAR}",
    re.IGNORECASE,
)
_SUBJECT = re.compile(r"^(?:V\s?/\s?v\.?|Về việc|VỀ VIỆC)\s*[:.]?\s*", re.IGNORECASE)
_SUBJECT_INSIDE = re.compile(r"\s(?:V\s?/\s?v\.?)\s*[:.]?\s*", re.IGNORECASE)
_URGENCIES = {
    "hoa toc": Urgency.EXPRESS,
    "hoa toc hen gio": Urgency.EXPRESS,
    "thuong khan": Urgency.VERY_URGENT,
    "khan": Urgency.URGENT,
}
_SECRECY = {"mat", "toi mat", "tuyet mat"}

# The kind by abbreviation in the notation and by its title line, folded.
KINDS: dict[str, tuple[DocumentKind, str]] = {
    "QĐ": (DocumentKind.DECISION, "quyet dinh"),
    "KH": (DocumentKind.PLAN, "ke hoach"),
    "CT": (DocumentKind.INSTRUCTION, "chi thi"),
    "TB": (DocumentKind.NOTICE, "thong bao"),
    "BC": (DocumentKind.REPORT, "bao cao"),
    "CĐ": (DocumentKind.TELEGRAM, "cong dien"),
    "HD": (DocumentKind.GUIDANCE, "huong dan"),
    "TTr": (DocumentKind.SUBMISSION, "to trinh"),
    "NQ": (DocumentKind.RESOLUTION, "nghi quyet"),
    "NĐ": (DocumentKind.DECREE, "nghi dinh"),
    "TT": (DocumentKind.CIRCULAR, "thong tu"),
    "CTr": (DocumentKind.PROGRAMME, "chuong trinh"),
    "GM": (DocumentKind.INVITATION, "giay moi"),
}

# What may follow the kind on its title line and says nothing of the subject.
_TITLE_REST = re.compile(r"(?: (?:khan|hoa toc|thuong khan|lien tich|lien nganh|phoi hop|so \d+))*[:.]?")
# Of the kinds of Decree 30/2020, article 7, those of no kind above, but for what heads a part of a body's name, too.
_OTHER_TITLES = (
    "bien ban", "phuong an", "de an", "quy che", "quy dinh", "thong cao", "thu moi", "giay uy quyen", "noi quy",
    "phieu chuyen don", "phieu chuyen", "phieu gui", "phieu bao", "giay gioi thieu", "giay nghi phep", "ban ghi nho",
    "ban thoa thuan", "thu cong",
)  # fmt: skip

# Words that open the name of a body; a line in the head that opens with none of them carries the name above on.
_BODY_WORDS = (
    "uy ban", "ubnd", "hoi dong", "hdnd", "so ", "bo ", "phong ", "ban ", "trung tam", "hoi ", "doan ", "truong ",
    "cong an", "van phong", "chi cuc", "cuc ", "tong cuc", "tram ", "thanh doan", "tinh doan", "thanh uy", "tinh uy",
    "lien doan", "mat tran", "bo chi huy", "ban chi huy", "chinh phu", "thu tuong", "benh vien", "cong ty", "dang uy",
    "dang bo", "toa an", "vien ", "dai ", "bao ", "hat ", "kho bac", "bao hiem", "bo doi", "chi nhanh", "lien minh",
    "bch ", "hoc vien", "thanh tra", "tong ", "dien luc", "buu dien", "cang ", "huyen doan", "huyen uy", "chi bo",
    "khu ", "doi ", "khoa ", "cong doan", "hiep hoi", "lien hiep", "ngan hang", "tap doan", "chi hoi", "hop tac xa",
    "nha may", "don bien phong", "ban thuong truc",
)  # fmt: skip
# They open no name, though they look like words that do once their tones are gone.
_OTHER_WORDS = (
    "HỒI ", "HÓI ", "ĐỐI ", "ĐỔI ", "ĐỜI ", "BẢN ", "BẢO VỆ", "VIÊN ", "TRƯỞNG ", "SỐ ", "BẠN ", "CỤM ", "KHOA HỌC",
    "KHU VỰC", "ĐẠI ", "KHÓA ",
)  # fmt: skip
# A name that ends so is not at its end.
_GOES_ON = (
    " va", " thi", " quan ly", " thuong vu", ",", "-", " phong", " cua", " tinh", " thanh pho", " huyen", " xa",
    " phuong",
)  # fmt: skip


def is_national_title(line: Passage) -> bool:
    """Return whether the line is one of the national title, also as an optical reader would spell it."""
    text = folded_ocr(line.text)
    if text in _UNION_TITLE or (line.text.isupper() and text in _TITLE_ENDS):
        return True
    return any(title in text or resembles(text, title) for title in NATIONAL_TITLE)


def resembles(text: str, phrase: str, ratio: float = 0.82) -> bool:
    """Return whether two folded texts are alike to this share; texts of very different length are not."""
    if not text or abs(len(text) - len(phrase)) > len(phrase) // 3:
        return False
    return difflib.SequenceMatcher(None, text, phrase, autojunk=False).ratio() >= ratio


def read_number(lines: Sequence[Passage]) -> Proposed[DocumentNumber] | None:
    """Propose number and notation from the line "Số: 458/UBND-VP" of the head."""
    for index, line in enumerate(lines[:HEAD_LINES]):
        # Below a narrow column's edge, or behind what stands in the other one.
        rest = next((one for one in lines[index + 1 : index + 3] if not one.is_blank), None)
        if line.text.endswith("-") and rest is not None and re.fullmatch(r"[A-ZĐ&]{1,12}\d*", rest.text):
            line = joined([line, rest])
        elif (at := line.text.find(" Số: ")) > 0 and _DATE.search(line.text[:at]):
            line = line.cut(at + 1)
        if match := _NUMBER.match(line.text) or _PARTY_NUMBER.match(line.text):
            return _number(line, match, ())
    for line in lines[:HEAD_LINES]:
        if match := _OPEN_NUMBER.match(line.text):
            return _number(line, match, (Doubt.OUTSIDE_ITS_PLACE,))
    return None


def read_urgency(lines: Sequence[Passage]) -> Proposed[Urgency] | None:
    """Propose the urgency from its stamp, which stands alone in the head in capitals, or from "CÔNG ĐIỆN KHẨN"."""
    for line in lines[:HEAD_LINES]:
        if _is_capitals(line.text):
            text = fold(line.text).strip(" .:*!-()")
            if text in _URGENCIES:
                return Proposed(_URGENCIES[text], line.span())
            if text.startswith("cong dien ") and (urgency := _URGENCIES.get(text.removeprefix("cong dien "))):
                return Proposed(urgency, line.span())
    return None


def _is_stamp(line: Passage) -> bool:
    text = fold(line.text).strip(" .:*!-()")
    return _is_capitals(line.text) and (text in _URGENCIES or text in _SECRECY)


def _number(line: Passage, match: re.Match[str], doubts: tuple[Doubt, ...]) -> Proposed[DocumentNumber]:
    written = match["number"]
    digits = _digits(written)
    notation = re.sub(r"\s*([-–/])\s*", r"\1", match["notation"]).replace("–", "-").rstrip(".")
    if not digits:
        doubts += (Doubt.INCOMPLETE,)
    elif digits != written or not match.group().startswith(("Số", "SỐ", *"0123456789")):
        doubts += (Doubt.OCR,)
    if line.is_struck(match.start(), match.end()):
        doubts += (Doubt.STRUCK,)
    return Proposed(
        DocumentNumber(digits or None, notation),
        line.span(match.start("number"), match.end("notation")),
        _confidence(doubts),
        doubts,
    )


def _digits(written: str) -> str:
    """Turn the letters that an optical reader makes of digits back: O is 0, l and I are 1."""
    return written.translate(str.maketrans("OoIl", "0011"))


def _confidence(doubts: Sequence[Doubt]) -> Confidence:
    if Doubt.INCOMPLETE in doubts or len(doubts) > 1:
        return Confidence.LOW
    return Confidence.MEDIUM if doubts else Confidence.HIGH


def read_date(lines: Sequence[Passage]) -> tuple[Proposed[datetime.date] | None, Proposed[str] | None]:
    """Propose the date and the place from the line "Thành phố Bắc Kạn, ngày 07 tháng 8 năm 2020" of the head.

    A day left open or a day that no calendar has gives no date, and the place alone. Below "Kính gửi", a title or
    "Căn cứ" nothing is the letter's own day.
    """
    head = lines[: _head_lines(lines)]
    for index, line in enumerate(head):
        # In a narrow column the day wraps.
        for more in (0, 1, 2):
            whole = joined(head[index : index + 1 + more]) if more else line
            if match := _DATE.search(whole.text):
                if match.end("place") > len(line.text):
                    break
                place = whole.cut(match.start("place"), match.end("place"))
                return _date(whole, match), Proposed(place.text, place.span())
    return None, None


def _head_lines(lines: Sequence[Passage]) -> int:
    for index, line in enumerate(lines[:HEAD_LINES]):
        if is_addressing(line) or line.text.startswith("Căn cứ") or (index > 3 and len(line.text) > 140):
            return index
    return min(len(lines), HEAD_LINES)


def _date(line: Passage, match: re.Match[str]) -> Proposed[datetime.date] | None:
    written = (match["day"] or match["day2"] or "", match["month"] or match["month2"] or "")
    day, month = (_digits(part) for part in written)
    try:
        value = datetime.date(int(match["year"] or match["year2"]), int(month), int(day))
    except ValueError:
        return None
    doubts: tuple[Doubt, ...] = () if written == (day, month) else (Doubt.OCR,)
    if line.is_struck(match.start(), match.end()):
        doubts += (Doubt.STRUCK,)
    return Proposed(value, line.span(match.end("place") + 1, match.end()), _confidence(doubts), doubts)


def read_bodies(lines: Sequence[Passage]) -> list[Proposed[str]]:
    """Propose the bodies of the head, from above: the capitals left of the national title and above the number."""
    names: list[list[Passage]] = []
    head = lines[: _head_lines(lines)]
    if not any(_is_body_line(line) for line in head):
        # Typed without capitals.
        found = (line for line in head[:8] if fold(line.text).startswith(_BODY_WORDS) and len(line.text) < 60)
        return [Proposed(line.text, line.span(), Confidence.LOW) for line in found][:2]
    numbered = False
    titled = {line.column for line in head if is_national_title(line) and folded_ocr(line.text) not in _TITLE_ENDS}
    for line in head:
        if title_of(line) or _SUBJECT.match(line.text):
            if line.column == 0:
                break
            continue
        numbered |= bool(_NUMBER.match(line.text) or _PARTY_NUMBER.match(line.text) or _OPEN_NUMBER.match(line.text))
        if numbered and line.column == 0:
            continue
        small = bool(names) and not numbered and line.column == 0 and _is_body_in_small_letters(line)
        if not (small or _is_body_line(line, titled, begun=bool(names))):
            continue
        if names and not _opens_a_name(names[-1], line):
            names[-1].append(line)
        else:
            names.append([line])
    bodies = [joined(parts) for parts in names]
    return [
        Proposed(body.text, body.span(), Confidence.HIGH if len(bodies) <= 2 else Confidence.LOW) for body in bodies
    ]


def _is_body_in_small_letters(line: Passage) -> bool:
    """Whether the line below a body in capitals names one without them: "Sở Y Tế", as some old fonts leave it."""
    plain = not re.search(r"[\d,;:.]", line.text) and not is_national_title(line) and not line.text.isupper()
    return plain and len(line.text) < 50 and line.text[:1].isupper() and fold(line.text).startswith(_BODY_WORDS)


def _is_body_line(line: Passage, titled: Set[int] = frozenset(), *, begun: bool = False) -> bool:
    """Return whether the line is one of a body's name. titled: the columns in which the national title stands; in
    another "VIỆT NAM" ends a name. begun: whether a name stands above, which "HÀ" may end.
    """
    title = is_national_title(line) and (
        not titled or line.column in titled or folded_ocr(line.text) not in _TITLE_ENDS
    )
    capitals = _is_capitals(line.text) or (begun and line.text.isalpha() and line.text.isupper())
    return capitals and not title and not _is_stamp(line) and not _DATE.search(line.text)


def _opens_a_name(above: Sequence[Passage], line: Passage) -> bool:
    text = fold(line.text)
    before = fold(above[-1].text)
    if before in {"uy ban nhan dan", "hoi dong nhan dan"} or before.endswith(_GOES_ON):
        return False
    if line.text.upper().startswith(_OTHER_WORDS):
        return False
    return text.startswith(_BODY_WORDS) or above[-1].column != line.column


def _is_capitals(text: str) -> bool:
    letters = [sign for sign in text if sign.isalpha()]
    return len(letters) >= 3 and sum(sign.isupper() for sign in letters) >= 0.9 * len(letters)


def is_addressing(line: Passage) -> bool:
    """Return whether the line begins with "Kính gửi", or with what an invitation or a telegram says in its place."""
    text = folded_ocr(line.text)
    return text.startswith(("kinh gui", "kinh moi")) or bool(TELEGRAPHING.match(line.text))


# "CHỦ TỊCH ỦY BAN NHÂN DÂN TỈNH ĐIỆN:" of a công điện.
TELEGRAPHING = re.compile(r"^.{0,80}\bĐIỆN\s*:\s*|^[^:]{0,80}\sđiện\s*:\s*$")


def title_of(line: Passage) -> tuple[DocumentKind, int] | None:
    """Return the kind that a title line in capitals names, and where in it the title ends; None for another line."""
    if not _is_capitals(line.text[:20]):
        return None
    text = line.text
    # "Q U Y Ế T  Đ Ị N H"
    if re.fullmatch(r"(?:\S )+ *(?:\S ?)+:?", text) and max(map(len, text.split())) <= 2:
        text = re.sub(r"(?<=\S) (?=\S)", "", text).replace("  ", " ")
        folded = fold(text).replace(" ", "").rstrip(":")
        for kind, title in KINDS.values():
            if title.replace(" ", "") == folded:
                return kind, len(line.text)
        return None
    if text.upper().startswith("PHƯỜNG"):
        return None  # "PHƯỜNG AN LỘC" is no "phương án"
    folded = fold(text)
    for title, kind in [
        *((title, kind) for kind, title in KINDS.values()),
        *((t, DocumentKind.OTHER) for t in _OTHER_TITLES),
    ]:
        if folded == title or folded.startswith(f"{title} ") or folded.rstrip(":.") == title:
            rest = folded.removeprefix(title)
            if _TITLE_REST.fullmatch(rest):
                return kind, len(line.text)
            words = len(title.split())
            end = re.match(rf"(?:\S+\s+){{{words}}}", line.text)
            return (kind, end.end()) if end else None
    return None


def read_kind(lines: Sequence[Passage], number: Proposed[DocumentNumber] | None) -> Proposed[DocumentKind]:
    """Propose the kind by its title line, or by the notation; a letter with neither is a công văn."""
    for line in lines[:HEAD_LINES]:
        if is_addressing(line) and not any(title_of(other) for other in lines[:HEAD_LINES]):
            break
        if found := title_of(line):
            return Proposed(found[0], line.span())
    if number is None:
        at = lines[0].span(0, 0) if lines else Passage("", ()).span()
        return Proposed(DocumentKind.OFFICIAL_LETTER, at, Confidence.LOW, (Doubt.UNMARKED,))
    # The kind stands first ("QĐ-UBND", "2021/QĐ-PYT"); what stands behind names offices ("SYT-TTr": an inspectorate).
    parts = [part for part in re.split(r"[-/]", number.value.notation) if not part.isdecimal()]
    kind = KINDS[parts[0]][0] if parts[0] in KINDS else DocumentKind.OFFICIAL_LETTER
    return Proposed(kind, number.span, Confidence.HIGH if parts[0] in KINDS or len(parts) > 1 else Confidence.MEDIUM)


def read_subject(lines: Sequence[Passage]) -> Proposed[str] | None:
    """Propose the subject: "V/v …" with the lines below it in its column, or what stands under a title line."""
    head = lines[:HEAD_LINES]
    for index, line in enumerate(head):
        if match := _SUBJECT.match(line.text) or _SUBJECT_INSIDE.search(line.text):
            body = joined([line.cut(match.end()), *_continued(head[index + 1 :], line.column, in_head=True)])
            if body.text:
                return Proposed(body.text.rstrip(". "), body.span())
        if is_addressing(line) or title_of(line):
            break
    for index, line in enumerate(head):
        if found := title_of(line):
            below = list(head[index + 1 :])
            while below and below[0].is_blank:
                below.pop(0)
            own = line.cut(found[1])
            body = joined([own, *_continued(below, line.column)])
            if match := _SUBJECT.match(body.text):
                return Proposed(body.cut(match.end()).text.rstrip(". "), body.span())
            if body.text:
                return Proposed(body.text.rstrip(". "), body.span(), Confidence.MEDIUM)
    return None


_BODY_OPENS = re.compile(
    r"^(?:Căn cứ|Thực hiện|Nhằm|Để|Theo|Tiếp theo|Xét|Ngày|Tại|Trước|Qua|Sau khi|Hiện nay|Trong thời gian|Vừa qua|Do"
    r"|Thời gian|Địa điểm|Thành phần|Được sự|Ủy ban nhân dân|UBND|Nội dung)\b.{25}|^(?:\d{1,2}|[IVX]+|Điều \d+)[.)]"
)


# What is longer is the first sentence of the body.
_LONGEST_TITLE_LINE = 110


# A column of a head is narrow.
_LONGEST_HEAD_LINE = 70


def _continued(lines: Sequence[Passage], column: int, *, in_head: bool = False) -> list[Passage]:
    """Return the lines that carry a subject on: to the first blank one, a date, a number or an addressee.

    in_head: whether it is the "V/v …" of a head, below which no short line opens the body.
    """
    found: list[Passage] = []
    for at, line in enumerate(lines):
        if line.column != column and not line.is_blank:
            continue
        if line.is_blank or _DATE.search(line.text) or _NUMBER.match(line.text) or is_addressing(line):
            break
        if found and (len(line.text) > _LONGEST_TITLE_LINE or line.text.endswith(":")):
            break
        if is_national_title(line) or _is_stamp(line) or re.fullmatch(r"[-_–—=*\s]+", line.text):
            break
        opens = _BODY_OPENS.match(line.text) and not (in_head and len(line.text) <= _LONGEST_HEAD_LINE)
        # "KẾ HOẠCH / Thực hiện bảo hiểm y tế học sinh": what stands alone below the title is of it.
        alone = not found and len(line.text) <= _LONGEST_TITLE_LINE and line.text[-1:].isalnum()
        opens = opens and not (alone and not in_head and any(other.is_blank for other in lines[at + 1 : at + 2]))
        if opens or title_of(line) or (_is_capitals(line.text) and _is_office(line.text)):
            break
        found.append(line)
        if len(found) == 6:
            break
    return found


def _is_office(text: str) -> bool:
    """Return whether capitals name who decides: "CHỦ TỊCH ỦY BAN NHÂN DÂN TỈNH"."""
    return fold(text).startswith(
        ("chu tich", "giam doc", "truong ", "uy ban nhan dan", "hoi dong nhan dan", "hieu truong")
    )


_KIND_WORDS = {
    "công văn": DocumentKind.OFFICIAL_LETTER,
    "văn bản": DocumentKind.OFFICIAL_LETTER,
    "quyết định": DocumentKind.DECISION,
    "kế hoạch": DocumentKind.PLAN,
    "chỉ thị": DocumentKind.INSTRUCTION,
    "thông báo": DocumentKind.NOTICE,
    "báo cáo": DocumentKind.REPORT,
    "công điện": DocumentKind.TELEGRAM,
    "hướng dẫn": DocumentKind.GUIDANCE,
    "tờ trình": DocumentKind.SUBMISSION,
    "nghị quyết": DocumentKind.RESOLUTION,
    "nghị định": DocumentKind.DECREE,
    "thông tư": DocumentKind.CIRCULAR,
    "luật": DocumentKind.LAW,
    "chương trình": DocumentKind.PROGRAMME,
    "giấy mời": DocumentKind.INVITATION,
    "kết luận": DocumentKind.OTHER,
    "đề án": DocumentKind.OTHER,
    "phương án": DocumentKind.OTHER,
    "thông tư liên tịch": DocumentKind.CIRCULAR,
}
_REFERENCE_DATE = (
    r"(?:ngày\s*(?P<day>\d{1,2})\s*(?:tháng\s*(?P<month>\d{1,2})\s*năm\s*(?P<year>\d{4})"
    r"|[/.-]\s*(?P<month2>\d{1,2})\s*[/.-]\s*(?P<year2>\d{4})))"
)
# Words that end the issuer's name, and names that begin the sentence after the subject.
_AFTER_ISSUER = rf"\s+(?:về|V/v|ban hành|trong|tại|theo|và\s+(?:{'|'.join(_KIND_WORDS)}))\s"
_NEXT_SUBJECT = r"[A-ZÀ-ỸĐ]{2,}|Ủy ban|Sở|Phòng|Hội|Ban|Bộ|Trung tâm|Công an|Thành|Chủ tịch"
_REFERENCE = re.compile(
    rf"(?:(?P<kind>{'|'.join(sorted(_KIND_WORDS, key=len, reverse=True))})\s+(?:hỏa tốc\s+|khẩn\s+)?"
    r"(?:(?<=luật\s)(?-i:[A-ZĐ])(?:(?!\s+số\s)[^;:.()\d]){2,80}\s+)?(?:số\s*:?\s*)?|(?:[,;]|\bvà)\s+số\s*:?\s*)"
    rf"(?P<number>\d{{1,6}}(?:\s*/\s*|(?-i:\s*[-–]\s*[A-ZĐ][A-Za-zĐđ]{{0,5}}\s*/\s*))(?-i:{NOTATION}))"
    rf"(?:\s*,)?(?:\s*{_REFERENCE_DATE})?(?:\s*,)?"
    rf"(?:\s+của\s+(?P<issuer>(?:(?!{_AFTER_ISSUER})[^;:.()]){{2,120}}?)(?={_AFTER_ISSUER}|\s*,\s|\s*[;:.()]|$))?"
    rf"(?:\s*,)?(?:\s+(?:về việc|về|V/v)\s+(?P<subject>[^;:.]{{3,400}}?)(?=\s*[;:.]"
    rf"|\s*,\s*(?-i:{_NEXT_SUBJECT})|$))?",
    re.IGNORECASE,
)
_INTRODUCED = ("thuc hien", "can cu", "theo", "tiep theo", "tiep tuc", "trien khai", "thi hanh")


def read_basis(preamble: Passage) -> tuple[Proposed[DocumentReference], ...]:
    """Propose the documents named before the first clause, each number once."""
    found: dict[str, Proposed[DocumentReference]] = {}
    kind = DocumentKind.OFFICIAL_LETTER
    for match in _REFERENCE.finditer(preamble.text):
        kind = _KIND_WORDS[match["kind"].lower()] if match["kind"] else kind
        reference = _reference(match, kind)
        if reference.number not in found:
            before = fold(preamble.text[max(0, match.start() - 60) : match.start()])
            introduced = any(word in before for word in _INTRODUCED)
            confidence = Confidence.HIGH if introduced and reference.date else Confidence.MEDIUM
            doubts = () if reference.date else (Doubt.INCOMPLETE,)
            found[reference.number] = Proposed(reference, preamble.span(match.start(), match.end()), confidence, doubts)
    return tuple(found.values())


def _reference(match: re.Match[str], kind: DocumentKind) -> DocumentReference:
    number = re.sub(r"\s*([-–/])\s*", r"\1", match["number"]).replace("–", "-").rstrip(".")
    issuer = match["issuer"].strip(" ,") if match["issuer"] else None
    subject = match["subject"].strip(" ,") if match["subject"] else None
    return DocumentReference(kind, number, _reference_date(match), issuer, subject)


def _reference_date(match: re.Match[str]) -> datetime.date | None:
    if match["day"] is None:
        return None
    try:
        return datetime.date(
            int(match["year"] or match["year2"]), int(match["month"] or match["month2"]), int(match["day"])
        )
    except ValueError:
        return None
