# SPDX-License-Identifier: Apache-2.0
"""Read the orders of running text, sentence by sentence."""

import dataclasses
import re
from collections.abc import Iterator, Sequence

from bluezone.letters.agency_names import STARTS_AS_AGENCY
from bluezone.letters.body.context import (
    Context,
    are_addressed,
    are_peers,
    capital,
    is_above,
    is_function,
    is_issuer,
    is_told_nothing,
    make_task,
)
from bluezone.letters.body.deeds import VERB
from bluezone.letters.body.parties import KNOWING, Order, given_at, read_order, read_passive, with_addressees
from bluezone.letters.body.telling import (
    EARLIER,
    Asker,
    is_ours,
    is_past,
    is_told,
    judges,
    names_the_deed,
    reports,
    tells_a_result,
    who_asks,
)
from bluezone.letters.due_dates import read_due
from bluezone.letters.letter_text import Passage
from bluezone.letters.proposal import Confidence, DocumentKind, Doubt, PartyRole, Proposed, ProposedTask, TaskParty

# Of a meeting's invitation: the courtesy of coming is no task.
COURTESY = re.compile(r"(?:tham dự|dự họp|đến dự|dự hội nghị|có mặt|sắp xếp thời gian|đúng thành phần)", re.IGNORECASE)
# What an invitation says of the meeting itself.
ARRANGEMENT = re.compile(
    r"(?:Thời gian|Địa điểm|Thành phần|Nội dung|Chủ trì|Phương tiện|Trang phục|Kinh phí|Hình thức|Đầu mối|Liên hệ)\b",
    re.IGNORECASE,
)
# The last sentence of a letter that only says "carry it out".
_CARRY_OUT = re.compile(
    r"(?:triển khai|tổ chức|nghiêm túc|khẩn trương|phối hợp|quan tâm|biết|phối hợp|và|,|chỉ đạo|\s)*\s?"
    r"(?:thực hiện|phối hợp|triển khai|chỉ đạo thực hiện)(?:\s+(?:nghiêm túc|tốt|kịp thời|có hiệu quả|theo quy định"
    r"|các nội dung trên|nội dung trên|nghiêm))*\s*[./]*\s*$"
)
_NOTHING_ELSE = re.compile(
    r"(?:\s|,|\b(?:triển khai|tổ chức|nghiêm túc|nghiêm|khẩn trương|phối hợp|quan tâm|biết|để|và|chỉ đạo"
    r"|thực hiện|tốt"
    r"|kịp thời|có hiệu quả|theo quy định|các|nội dung|nêu|trên|này|ngay|đồng bộ|chủ động|quyết liệt|đầy đủ|đúng"
    r"|tập trung|nhiệm vụ|được giao|công văn|công điện|văn bản|chỉ thị|kế hoạch|thông báo|căn cứ|chức năng"
    r"|cùng|cho|các"
    r"|cơ quan|đơn vị|địa phương|người dân|nhân dân|hưởng ứng|hợp tác|thông cảm|ủng hộ|tích cực"
    r"|được|tinh thần|ý kiến|kết luận|của|đồng chí)\b)*[\s./]*",
    re.IGNORECASE,
)
# "Trong quá trình thực hiện, nếu có vướng mắc, đề nghị đơn vị liên hệ …" is a courtesy.
_TROUBLE = re.compile(
    r"\b(?:nếu|trường hợp|mọi|khi|cần|thông tin|chi tiết)\b[^.;]{0,50}\b(?:khó khăn|vướng mắc|thắc mắc|bất cập"
    r"|phát sinh|chưa rõ|chi tiết|thêm thông tin|trao đổi)\b[^.;]{0,160}\b(?:phản ánh|liên hệ|báo cáo|trao đổi"
    r"|thông tin|kiến nghị|phản hồi|đề xuất)\b",
    re.IGNORECASE,
)
SENTENCE_END = re.compile(r"(?<=[^\s.]{2}[.;])\s+(?=[\"“(]?[^\W\d_])|(?<=\d[.;])\s+(?=[\"“(]?[^\W\d_])|(?<=độ C\.)\s+")
_FOLLOWS = re.compile(r"^(?:Báo cáo|Kết quả|Việc|Các|Thời|Hạn|Trong|Nội dung|Văn bản|Danh sách|Mọi|Định kỳ|Khi|Nếu)")


