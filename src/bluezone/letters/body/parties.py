# SPDX-License-Identifier: Apache-2.0
"""Read who is ordered to do something: who leads and who cooperates; and tell an order from what only informs."""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bluezone.letters.agency_names import (
    LONGEST_LIST,
    STARTS_AS_AGENCY,
    all_agencies,
    is_agency,
    is_collective,
    may_be_name,
    split_names,
)
from bluezone.letters.body.deeds import IMPERATIVE, IN_PLACES, NAME_WORDS, verbs_after_names
from bluezone.letters.body.openings import bared
from bluezone.letters.body.passives import doer_in
from bluezone.letters.letter_text import Passage
from bluezone.letters.proposal import Addressee, Confidence, Doubt, PartyRole, Proposed, TaskParty

_OPENING = re.compile(
    r"^(?:Riêng(?: đối với)?"
    r"|Giao(?:\s+nhiệm\s+vụ)?|Đề nghị|Yêu cầu|Kính đề nghị|Trân trọng đề nghị|(?:Kính )?[Nn]hờ|Phân công"
    r"|Chỉ đạo|Đối với|Về phía"
    r"|Trách nhiệm của|Nhiệm vụ của|Ủy quyền|(?:Các|Những) (?:ông|đồng chí|bà)(?:,? ?\(?bà\)?)?(?=:)"
    r"|(?:Rất |Kính )?[Mm]ong|Đồng ý giao|Thống nhất giao|Mời|Ủy ban nhân dân [^,:;.]{0,40} giao"
    r"|UBND [^,:;.]{0,40} giao)\s*:?\s+(?:cho\s+)?",
)
_COOPERATION = re.compile(
    r"(?:[Pp]hối hợp|[Pp]hối kết hợp)(?:\s+(?:chặt chẽ|thường xuyên|đồng bộ))?\s+"
    r"(?:(?:với|cùng)(?:\s+với)?\s+|(?=[A-ZĐỦ]))"
    r"|[Hh]iệp đồng (?:với|cùng)\s+|(?:,|\s)cùng với\s+|chủ trì,?\s+cùng\s+(?:với\s+)?"
    r"|(?<!\w)[Cc]ùng\s+(?:với\s+)?(?=[A-ZĐỦ])|cơ quan phối hợp\s*:\s*|đơn vị phối hợp\s*:\s*"
)
# "Sở Y tế chủ trì, Công an tỉnh phối hợp rà soát"
_COOPERATE = re.compile(
    r"chủ trì[,;]?\s+(?:và\s+)?(?P<who>[A-ZĐỦ][^.;:]{2,120}?)\s+(?:cùng\s+)?phối hợp\b"
    r"(?!\s+(?:với|cùng|chặt|thường|đồng))"
)
# No clause says it more often; a text made to be slow does.
_MOST_COOPERATIONS = 10
_MOST_VERBS = 4
_LONGEST_BEFORE_COLON = 45
_LONGEST_NAMES = 200
_LEADING = re.compile(
    r"(?:\s+(?:là|làm)\s+(?:(?:cơ quan|đơn vị)\s*)?(?:thường trực)?)?[\s,]*(?:chủ trì|đầu mối)\b"
    r"|\s+là\s+(?:cơ quan|đơn vị)\s+thường trực"
)
# "Đơn vị chủ trì: Sở Y tế" on a line of its own.
LABELLED = re.compile(
    r"^(?:[-+•]\s*)?(?:(?P<lead>(?:(?:Cơ quan|Đơn vị|Bộ phận)\s+)?(?:chủ trì|thực hiện|đầu mối|phụ"
    r" trách|chịu trách nhiệm)"
    r"(?:\s+(?:thực hiện|chính|tham mưu))?)|(?P<help>(?:(?:Cơ quan|Đơn vị|Bộ phận)\s+)?phối hợp(?:\s+thực hiện)?)"
    r"|(?P<due>(?:Thời gian|Thời hạn|Tiến độ|Hạn)(?:\s+(?:thực hiện|hoàn thành|báo cáo|gửi|nộp))*))\s*:\s*",
    re.IGNORECASE,
)
_PRAISE = re.compile(
    r"^(?:Đánh giá cao|Ghi nhận|Biểu dương|Hoan nghênh|Cho phép|Chấp thuận|Công nhận|Cơ bản|Đồng ý|Thống nhất"
    r" (?:với|về|theo|nội dung|chủ trương|đề xuất|đề nghị|như|phương án|danh mục|kết quả)|Nhất"
    r" trí|Thực hiện (?:Công văn|Kế hoạch"
    r"|Chỉ thị|Quyết định|Công điện|Thông báo|Nghị quyết|ý kiến))"
)
# Those who are told, named by what they are to the letter.
_YOU = re.compile(r"^(?:[Qq]uý\s|các đồng chí$|các đại biểu|[Qq]uý)", re.IGNORECASE)
_PAST = re.compile(r"(?:đã|đang|vừa|mới|sẽ|được|không|chưa)\s*$")
# "Các Tổ nên họp vào tối thứ Bảy" advises.
_ADVISED = re.compile(r"\snên\s*$")
# "Trạm Y tế tham mưu UBND phường chỉ đạo các ngành …" is one order, if any, and of the first.
_COUNSELS = re.compile(r"\b(?:tham mưu|đề xuất|kiến nghị)\s[^,;.:]{2,80}$")


