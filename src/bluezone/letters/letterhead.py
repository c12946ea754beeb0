# SPDX-License-Identifier: Apache-2.0
"""Read the head of a letter: number, date and place, issuing body, kind, subject, and the documents it rests on."""

import datetime
import difflib
import re
from collections.abc import Sequence

from bluezone.letters.letter_text import Passage, folded_ocr, joined
from bluezone.letters.proposal import Confidence, DocumentKind, DocumentNumber, DocumentReference, Doubt, Proposed
from bluezone.vietnamese.spelling import fold

NATIONAL_TITLE = ("cong hoa xa hoi chu nghia viet nam", "doc lap tu do hanh phuc", "dang cong san viet nam")

# A head is short; what looks like a number further down is somebody else's.
HEAD_LINES = 40

NOTATION = r"(?:\d{4}\s*/\s*)?[A-ZĐ][A-Za-zĐđ&.]{0,14}(?:\s?[-–]\s?[A-ZĐ][A-Za-zĐđ&.]{0,14}){0,4}"
_NUMBER = re.compile(
    rf"^(?:S[ốôõỐ]|[Ss][o06]|SỐ)\s*[:.;]?\s*(?P<number>[0-9OoIl]{{0,6}}[a-z]?)\s*[…._]*\s*/\s*(?P<notation>{NOTATION})"
)
_OPEN_NUMBER = re.compile(rf"^(?P<number>\d{{1,6}})\s*/\s*(?P<notation>{NOTATION})$")
_DATE = re.compile(
    r"(?P<place>[^,;:.\d]{2,50}),\s*ng[aàá]y\s*(?P<day>[0-9OoIl]{1,2})?[\s.…_]*th[aáà]ng\s*(?P<month>[0-9OoIl]{1,2})?[\s.…_]*n[aăâ]m\s*(?P<year>\d{4})",
    re.IGNORECASE,
)
_SUBJECT = re.compile(r"^(?:V\s?/\s?v\.?|Về việc|VỀ VIỆC)\s*[:.]?\s*", re.IGNORECASE)

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

# Words that open the name of a body; a line in the head that opens with none of them carries the name above on.
_BODY_WORDS = (
    "uy ban",
    "ubnd",
    "hoi dong",
    "hdnd",
    "so ",
    "bo ",
    "phong ",
    "ban ",
    "trung tam",
    "hoi ",
    "doan ",
    "truong ",
    "cong an",
    "van phong",
    "chi cuc",
    "cuc ",
    "tong cuc",
    "tram ",
    "thanh doan",
    "tinh doan",
    "thanh uy",
    "tinh uy",
    "lien doan",
    "mat tran",
    "bo chi huy",
    "ban chi huy",
    "chinh phu",
    "thu tuong",
    "benh vien",
    "cong ty",
    "dang uy",
    "dang bo",
    "toa an",
    "vien ",
)


def is_national_title(line: Passage) -> bool:
    """Return whether the line is one of the national title, also as an optical reader would spell it."""
    text = folded_ocr(line.text)
    return any(title in text or resembles(text, title) for title in NATIONAL_TITLE)


def resembles(text: str, phrase: str, ratio: float = 0.82) -> bool:
    """Return whether two folded texts are alike to this share; texts of very different length are not."""
    if not text or abs(len(text) - len(phrase)) > len(phrase) // 3:
        return False
    return difflib.SequenceMatcher(None, text, phrase, autojunk=False).ratio() >= ratio