def read_prose(paragraphs: Sequence[Passage], context: Context, *, begun: bool = True) -> Iterator[ProposedTask]:
    """Propose the orders of running text, sentence by sentence.

    A sentence that names nobody carries the order above it on. begun: whether the letter has come to its orders; before
    it asks for anything it tells what others do, and a sentence orders only whom it addresses.
    """
    found: list[_Order] = []
    asking = given = begun
    listed: tuple[Proposed[TaskParty], ...] | None = None  # whom the lines below a colon are for
    in_list = False  # below "UBND thị xã phân công như sau:"
    for paragraph in paragraphs:
        carried, begins = False, True
        if listed is not None and _is_listed(paragraph):
            found.append((paragraph, listed, []))
            continue
        listed = _leads_to_list(paragraph, context)
        in_list = in_list or _shares_out(paragraph, context)
        if context.kind is DocumentKind.INVITATION and ARRANGEMENT.match(paragraph.text):
            continue
        pieces = list(sentences(paragraph))
        for at, sentence in enumerate(pieces):
            if sentence.text.startswith(("Căn cứ", "Xét ", "Theo đề nghị")) and not given_at(sentence.text):
                continue
            # What a semicolon joins to what is told is told, too.
            told = reports(sentence.text) or (carried and not begins) or _introduced_by_another(sentence, context)
            begins = sentence.text.endswith(".")
            if in_list and not told and (shared := read_passive(sentence)):
                found.append((sentence, shared.parties, []))
                continue
            orders = list(_of_sentence(sentence, context, told=told))
            asked = _ABOUT.sub("", sentence.text)
            asking = asking or _asks(asked, context)
            carried = told or _another_asks(asked, context)
            dated = any(read_due(piece, context.date) for piece in _to_full_stop(pieces[at:]))
            given = given or any(not one.bare for one in orders) or _demands(asked, context)
            sure = [one for one in orders if _is_sure(one, context, asking=asking, dated=dated, given=given)]
            if sure:
                found += [(one.piece, one.parties, []) for one in sure]
            elif found and not told and not orders and _carries_on(sentence, context, below=bool(at)):
                found[-1][2].append(sentence)
    context.unsure.extend(one[0] for one in found if _only_passes_on(one, found))
    found = [one for one in found if not _only_passes_on(one, found)]
    kept = [one for one in found if not only_closes(one[0], context)] or found
    for number, (piece, parties, more) in enumerate(kept, start=1):
        task = make_task(f"Ý {number}", piece, more, with_addressees(parties, context.addressees), context)
        text = Proposed(task.text.value, task.text.span, Confidence.MEDIUM, (Doubt.PROSE,))
        yield dataclasses.replace(task, text=text)


_Order = tuple[Passage, tuple[Proposed[TaskParty], ...], list[Passage]]
# "chuyển đơn đến Ủy ban nhân dân xã để giải quyết theo thẩm quyền. Đề nghị Ủy ban nhân dân xã kiểm tra, trả lời …"
_TO_SETTLE = re.compile(
    r"(?:\s|,|\b(?:để|xem xét|giải quyết|xử lý|và|theo|thẩm quyền|quy định|của|pháp luật|chức năng)\b)*[./]*"
)


def _only_passes_on(one: _Order, found: Sequence[_Order]) -> bool:
    """Whether a paper is only passed on to somebody of whom the letter asks something else, too."""
    piece, parties, more = one
    order = read_order(capital(piece))
    if more or order is None or not order.named or not _TO_SETTLE.fullmatch(piece.text, order.at):
        return False
    return any(
        {party.value.name for party in parties} & {party.value.name for party in its[1]}
        for its in found
        if its is not one
    )


def _is_listed(paragraph: Passage) -> bool:
    """Whether a line below a colon says what is to be done, and names nobody."""
    order = read_order(paragraph)
    return order is not None and not order.named and paragraph.text.endswith((".", ";"))


def _leads_to_list(paragraph: Passage, context: Context) -> tuple[Proposed[TaskParty], ...] | None:
    """Whom the lines below are for, where the paragraph ends with whom the issuer asks and a colon."""
    *_, last = sentences(paragraph)
    given = given_at(last.text)
    if not given or not last.text.endswith(":"):
        return None
    at = given[-1].start("how")
    if who_asks(last.text[:at], context.issuer, context.superior) is not Asker.WRITER:
        return None
    order = read_order(capital(last.cut(at, len(last.text) - 1)), given=True, heads=True)
    return order.parties if order and order.named else None


