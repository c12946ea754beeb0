# SPDX-License-Identifier: Apache-2.0
"""Find the body of a letter, cut it into preamble, numbered clauses and closing, and read who leads each clause and
who cooperates.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from bluezone.letters.letter_text import Passage
from bluezone.letters.proposal import Addressee, Confidence, Doubt, PartyRole, Proposed, TaskParty
from bluezone.letters.recipients import BULLET, LONGEST_LIST, all_agencies, is_collective, recipients_at, split_names
from bluezone.letters.signatures import is_signature_line
from bluezone.vietnamese.spelling import fold

# What an agency is told to do, or how: where a list of agencies ends. Small letters only ("Ban Chỉ đạo" is a name).
_VERBS = (
    "đi từng nhà",
    "đi",
    "triển khai",
    "thực hiện",
    "chỉ đạo",
    "chủ trì",
    "phối hợp",
    "có trách nhiệm",
    "chịu trách nhiệm",
    "tăng cường",
    "hướng dẫn",
    "tuyên truyền",
    "yêu cầu",
    "phát",
    "rà soát",
    "báo cáo",
    "tham mưu",
    "cử",
    "vận động",
    "đưa",
    "đăng",
    "theo dõi",
    "kiểm tra",
    "bố trí",
    "khẩn trương",
    "tiếp tục",
    "chủ động",
    "nghiêm túc",
    "giao",
    "đôn đốc",
    "căn cứ",
    "xây dựng",
    "hỗ trợ",
    "quán triệt",
    "phổ biến",
    "bảo đảm",
    "đảm bảo",
    "thường xuyên",
    "cung cấp",
    "tổng hợp",
    "lập",
    "thông báo",
    "đề nghị",
    "cài đặt",
    "nêu",
    "lồng ghép",
    "đẩy mạnh",
    "quản lý",
    "phân công",
    "để",
    "nhằm",
    "trong việc",
    "thống kê",
    "duy trì",
    "gửi",
    "huy động",
    "ban hành",
    "thành lập",
    "tiến hành",
    "giám sát",
    "xử lý",
    "tiếp nhận",
    "kịp thời",
)
_VERB = re.compile(
    r"(?:^|[\s,]\s*)(?P<verb>"
    rf"(?:(?<!các )tổ chức(?! đoàn thể| chính trị| xã hội|,)|{'|'.join(sorted(_VERBS, key=len, reverse=True))})(?!\w))"
)
_OPENING = re.compile(r"^(?:Giao|Đề nghị|Yêu cầu|Kính đề nghị|Phân công)\s+(?:cho\s+)?")
_COOPERATION = re.compile(r"(?:phối hợp|phối kết hợp)(?:\s+(?:chặt chẽ|thường xuyên))?\s+(?:với|cùng)(?:\s+với)?\s+")
# No clause says it more often; a text made to be slow does.
_MOST_COOPERATIONS = 10
_LEADING = re.compile(r"(?:\s+là\s+(?:cơ quan|đơn vị)(?:\s+thường trực)?)?[\s,]*(?:chủ trì|đầu mối)\b")


def read_parties(clause: Passage, addressees: Sequence[Proposed[Addressee]]) -> tuple[Proposed[TaskParty], ...]:
    """Propose the agencies of a clause, leads first; each name once."""
    leads, rest = _leads(clause)
    if not leads:
        leads = [
            Proposed(
                TaskParty(addressee.value.name, PartyRole.LEAD, addressee.value.collective),
                addressee.span,
                Confidence.LOW,
                (Doubt.ADDRESSEES,),
            )
            for addressee in addressees
        ]
        rest = 0
    parties = {party.value.name: party for party in leads}
    for party in _cooperating(clause, rest):
        parties.setdefault(party.value.name, party)
    return tuple(parties.values())


def _leads(clause: Passage) -> tuple[list[Proposed[TaskParty]], int]:
    """Return the leads and where the rest of the clause begins."""
    opening = _OPENING.match(clause.text)
    start = opening.end() if opening else 0
    colon = clause.text.find(":", start, start + LONGEST_LIST)
    if colon > 0:
        before = clause.text[start:colon]
        verb = _LEADING.search(before) or _COOPERATION.search(before)
        names = split_names(clause.cut(start, start + verb.start() if verb else colon))
        if all_agencies(names):
            return [_party(name, PartyRole.LEAD) for name in names], start
    verb = _first_verb(clause.text, start)
    if verb is None or verb.start("verb") - start > LONGEST_LIST:
        return [], 0
    names = split_names(clause.cut(start, verb.start("verb")))
    if not all_agencies(names):
        return [], 0
    sure = clause.text.startswith("chủ trì", verb.start("verb")) or bool(
        _COOPERATION.match(clause.text, verb.start("verb"))
    )
    confidence = Confidence.HIGH if sure else Confidence.MEDIUM
    doubts = () if sure else (Doubt.NO_COLON,)
    return [_party(name, PartyRole.LEAD, confidence, doubts) for name in names], verb.start("verb")


def _first_verb(text: str, start: int) -> re.Match[str] | None:
    """Return the first verb that has a name before it."""
    return next((match for match in _VERB.finditer(text, start) if text[start : match.start("verb")].strip(" ,")), None)


def _cooperating(clause: Passage, start: int) -> list[Proposed[TaskParty]]:
    found: list[Proposed[TaskParty]] = []
    for cooperation in itertools.islice(_COOPERATION.finditer(clause.text, start), _MOST_COOPERATIONS):
        end = _list_end(clause.text, cooperation.end())
        names = split_names(clause.cut(cooperation.end(), end))
        if all_agencies(names[:1]):
            agencies = [name for name in names if all_agencies([name])]
            found += [_party(name, PartyRole.COOPERATING, Confidence.MEDIUM) for name in agencies]
    return found


def _list_end(text: str, start: int) -> int:
    stop = re.compile(r"[:.;]").search(text, start)
    end = min(stop.start() if stop else len(text), start + LONGEST_LIST)
    verb = _first_verb(text, start)
    return min(end, verb.start("verb")) if verb else end


def _party(
    name: Passage, role: PartyRole, confidence: Confidence = Confidence.HIGH, doubts: tuple[Doubt, ...] = ()
) -> Proposed[TaskParty]:
    return Proposed(TaskParty(name.text, role, is_collective(name.text)), name.span(), confidence, doubts)


_NUMBERED = re.compile(r"^(?P<label>\d{1,2})\s*[.)]\s+(?=\S)")
_ARTICLE = re.compile(r"^(?P<label>Điều\s+\d{1,2})\s*[.:]\s*")
_SECTION = re.compile(r"^(?P<label>[IVX]{1,5})\s*[.)]\s+(?P<title>\S.*)$")
_POINT = re.compile(r"^(?:[a-zđ]\s*[).]\s+|\d{1,2}\.\d{1,2}\.?(?:\d{1,2}\.?)?\s+)")
_CLOSING = (
    "voi noi dung tren",
    "tren day la",
    "can cu noi dung",
    "nhan duoc",
    "yeu cau cac",
    "de nghi cac",
    "trong qua trinh",
    "cac co quan, don vi",
    "uy ban nhan dan thanh pho yeu cau",
    "tren co so",
    "kinh de nghi",
)
# A plan's other sections (purpose, requirements, budget) hold numbered paragraphs that are nobody's task.
_TASK_SECTIONS = ("to chuc thuc hien", "phan cong", "nhiem vu", "trach nhiem")

_LONGEST_SIGNATURE_LINE = 70


@dataclass
class Clause:
    """One numbered clause: label, its own lines, and its points (each a list of lines)."""

    label: str
    lines: list[Passage]
    points: list[list[Passage]] = field(default_factory=list)


@dataclass(frozen=True)
class Body:
    """preamble: before the first clause; closing: after the last; tail: from Nơi nhận or the first signature on."""

    preamble: list[Passage]
    clauses: list[Clause]
    closing: list[Passage]
    tail: list[Passage]


def read_body(lines: Sequence[Passage], start: int) -> Body:
    """Cut the lines from `start` (after the head and the addressees) into the parts of the body."""
    end = _body_end(lines, start)
    body = [line for line in lines[start:end] if line.column == 0 or not line.is_blank]
    articles = sum(bool(_ARTICLE.match(line.text)) for line in body) >= 2
    preamble: list[Passage] = []
    clauses: list[Clause] = []
    closing: list[Passage] = []
    section, sections = "", {}
    for index, line in enumerate(body):
        after_blank = index > 0 and body[index - 1].is_blank
        if line.is_blank:
            continue
        if (title := _SECTION.match(line.text)) and _is_heading(title["title"]):
            section = title["label"]
            sections[section] = fold(title["title"])
            closing = []
            continue
        label = _label(line, articles, clauses, section)
        if label is not None:
            clauses.append(Clause(f"{section}.{label}" if section else label, [line.cut(_label_end(line, articles))]))
            closing = []
        elif not clauses:
            preamble.append(line)
        elif closing or _closes(line, after_blank):
            closing.append(line)
        else:
            _add(clauses[-1], line, after_blank)
    return Body(preamble, _task_clauses(clauses, sections), closing, list(lines[end:]))


def _body_end(lines: Sequence[Passage], start: int) -> int:
    """Return the index where Nơi nhận or the signature begins, whichever is first.

    A decision names who decides above its body, in the words of a signature; what text still follows is no signature.
    """
    recipients = recipients_at(lines)
    limit = recipients if recipients is not None and recipients >= start else len(lines)
    text = max((index for index in range(start, limit) if _is_text(lines[index])), default=start - 1)
    signature = next((index for index in range(text + 1, limit) if is_signature_line(lines[index])), limit)
    return min(signature, limit)


def _is_text(line: Passage) -> bool:
    numbered = _NUMBERED.match(line.text) or _ARTICLE.match(line.text)
    return bool(numbered) or len(line.text) > _LONGEST_SIGNATURE_LINE or fold(line.text).startswith("can cu")


def _is_heading(title: str) -> bool:
    return title.isupper() or fold(title).startswith(_TASK_SECTIONS)


def _label(line: Passage, articles: bool, clauses: Sequence[Clause], section: str) -> str | None:
    """Return the clause's label if the line opens the next one; numbers that do not follow on are text."""
    match = (_ARTICLE if articles else _NUMBERED).match(line.text)
    if match is None:
        return None
    label = re.sub(r"\s+", " ", match["label"])
    number = int(label.split()[-1])
    same = [clause for clause in clauses if clause.label.startswith(f"{section}.")] if section else clauses
    previous = int(re.search(r"\d+$", same[-1].label).group()) if same else 0  # type: ignore[union-attr]
    return label if number == previous + 1 else None


def _label_end(line: Passage, articles: bool) -> int:
    match = (_ARTICLE if articles else _NUMBERED).match(line.text)
    return match.end() if match else 0


def _closes(line: Passage, after_blank: bool) -> bool:
    return fold(line.text).startswith(_CLOSING) and (after_blank or line.text[0].isupper())


def _add(clause: Clause, line: Passage, after_blank: bool) -> None:
    """Add a line to a clause: as a new point, or as the rest of what stands above it."""
    bullet = BULLET.match(line.text)
    if bullet:
        clause.points.append([line.cut(bullet.end())])
    elif _POINT.match(line.text) or (after_blank and clause.points) or (after_blank and line.text[:1].isupper()):
        clause.points.append([line])
    elif clause.points:
        clause.points[-1].append(line)
    else:
        clause.lines.append(line)


def _task_clauses(clauses: list[Clause], sections: dict[str, str]) -> list[Clause]:
    ordered = [label for label, title in sections.items() if title.startswith(_TASK_SECTIONS)]
    chosen = [clause for clause in clauses if clause.label.split(".")[0] in ordered]
    return chosen or clauses
