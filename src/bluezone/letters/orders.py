# SPDX-License-Identifier: Apache-2.0
"""Tell which parts of a letter are orders: its clauses, its lists of dashes, its tables, or sentences of running text.

What only informs is no order: the place of a meeting, the aim of a plan, what was reached. Nobody is given a duty that
the letter does not name.
"""

import dataclasses
import datetime
import re
from collections.abc import Iterator, Sequence

from bluezone.letters.arrangement import kind_of_column
from bluezone.letters.clauses import Body, Clause
from bluezone.letters.due_dates import read_date_cell, read_due
from bluezone.letters.letter_text import Passage, Row, joined
from bluezone.letters.parties import (
    LABELLED,
    Order,
    for_addressees,
    given_at,
    read_names,
    read_order,
    with_addressees,
)
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
_SENTENCE_END = re.compile(r"(?<=[^\s.]{2}[.;])\s+(?=[\"“(]?[^\W\d_])|(?<=\d[.;])\s+(?=[\"“(]?[^\W\d_])")
_FOLLOWS = re.compile(r"^(?:Báo cáo|Kết quả|Việc|Các|Thời|Hạn|Trong|Nội dung|Văn bản|Danh sách|Mọi|Định kỳ|Khi|Nếu)")


@dataclasses.dataclass(frozen=True)
class Context:
    """What the orders of a letter stand in."""

    kind: DocumentKind
    addressees: tuple[Proposed[Addressee], ...]
    date: datetime.date | None
    issuer: str


def read_tasks(body: Body, tables: Sequence[tuple[str, list[Row]]], context: Context) -> tuple[ProposedTask, ...]:
    """Propose the orders of a letter in their order: of its clauses, else of its sentences, and of its tables."""
    if context.kind in _NO_ORDERS:
        return ()
    tasks = [task for clause in body.clauses for task in _of_clause(clause, body, context)]
    rows = [
        task
        for number, (_, table) in enumerate(tables, start=1)
        for task in _of_table(table, number if len(tables) > 1 else 0, context)
    ]
    if not tasks:
        prose = [*body.preamble, *(_whole(clause) for clause in body.clauses), *body.closing]
        tasks = [task for task in _of_prose(prose, context) if not (rows and _for_all(task))]
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
    order = _order_of(own, bool(points), context)
    if labelled and not (order and order.named):
        yield _task(clause.label, own, orders, (), context, labelled=labelled, sure=not clause.dashed)
        return
    named = [point for point in orders if (found := read_order(_bare(point))) and found.named]
    heading = own.text.endswith(":") or len(own.text) < 90
    if named and not (order and order.named) and (heading or len(named) >= 2):
        for number, point in enumerate(orders, start=1):
            found = read_order(_bare(point))
            if found and not (found.named and _is_issuer(found, context)):
                yield _task(_point_label(clause.label, point, number), _bare(point), [], found.parties, context)
        return
    if order:
        parties = order.parties
        if order.named and orders and not parties:
            parties = ()
        yield _task(
            clause.label, own, orders, parties, context, lead=_intro(clause, body, context), sure=not clause.dashed
        )
        return
    if context.kind in (DocumentKind.DECISION, DocumentKind.INVITATION):
        yield from _relabelled(_of_prose([own, *orders], context), clause.label)
        return
    imperative = [point for point in orders if read_order(_bare(point))]
    if imperative and heading:
        yield _task(clause.label, own, orders, (), context, lead=_intro(clause, body, context))
        return
    yield from _relabelled(_of_prose([own, *orders], context), clause.label)


def _order_of(own: Passage, has_points: bool, context: Context) -> Order | None:
    """What a clause's own words order; a decision and an invitation order only whom they name."""
    order = read_order(own, heads=has_points, clause=True)
    if order and order.named and _is_issuer(order, context):
        return None
    if order and not order.named and context.kind in (DocumentKind.DECISION, DocumentKind.INVITATION):
        return None
    return order


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


def _same_body(name: str, issuer: str) -> bool:
    short = {"ubnd": "uy ban nhan dan", "hdnd": "hoi dong nhan dan"}
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


def _of_prose(paragraphs: Sequence[Passage], context: Context) -> Iterator[ProposedTask]:
    """Propose the orders of running text, sentence by sentence.

    A sentence that names nobody carries the order above it on.
    """
    found: list[tuple[Passage, tuple[Proposed[TaskParty], ...], list[Passage]]] = []
    for paragraph in paragraphs:
        if context.kind is DocumentKind.INVITATION and _ARRANGEMENT.match(paragraph.text):
            continue
        if paragraph.text.startswith(("Căn cứ", "Xét ", "Theo đề nghị")) and not given_at(paragraph.text):
            continue
        for sentence in _sentences(paragraph):
            orders = list(_of_sentence(sentence, context))
            if orders:
                found += [(piece, parties, []) for piece, parties in orders]
            elif found and (read_due(sentence, context.date) or _is_order(sentence)):
                found[-1][2].append(sentence)
    kept = [one for one in found if not _only_closes(one[0], context)] or found
    for number, (piece, parties, more) in enumerate(kept, start=1):
        task = _task(f"Ý {number}", piece, more, with_addressees(parties, context.addressees), context)
        text = Proposed(task.text.value, task.text.span, Confidence.MEDIUM, (Doubt.PROSE,))
        yield dataclasses.replace(task, text=text)


