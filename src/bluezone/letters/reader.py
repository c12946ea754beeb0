# SPDX-License-Identifier: Apache-2.0
"""Propose what the text of a letter says: number, date, signer, recipients, and its clauses as tasks.

A clerk sees each proposed value beside the place it was read from and corrects it; nothing is stored from here.
Acceptance case: Công văn 458/UBND-VP of 7 August 2020.
"""

import datetime

from bluezone.letters.clauses import Clause, read_body, read_parties
from bluezone.letters.due_dates import read_due
from bluezone.letters.letter_text import Passage, clean, joined, lines_of, refuse_legacy_text
from bluezone.letters.letterhead import (
    HEAD_LINES,
    is_national_title,
    read_basis,
    read_bodies,
    read_date,
    read_kind,
    read_number,
    read_subject,
)
from bluezone.letters.proposal import Addressee, Proposal, Proposed, ProposedTask, Span
from bluezone.letters.recipients import addressing_at, read_addressees, read_recipients, recipients_at
from bluezone.letters.signatures import read_signers
from bluezone.refusal import Refused

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
        super().__init__(f"this is no administrative letter: found no {names}")
        self.missed = missed


def propose(text: str) -> Proposal:
    """Propose what a letter's text says.

    text: the letter as pasted or extracted, any normalisation form, with or without the marks of a transcript.
    Returns a proposal whose spans refer to `proposal.text` (cleaned, NFC).
    Raises NotADirective when too few marks of a letter are found, LegacyEncoding for text typed in a TCVN3 or VNI font.
    """
    refuse_legacy_text(text)
    stored = clean(text)
    lines = lines_of(stored)
    _refuse_other_text(lines)
    number = read_number(lines)
    date, place = read_date(lines)
    letter_date = date.value if date else None
    issuer, superior = read_bodies(lines)
    addressees, after = read_addressees(lines)
    body = read_body(lines, after or _head_end(lines))
    return Proposal(
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
        tasks=tuple(_task(clause, addressees, letter_date) for clause in body.clauses),
        due=read_due(joined(body.closing if body.clauses else body.preamble), letter_date),
        signers=read_signers(body.tail),
        recipients=read_recipients(lines),
    )


def _task(
    clause: Clause, addressees: tuple[Proposed[Addressee], ...], letter_date: datetime.date | None
) -> ProposedTask:
    own = joined(clause.lines)
    points = [joined(point) for point in clause.points]
    whole = joined([own, *points])
    return ProposedTask(
        label=clause.label,
        text=Proposed(own.text, own.span()),
        points=tuple(Proposed(point.text, point.span()) for point in points),
        parties=read_parties(own, addressees),
        due=read_due(whole, letter_date),
    )


def _head_end(lines: list[Passage]) -> int:
    """Return the index below the head of a document that addresses nobody by name: after its date, or its number."""
    date, _ = read_date(lines)
    number = read_number(lines)
    spans: list[Span] = [found.span for found in (date, number) if found]
    if not spans:
        return 0
    last = max(span.end for span in spans)
    return next((index for index, line in enumerate(lines) if line.text and line.offsets[0] >= last), 0)


def _refuse_other_text(lines: list[Passage]) -> None:
    _, place = read_date(lines)
    kind = read_kind(lines, None)
    found = {
        "national_title": any(is_national_title(line) for line in lines[:HEAD_LINES]),
        "number": read_number(lines) is not None,
        "date": place is not None,
        "addressing": addressing_at(lines) is not None or not kind.doubts,
        "closing": recipients_at(lines) is not None or bool(read_signers(lines)),
    }
    if sum(found.values()) < _FEWEST_MARKS:
        raise NotADirective(tuple(mark for mark, present in found.items() if not present))