def read_number(lines: Sequence[Passage]) -> Proposed[DocumentNumber] | None:
    """Propose number and notation from the line "Số: 458/UBND-VP" of the head."""
    for line in lines[:HEAD_LINES]:
        if match := _NUMBER.match(line.text):
            return _number(line, match, ())
    for line in lines[:HEAD_LINES]:
        if match := _OPEN_NUMBER.match(line.text):
            return _number(line, match, (Doubt.OUTSIDE_ITS_PLACE,))
    return None


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

    A day left open or a day that no calendar has gives no date, and the place alone.
    """
    for line in lines[:HEAD_LINES]:
        if match := _DATE.search(line.text):
            place = line.cut(match.start("place"), match.end("place"))
            return _date(line, match), Proposed(place.text, place.span())
    return None, None


def _date(line: Passage, match: re.Match[str]) -> Proposed[datetime.date] | None:
    written = (match["day"] or "", match["month"] or "")
    day, month = (_digits(part) for part in written)
    try:
        value = datetime.date(int(match["year"]), int(month), int(day))
    except ValueError:
        return None
    doubts: tuple[Doubt, ...] = () if written == (day, month) else (Doubt.OCR,)
    if line.is_struck(match.start(), match.end()):
        doubts += (Doubt.STRUCK,)
    return Proposed(value, line.span(match.end("place") + 1, match.end()), _confidence(doubts), doubts)


def read_bodies(lines: Sequence[Passage]) -> tuple[Proposed[str] | None, Proposed[str] | None]:
    """Propose the issuing body and the body above it: the capitals left of the national title and above the number."""
    names: list[list[Passage]] = []
    for line in lines[:HEAD_LINES]:
        if _NUMBER.match(line.text) or _OPEN_NUMBER.match(line.text) or _is_addressing(line):
            break
        if line.column or not _is_capitals(line.text) or is_national_title(line):
            continue
        if names and not _opens_a_name(names[-1], line):
            names[-1].append(line)
        else:
            names.append([line])
    bodies = [joined(parts) for parts in names]
    proposed = [
        Proposed(body.text, body.span(), Confidence.HIGH if len(bodies) <= 2 else Confidence.LOW) for body in bodies
    ]
    if not proposed:
        return None, None
    return proposed[-1], proposed[-2] if len(proposed) > 1 else None


def _opens_a_name(above: Sequence[Passage], line: Passage) -> bool:
    text = fold(line.text)
    if fold(above[-1].text) in {"uy ban nhan dan", "hoi dong nhan dan"}:
        return False
    return text.startswith(_BODY_WORDS)


def _is_capitals(text: str) -> bool:
    letters = [sign for sign in text if sign.isalpha()]
    return len(letters) >= 3 and sum(sign.isupper() for sign in letters) >= 0.9 * len(letters)


def _is_addressing(line: Passage) -> bool:
    return folded_ocr(line.text).startswith("kinh gui")


def read_kind(lines: Sequence[Passage], number: Proposed[DocumentNumber] | None) -> Proposed[DocumentKind]:
    """Propose the kind by its title line, or by the notation; a letter with neither is a công văn."""
    titles = {title: kind for kind, title in KINDS.values()}
    for line in lines[:HEAD_LINES]:
        if _is_capitals(line.text) and (kind := titles.get(fold(line.text))):
            return Proposed(kind, line.span())
    if number is None:
        at = lines[0].span(0, 0) if lines else Passage("", ()).span()
        return Proposed(DocumentKind.OFFICIAL_LETTER, at, Confidence.LOW, (Doubt.UNMARKED,))
    parts = re.split(r"[-/]", number.value.notation)
    kind = next((KINDS[part][0] for part in parts if part in KINDS), DocumentKind.OFFICIAL_LETTER)
    return Proposed(kind, number.span, Confidence.HIGH if parts[0] in KINDS or len(parts) > 1 else Confidence.MEDIUM)


def read_subject(lines: Sequence[Passage]) -> Proposed[str] | None:
    """Propose the subject: "V/v …" with the lines below it in its column, or what stands under a title line."""
    head = lines[:HEAD_LINES]
    for index, line in enumerate(head):
        if match := _SUBJECT.match(line.text):
            body = joined([line.cut(match.end()), *_continued(head[index + 1 :], line.column)])
            if body.text:
                return Proposed(body.text.rstrip("."), body.span())
    titles = {title for _, title in KINDS.values()}
    for index, line in enumerate(head):
        if _is_capitals(line.text) and fold(line.text) in titles:
            below = list(head[index + 1 :])
            while below and below[0].is_blank:
                below.pop(0)
            body = joined(_continued(below, line.column))
            if body.text:
                return Proposed(body.text.rstrip("."), body.span(), Confidence.MEDIUM)
    return None


def _continued(lines: Sequence[Passage], column: int) -> list[Passage]:
    """Return the lines that carry a subject on: to the first blank one, a date, a number or an addressee."""
    found: list[Passage] = []
    for line in lines:
        if line.column != column and not line.is_blank:
            continue
        if line.is_blank or _DATE.search(line.text) or _NUMBER.match(line.text) or _is_addressing(line):
            break
        if is_national_title(line) or re.fullmatch(r"[-_–—=*\s]+", line.text):
            break
        found.append(line)
        if len(found) == 6:
            break
    return found


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
}
_REFERENCE_DATE = (
    r"(?:ngày\s*(?P<day>\d{1,2})\s*(?:tháng\s*(?P<month>\d{1,2})\s*năm\s*(?P<year>\d{4})"
    r"|[/.-]\s*(?P<month2>\d{1,2})\s*[/.-]\s*(?P<year2>\d{4})))"
)
# Words that end the issuer's name, and names that begin the sentence after the subject.
_AFTER_ISSUER = rf"\s+(?:về|V/v|ban hành|trong|tại|theo|và\s+(?:{'|'.join(_KIND_WORDS)}))\s"
_NEXT_SUBJECT = r"[A-ZÀ-ỸĐ]{2,}|Ủy ban|Sở|Phòng|Hội|Ban|Bộ|Trung tâm|Công an|Thành|Chủ tịch"
_REFERENCE = re.compile(
    rf"(?P<kind>{'|'.join(_KIND_WORDS)})\s+(?:hỏa tốc\s+)?(?:số\s*:?\s*)?(?P<number>\d{{1,6}}\s*/\s*{NOTATION})"
    rf"(?:\s*,)?(?:\s*{_REFERENCE_DATE})?(?:\s*,)?"
    rf"(?:\s+của\s+(?P<issuer>(?:(?!{_AFTER_ISSUER})[^;:.()]){{2,120}}?)(?={_AFTER_ISSUER}|\s*,\s|\s*[;:.()]|$))?"
    rf"(?:\s*,)?(?:\s+(?:về việc|về|V/v)\s+(?P<subject>[^;:.]{{3,400}}?)(?=\s*[;:.]|\s*,\s*(?-i:{_NEXT_SUBJECT})|$))?",
    re.IGNORECASE,
)
_INTRODUCED = ("thuc hien", "can cu", "theo", "tiep theo", "tiep tuc", "trien khai", "thi hanh")


def read_basis(preamble: Passage) -> tuple[Proposed[DocumentReference], ...]:
    """Propose the documents named before the first clause, each number once."""
    found: dict[str, Proposed[DocumentReference]] = {}
    for match in _REFERENCE.finditer(preamble.text):
        reference = _reference(match)
        if reference.number not in found:
            before = fold(preamble.text[max(0, match.start() - 60) : match.start()])
            introduced = any(word in before for word in _INTRODUCED)
            confidence = Confidence.HIGH if introduced and reference.date else Confidence.MEDIUM
            doubts = () if reference.date else (Doubt.INCOMPLETE,)
            found[reference.number] = Proposed(reference, preamble.span(match.start(), match.end()), confidence, doubts)
    return tuple(found.values())


def _reference(match: re.Match[str]) -> DocumentReference:
    number = re.sub(r"\s*([-–/])\s*", r"\1", match["number"]).replace("–", "-").rstrip(".")
    issuer = match["issuer"].strip(" ,") if match["issuer"] else None
    subject = match["subject"].strip(" ,") if match["subject"] else None
    return DocumentReference(_KIND_WORDS[match["kind"].lower()], number, _reference_date(match), issuer, subject)


def _reference_date(match: re.Match[str]) -> datetime.date | None:
    if match["day"] is None:
        return None
    try:
        return datetime.date(
            int(match["year"] or match["year2"]), int(match["month"] or match["month2"]), int(match["day"])
        )
    except ValueError:
        return None
