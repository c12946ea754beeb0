# SPDX-License-Identifier: Apache-2.0
"""Read who leads a clause (chủ trì) and who cooperates (phối hợp với).

Letters name the lead in three ways: before a colon ("Thành đoàn, Hội Liên hiệp Phụ nữ thành phố: …"), before a verb
("Phòng Y tế chủ trì, phối hợp với … tham mưu …") or not at all; then the clause is for all whom the letter addresses.
"""

import itertools
import re
from collections.abc import Sequence

from bluezone.rollout.directives.agencynames import LONGEST_LIST, all_agencies, is_collective, split_names
from bluezone.rollout.directives.passages import Passage
from bluezone.rollout.directives.proposal import (
    Addressee,
    Confidence,
    Doubt,
    PartyRole,
    Proposed,
    TaskParty,
)

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
