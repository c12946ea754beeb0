# SPDX-License-Identifier: Apache-2.0
"""Find who is charged by the form of a clause: in brackets behind the deed, behind "Đơn vị chủ trì:" in the same
paragraph, or by a heading within the clause.
"""

import re
from dataclasses import replace

from bluezone.letters.agency_names import STARTS_AS_AGENCY
from bluezone.letters.body.clauses import Clause
from bluezone.letters.body.parties import LABELLED, Order, read_names, read_order
from bluezone.letters.body.prose import sentences
from bluezone.letters.letter_text import Passage, joined
from bluezone.letters.proposal import PartyRole

# "khơi 03 cống tiêu (Phòng Kinh tế chủ trì, Hợp tác xã phối hợp, xong trước 20/6)"
_IN_BRACKETS = re.compile(
    rf"(?P<deed>[^()]{{8,240}})\((?P<lead>(?=[A-ZĐỦ]){STARTS_AS_AGENCY.pattern}\s[^();:]{{2,160}}?)"
    rf"(?P<role>\s+(?:chủ trì|thực hiện|phụ trách|đảm nhiệm))?"
    rf"(?:,\s*(?:phối hợp với )?(?P<help>[^();:]{{2,160}}?)\s+(?P<helps>phối hợp))?"
    r"(?P<due>,\s*(?:xong|hoàn thành|thời hạn|hạn|trước|chậm nhất|trong)\s[^();]{2,60})?\)\s*[.;/]*$"
)
_TOLD = re.compile(r"\b(?:đã|đang|sẽ|bị|được|là)\b")
# "gửi về Sở Y tế (Phòng Nghiệp vụ Y)" says to whom.
_TO_SOMEBODY = re.compile(
    rf"\b(?:về|gửi|của|cho|tại|với|trình|báo cáo|đến|do)\s+(?=[A-ZĐỦ]){STARTS_AS_AGENCY.pattern}[^,.;()]*$"
)
_SUBNUMBER = re.compile(r"(?P<number>\d{1,2}\.\d{1,2})\.?\s+(?!\d)")
_NUMBER = re.compile(r"(?P<number>\d{1,2})\s*[.)/]\s+(?=[^\W\d])")
_LONGEST_HEADING = 90


def charged_in_brackets(passage: Passage) -> Order | None:
    """The order of a deed behind which brackets say whose it is; None for any other passage."""
    found = _IN_BRACKETS.match(passage.text)
    if found is None or _TOLD.search(found["deed"]) or _TO_SOMEBODY.search(found["deed"].rstrip()):
        return None
    if STARTS_AS_AGENCY.match(found["deed"]):
        return None
    leads = read_names(passage.cut(found.start("lead"), found.end("lead")), PartyRole.LEAD)
    helpers = []
    if found["help"]:
        helpers = read_names(passage.cut(found.start("help"), found.end("help")), PartyRole.COOPERATING)
    return Order((*leads, *helpers), True, 0) if leads else None


def shares_in_brackets(own: Passage) -> list[tuple[Passage, Order]]:
    """The deeds of a clause, where brackets behind each say whose it is; none where not all of them do."""
    pieces = list(sentences(own))
    shares = [(piece, order) for piece in pieces if (order := charged_in_brackets(piece))]
    return shares if len(shares) == len(pieces) else []


def labels_within(own: Passage) -> list[Passage]:
    """What a paragraph says behind its deed in words of a form: "Đơn vị chủ trì: …; thời hạn: …"."""
    first, *more = sentences(own)
    if LABELLED.match(first.text):
        return []
    labels = [piece.cut(0, len(piece.text.rstrip(" ;./"))) for piece in more if LABELLED.match(piece.text)]
    return labels if any(_leads(one) for one in labels) else []


def _leads(label: Passage) -> bool:
    found = LABELLED.match(label.text)
    return bool(found and found["lead"] and read_names(label.cut(found.end()), PartyRole.LEAD))


def is_charged(sentence: Passage, following: Passage | None) -> bool:
    """Whether a form says who leads what the sentence names, as the row of a table does: in brackets with the role or
    the day, or behind "Đơn vị chủ trì:" in the sentence that follows.
    """
    found = _IN_BRACKETS.match(sentence.text)
    if found and (found["role"] or found["due"]) and charged_in_brackets(sentence):
        return True
    return following is not None and not LABELLED.match(sentence.text) and _leads(following)


def carries_out(sentence: Passage) -> bool:
    """Whether a decision's usual words name who carries it out: "Chánh Văn phòng … chịu trách nhiệm thi hành …"."""
    order = read_order(sentence, clause=True)
    return order is not None and order.named and bool(_CARRIES_OUT.search(sentence.text, order.at))


_CARRIES_OUT = re.compile(r"\bchịu trách nhiệm (?:tổ chức )?thi hành\b")


def parts_of(clause: Clause) -> list[Clause]:
    """The clauses that a clause only heads: "1. Về giám sát" above "1.1. Sở Y tế" with points of its own."""
    section = clause.label.rpartition(".")[0]
    if article := clause.label.startswith("Điều"):
        section = clause.label
    numbers = _NUMBER if article else _SUBNUMBER
    parts = list[Clause]()
    for point in clause.points:
        if number := numbers.match(point[0].text):
            label = f"{section}.{number['number']}" if section else number["number"]
            lines = [point[0].cut(number.end()), *point[1:]]
            parts.append(Clause(label, lines, section=clause.section, heading=clause.heading, aside=clause.aside))
        elif not parts:
            return []
        else:
            parts[-1].points.append(point)
    heads = [one for one in parts if one.points and _is_heading(joined(one.lines).text)]
    return parts if heads or (article and len(parts) > 1) else []


def settled(clause: Clause) -> Clause:
    """The clause, with the numbers of an article whose parts name nobody as lines of its own: one order, if any."""
    if not clause.label.startswith("Điều"):
        return clause
    for part in parts_of(clause):
        found = read_order(joined(part.lines), clause=True, heads=bool(part.points))
        if found is not None and found.named:
            return clause
    lines, points = list(clause.lines), list[list[Passage]]()
    for point in clause.points:
        if not _NUMBER.match(point[0].text):
            points.append(list(point))
        else:
            (points[-1] if points else lines).extend(point)
    return replace(clause, lines=lines, points=points)


def _is_heading(text: str) -> bool:
    return text.endswith(":") or (len(text) < _LONGEST_HEADING and text[-1] not in ".;,/")
