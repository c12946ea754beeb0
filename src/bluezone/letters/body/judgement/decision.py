# SPDX-License-Identifier: Apache-2.0
"""What becomes a duty: what is sure enough of all that the rules read, and did not read.

The rest of what may be an order is left open for a person (`Proposal.unsure`). KEPT was looked for on letters from
which the weights were not learnt, and lowered from 1.25 so that no order of the corpus is lost; ADDED is such that no
letter of the corpus gets an order too many: docs/letters.md.
"""

import dataclasses
import re
from collections.abc import Iterator, Sequence

from bluezone.letters.body.assignments import is_charged
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
from bluezone.letters.body.parties import Order, for_addressees, given_at, read_order
from bluezone.letters.letter_text import Passage
from bluezone.letters.proposal import Confidence, Doubt, PartyRole, Proposed, ProposedTask, TaskParty

# From these logits on, an order that the rules read stands, and a sentence in which they read none becomes one.
KEPT = 1.2
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
    kept, last = list[ProposedTask](), len(letter.sentences)
    for number, task in enumerate(tasks):
        numbers = numbers_of_reading(letter, number)
        charged = any(
            is_charged(letter.sentences[at].passage, letter.sentences[at + 1].passage if at + 1 < last else None)
            for at in letter.inside[number]
        )
        if numbers is None or ((charged or sum_of("kept", numbers) >= KEPT) and not context.minutes):
            kept.append(task)
        else:
            context.unsure.append(letter.sentences[letter.inside[number][0]].passage)
    kept += _added(letter, context)
    return tuple(sorted(kept, key=lambda task: task.text.span.start))


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
        order = read_order(capital(sentence.passage), clause=True, given=True)
        named = order is not None and order.named
        if sentence.clause in clauses and not named:
            continue
        done = _DONE.search(text) and not given_at(text)
        ours = order is not None and named and is_issuer(order, context)
        if sure < (ADDED_DOUBTED if letter.doubted[at] else ADDED) or ours or done or context.minutes:
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
