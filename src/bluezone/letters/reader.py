# SPDX-License-Identifier: Apache-2.0
"""Propose what the text of a letter says: number, date, signer, recipients, and its clauses as tasks.

A clerk sees each proposed value beside the place it was read from and corrects it; nothing is stored from here.
Acceptance case: Công văn 458/UBND-VP of 7 August 2020.
"""

import dataclasses

from bluezone.letters.arrangement import Sheet, arrange
from bluezone.letters.body.clauses import Body, read_body
from bluezone.letters.body.context import Context
from bluezone.letters.body.orders import read_tasks
from bluezone.letters.due_dates import read_due
from bluezone.letters.letter_text import Passage, clean, converted, joined
from bluezone.letters.letterhead import (
    HEAD_LINES,
    is_national_title,
    read_basis,
    read_bodies,
    read_date,
    read_kind,
    read_number,
    read_subject,
    read_urgency,
    title_of,
)
from bluezone.letters.proposal import Confidence, Proposal, Proposed, ProposedTask, Purpose, Signer, Span
from bluezone.letters.recipients import addressing_at, read_addressees, read_recipients, recipients_at
from bluezone.letters.signatures import read_signers
from bluezone.refusal import Refused
from bluezone.vietnamese.spelling import fold

# Marks of the administrative layout; a letter shows at least this many of the five.
_FEWEST_MARKS = 3


class NotADirective(Refused):
    """The text is no administrative document.

    missed: which marks of one were not found, of "national_title", "number", "date", "addressing" (Kính gửi, or a title
    such as QUYẾT ĐỊNH) and "closing" (Nơi nhận or a signature); pages name them to the clerk.
    """

    code = "not_a_directive"

    def __init__(self, missed: tuple[str, ...]) -> None:
        names = ", no ".join(mark.replace("_", " ") for mark in missed)
        super().__init__(f"this is not an administrative letter: found no {names}")
        self.missed = missed


def propose(text: str) -> Proposal:
    """Propose what a letter's text says.

    text: the letter as pasted or extracted, any normalisation form, with or without the marks of a transcript; text
    typed in a TCVN3 or VNI font is turned into Unicode first (`Proposal.converted_from`).
    Returns a proposal whose spans refer to `proposal.text` (cleaned, NFC).
    Raises NotADirective when too few marks of a letter are found.
    """
    sheet, body, without_orders, context = opened(text)
    tasks = read_tasks(body, sheet.tables, context)
    return dataclasses.replace(
        without_orders,
        tasks=tasks,
        due=read_due(joined(body.closing if tasks else body.preamble), context.date),
        unsure=_unsure(context.unsure, tasks),
    )


def opened(text: str) -> tuple[Sheet, Body, Proposal, Context]:
    """The letter in reading order, its body, all that it says but its orders, and what those stand in.

    Raises NotADirective as `propose` does.
    """
    sheet, body, read = _opened(text)
    return sheet, body, read, _context(read)


def _opened(text: str) -> tuple[Sheet, Body, Proposal]:
    """The letter in reading order, the parts of its body, and all that it says but its orders."""
    unicode, encoding = converted(text)
    stored = clean(unicode)
    sheet = arrange(stored)
    lines = sheet.lines
    number = read_number(lines)
    date, place = read_date(lines)
    _refuse_other_text(lines, place is not None)
    addressees, after = read_addressees(lines)
    body = read_body(lines, after or _head_end(lines))
    signers = read_signers(body.tail)
    issuer, superior, others = _issuers(read_bodies(lines), signers)
    return (
        sheet,
        body,
        Proposal(
            text=stored,
            kind=read_kind(lines, number),
            number=number,
            date=date,
            place=place,
            issuer=issuer,
            superior=superior,
            subject=read_subject(lines),
            basis=read_basis(joined(body.preamble)),
            addressees=addressees,
            tasks=(),
            due=None,
            signers=signers,
            recipients=read_recipients(lines),
            urgency=read_urgency(lines),
            co_issuers=others,
            converted_from=str(encoding) if encoding else None,
        ),
    )