_SHARES_OUT = re.compile(r"\b(?:phân công|giao nhiệm vụ|yêu cầu|đề nghị|chỉ đạo)\b[^.;:]{0,80}:$")


def _shares_out(paragraph: Passage, context: Context) -> bool:
    """Whether the lines below share out the work: "UBND thị xã phân công như sau:"."""
    *_, last = sentences(paragraph)
    found = _SHARES_OUT.search(last.text)
    before = last.text[: found.start()] if found else ""
    return found is not None and who_asks(before, context.issuer, context.superior) is Asker.WRITER


@dataclasses.dataclass(frozen=True)
class _Found:
    """An order of a sentence. bare: no word asks for it; a name stands before a verb, as it does in what is told."""

    piece: Passage
    parties: tuple[Proposed[TaskParty], ...]
    bare: bool = False


# Without a word that asks they show that something is to be done.
_MUST = re.compile(r"\b(?:có trách nhiệm|chịu trách nhiệm|phải|cần|khẩn trương)\b")


def _to_full_stop(pieces: Sequence[Passage]) -> Sequence[Passage]:
    last = next((at for at, piece in enumerate(pieces) if piece.text.endswith(".")), len(pieces) - 1)
    return pieces[: last + 1]


def _is_sure(one: _Found, context: Context, *, asking: bool, dated: bool, given: bool) -> bool:
    """Whether what a sentence says is an order: before the letter asks for anything it tells what others do, and what
    was reached is told wherever it stands. What may be an order all the same is left open. dated: whether its sentence
    has a day by which something is due. given: whether the letter has asked for anything in so many words; before that
    whom it does not address is only told of.
    """
    addressed = are_addressed(one.parties, context)
    if context.reports and not one.bare and not addressed:
        context.unsure.append(one.piece)  # what the writer has asked of others, as it tells
        return False
    if (not asking and not addressed) or (context.reports and one.bare):
        context.unsure.extend([one.piece] if addressed else [])
        return False
    must = not one.bare or dated or (_MUST.search(one.piece.text) and not judges(one.piece.text))
    known = addressed or not context.addressees or (given and not are_peers(one.parties, context))
    if must or (asking and known and not tells_a_result(one.piece.text)):
        return True
    if (addressed or asking) and not judges(one.piece.text):
        context.unsure.append(one.piece)
    return False


ASKS = re.compile(r"\b(?:yêu cầu|đề nghị|phân công|có ý kiến|chỉ đạo|kết luận|kêu gọi|lưu ý)\b", re.IGNORECASE)


def _asks(text: str, context: Context) -> bool:
    """Whether the letter comes to its orders in this sentence, be it without a name."""
    starts = [match.start() for match in ASKS.finditer(text)] + [match.start("how") for match in given_at(text)]
    return any(not is_told(text[:start], context.issuer, context.superior) for start in starts)


_DEMANDS = re.compile(
    r"(?<!đơn )(?<!bản )(?<!trình )(?<!của )(?<!các )(?<!những )(?<!dung )(?<!heo )"
    r"\b(?:yêu cầu|đề nghị|phân công|kết luận|kêu gọi|chỉ thị|chỉ đạo(?= như sau|:| thực hiện))\b",
    re.IGNORECASE,
)


def _demands(text: str, context: Context) -> bool:
    """Whether the writer asks for something in so many words: "Sở Y tế yêu cầu:"."""
    starts = (match.start() for match in _DEMANDS.finditer(text))
    return any(not is_told(text[:start], context.issuer, context.superior) for start in starts)


def _another_asks(text: str, context: Context) -> bool:
    """Whether the last word that asks is put in another's mouth, so that what a semicolon joins to it is, too."""
    starts = [match.start() for match in ASKS.finditer(text)] + [match.start("how") for match in given_at(text)]
    return bool(starts) and is_told(text[: max(starts)], context.issuer, context.superior)


# What an earlier document was about, or asked for.
_ABOUT = re.compile(rf"(?:\bvề việc\s|\bV/v\s|{EARLIER})[^,;:]*", re.IGNORECASE)


_INTRODUCES = re.compile(r"\b(?:như sau|sau đây|sau|cụ thể|nêu rõ|quy định|có ý kiến|chỉ đạo|yêu cầu|kiến nghị)\s*:\s")


