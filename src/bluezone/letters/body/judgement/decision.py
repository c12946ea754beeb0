# SPDX-License-Identifier: Apache-2.0
"""What becomes a duty: what is sure enough of all that the rules read, and did not read.

The rest of what may be an order is left open for a person (`Proposal.unsure`). KEPT was looked for on letters from
which the weights were not learnt, and lowered from 1.25 so that no order of the corpus is lost; ADDED is such that no
letter of the corpus gets an order too many: docs/letters.md.
"""

import dataclasses
import re
from collections.abc import Iterator, Sequence

from bluezone.letters.body.assignments import carries_out, is_charged
from bluezone.letters.body.context import Context, capital, is_issuer, make_task
from bluezone.letters.body.judgement.candidates import (
    Reading,
    Surveyed,
    numbers_of_reading,
    numbers_of_sentence,
    survey,
)
from bluezone.letters.body.judgement.likelihood import sum_of
from bluezone.letters.body.judgement.sentences import Sentence, sentences_of
from bluezone.letters.body.parties import Order, by_capitals, for_addressees, given_at, read_order
from bluezone.letters.body.prose import ARRANGEMENT
from bluezone.letters.letter_text import Passage
from bluezone.letters.proposal import Confidence, DocumentKind, Doubt, PartyRole, Proposed, ProposedTask, TaskParty

# From these logits on, an order that the rules read stands, and a sentence in which they read none becomes one.
KEPT = 1.2
# The same where the writer asks for it in so many words: "Giao Văn phòng đôn đốc".
KEPT_ASKED = 0.8
ADDED = 2.0
# From it on, one does that the rules left open.
ADDED_DOUBTED = 2.5
# From it on, a person is shown a sentence in which the rules read no order.
SHOWN = -1.0
# No letter has more; of a text made to be slow, what follows stays as the rules read it.
MOST_SENTENCES = 500


def judge(tasks: Sequence[ProposedTask], lines: Sequence[Passage], context: Context) -> tuple[ProposedTask, ...]:
    """Return the orders that stand, in their order; what is left open is added to `context.unsure`.

    tasks: as the rules read them, without those of tables. lines: of the body.
    """
    readings = [Reading(one.label, tuple(part.span for part in (one.text, *one.points))) for one in tasks]
    letter = survey(sentences_of(lines)[:MOST_SENTENCES], readings, [one.span() for one in context.unsure], context)
    kept = list[ProposedTask]()
    for number, task in enumerate(tasks):
        numbers = numbers_of_reading(letter, number)
        inside = letter.inside[number]
        told = context.minutes or all(_is_on_programme(letter, at) for at in inside)
        least = KEPT_ASKED if any(letter.facts[at].given == "writer" for at in inside) else KEPT
        if numbers is None or (
            not told and (any(_is_by_form(letter, at) for at in inside) or sum_of("kept", numbers) >= least)
        ):
            kept.append(task)
        else:
            context.unsure.append(letter.sentences[inside[0]].passage)
    kept += _added(letter, context)
    return tuple(sorted(kept, key=lambda task: task.text.span.start))


def _is_by_form(letter: Surveyed, at: int) -> bool:
    """Whether the form of the sentence, or of the one behind it in its clause, charges somebody: "4. Chủ trì: …" below
    "3. Nội dung:" charges nobody with that. What stands below the name of one who is to carry it out is for that one.
    """
    own, *following = letter.sentences[at : at + 2]
    behind = following[0].passage if following and following[0].clause == own.clause else None
    decided = letter.context.kind is DocumentKind.DECISION and carries_out(own.passage)
    headed = own.below and letter.facts[at].above_names in ("addressed", "executing")
    return decided or headed or _is_prepared(letter, at) or is_charged(own.passage, behind)


_PREPARED = re.compile(r"(?:Công tác |Phân công |Việc )?chuẩn bị\b[^:.;]{0,40}:", re.IGNORECASE)


def _is_prepared(letter: Surveyed, at: int) -> bool:
    """Whether somebody is named to prepare something for the meeting of an invitation: "4. Chuẩn bị: Sở Y tế …"."""
    own, who = letter.sentences[at], letter.facts[at].who
    leads = [own.passage, own.above] if own.below else [own.passage]
    invited = letter.context.kind is DocumentKind.INVITATION and who not in ("none", "bare", "issuer", "above")
    return invited and any(one is not None and _PREPARED.match(one.text) for one in leads)


def _is_on_programme(letter: Surveyed, at: int) -> bool:
    """Whether the sentence says what happens in the meeting of an invitation: below "Nội dung:", asked of nobody."""
    own = letter.sentences[at]
    happens = own.below and own.above is not None and bool(ARRANGEMENT.match(own.above.text))
    return letter.context.kind is DocumentKind.INVITATION and happens and letter.facts[at].given == "none"


_DONE = re.compile(r"\b(?:đã|đang|vừa)\b")


def _added(letter: Surveyed, context: Context) -> Iterator[ProposedTask]:
    """What no rule reads and is an order all the same; what belongs to an order that was read is none of its own."""
    clauses = {one.clause for one, owner in zip(letter.sentences, letter.owner, strict=True) if owner is not None}
    found = dict[int, list[tuple[Sentence, Order | None]]]()
    for at, sentence in enumerate(letter.sentences):
        text = sentence.passage.text
        if letter.owner[at] is not None or sentence.heading or text.endswith(":"):
            continue
        sure = sum_of("added", numbers_of_sentence(letter, at))
        if sure < SHOWN:
            continue
        known = [one.value.name for one in context.addressees]
        order = read_order(capital(sentence.passage), clause=True, given=True, known=known)
        if order is None:
            order = by_capitals(sentence.passage)
        named = order is not None and order.named
        if sentence.clause in clauses and not named:
            continue
        done = _DONE.search(text) and not given_at(text)
        ours = order is not None and named and is_issuer(order, context)
        happens = _is_on_programme(letter, at)
        if sure < (ADDED_DOUBTED if letter.doubted[at] else ADDED) or ours or done or context.minutes or happens:
            context.unsure.append(sentence.passage)
            continue
        # A point that names nobody belongs to the one above it.
        under = -sentence.clause - 1 if not named and sentence.rank else len(found)
        found.setdefault(under, []).append((sentence, order))
    for (first, order), *more in found.values():
        points = [sentence.passage for sentence, _ in more]
        lead = _above(first, context)
        parties = order.parties if order else ()
        task = make_task(f"Ý {first.clause + 1}", first.passage, points, parties, context, lead=lead)
        doubtful = Proposed(task.text.value, task.text.span, Confidence.LOW, (Doubt.PROSE,))
        yield dataclasses.replace(task, text=doubtful)


def _above(sentence: Sentence, context: Context) -> tuple[Proposed[TaskParty], ...]:
    """Who leads what names nobody: whom the line above it names, else whom the letter addresses."""
    if sentence.above is not None and sentence.rank:
        order = read_order(sentence.above, heads=True)
        if order and order.named and not is_issuer(order, context):
            return tuple(party for party in order.parties if party.value.role is PartyRole.LEAD)
    return for_addressees(context.addressees)