def _context(read: Proposal) -> Context:
    return Context(
        read.kind.value,
        read.addressees,
        read.date.value if read.date else None,
        read.issuer.value if read.issuer else "",
        read.superior.value if read.superior else "",
        joint=bool(read.co_issuers),
        recipients=tuple(one.value.name for one in read.recipients),
        executing=tuple(one.value.name for one in read.recipients if one.value.purpose is Purpose.ACTION),
        minutes=fold(read.text[read.kind.span.start : read.kind.span.end]).startswith("bien ban"),
    )


def _unsure(passages: list[Passage], tasks: tuple[ProposedTask, ...]) -> tuple[Proposed[str], ...]:
    """The passages that were left open, in their order and once each, without those that share words with a task."""
    taken = [one.span for task in tasks for one in (task.text, *task.points)]
    found = {
        passage.span(): Proposed(passage.text, passage.span(), Confidence.LOW)
        for passage in passages
        if not any(span.start < passage.span().end and passage.span().start < span.end for span in taken)
    }
    return tuple(found[span] for span in sorted(found, key=lambda span: span.start))


def _issuers(
    bodies: list[Proposed[str]], signers: tuple[Proposed[Signer], ...]
) -> tuple[Proposed[str] | None, Proposed[str] | None, tuple[Proposed[str], ...]]:
    """Tell the body that issues from the one above it, and from those that issue with it.

    Two signatures on behalf of two bodies make the bodies of the head equals.
    """
    if not bodies:
        return None, None, ()
    if len(bodies) >= 2 and len(signers) >= len(bodies) and not _is_part(bodies, signers):
        return bodies[0], None, tuple(bodies[1:])
    return bodies[-1], bodies[-2] if len(bodies) > 1 else None, ()


_GOVERNMENT = ("uy ban nhan dan ", "ubnd ")
_PARTS = ("phong ", "so ", "trung tam ", "van phong", "thanh tra", "chi cuc ", "ban quan ly ", "tram ", "benh vien ")


def _is_part(bodies: list[Proposed[str]], signers: tuple[Proposed[Signer], ...]) -> bool:
    """Whether the second body is an office of the committee above it, for which nobody signs: two offices sign side by
    side under one head.
    """
    if not (fold(bodies[0].value).startswith(_GOVERNMENT) and fold(bodies[1].value).startswith(_PARTS)):
        return False
    signed = [
        fold(" ".join([*(line.of for line in one.value.authorities), one.value.position or ""])) for one in signers
    ]
    return not any("uy ban" in one or "chu tich" in one or "ubnd" in one for one in signed)


def _head_end(lines: list[Passage]) -> int:
    """Return the index below the head of a document that addresses nobody by name: after its title, date, or number."""
    titled = next((index for index, line in enumerate(lines[:HEAD_LINES]) if title_of(line)), None)
    if titled is not None:
        return titled + 1
    date, place = read_date(lines)
    number = read_number(lines)
    spans: list[Span] = [found.span for found in (date or place, number) if found]
    if not spans:
        return 0
    last = max(span.end for span in spans)
    return next((index for index, line in enumerate(lines) if line.text and line.offsets[0] >= last), 0)


def _refuse_other_text(lines: list[Passage], has_place: bool) -> None:
    kind = read_kind(lines, None)
    found = {
        "national_title": any(is_national_title(line) for line in lines[:HEAD_LINES]),
        "number": read_number(lines) is not None,
        "date": has_place,
        "addressing": addressing_at(lines) is not None or not kind.doubts,
        "closing": recipients_at(lines) is not None or bool(read_signers(lines)),
    }
    if sum(found.values()) < _FEWEST_MARKS:
        raise NotADirective(tuple(mark for mark, present in found.items() if not present))