@dataclass(frozen=True)
class Order:
    """What a passage orders: whom it names, and whether it is an order at all.

    named: it names who is to do it; else it only says what is to be done. at: where in the passage that is said.
    """

    parties: tuple[Proposed[TaskParty], ...]
    named: bool
    at: int


def read_order(
    passage: Passage,
    *,
    heads: bool = False,
    clause: bool = False,
    shared: bool = False,
    given: bool = False,
    known: Sequence[str] = (),
) -> Order | None:
    """Return what the passage orders, None where it only informs.

    clause: whether it is one of a list of orders, in which a name that is followed by any word is taken for a lead.
    heads: whether points stand below it, so that names alone ("Sở Y tế") say whom they are for.
    given: whether it begins with the word that asks, so that any name in capitals behind it is of who is asked.
    known: the names of those whom the letter addresses; what follows one of them is told to it, whatever the verb.
    shared: whether it is one of a section that shares out the work, in which any words before a colon are a name.
    """
    if (passage := bared(passage, clause=clause)).is_blank or _WRITER.match(passage.text):
        return None
    if passive := read_passive(passage, clause=clause):
        return passive
    leads, rest = _leads(passage, listed=clause)
    topic = _TOPIC.match(passage.text)
    if not leads and topic:
        leads, rest = _leads(passage.cut(topic.end()))
        rest += topic.end()
    if not leads and heads and len(passage.text) < _LONGEST_NAMES:
        opening = _OPENING.match(passage.text)
        names = split_names(passage.cut(opening.end() if opening else 0))
        if all_agencies(names):
            leads, rest = _distinct([_party(name, PartyRole.LEAD) for name in names]), len(passage.text)
    if (addressed := _by_name(passage, known)) and (not leads or rest > addressed[1] > 0):
        leads, rest = addressed
    if not leads and clause:
        leads, rest = _by_words(passage)
    if not leads and (given or clause):
        leads, rest = _asked(passage)
    if leads:
        told = _CITIZENS_ASK.match(passage.text, rest) and all(_CITIZEN.match(lead.value.name) for lead in leads)
        return (
            None
            if told or _LIABLE.match(passage.text, rest)
            else Order((*leads, *_helpers(passage, rest, leads)), True, rest)
        )
    if (
        IMPERATIVE.match(passage.text)
        and not _ENTRY.match(passage.text)
        and not _PRAISE.match(passage.text)
        and not _is_title(passage.text)
    ):
        return Order(tuple(_cooperating(passage, 0)), False, 0)
    if shared and topic and IMPERATIVE.match(passage.text[topic.end() :]):
        # "Văn hóa - Xã hội: Tổng hợp số liệu", where every clause says who does what.
        doer = passage.cut(0, passage.text.find(":"))
        return Order((named_in_cell(doer), *_cooperating(passage, topic.end())), True, topic.end())
    return None


def read_passive(passage: Passage, *, clause: bool = True) -> Order | None:
    """The order of what is to be done by somebody: "Việc lấy mẫu do Trung tâm Y tế thực hiện". clause: of a list."""
    doer = doer_in(passage.text, listed=clause)
    if doer is None:
        return None
    before = passage.text[: doer.start("who")]
    if re.search(r"\b(?:đã|đang)\b", before.split(" được ")[-1]) or re.search(r"\b(?:đã|đang) được $", before):
        return None
    helped = _COOPERATION.search(passage.text, doer.start("who"), doer.end("who"))
    end = helped.start() if helped else doer.end("who")
    names = split_names(passage.cut(doer.start("who"), end))
    if not all_agencies(names):
        return None
    parties = _distinct([_party(name, PartyRole.LEAD, Confidence.MEDIUM) for name in names])
    return Order((*parties, *_helpers(passage, end, parties)), True, 0)


