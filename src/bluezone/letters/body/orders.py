# SPDX-License-Identifier: Apache-2.0
"""Tell which parts of a letter are orders: its clauses, its lists of dashes, its tables, or sentences of running text.

What only informs is no order: the place of a meeting, the aim of a plan, what was reached. Nobody is given a duty that
the letter does not name.
"""

import bisect
import dataclasses
import re
from collections.abc import Iterator, Sequence

from bluezone.letters.agency_names import STARTS_AS_AGENCY, heading_as_written
from bluezone.letters.body.assignments import labels_within, parts_of, settled, shares_in_brackets
from bluezone.letters.body.clauses import SHARING_SECTIONS, STEP, Body, Clause
from bluezone.letters.body.context import (
    GIVES,
    Context,
    are_addressed,
    capital,
    is_function,
    is_issuer,
    is_told_nothing,
    make_task,
)
from bluezone.letters.body.judgement.decision import judge
from bluezone.letters.body.openings import bared
from bluezone.letters.body.parties import (
    LABELLED,
    Order,
    for_addressees,
    given_at,
    read_order,
)
from bluezone.letters.body.prose import (
    ARRANGEMENT,
    COURTESY,
    SENTENCE_END,
    given_at_last,
    is_of_trouble,
    only_closes,
    read_prose,
    sentences,
)
from bluezone.letters.body.task_tables import read_table
from bluezone.letters.body.telling import answers, is_past, judges, leads_to_no_order, only_informs, reports
from bluezone.letters.body.voice import told_in
from bluezone.letters.due_dates import read_due
from bluezone.letters.letter_text import Passage, Row, joined
from bluezone.letters.proposal import (
    Addressee,
    Confidence,
    DocumentKind,
    Doubt,
    PartyRole,
    Proposed,
    ProposedTask,
    TaskParty,
)
from bluezone.vietnamese.spelling import fold

# What stands above the clauses of a decision, a plan or a telegram need not lead to orders.
_MAY_ONLY_TELL = frozenset({DocumentKind.OFFICIAL_LETTER, DocumentKind.OTHER})
# They tell or ask; they order nobody.
NO_ORDERS = frozenset({DocumentKind.REPORT, DocumentKind.SUBMISSION})
# They order only whom they name.
_ONLY_NAMED = frozenset({DocumentKind.DECISION, DocumentKind.INVITATION, DocumentKind.RESOLUTION})


def read_tasks(body: Body, tables: Sequence[tuple[str, list[Row]]], context: Context) -> tuple[ProposedTask, ...]:
    """Propose the orders of a letter in their order: of its clauses, else of its sentences, and of its tables."""
    if context.kind in NO_ORDERS:
        return ()
    tasks, rows = by_rules(body, tables, context)
    return (*judge(tasks, body.lines, context), *rows)


def by_rules(
    body: Body, tables: Sequence[tuple[str, list[Row]]], context: Context
) -> tuple[list[ProposedTask], list[ProposedTask]]:
    """The orders as the rules alone read them, before they are judged: of the text, and of the tables."""
    introduction = next((line.text for line in reversed(body.preamble) if line.text.endswith(":")), "")
    preamble = " ".join(line.text for line in body.preamble)
    informs = only_informs(introduction, addressed=bool(context.addressees))
    informs = informs or (context.kind in _MAY_ONLY_TELL and leads_to_no_order(preamble))
    reporting = any(
        answers(opening, context.issuer, context.superior)
        for opening in (introduction, *([] if body.clauses else _first_sentences(body)))
    )
    context = dataclasses.replace(context, informs=informs, reports=reporting)
    tasks = [task for clause in body.clauses for task in _of_clause(clause, body, context)]
    rows = [
        task
        for number, (_, table) in enumerate(tables, start=1)
        for task in read_table(table, number if len(tables) > 1 else 0, context.date)
    ]
    if not tasks:
        prose = [*body.preamble, *(_whole(clause) for clause in body.clauses), *body.closing]
        tasks = [task for task in read_prose(prose, context, begun=False) if not (rows and _for_all(task))]
    else:
        tasks += given_at_last(body.closing, len(tasks), context)
    return list(_asked_by_the_issuer(tasks, body, context)), rows


def _asked_by_the_issuer(tasks: Sequence[ProposedTask], body: Body, context: Context) -> Iterator[ProposedTask]:
    """The orders that the issuer itself gives, and now; the others are left open."""
    paragraphs = [*body.preamble, *(one for clause in body.clauses for one in _paragraphs(clause)), *body.closing]
    paragraphs = sorted((one for one in paragraphs if not one.is_blank), key=lambda one: one.span().start)
    starts = [one.span().start for one in paragraphs]
    for task in tasks:
        at = bisect.bisect_right(starts, task.text.span.start) - 1
        inside = at >= 0 and task.text.span.start < paragraphs[at].span().end
        if not inside or (found := told_in(task, paragraphs[at], context)) is None:
            yield task
        else:
            context.unsure.append(found)


