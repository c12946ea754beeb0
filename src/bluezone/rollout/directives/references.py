# SPDX-License-Identifier: Apache-2.0
"""Read which documents a letter rests on or carries out (căn cứ, thực hiện): kind, number, date, issuer, subject."""

import datetime
import re

from bluezone.agencies.folding import fold
from bluezone.rollout.directives.letterhead import NOTATION
from bluezone.rollout.directives.passages import Passage
from bluezone.rollout.directives.proposal import Confidence, DocumentKind, DocumentReference, Doubt, Proposed

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
_DATE = (
    r"(?:ngày\s*(?P<day>\d{1,2})\s*(?:tháng\s*(?P<month>\d{1,2})\s*năm\s*(?P<year>\d{4})"
    r"|[/.-]\s*(?P<month2>\d{1,2})\s*[/.-]\s*(?P<year2>\d{4})))"
)
# Words that end the issuer's name, and names that begin the sentence after the subject.
_AFTER_ISSUER = rf"\s+(?:về|V/v|ban hành|trong|tại|theo|và\s+(?:{'|'.join(_KIND_WORDS)}))\s"
_NEXT_SUBJECT = r"[A-ZÀ-ỸĐ]{2,}|Ủy ban|Sở|Phòng|Hội|Ban|Bộ|Trung tâm|Công an|Thành|Chủ tịch"
_REFERENCE = re.compile(
    rf"(?P<kind>{'|'.join(_KIND_WORDS)})\s+(?:hỏa tốc\s+)?(?:số\s*:?\s*)?(?P<number>\d{{1,6}}\s*/\s*{NOTATION})"
    rf"(?:\s*,)?(?:\s*{_DATE})?(?:\s*,)?"
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
    return DocumentReference(_KIND_WORDS[match["kind"].lower()], number, _date(match), issuer, subject)


def _date(match: re.Match[str]) -> datetime.date | None:
    if match["day"] is None:
        return None
    try:
        return datetime.date(
            int(match["year"] or match["year2"]), int(match["month"] or match["month2"]), int(match["day"])
        )
    except ValueError:
        return None