def for_addressees(addressees: Sequence[Proposed[Addressee]]) -> tuple[Proposed[TaskParty], ...]:
    """The parties of an order that names nobody: all whom the letter addresses."""
    return tuple(
        Proposed(
            TaskParty(addressee.value.name, PartyRole.LEAD, addressee.value.collective),
            addressee.span,
            Confidence.LOW,
            (Doubt.ADDRESSEES,),
        )
        for addressee in addressees
    )


def with_addressees(
    parties: Sequence[Proposed[TaskParty]], addressees: Sequence[Proposed[Addressee]]
) -> tuple[Proposed[TaskParty], ...]:
    """The parties with the addressees as leads where none leads, or where "quý Sở" stands for them."""
    # "quý cơ quan, địa phương": what follows "quý" is of those who are told, too.
    told = any(_YOU.match(party.value.name) for party in parties)
    kept = [party for party in parties if not (told and (_YOU.match(party.value.name) or party.value.name.islower()))]
    leads = [party for party in kept if party.value.role is PartyRole.LEAD]
    if leads or not addressees:
        return tuple(kept if leads or not parties else parties)
    names = {party.value.name for party in kept}
    return (*(one for one in for_addressees(addressees) if one.value.name not in names), *kept)


def read_names(names: Passage, role: PartyRole) -> list[Proposed[TaskParty]]:
    """Propose each agency of a list such as a cell "Sở Y tế, Công an tỉnh"; what is no name of one is left out."""
    return [_party(name, role) for name in split_names(names) if all_agencies([name])]


def named_in_cell(name: Passage) -> Proposed[TaskParty]:
    """Who stands in the place of those in charge, though the name begins as that of no agency known here."""
    return _party(name, PartyRole.LEAD, Confidence.LOW, (Doubt.OUTSIDE_ITS_PLACE,))


def _is_title(text: str) -> bool:
    """Return whether the passage is the title of a section: short, without a verb's object or an end."""
    return len(text) < 70 and text.endswith(":") and len(text.split()) <= 3


def _helpers(clause: Passage, rest: int, leads: Sequence[Proposed[TaskParty]]) -> list[Proposed[TaskParty]]:
    known = {party.value.name for party in leads}
    found: list[Proposed[TaskParty]] = []
    for party in _cooperating(clause, rest):
        if party.value.name not in known:
            known.add(party.value.name)
            found.append(party)
    return found


def _leads(clause: Passage, *, listed: bool = False) -> tuple[list[Proposed[TaskParty]], int]:
    """Return the leads and where the rest of the clause begins.

    listed: whether it is one of a list of orders, in which what is not to be done is an order, too.
    """
    opening = _OPENING.match(clause.text)
    start = opening.end() if opening else 0
    colon = clause.text.find(":", start, start + LONGEST_LIST)
    if colon > 0 and not _lists_on(clause.text, start, colon) and not clause.text[start:colon].endswith(" sau"):
        before = clause.text[start:colon]
        verb = _LEADING.search(before) or _COOPERATION.search(before)
        names = split_names(clause.cut(start, start + verb.start() if verb else colon))
        if all_agencies(names) and not (
            len(before) > _LONGEST_BEFORE_COLON and next(verbs_after_names(before, 0), None)
        ):
            return _distinct([_party(name, PartyRole.LEAD) for name in names]), start
    # The first verb may be part of a name ("Tổ hỗ trợ báo cáo …").
    for verb in itertools.islice(verbs_after_names(clause.text, start), _MOST_VERBS):
        if verb.start("verb") - start > LONGEST_LIST:
            break
        before = clause.text[start : verb.start("verb")]
        past = _PAST.search(before) or _ADVISED.search(before)
        if past and not (listed and past.group().startswith("không")):
            continue
        if verb["verb"] in IN_PLACES and clause.text[start : verb.start("verb")].rstrip().endswith("cơ sở"):
            continue  # "các cơ sở khám chữa bệnh"
        until = start + past.start() if past else verb.start("verb")
        if leading := _LEADING.search(clause.text, start, until):
            until = leading.start()
        names = split_names(clause.cut(start, until))
        if all_agencies(names):
            sure = clause.text.startswith("chủ trì", verb.start("verb")) or bool(
                _COOPERATION.match(clause.text, verb.start("verb"))
            )
            confidence = Confidence.HIGH if sure else Confidence.MEDIUM
            doubts = () if sure else (Doubt.NO_COLON,)
            *others, last = names
            if (ended := _to_its_place(last)) != last and is_agency(ended.text):
                end = clause.text.find(ended.text, start) + len(ended.text)
                parties = [_party(name, PartyRole.LEAD, Confidence.LOW, doubts) for name in (*others, ended)]
                return _distinct(parties), end
            return _distinct([_party(name, PartyRole.LEAD, confidence, doubts) for name in names]), verb.start("verb")
    return [], 0