def _paragraphs(clause: Clause) -> Iterator[Passage]:
    yield joined(clause.lines)
    yield from (joined(point) for point in clause.points)


def _first_sentences(body: Body) -> list[str]:
    """The sentences of the first paragraph, in which a letter in running text says what it is for."""
    return [one.text for one in sentences(body.preamble[0]) if not is_past(one.text)] if body.preamble else []


def _for_all(task: ProposedTask) -> bool:
    """Return whether a sentence only tells everybody to carry out what a table says."""
    return all(party.value.collective for party in task.parties) and task.due is None


def _whole(clause: Clause) -> Passage:
    return joined([*clause.lines, *(line for point in clause.points for line in point)])


def _of_clause(clause: Clause, body: Body, context: Context) -> Iterator[ProposedTask]:
    clause = settled(clause)
    own = joined(clause.lines)
    points = [joined(point) for point in clause.points]
    labelled = [point for point in points if LABELLED.match(point.text)]
    orders = [point for point in points if point not in labelled]
    labelled += labels_within(own)
    if _SCHEDULED.match(own.text) or _QUESTION.match(own.text):
        return
    if not orders and _is_arranged(own) and read_due(own, context.date) is None:
        context.unsure.extend([own] if _order_of(own, clause, False, context) else [])
        return
    if (asked := _asked_in_words(own, orders, clause, context)) is not None:
        yield from _relabelled(asked, clause.label)
        return
    order = _order_of(own, clause, bool(points), context)
    if (within := _within(own, order, clause, body, context)) is not None:
        yield from within
        return
    if order is not None and order.named and not points and only_closes(own, context):
        context.unsure.append(own)  # "Các đơn vị nghiêm túc thực hiện Chỉ thị này"
        return
    told = context.informs and not clause.section and not given_at(own.text)
    if clause.aside and not labelled and not (order and order.named):
        return
    if told and order and order.named and not are_addressed(order.parties, context):
        context.unsure.append(own)
        return
    if labelled and not (order and order.named):
        yield make_task(clause.label, own, orders, (), context, labelled=labelled, sure=not clause.dashed)
        return
    if (shared := _of_points(own, orders, order, clause, context)) is not None:
        yield from shared
        return
    if order:
        intro = _intro(clause, body, context)
        helped = (
            (*order.parties, *_helpers_of(orders))
            if order.at >= len(own.text) or own.text.endswith(":")
            else order.parties
        )
        shares = [(own, helped)] if orders else list(_shares(own, order, context))
        yield from _relabelled(
            (
                make_task(clause.label, piece, orders, parties, context, lead=intro, sure=not clause.dashed)
                for piece, parties in shares
            ),
            clause.label,
        )
        return
    yield from _of_no_order(own, orders, clause, body, context, begun=not told)


def _of_no_order(
    own: Passage, orders: Sequence[Passage], clause: Clause, body: Body, context: Context, *, begun: bool
) -> Iterator[ProposedTask]:
    """The orders of a clause whose own words are none: of its points, or of its sentences."""
    if context.kind in _ONLY_NAMED:
        yield from _relabelled(read_prose([own, *orders], context), clause.label)
        return
    headed = read_order(capital(own), heads=True) if orders else None
    if headed is not None and headed.named and is_issuer(headed, context):
        context.unsure.append(own)  # "1. Ban Thường vụ Đoàn phường": what the issuer does itself
        return
    imperative = [point for point in orders if read_order(_bare(point))]
    if imperative and _heads(own):
        yield make_task(clause.label, own, orders, (), context, lead=_intro(clause, body, context))
        return
    if clause.heading is not None and not clause.points and _is_under_agency(own, clause.heading):
        yield make_task(clause.label, own, [], (), context, lead=_intro(clause, body, context))
        return
    yield from _relabelled(read_prose([own, *orders], context, begun=begun), clause.label)


def _within(
    own: Passage, order: Order | None, clause: Clause, body: Body, context: Context
) -> list[ProposedTask] | None:
    """The orders of the parts that a clause heads, or of deeds with who is charged in brackets; None for any other."""
    named = order is not None and order.named
    if (parts := parts_of(clause)) and (order is None or not named or _name_each(order, parts)):
        return [task for part in parts for task in _of_clause(part, body, context)]
    if clause.points or named or not (charged := shares_in_brackets(own)):
        return None
    tasks = (make_task(clause.label, piece, [], one.parties, context) for piece, one in charged)
    return list(_relabelled(tasks, clause.label))


