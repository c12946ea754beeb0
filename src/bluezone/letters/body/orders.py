# SPDX-License-Identifier: Apache-2.0
"""Tell which parts of a letter are orders: its clauses, its lists of dashes, its tables, or sentences of running text.

What only informs is no order: the place of a meeting, the aim of a plan, what was reached. Nobody is given a duty that
the letter does not name.
"""

import dataclasses
import datetime
import re
from collections.abc import Iterator, Sequence

from bluezone.letters.body.clauses import SHARING_SECTIONS, Body, Clause
from bluezone.letters.body.parties import (
    LABELLED,
    Order,
    for_addressees,
    given_at,
    read_names,
    read_order,
    with_addressees,
)
from bluezone.letters.body.task_tables import read_table
from bluezone.letters.body.telling import is_ours, is_past, is_told, only_informs, reports
from bluezone.letters.due_dates import read_date_cell, read_due
from bluezone.letters.letter_text import Passage, Row, joined
from bluezone.letters.proposal import (
    Addressee,
    Confidence,
    DocumentKind,
    Doubt,
    Due,
    PartyRole,
    Proposed,
    ProposedTask,
    TaskParty,
)
from bluezone.vietnamese.spelling import fold

# They tell or ask; they order nobody.
_NO_ORDERS = frozenset({DocumentKind.REPORT, DocumentKind.SUBMISSION})
# Of a meeting's invitation: the courtesy of coming is no task.
_COURTESY = re.compile(r"(?:tham dự|dự họp|đến dự|dự hội nghị|có mặt|sắp xếp thời gian|đúng thành phần)", re.IGNORECASE)
# What an invitation says of the meeting itself.
_ARRANGEMENT = re.compile(
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
    r"(?:\s|,|\b(?:triển khai|tổ chức|nghiêm túc|nghiêm|khẩn trương|phối hợp|quan tâm|biết|để|và|chỉ đạo|thực hiện|tốt"
    r"|kịp thời|có hiệu quả|theo quy định|các|nội dung|nêu|trên|này|ngay|đồng bộ|chủ động|quyết liệt|đầy đủ|đúng"
    r"|tập trung|nhiệm vụ|được giao|công văn|công điện|văn bản|chỉ thị|kế hoạch|thông báo|căn cứ|chức năng|cùng|cho|các"
    r"|cơ quan|đơn vị|địa phương|người dân|nhân dân|được|tinh thần|ý kiến|kết luận|của|đồng chí)\b)*[\s./]*",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[^\s.]{2}[.;])\s+(?=[\"“(]?[^\W\d_])|(?<=\d[.;])\s+(?=[\"“(]?[^\W\d_])|(?<=độ C\.)\s+")
_FOLLOWS = re.compile(r"^(?:Báo cáo|Kết quả|Việc|Các|Thời|Hạn|Trong|Nội dung|Văn bản|Danh sách|Mọi|Định kỳ|Khi|Nếu)")


@dataclasses.dataclass(frozen=True)
class Context:
    """What the orders of a letter stand in.

    informs: the line above the clauses announces facts. unsure: filled with the passages that may be orders, and are
    not proposed as such.
    """

    kind: DocumentKind
    addressees: tuple[Proposed[Addressee], ...]
    date: datetime.date | None
    issuer: str
    superior: str = ""
    informs: bool = False
    unsure: list[Passage] = dataclasses.field(default_factory=list)


def read_tasks(body: Body, tables: Sequence[tuple[str, list[Row]]], context: Context) -> tuple[ProposedTask, ...]:
    """Propose the orders of a letter in their order: of its clauses, else of its sentences, and of its tables."""
    if context.kind in _NO_ORDERS:
        return ()
    introduction = next((line.text for line in reversed(body.preamble) if line.text.endswith(":")), "")
    informs = bool(context.addressees) and only_informs(introduction)
    context = dataclasses.replace(context, informs=informs)
    tasks = [task for clause in body.clauses for task in _of_clause(clause, body, context)]
    rows = [
        task
        for number, (_, table) in enumerate(tables, start=1)
        for task in read_table(table, number if len(tables) > 1 else 0, context.date)
    ]
    if not tasks:
        prose = [*body.preamble, *(_whole(clause) for clause in body.clauses), *body.closing]
        tasks = [task for task in _of_prose(prose, context, begun=False) if not (rows and _for_all(task))]
    else:
        tasks += _given_at_last(body.closing, len(tasks), context)
    return (*tasks, *rows)


def _for_all(task: ProposedTask) -> bool:
    """Return whether a sentence only tells everybody to carry out what a table says."""
    return all(party.value.collective for party in task.parties) and task.due is None


def _whole(clause: Clause) -> Passage:
    return joined([*clause.lines, *(line for point in clause.points for line in point)])


def _of_clause(clause: Clause, body: Body, context: Context) -> Iterator[ProposedTask]:
    own = joined(clause.lines)
    points = [joined(point) for point in clause.points]
    labelled = [point for point in points if LABELLED.match(point.text)]
    orders = [point for point in points if point not in labelled]
    if context.kind is DocumentKind.INVITATION and (_ARRANGEMENT.match(own.text) or _COURTESY.search(own.text)):
        # What follows its first sentence may be an order all the same.
        yield from _relabelled(_of_prose([*list(_sentences(own))[1:], *orders], context), clause.label)
        return
    order = _order_of(own, clause, bool(points), context)
    if clause.aside and not (order and order.named):
        return
    told = context.informs and not clause.section and not given_at(own.text)
    if told and order and order.named and not _are_addressed(order.parties, context):
        context.unsure.append(own)
        return
    if labelled and not (order and order.named):
        yield _task(clause.label, own, orders, (), context, labelled=labelled, sure=not clause.dashed)
        return
    named = [point for point in orders if (found := read_order(_bare(point))) and found.named]
    heading = own.text.endswith(":") or len(own.text) < 90
    shared = order is not None and order.named and len(named) >= 2 and _is_everybody(order)
    if named and (shared or not (order and order.named)) and (heading or len(named) >= 2):
        for number, point in enumerate(orders, start=1):
            found = read_order(_bare(point))
            if found and not (found.named and _is_issuer(found, context)):
                yield _task(_point_label(clause.label, point, number), _bare(point), [], found.parties, context)
        return
    if order:
        intro = _intro(clause, body, context)
        shares = [(own, order.parties)] if orders else list(_shares(own, order, context))
        yield from _relabelled(
            (
                _task(clause.label, piece, orders, parties, context, lead=intro, sure=not clause.dashed)
                for piece, parties in shares
            ),
            clause.label,
        )
        return
    if context.kind in (DocumentKind.DECISION, DocumentKind.INVITATION):
        yield from _relabelled(_of_prose([own, *orders], context), clause.label)
        return
    imperative = [point for point in orders if read_order(_bare(point))]
    if imperative and heading:
        yield _task(clause.label, own, orders, (), context, lead=_intro(clause, body, context))
        return
    yield from _relabelled(_of_prose([own, *orders], context, begun=not told), clause.label)


def _shares(own: Passage, order: Order, context: Context) -> Iterator[tuple[Passage, tuple[Proposed[TaskParty], ...]]]:
    """Cut a clause where a sentence of it gives another agency an order of its own."""
    starts = [0]
    ends = [*_SENTENCE_END.finditer(own.text, order.at)] if order.named else []
    known = {party.value.name for party in order.parties}
    for number, end in enumerate(ends):
        following = own.cut(end.end(), ends[number + 1].start() if number + 1 < len(ends) else len(own.text))
        other = read_order(following) if following.text[:1].isupper() and not reports(following.text) else None
        if other is None or not other.named or is_past(following.text[: other.at]):
            continue
        opens = min(party.span.start for party in other.parties) == following.span().start
        new = not known & {party.value.name for party in other.parties}
        if new and (opens or _GIVES.match(following.text)) and not _is_told_nothing(following, other, context):
            starts.append(end.end())
    for start, stop in zip(starts, [*starts[1:], len(own.text)], strict=True):
        piece = own.cut(start, len(own.text[:stop].rstrip()))
        read = read_order(piece) if start else order
        inside = piece.span()
        yield piece, tuple(one for one in (read.parties if read else ()) if one.span.start < inside.end)


def _is_everybody(order: Order) -> bool:
    """Whether only "các đơn vị" or the like leads, each of which its own point names."""
    leads = [fold(party.value.name) for party in order.parties if party.value.role is PartyRole.LEAD]
    return all(
        lead.startswith(("cac don vi", "cac co quan", "cac nganh", "cac ben", "cac dia phuong")) for lead in leads
    )


def _order_of(own: Passage, clause: Clause, has_points: bool, context: Context) -> Order | None:
    """What a clause's own words order; a decision and an invitation order only whom they name."""
    order = read_order(_capital(own), heads=has_points, clause=True, shared=clause.section.startswith(SHARING_SECTIONS))
    if order and order.named and _is_told_nothing(own, order, context):
        return None
    if order and _is_function(own, order, context):
        return None
    if order and not order.named and context.kind in (DocumentKind.DECISION, DocumentKind.INVITATION):
        return None
    return order


def _is_function(passage: Passage, order: Order, context: Context) -> bool:
    """Whether the passage says what a committee is there for; with a day it is a duty."""
    return passage.text.startswith("có nhiệm vụ", order.at) and not read_due(passage, context.date)


def _relabelled(tasks: Iterator[ProposedTask], label: str) -> Iterator[ProposedTask]:
    found = list(tasks)
    for number, task in enumerate(found, start=1):
        yield dataclasses.replace(task, label=label if len(found) == 1 else f"{label}.{number}")


def _bare(point: Passage) -> Passage:
    """The point without its letter or number."""
    match = re.match(r"(?:[a-zđ]\s*[).]|\d{1,2}\.\d{1,2}\.?(?:\d{1,2}\.?)?|[-+•])\s+", point.text)
    return point.cut(match.end()) if match else point


def _point_label(label: str, point: Passage, number: int) -> str:
    if match := re.match(r"(?P<letter>[a-zđ])\s*[).]\s", point.text):
        return f"{label}.{match['letter']}"
    if match := re.match(r"(?P<number>\d{1,2}(?:\.\d{1,2})+)\.?\s", point.text):
        return match["number"]
    return f"{label}.{number}"


def _intro(clause: Clause, body: Body, context: Context) -> tuple[Proposed[TaskParty], ...]:
    """Who leads what names nobody: whom its section is for, the addressees, or whom the sentence above the first clause
    names.
    """
    if clause.heading is not None:
        order = read_order(clause.heading, heads=True)
        if order and order.named:
            return tuple(party for party in order.parties if party.value.role is PartyRole.LEAD)
    if context.addressees:
        return for_addressees(context.addressees)
    for line in reversed(body.preamble):
        if line.text.endswith(":"):
            for given in reversed(given_at(line.text)):
                order = read_order(line.cut(given.start("how")))
                if order and order.named:
                    return tuple(
                        dataclasses.replace(party, confidence=Confidence.LOW, doubts=(Doubt.ADDRESSEES,))
                        for party in order.parties
                    )
    return ()


def _is_issuer(order: Order, context: Context) -> bool:
    leads = [party.value.name for party in order.parties if party.value.role is PartyRole.LEAD]
    return len(leads) == 1 and _same_body(leads[0], context.issuer)


def _is_above(order: Order, context: Context) -> bool:
    """Whether only the body above the issuer, or its head, is named: what it does is told."""
    return _is_issuer(order, dataclasses.replace(context, issuer=context.superior))


def _is_told_nothing(passage: Passage, order: Order, context: Context) -> bool:
    """Whether only the issuer is named, which says what it does itself, unless it is given an order: "Giao …"."""
    return _is_issuer(order, context) and not _GIVES.match(passage.text)


_GIVES = re.compile(r"[Gg]iao\s|[Pp]hân công\s")


def _same_body(name: str, issuer: str) -> bool:
    short = {"ubnd": "uy ban nhan dan", "hdnd": "hoi dong nhan dan"}
    if re.search(r"\scác\s", name):
        return False  # those below it, of the same name
    names = []
    for one in (name, issuer):
        folded = fold(one)
        for abbreviation, whole in short.items():
            folded = folded.replace(abbreviation, whole)
        names.append(folded.removeprefix("chu tich ").strip(" ."))
    if not all(names):
        return False
    if names[0] == names[1] or (len(names[0].split()) > 2 and names[1].startswith(names[0])):
        return True
    return len(names[1].split()) >= 2 and names[0].startswith(f"{names[1]} ")


def _task(
    label: str,
    own: Passage,
    points: Sequence[Passage],
    parties: tuple[Proposed[TaskParty], ...],
    context: Context,
    *,
    lead: tuple[Proposed[TaskParty], ...] = (),
    labelled: Sequence[Passage] = (),
    sure: bool = True,
) -> ProposedTask:
    found = list(parties)
    due: Proposed[Due] | None = None
    for line in labelled:
        match = LABELLED.match(line.text)
        assert match is not None
        value = line.cut(match.end())
        if match["due"]:
            due = read_date_cell(value, context.date) or read_due(line, context.date)
        else:
            found += read_names(value, PartyRole.LEAD if match["lead"] else PartyRole.COOPERATING)
    if not any(party.value.role is PartyRole.LEAD for party in found):
        found = [*lead, *found]
    whole = joined([own, *points])
    return ProposedTask(
        label=label,
        text=Proposed(own.text, own.span(), Confidence.HIGH if sure else Confidence.MEDIUM),
        points=tuple(Proposed(point.text, point.span()) for point in points),
        parties=with_addressees(found, context.addressees),
        due=due or read_due(whole, context.date),
    )


def _of_prose(paragraphs: Sequence[Passage], context: Context, *, begun: bool = True) -> Iterator[ProposedTask]:
    """Propose the orders of running text, sentence by sentence.

    A sentence that names nobody carries the order above it on. begun: whether the letter has come to its orders; before
    it asks for anything it tells what others do, and a sentence orders only whom it addresses.
    """
    found: list[tuple[Passage, tuple[Proposed[TaskParty], ...], list[Passage]]] = []
    asking = begun
    for paragraph in paragraphs:
        told, begins = False, True
        if context.kind is DocumentKind.INVITATION and _ARRANGEMENT.match(paragraph.text):
            continue
        for sentence in _sentences(paragraph):
            if sentence.text.startswith(("Căn cứ", "Xét ", "Theo đề nghị")) and not given_at(sentence.text):
                continue
            # What a semicolon joins to what is told is told, too.
            told = reports(sentence.text) or (told and not begins)
            begins = sentence.text.endswith(".")
            orders = list(_of_sentence(sentence, context, told=told))
            asked = _ABOUT.sub("", sentence.text)
            asking = asking or _asks(asked, context)
            if not asking:
                orders = [one for one in orders if _are_addressed(one[1], context)]
            if orders:
                found += [(piece, parties, []) for piece, parties in orders]
            elif found and not told and (read_due(sentence, context.date) or _is_order(sentence)):
                found[-1][2].append(sentence)
    kept = [one for one in found if not _only_closes(one[0], context)] or found
    for number, (piece, parties, more) in enumerate(kept, start=1):
        task = _task(f"Ý {number}", piece, more, with_addressees(parties, context.addressees), context)
        text = Proposed(task.text.value, task.text.span, Confidence.MEDIUM, (Doubt.PROSE,))
        yield dataclasses.replace(task, text=text)


_ASKS = re.compile(r"\b(?:yêu cầu|đề nghị|phân công|có ý kiến|chỉ đạo|kết luận|kêu gọi|lưu ý)\b", re.IGNORECASE)


def _asks(text: str, context: Context) -> bool:
    """Whether the letter comes to its orders in this sentence, be it without a name."""
    starts = [match.start() for match in _ASKS.finditer(text)] + [match.start("how") for match in given_at(text)]
    return any(not is_told(text[:start], context.issuer, context.superior) for start in starts)


# What an earlier document was about, or asked for.
_EARLIER = r"\b(?:có|tại)\s+(?:văn bản|tờ trình|công văn|báo cáo|đơn|kiến nghị)\s"
_ABOUT = re.compile(rf"(?:\bvề việc\s|\bV/v\s|{_EARLIER})[^,;:]*", re.IGNORECASE)


def _are_addressed(parties: Sequence[Proposed[TaskParty]], context: Context) -> bool:
    """Return whether all who lead are among those whom the letter addresses, by the words of their names."""
    addressed = [fold(one.value.name) for one in context.addressees]
    leads = [fold(party.value.name) for party in parties if party.value.role is PartyRole.LEAD]
    return all(any(lead in one or one in lead for one in addressed) for lead in leads)


def _is_order(sentence: Passage) -> bool:
    order = read_order(sentence)
    return order is not None and not order.named and bool(_FOLLOWS.match(sentence.text))


def _sentences(paragraph: Passage) -> Iterator[Passage]:
    start = 0
    for end in _SENTENCE_END.finditer(paragraph.text):
        yield paragraph.cut(start, end.start())
        start = end.end()
    yield paragraph.cut(start)


# What an earlier document asked for, and what the writers themselves do.
_TOLD = re.compile(rf"\bđã\s+(?:có|ban hành|gửi|phát hành|ra)\s|{_EARLIER}[^;,:]*$", re.IGNORECASE)
_US = re.compile(r"\bchúng tôi\b", re.IGNORECASE)


def _of_sentence(
    sentence: Passage, context: Context, *, told: bool = False
) -> Iterator[tuple[Passage, tuple[Proposed[TaskParty], ...]]]:
    """The orders of a sentence. told: whether it only says how things stand, unless the issuer asks in it."""
    whole = None if told else read_order(sentence)
    if whole and whole.named and (is_past(sentence.text[: whole.at]) or _is_function(sentence, whole, context)):
        whole = None
        context.unsure.append(sentence)
    if whole and _begins_itself(sentence, whole, context):
        if not _is_above(whole, context):
            yield sentence, whole.parties
        return
    given = _given(sentence, context, reported=told and not reports(sentence.text))
    for number, (start, order) in enumerate(given):
        end = given[number + 1][0] if number + 1 < len(given) else len(sentence.text)
        piece = sentence.cut(start, end)
        if _is_courtesy(piece, context) or piece.text.rstrip().endswith(":"):
            continue
        inside = sentence.span(start, end)
        yield (
            _trimmed(piece),
            tuple(party for party in order.parties if inside.start <= party.span.start < inside.end),
        )
    if given or whole is None or not whole.named or sentence.text.endswith(":") or _is_courtesy(sentence, context):
        return
    ours = _is_issuer(whole, context) or _is_above(whole, context)
    if (asking := _ASKING.match(sentence.text, whole.at)) and "phân công" not in asking.group():
        context.unsure.append(sentence)  # what somebody else asks for
        return
    if not (ours or any(_US.search(party.value.name) for party in whole.parties)):
        yield sentence, whole.parties


def _given(sentence: Passage, context: Context, *, reported: bool = False) -> list[tuple[int, Order]]:
    """Where a sentence gives somebody an order, and which."""
    given: list[tuple[int, Order]] = []
    for match in given_at(sentence.text):
        before = sentence.text[: match.start("how")]
        if _TOLD.search(before) or is_told(before, context.issuer, context.superior, reported=reported):
            context.unsure.append(sentence)
            continue
        piece = sentence.cut(match.start("how"))
        between = read_order(_capital(sentence.cut(given[-1][0], match.start("how")))) if given else None
        if given and not (between and between.named):
            continue  # "đề nghị UBND các xã chỉ đạo công chức …" is one order
        order = read_order(_capital(piece), given=True)
        if order and match["how"] == match["to"] and _NOTHING_ELSE.fullmatch(piece.text, order.at):
            continue  # "để các đơn vị biết, thực hiện"
        if order and order.named and not _is_told_nothing(piece, order, context):
            given.append((match.start("how"), order))
    return given


def _is_courtesy(piece: Passage, context: Context) -> bool:
    return context.kind is DocumentKind.INVITATION and bool(_COURTESY.search(piece.text))


_ASKING = re.compile(r"(?:kính |trân trọng )?(?:yêu cầu|đề nghị|kêu gọi|giao|phân công)\s")


def _begins_itself(sentence: Passage, whole: Order, context: Context) -> bool:
    """Whether the sentence begins with who is to do it, though another is named behind: "Giám đốc Sở Y tế chỉ đạo các
    cơ sở y tế …" is for the director.
    """
    if not whole.named or _is_issuer(whole, context) or sentence.text.endswith(":"):
        return False
    if asking := _ASKING.match(sentence.text, whole.at):
        leads = [party.value.name for party in whole.parties if party.value.role is PartyRole.LEAD]
        if any(is_ours(lead, context.issuer, context.superior) for lead in leads):
            return False  # "Nhà trường yêu cầu các khoa …"
        if "phân công" not in asking.group() and not _are_addressed(whole.parties, context):
            return False
    behind = next(iter(given_at(sentence.text)), None)
    first = min(party.span.start for party in whole.parties)
    return first == sentence.span().start and behind is not None and behind.start("how") > 0


def _capital(passage: Passage) -> Passage:
    return dataclasses.replace(passage, text=passage.text[:1].upper() + passage.text[1:])


def _trimmed(piece: Passage) -> Passage:
    return piece.cut(0, len(re.sub(r"[\s,;]+(?:và|đồng thời)?\s*$", "", piece.text)))


def _only_closes(piece: Passage, context: Context) -> bool:
    if len(piece.text) >= 240 or read_due(piece, context.date):
        return False
    # Between the names and the end stands nothing but that they carry it out.
    order = read_order(_capital(piece))
    if order is None:
        return bool(_CARRY_OUT.search(piece.text))
    return bool(_NOTHING_ELSE.fullmatch(piece.text, order.at))


def _given_at_last(closing: Sequence[Passage], number: int, context: Context) -> list[ProposedTask]:
    """Orders below the last clause that give one agency something of its own: "Giao Văn phòng theo dõi, đôn đốc"."""
    tasks = []
    for paragraph in closing:
        for sentence in _sentences(paragraph):
            for piece, parties in _of_sentence(sentence, context):
                leads = [party for party in parties if party.value.role is PartyRole.LEAD]
                own = leads and not any(party.value.collective for party in leads)
                if own and re.match(r"[Gg]iao|[Pp]hân công", piece.text) and not _only_closes(piece, context):
                    number += 1
                    task = _task(f"Ý {number}", piece, [], parties, context)
                    text = Proposed(task.text.value, task.text.span, Confidence.MEDIUM, (Doubt.PROSE,))
                    tasks.append(dataclasses.replace(task, text=text))
    return tasks