_LEVEL = frozenset({"tỉnh", "huyện", "xã", "phường", "quận", "phố", "trấn", "thôn", "bản", "vực", "đoàn"})
# With these a name goes on behind its place: "UBND các xã ven biển", "các huyện có dịch".
_WHICH = frozenset({
    "nơi", "có", "trên", "thuộc", "vùng", "ven", "biên", "miền", "ngoài", "trong", "tại", "giáp", "lân",
    "trọng", "sở",
    "đóng", "cùng", "phụ", "được", "liên", "dưới", "còn", "đang", "ở", "theo", "chưa", "đã", "phía", "và",
    "của", "là",
    "từ", "không", "bị", "nghèo", "này", "nêu", "khác", "đặt", "đạt", "mới", "cũ", "lưu", "đảo", "loại", "số", "về",
})  # fmt: skip


def _to_its_place(name: Passage) -> Passage:
    """The name up to its place where a verb follows that is not among the known ones: "UBND phường Cầu Mới lo liệu"."""
    placed = False
    end = 0
    for word in re.finditer(r"\S+", name.text):
        bare = word.group().strip(",;()")
        if placed and bare.islower() and bare not in _WHICH and bare not in NAME_WORDS:
            return name.cut(0, end)
        placed = bare in _LEVEL or (placed and bare[:1].isupper())
        end = word.end()
    return name


def _asked(passage: Passage) -> tuple[list[Proposed[TaskParty]], int]:
    """Who is asked under a name that begins as that of no agency known here: "đề nghị Giám thị trại giam khám …"."""
    opening = _OPENING.match(passage.text)
    verb = next(verbs_after_names(passage.text, opening.end()), None) if opening else None
    if opening is None or verb is None:
        return [], 0
    name = passage.cut(opening.end(), verb.start("verb"))
    words = name.text.split()
    if not name.text[:1].isupper() or not 2 <= len(words) <= 12 or not may_be_name(name.text):
        return [], 0
    return [named_in_cell(name.cut(0, len(name.text.rstrip(" ,"))))], verb.start("verb")


def by_capitals(passage: Passage) -> Order | None:
    """The order of whom the passage names first, a body of no kind known here: "Phân trại 2 chủ trì …".

    To be asked only of what is an order without doubt: "Chiều 12 tháng 8" begins so, too.
    """
    passage = bared(passage, clause=True)
    verb = next(verbs_after_names(passage.text, 0), None)
    if verb is None:
        return None
    name = passage.cut(0, len(passage.text[: verb.start("verb")].rstrip(" ,")))
    first, *words = name.text.split()
    if not (first[0].isupper() and any(one[0].isupper() or one.isdecimal() for one in words)) or len(words) > 10:
        return None
    if not may_be_name(name.text) or re.search(r"[,:;]", name.text):
        return None
    leads = [named_in_cell(name)]
    return Order((*leads, *_helpers(passage, verb.start("verb"), leads)), True, verb.start("verb"))


# After a name these say how things are, and order nothing.
_STATES = frozenset({
    "gồm", "là", "có", "đạt", "được", "đã", "bị", "do", "không", "chưa", "tại", "từ", "theo", "ở", "vẫn", "còn",
    "như", "sẽ", "hưởng", "đang", "cần", "nên", "thì", "mà", "bao", "trong", "rất", "xin",
    "kính", "trân", "mong",
})  # fmt: skip