def _name_each(order: Order, parts: Sequence[Clause]) -> bool:
    """Whether the parts of a clause name whom each is for, and the clause itself only all of them."""
    found = [read_order(joined(part.lines), clause=True, heads=bool(part.points)) for part in parts]
    return sum(one is not None and one.named for one in found) >= 2 and all(
        party.value.collective for party in order.parties
    )


def _helpers_of(points: Sequence[Passage]) -> Iterator[Proposed[TaskParty]]:
    """Who helps by the points below a clause that only names who leads: "2. Sở Y tế", "Phối hợp với Công an tỉnh …"."""
    for point in points:
        found = read_order(_bare(point))
        yield from (one for one in (found.parties if found else ()) if one.value.role is PartyRole.COOPERATING)


def _is_under_agency(own: Passage, heading: Passage) -> bool:
    """Whether what stands below "III. SỞ XÂY DỰNG" begins with a deed, though with no word that is known as one."""
    headed = read_order(heading_as_written(heading), heads=True)
    begins = own.text[:1].isupper() and own.text[1:2].islower() and not STARTS_AS_AGENCY.match(own.text)
    return headed is not None and headed.named and begins and not reports(own.text) and not judges(own.text)


def _heads(own: Passage) -> bool:
    """Whether a clause's own words may be the title of its points."""
    return own.text.endswith(":") or len(own.text) < 90


def _of_points(
    own: Passage, orders: Sequence[Passage], order: Order | None, clause: Clause, context: Context
) -> list[ProposedTask] | None:
    """The orders of a clause whose points name whom each of them is for; None for any other clause."""
    named = [point for point in orders if (found := read_order(_bare(point))) and found.named]
    heading = _heads(own)
    shared = order is not None and order.named and len(named) >= 2 and _is_everybody(order)
    if not (named and (shared or not (order and order.named)) and (heading or len(named) >= 2)):
        return None
    tasks = list[ProposedTask]()
    for number, point in enumerate(orders, start=1):
        found = read_order(_bare(point), clause=True)
        if found is None:
            context.unsure.append(point)
        elif not (found.named and is_issuer(found, context)):
            tasks.append(make_task(_point_label(clause.label, point, number), _bare(point), [], found.parties, context))
    return tasks


def _asked_in_words(
    own: Passage, orders: Sequence[Passage], clause: Clause, context: Context
) -> Iterator[ProposedTask] | None:
    """The orders of a clause in which only what is asked for in so many words is one; None for any other clause."""
    if context.kind is DocumentKind.INVITATION and (ARRANGEMENT.match(own.text) or COURTESY.search(own.text)):
        # What follows its first sentence may be an order all the same.
        found = read_prose([*list(sentences(own))[1:], *orders], context)
        return (task for task in found if task.due or _ASKED.match(task.text.value))
    if context.reports and not clause.section.startswith(SHARING_SECTIONS):
        return read_prose([own, *orders], context, begun=False)
    return None


# What a programme says of who speaks is no task; what is asked for, or to be prepared by a day, is.
_ASKED = re.compile(
    r"(?:(?:kính |trân trọng )?đề nghị|yêu cầu|giao|phân công)\s|.*\b(?:chuẩn bị|bố trí|gửi)\b", re.IGNORECASE
)


# "Tiêm ở đâu? Trạm Y tế tổ chức tiêm tại trạm" answers, and orders nothing.
_QUESTION = re.compile(r"[^.:;?]{3,160}\?(?=\s|$)")
# "Thứ Ba: Trạm Y tế tổ chức tiêm chủng" stands in a calendar.
_SCHEDULED = re.compile(
    r"(?:(?:sáng|chiều|tối)? ?(?:thứ (?:hai|ba|tư|năm|sáu|bảy|[2-7])|chủ nhật|ngày \d{1,2})\b"
    r"|(?:Từ )?\d{1,2}\s*(?:giờ|h)\s*\d{0,2})[^:.;]{0,40}:",
    re.IGNORECASE,
)