def _is_order(sentence: Passage) -> bool:
    order = read_order(sentence)
    return order is not None and not order.named and bool(_FOLLOWS.match(sentence.text))


def _sentences(paragraph: Passage) -> Iterator[Passage]:
    start = 0
    for end in _SENTENCE_END.finditer(paragraph.text):
        yield paragraph.cut(start, end.start())
        start = end.end()
    yield paragraph.cut(start)


def _of_sentence(sentence: Passage, context: Context) -> Iterator[tuple[Passage, tuple[Proposed[TaskParty], ...]]]:
    given = []
    for match in given_at(sentence.text):
        order = read_order(_capital(sentence.cut(match.start("how"))))
        if order and order.named and not _is_issuer(order, context):
            given.append((match.start("how"), order))
    if given:
        for number, (start, order) in enumerate(given):
            end = given[number + 1][0] if number + 1 < len(given) else len(sentence.text)
            piece = sentence.cut(start, end)
            if context.kind is DocumentKind.INVITATION and _COURTESY.search(piece.text):
                continue
            if piece.text.rstrip().endswith(":"):
                continue
            inside = sentence.span(start, end)
            parties = tuple(party for party in order.parties if inside.start <= party.span.start < inside.end)
            yield _trimmed(piece), parties
        return
    order = read_order(sentence)
    if order and order.named and not _is_issuer(order, context) and not sentence.text.endswith(":"):
        if context.kind is DocumentKind.INVITATION and _COURTESY.search(sentence.text):
            return
        yield sentence, order.parties


def _capital(passage: Passage) -> Passage:
    return dataclasses.replace(passage, text=passage.text[:1].upper() + passage.text[1:])


def _trimmed(piece: Passage) -> Passage:
    return piece.cut(0, len(re.sub(r"[\s,;]+(?:và|đồng thời)?\s*$", "", piece.text)))


def _only_closes(piece: Passage, context: Context) -> bool:
    return len(piece.text) < 160 and bool(_CARRY_OUT.search(piece.text)) and not read_due(piece, context.date)


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


def _of_table(table: Sequence[Row], number: int, context: Context) -> list[ProposedTask]:
    """Propose the rows of a table of tasks; a row without a task of its own is the title of a group, or carries on."""
    columns = [kind_of_column(fold(cell.text)) for cell in table[0]]
    if "what" not in columns:
        return []
    tasks: list[ProposedTask] = []
    for row in _whole_rows(table[1:], columns):
        cells = dict(zip(reversed(columns), reversed(row), strict=True))
        what = cells["what"]
        if what.is_blank or len(what.text) < 4:
            continue
        parties: list[Proposed[TaskParty]] = []
        for column, cell in zip(columns, row, strict=True):
            if column == "lead":
                parties += _of_cell(cell)
            elif column == "cooperating":
                parties += read_names(cell, PartyRole.COOPERATING)
        due_cell = cells.get("due")
        due = read_date_cell(due_cell, context.date) if due_cell and due_cell.text else None
        if not parties and due is None:
            continue
        stated = re.sub(r"\W+$", "", cells["number"].text) if "number" in cells else ""
        label = f"Bảng {number}.{stated or len(tasks) + 1}" if number else f"Bảng {stated or len(tasks) + 1}"
        tasks.append(
            ProposedTask(
                label, Proposed(what.text, what.span()), (), tuple(parties), due or read_due(what, context.date)
            )
        )
    return tasks


def _whole_rows(rows: Sequence[Row], columns: Sequence[str]) -> list[Row]:
    """The rows with as many cells as columns; one that a page's end cut in two is one again."""
    whole: list[Row] = []
    for row in rows:
        if len(row) != len(columns):
            continue
        cells = dict(zip(reversed(columns), reversed(row), strict=True))
        carries_on = "number" in cells and cells["number"].is_blank and not cells["what"].text[:1].isupper()
        if whole and carries_on:
            whole[-1] = [joined(pair) for pair in zip(whole[-1], row, strict=True)]
        else:
            whole.append(row)
    return whole


def _of_cell(cell: Passage) -> list[Proposed[TaskParty]]:
    """The agencies of a cell, which may itself say who leads and who helps."""
    helping = re.search(r"(?:[-;,]\s*)?[Pp]hối hợp(?:\s+với)?\s*:?\s*", cell.text)
    leading = re.match(r"[-+]?\s*[Cc]hủ trì\s*:?\s*", cell.text)
    start = leading.end() if leading else 0
    end = helping.start() if helping else len(cell.text)
    found = read_names(cell.cut(start, end), PartyRole.LEAD)
    if helping:
        found += read_names(cell.cut(helping.end()), PartyRole.COOPERATING)
    return found