def _by_words(passage: Passage) -> tuple[list[Proposed[TaskParty]], int]:
    """The leads of an order whose verb is not among the known ones: the name ends where no more word is of a name."""
    opening = _OPENING.match(passage.text)
    start = opening.end() if opening else 0
    if not STARTS_AS_AGENCY.match(passage.text, start):
        return [], 0
    end = start
    before = ""
    for word in re.finditer(r"\S+", passage.text[: start + LONGEST_LIST]):
        if word.start() < start:
            continue
        bare = word.group().strip(",;")
        # "Nông nghiệp": the second syllable of a word whose first is a capital.
        second = before[:1].isupper() and not before.isupper() and bare.islower() and bare not in _STATES
        named = bare[:1].isupper() or bare.isdecimal() or bare in NAME_WORDS or bare == "-" or second
        if not named or bare[-1:] in ".:":
            after = bare.rstrip(".:")
            break
        end, before = word.end(), bare
    else:
        return [], 0
    if before.strip(",").isdecimal() and not passage.text[end:].startswith((",", ".", ";")):
        return [], 0  # "Giao Trung tâm Y tế 45 biên chế" gives something
    if re.match(r"\s*\S+\s+(?:đã|đang|sẽ|vẫn)\b", passage.text[end:]):
        return [], 0  # "Ngành điện | lực đã cắt điện"
    told = re.match(r"\s*(?:không\s(?!có|còn|được|phải|là|bị|thể|đủ|đạt|kịp)|có mặt\b)", passage.text[end:])
    if (after in _STATES and not told) or not after.isalpha() or passage.text[end - 1 : end] in ",;":
        return [], 0
    names = split_names(passage.cut(start, end))
    if not all_agencies(names) or any(len(name.text.split()) < 2 for name in names):
        return [], 0
    doubts = (Doubt.NO_COLON,)
    return _distinct([_party(name, PartyRole.LEAD, Confidence.LOW, doubts) for name in names]), end


def _by_name(passage: Passage, known: Sequence[str]) -> tuple[list[Proposed[TaskParty]], int] | None:
    """The lead of what begins with the name of one whom the letter addresses, and a word of doing: "Công ty Xe buýt cho
    các tuyến 03, 07 đi đường tránh".
    """
    opening = _OPENING.match(passage.text)
    start = opening.end() if opening else 0
    for name in sorted(known, key=len, reverse=True):
        end = start + len(name)
        if passage.text[start:end].casefold() != name.casefold():
            continue
        following = re.match(r"\s(?P<word>[^\W\d_]+)(?:\s(?P<next>[^\W\d_]+))?", passage.text[end:])
        if following is None or not following["word"].islower() or following["word"] in _STATES | _WHICH | NAME_WORDS:
            return None
        if following["next"] in {"đã", "đang", "sẽ", "được"}:
            return None
        return [_party(passage.cut(start, end), PartyRole.LEAD, Confidence.MEDIUM, (Doubt.NO_COLON,))], end + 1
    return None


def _lists_on(text: str, start: int, colon: int) -> bool:
    rest = text[colon + 1 :].lstrip()
    return bool(_LISTED_AFTER.search(text, start, colon)) and not (IMPERATIVE.match(rest) or _BASED.match(rest))


# What a citizen asks for in a complaint is told.
_CITIZEN = re.compile(r"(?:ông|bà|cử tri|công dân|nhân dân|người dân|phụ huynh|báo)\b", re.IGNORECASE)
_CITIZENS_ASK = re.compile(r"(?:đề nghị|yêu cầu|kiến nghị|phản ánh|khiếu nại|tố cáo)\b")
# "Sở khuyến khích cán bộ nêu gương": so the writer calls itself, and says what it would like.
_WRITER = re.compile(r"(?:Sở|Bộ|Cục|Nhà trường)\s(?:khuyến khích|hoan nghênh|(?:rất )?mong|ghi nhận|cảm ơn)\b")
# Who answers to whom if it goes wrong is told; for what ("về …") may be an order.
_LIABLE = re.compile(
    r"(?:\s|,|\b(?:phải|cũng|hoàn toàn|trực tiếp)\b)*chịu (?:hoàn toàn |toàn bộ )?trách nhiệm (?:cá nhân )?trước\b"
    r"(?![^.;]*\b(?:về|trong việc)\b)"
)
# "Trực lãnh đạo: BS. Cung Văn Lực" says who, and "Mức chi: 80.000 đồng" how much.
_ENTRY = re.compile(
    r"(?:\S+\s+){0,4}\S+\s*:\s*"
    r"(?:(?:BS|ThS|TS|DS|CN|KS|ĐD|BSCK\w*|GS|PGS)\b|[Ôô]ng |[Bb]à |Đ/c|[Đđ]ồng chí |\d|từ |ngày )"
)
# "Về nhân lực: Sở Nội vụ rà soát …": a topic of a few words stands before the order.
_TOPIC = re.compile(r"^(?:(?:Về|Đối với|Riêng|Liên quan) [^:.;]{3,200}|(?:\S+\s+){0,9}\S+)\s*:\s*(?=[A-ZĐ])")