def _shares(own: Passage, order: Order, context: Context) -> Iterator[tuple[Passage, tuple[Proposed[TaskParty], ...]]]:
    """Cut a clause where a sentence of it gives another agency an order of its own."""
    starts = [0]
    ends = [*SENTENCE_END.finditer(own.text, order.at)] if order.named else []
    known = tuple(party.value.name for party in order.parties)
    for number, end in enumerate(ends):
        following = own.cut(end.end(), ends[number + 1].start() if number + 1 < len(ends) else len(own.text))
        other = read_order(following) if following.text[:1].isupper() and not reports(following.text) else None
        if other is None or not other.named or is_past(following.text[: other.at]):
            continue
        opens = min(party.span.start for party in other.parties) == bared(following, clause=False).span().start
        new = not any(party.value.name.startswith(known) for party in other.parties)
        if new and (opens or GIVES.match(following.text)) and not is_told_nothing(following, other, context):
            starts.append(end.end())
    for start, stop in zip(starts, [*starts[1:], len(own.text)], strict=True):
        piece = own.cut(start, len(own.text[:stop].rstrip()))
        read = read_order(piece) if start else order
        inside = piece.span()
        yield piece, tuple(one for one in (read.parties if read else ()) if one.span.start < inside.end)


# "Kinh phí: Ban tổ chức chi tiền ăn" says how something is arranged.
_ARRANGED = re.compile(
    r"(?:Thời gian|Địa điểm|Thành phần|Chương trình|Lịch trình|(?:Nguồn )?[Kk]inh phí|Đối tượng|Trang phục"
    r"|Phương tiện|Hình thức|Liên hệ)"
    r"[^:.;]{0,30}:"
)


def _only_tells(own: Passage) -> bool:
    """Whether a clause without a day praises, blames, or says how things stand."""
    return judges(own.text) or reports(own.text)


def _is_arranged(own: Passage) -> bool:
    return bool(_ARRANGED.match(own.text)) and not given_at(own.text)


def _is_everybody(order: Order) -> bool:
    """Whether only "các đơn vị" or the like leads, each of which its own point names."""
    leads = [fold(party.value.name) for party in order.parties if party.value.role is PartyRole.LEAD]
    return all(
        lead.startswith(("cac don vi", "cac co quan", "cac nganh", "cac ben", "cac dia phuong")) for lead in leads
    )


def _order_of(own: Passage, clause: Clause, has_points: bool, context: Context) -> Order | None:
    """What a clause's own words order; a decision and an invitation order only whom they name."""
    shared = clause.section.startswith(SHARING_SECTIONS)
    known = [one.value.name for one in context.addressees]
    order = read_order(capital(own), heads=has_points, clause=True, shared=shared, known=known)
    if order and order.named and own.text.startswith("Chỉ đạo ") and (clause.heading or context.addressees):
        return Order((), False, 0)  # whoever is told to direct others leads
    if order and order.named and is_told_nothing(own, order, context):
        return None
    if order and (
        is_of_trouble(own, context) or (order.named and _only_tells(own) and not read_due(own, context.date))
    ):
        context.unsure.append(own)
        return None
    if order and is_function(own, order, context):
        return None
    if order and not order.named and context.kind in _ONLY_NAMED:
        return None
    return order


def _relabelled(tasks: Iterator[ProposedTask], label: str) -> Iterator[ProposedTask]:
    found = list(tasks)
    for number, task in enumerate(found, start=1):
        yield dataclasses.replace(task, label=label if len(found) == 1 else f"{label}.{number}")


def _bare(point: Passage) -> Passage:
    """The point without its letter or number."""
    match = _POINT_MARK.match(point.text)
    return point.cut(match.end()) if match else point


_POINT_MARK = re.compile(rf"(?:[a-zđ]\s*[).]|\d{{1,2}}\.\d{{1,2}}\.?(?:\d{{1,2}}\.?)?|[-+•])\s+|{STEP}")


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
        order = read_order(heading_as_written(clause.heading), heads=True)
        if order and order.named:
            return tuple(party for party in order.parties if party.value.role is PartyRole.LEAD)
    asks = next((line for line in reversed(body.preamble) if line.text.endswith(":") and given_at(line.text)), None)
    if context.addressees:
        return for_addressees(_asked_alone(asks, context.addressees) if asks else context.addressees)
    if asks:
        for given in reversed(given_at(asks.text)):
            order = read_order(asks.cut(given.start("how")))
            if order and order.named:
                return tuple(
                    dataclasses.replace(party, confidence=Confidence.LOW, doubts=(Doubt.ADDRESSEES,))
                    for party in order.parties
                )
    return ()


def _asked_alone(asks: Passage, addressees: Sequence[Proposed[Addressee]]) -> Sequence[Proposed[Addressee]]:
    """The one of several addressees whom a sentence asks, "Cục đề nghị Sở Y tế các tỉnh:", else all of them."""
    asked = fold(asks.text[given_at(asks.text)[0].end("how") :])
    for one in addressees:
        before, found, after = asked.partition(fold(one.value.name))
        if (
            found
            and not re.search(r"[,;]|\b(?:va|cung)\b", before)
            and not re.match(r"\s*(?:[,;(]|va\b|cung\b)", after)
        ):
            return [one]
    return addressees