def _introduced_by_another(sentence: Passage, context: Context) -> bool:
    """Whether what follows a colon is what another body, or an earlier document, says."""
    return any(
        is_told(sentence.text[: match.start()], context.issuer, context.superior)
        for match in _INTRODUCES.finditer(sentence.text)
    )


_TELLS = re.compile(r"[^,;]{0,60}\b(?:đã|đang|sẽ|vừa)\b")


def _carries_on(sentence: Passage, context: Context, *, below: bool) -> bool:
    """Whether the sentence says more of the order above it: when it is due, or what belongs to it.

    below: whether it stands in a paragraph below another sentence.
    """
    if _TELLS.match(sentence.text) or (STARTS_AS_AGENCY.match(sentence.text) and not _FOLLOWS.match(sentence.text)):
        return False
    return bool(read_due(sentence, context.date)) or _is_order(sentence, below=below)


def _is_order(sentence: Passage, *, below: bool) -> bool:
    order = read_order(sentence)
    return order is not None and not order.named and (below or bool(_FOLLOWS.match(sentence.text)))


def lists_names(text: str) -> bool:
    """Return whether a semicolon parts only names: "Chánh Văn phòng; Giám đốc Sở Y tế; … chịu trách nhiệm thi hành"."""
    return text.endswith(";") and bool(STARTS_AS_AGENCY.match(text)) and not VERB.search(text)


def sentences(paragraph: Passage) -> Iterator[Passage]:
    start = 0
    for end in SENTENCE_END.finditer(paragraph.text):
        if lists_names(paragraph.text[start : end.start()]):
            continue
        yield paragraph.cut(start, end.start())
        start = end.end()
    yield paragraph.cut(start)


_US = re.compile(r"\bchúng tôi\b", re.IGNORECASE)


def _of_sentence(sentence: Passage, context: Context, *, told: bool = False) -> Iterator[_Found]:
    """The orders of a sentence. told: whether it only says how things stand, unless the issuer asks in it."""
    if is_of_trouble(sentence, context):
        return
    whole = None if told else read_order(sentence, known=[one.value.name for one in context.addressees])
    if whole and whole.named and (is_past(sentence.text[: whole.at]) or is_function(sentence, whole, context)):
        whole = None
        context.unsure.append(sentence)
    if whole and _begins_itself(sentence, whole, context):
        if not is_above(whole, context):
            yield _Found(sentence, whole.parties, bare=True)
        return
    given = _given(sentence, context, reported=told and not reports(sentence.text))
    for number, (start, order) in enumerate(given):
        end = given[number + 1][0] if number + 1 < len(given) else len(sentence.text)
        piece = sentence.cut(0 if number == 0 and names_the_deed(sentence.text[:start]) else start, end)
        if _is_courtesy(piece, context) or piece.text.rstrip().endswith(":"):
            continue
        inside = sentence.span(start, end)
        yield _Found(
            _trimmed(piece),
            tuple(party for party in order.parties if inside.start <= party.span.start < inside.end),
        )
    if given or whole is None or not whole.named or sentence.text.endswith(":") or _is_courtesy(sentence, context):
        return
    if _HOPES.match(sentence.text) and not read_due(sentence, context.date):
        return
    ours = is_issuer(whole, context) or is_above(whole, context)
    if (asking := _ASKING.match(sentence.text, whole.at)) and "phân công" not in asking.group():
        context.unsure.append(sentence)  # what somebody else asks for
        return
    if not (ours or any(_US.search(party.value.name) for party in whole.parties)):
        yield _Found(sentence, whole.parties, bare=True)


def _given(sentence: Passage, context: Context, *, reported: bool = False) -> list[tuple[int, Order]]:
    """Where a sentence gives somebody an order, and which."""
    given: list[tuple[int, Order]] = []
    for match in given_at(sentence.text):
        before = sentence.text[: match.start("how")]
        asker = who_asks(before, context.issuer, context.superior, reported=reported)
        if asker is Asker.OTHER:
            context.unsure.append(sentence)
            continue
        piece = sentence.cut(match.start("how"))
        between = read_order(capital(sentence.cut(given[-1][0], match.start("how")))) if given else None
        directs = match["how"] in {"phân công", "chỉ đạo"} and ";" not in before[given[-1][0] if given else 0 :]
        if given and (directs or not (between and between.named)):
            continue  # "đề nghị UBND các xã chỉ đạo công chức …" is one order
        order = read_order(capital(piece), given=True, known=[one.value.name for one in context.addressees])
        polite = match.re is KNOWING or match["how"].lower().endswith("mong")
        if polite and not read_due(piece, context.date):
            continue  # "để các đơn vị biết, thực hiện", "rất mong các hộ hưởng ứng"
        if order and order.named and asker is Asker.UNCLEAR and not are_addressed(order.parties, context):
            context.unsure.append(sentence)
        elif order and order.named and not is_told_nothing(piece, order, context):
            given.append((match.start("how"), order))
    return given