_BASED = re.compile(
    r"(?:Căn cứ|Trên cơ sở|Theo|Tùy|Từ|Sau|Khi|Nếu|Hằng|Hàng|Định kỳ|Ngoài|Có trách nhiệm|Là|Đối với)\s"
)
# "Giám đốc các Sở: Tài chính, Y tế" goes on behind its colon.
_LISTED_AFTER = re.compile(r"\b[Cc]ác (?:Sở|sở|Phòng|phòng|Ban|ban|Bộ|bộ|huyện|xã|phường|bệnh viện|trường)$")


def _distinct(parties: Sequence[Proposed[TaskParty]]) -> list[Proposed[TaskParty]]:
    return list({party.value.name: party for party in parties}.values())


def _cooperating(clause: Passage, start: int) -> list[Proposed[TaskParty]]:
    found: list[Proposed[TaskParty]] = []
    if behind := _COOPERATE.search(clause.text, start):
        found = read_names(clause.cut(behind.start("who"), behind.end("who")), PartyRole.COOPERATING)
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
    verb = next(verbs_after_names(text, start), None)
    return min(end, verb.start("verb")) if verb else end


def _party(
    name: Passage, role: PartyRole, confidence: Confidence = Confidence.HIGH, doubts: tuple[Doubt, ...] = ()
) -> Proposed[TaskParty]:
    return Proposed(TaskParty(name.text, role, is_collective(name.text)), name.span(), confidence, doubts)


_GIVEN = re.compile(
    r"(?:^|(?<=[\s,;:]))(?P<how>[Gg]iao(?:\s+nhiệm\s+vụ)?|[Yy]êu cầu|(?:[Kk]ính |[Tt]rân trọng"
    r" )?(?:[Đđ]ề nghị|[Nn]hờ)|[Pp]hân công"
    r"|[Cc]hỉ đạo|[Ủủ]y quyền|(?:[Kk]ính |[Rr]ất )?[Mm]ong|[Ll]ưu ý)\s+(?:cho\s+)?(?P<to>"
    rf"{STARTS_AS_AGENCY.pattern}|[A-ZĐ][^\W\d_]+(?= [^\W\d_]+ ))"
)


# "Sở Tài chính gửi để Sở Y tế biết, bổ sung thuyết minh"
KNOWING = re.compile(rf"(?<=để )(?P<how>(?P<to>{STARTS_AS_AGENCY.pattern}))(?=[^,;.:]{{0,80}} biết(?:,| và)\s)")
# "chuyển đơn đến Ủy ban nhân dân huyện xem xét, giải quyết theo thẩm quyền"
_PASSED_ON = re.compile(
    rf"\b(?:[Cc]huyển|[Gg]ửi)\s[^.;:]{{2,120}}?\s(?:đến|tới|cho)\s+(?P<how>(?P<to>{STARTS_AS_AGENCY.pattern}))"
    rf"(?=[^.;:]{{0,100}}?,?\s(?:để )?(?:xem xét|giải quyết|xử lý|kiểm tra|xác minh|trả lời|nghiên cứu)\b)"
)
# They are asked out of politeness, or given what those above them are asked to give.
_NOBODY = re.compile(r"(?:ông|bà|quý|nhân dân|người|cán bộ|công chức|viên chức|giáo viên)", re.IGNORECASE)


def given_at(text: str) -> list[re.Match[str]]:
    """Where running text gives an agency an order: "… giao Sở Y tế chủ trì …"; group `how` begins it."""
    found = [*_GIVEN.finditer(text), *KNOWING.finditer(text), *_PASSED_ON.finditer(text)]
    return sorted((match for match in found if _gives(text, match)), key=lambda match: match.start("how"))


def _gives(text: str, match: re.Match[str]) -> bool:
    how = match["how"].lower()
    if (how.endswith(("mong", "phân công")) or match["how"] == match["to"]) and _NOBODY.match(match["to"]):
        return False
    before = text[: match.start("how")]
    if how in {"giao", "phân công"} and before.endswith("được "):
        # "Việc này được giao cho Sở Y tế …", and not "Sở Y tế được giao …"
        subject = re.split(r"[,;:.]\s+", before.removesuffix("được "))[-1]
        return not STARTS_AS_AGENCY.match(subject) and bool(subject) and not _PAST.search(subject.rstrip())
    return not (_PAST.search(before) or _COUNSELS.search(before))