_HOPES = re.compile(r"(?:Rất |Kính |Chúng tôi )?mong\b", re.IGNORECASE)


def is_of_trouble(passage: Passage, context: Context) -> bool:
    """Whether the passage only says whom to turn to if something does not work."""
    return bool(_TROUBLE.search(passage.text)) and read_due(passage, context.date) is None


def _is_courtesy(piece: Passage, context: Context) -> bool:
    return context.kind is DocumentKind.INVITATION and bool(COURTESY.search(piece.text))


_ASKING = re.compile(r"(?:kính |trân trọng )?(?:yêu cầu|đề nghị|kiến nghị|kêu gọi|giao|phân công)\s")


def _begins_itself(sentence: Passage, whole: Order, context: Context) -> bool:
    """Whether the sentence begins with who is to do it, though another is named behind: "Giám đốc Sở Y tế chỉ đạo các
    cơ sở y tế …" is for the director.
    """
    if not whole.named or is_issuer(whole, context) or sentence.text.endswith(":"):
        return False
    if asking := _ASKING.match(sentence.text, whole.at):
        leads = [party.value.name for party in whole.parties if party.value.role is PartyRole.LEAD]
        if any(is_ours(lead, context.issuer, context.superior) for lead in leads):
            return False  # "Nhà trường yêu cầu các khoa …"
        if "phân công" not in asking.group() and not are_addressed(whole.parties, context):
            return False
    behind = next(iter(given_at(sentence.text)), None)
    first = min(party.span.start for party in whole.parties)
    return first == sentence.span().start and behind is not None and behind.start("how") > 0


def _trimmed(piece: Passage) -> Passage:
    return piece.cut(0, len(re.sub(r"[\s,;]+(?:và|đồng thời)?\s*$", "", piece.text)))


def only_closes(piece: Passage, context: Context) -> bool:
    """Whether the passage only says that what stands above is to be carried out."""
    if len(piece.text) >= 240 or read_due(piece, context.date):
        return False
    # Between the names and the end stands nothing but that they carry it out.
    order = read_order(capital(piece))
    if order is None:
        return bool(_CARRY_OUT.search(piece.text))
    return bool(_NOTHING_ELSE.fullmatch(piece.text, order.at))


def _is_report_of_all(piece: Passage, context: Context) -> bool:
    """Whether those who lead are to report by a day: "Các đơn vị gửi báo cáo về Phòng Y tế trước 16h30 ngày 23/02"."""
    return bool(_REPORTING.search(piece.text)) and read_due(piece, context.date) is not None


# "Trên đây là kế hoạch của UBND phường, đề nghị các đơn vị báo cáo kết quả …" asks for what the clauses ask for.
_SUMS_UP = re.compile(r"Trên đây là\b", re.IGNORECASE)
_REPORTING = re.compile(r"\b(?:báo cáo|gửi|nộp|trình|đăng ký|cập nhật)\b")


def given_at_last(closing: Sequence[Passage], number: int, context: Context) -> list[ProposedTask]:
    """Orders below the last clause that give one agency something of its own: "Giao Văn phòng theo dõi, đôn đốc"."""
    tasks = []
    for paragraph in closing:
        for sentence in sentences(paragraph):
            for one in _of_sentence(sentence, context):
                piece, parties = one.piece, one.parties
                leads = [party for party in parties if party.value.role is PartyRole.LEAD]
                own = bool(leads) and not any(party.value.collective for party in leads)
                own = bool(own and re.match(r"[Gg]iao|[Pp]hân công", piece.text))
                of_all = bool(leads) and not _SUMS_UP.match(sentence.text) and not reports(sentence.text)
                own = own or (of_all and _is_report_of_all(piece, context))
                if own and not only_closes(piece, context):
                    number += 1
                    task = make_task(f"Ý {number}", piece, [], parties, context)
                    text = Proposed(task.text.value, task.text.span, Confidence.MEDIUM, (Doubt.PROSE,))
                    tasks.append(dataclasses.replace(task, text=text))
    return tasks
