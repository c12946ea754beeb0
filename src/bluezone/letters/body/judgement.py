# SPDX-License-Identifier: Apache-2.0
"""What becomes a duty: where the rules and the learnt judgement agree, or the judgement alone is sure.

What only one of them takes for an order is left open for a person (`Proposal.unsure`). The thresholds were chosen on
letters from which the weights were not learnt: docs/letters.md.
"""

import dataclasses
import re
from collections.abc import Iterator, Sequence

from bluezone.letters.agency_names import STARTS_AS_AGENCY
from bluezone.letters.body.context import Context, capital, is_issuer, make_task
from bluezone.letters.body.likelihood import Sentence, likelihood, sentences_of
from bluezone.letters.body.parties import Order, for_addressees, given_at, read_order
from bluezone.letters.letter_text import Passage
from bluezone.letters.proposal import (
    Confidence,
    Doubt,
    PartyRole,
    Proposed,
    ProposedTask,
    Span,
    TaskParty,
)

# Below it, an order that the rules read is left open, where no word of the sentence gives it to somebody.
KEPT = 0.2
# From it on, what no rule takes for an order is one: where its form is known, is not, or is one they doubt.
ADDED = 0.7
ADDED_UNKNOWN = 0.9
ADDED_DOUBTED = 0.95
# From it on, a person is shown what no rule reads.
SHOWN = 0.4


def judge(tasks: Sequence[ProposedTask], lines: Sequence[Passage], context: Context) -> tuple[ProposedTask, ...]:
    """Return the orders that stand, in their order; what is left open is added to `context.unsure`.

    tasks: as the rules read them, without those of tables. lines: of the body.
    """
    judged = [(one, likelihood(one, context)) for one in sentences_of(lines)]
    kept, doubted = list[ProposedTask](), list[tuple[ProposedTask, Passage]]()
    for task in tasks:
        inside = [(one, sure) for one, sure in judged if _is_in(one, task)]
        if inside and max(sure for _, sure in inside) < KEPT and not any(_is_given(one) for one, _ in inside):
            doubted.append((task, inside[0][0].passage))
        else:
            kept.append(task)
    # Points of one clause stand together.
    stand = {_clause_of(task) for task in kept} - {""}
    kept += [task for task, _ in doubted if _clause_of(task) in stand]
    context.unsure.extend(passage for task, passage in doubted if _clause_of(task) not in stand)
    taken = [one for one, _ in judged if any(_is_in(one, task) for task in tasks)]
    open_ = [one.span() for one in context.unsure]
    left = [(one, sure, _is_any(one, open_)) for one, sure in judged if one not in taken]
    kept += _added(left, taken, context)
    return tuple(sorted(kept, key=lambda task: task.text.span.start))


def _clause_of(task: ProposedTask) -> str:
    """ "1" of the point "1.a", nothing of what is no point."""
    above, _, mark = task.label.rpartition(".")
    return above if len(mark) == 1 and mark.isalpha() and mark.islower() else ""


def _is_in(sentence: Sentence, task: ProposedTask) -> bool:
    own = sentence.passage.span()
    return any(part.span.start < own.end - 3 and own.start + 3 < part.span.end for part in (task.text, *task.points))


def _is_any(sentence: Sentence, spans: Sequence[Span]) -> bool:
    own = sentence.passage.span()
    return any(span.start < own.end and own.start < span.end for span in spans)


def _is_given(sentence: Sentence) -> bool:
    """Whether the sentence, or the line above lines without a mark, gives somebody an order in so many words, or names
    somebody before a colon.
    """
    above = sentence.above.text if sentence.above and not sentence.rank else ""
    text = sentence.passage.text
    return bool(given_at(text) or given_at(above) or _NAMED_BY_COLON.match(text))


_DONE = re.compile(r"\b(?:đã|đang|vừa)\b")
# "Ủy ban nhân dân các xã: Huy động nhân dân …"
_NAMED_BY_COLON = re.compile(rf"{STARTS_AS_AGENCY.pattern}[^.;:]{{2,100}}:\s+\w")


def _added(
    left: Sequence[tuple[Sentence, float, bool]], taken: Sequence[Sentence], context: Context
) -> Iterator[ProposedTask]:
    """What no rule reads and is an order all the same; what belongs to an order that was read is none of its own."""
    clauses = {one.clause for one in taken}
    found = dict[int, list[tuple[Sentence, Order | None]]]()
    for sentence, sure, doubted in left:
        if sentence.heading or sure < SHOWN:
            continue
        order = read_order(capital(sentence.passage), clause=True, given=True)
        named = order is not None and order.named
        if sentence.clause in clauses and not named:
            continue
        done = _DONE.search(sentence.passage.text) and not given_at(sentence.passage.text)
        ours = order is not None and named and is_issuer(order, context)
        asked = ADDED_DOUBTED if doubted else ADDED_UNKNOWN if order is None else ADDED
        if sure < asked or ours or done or sentence.passage.text.endswith(":"):
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
        text = Proposed(task.text.value, task.text.span, Confidence.LOW, (Doubt.PROSE,))
        yield dataclasses.replace(task, text=text)


def _above(sentence: Sentence, context: Context) -> tuple[Proposed[TaskParty], ...]:
    """Who leads what names nobody: whom the line above it names, else whom the letter addresses."""
    if sentence.above is not None and sentence.rank:
        order = read_order(sentence.above, heads=True)
        if order and order.named and not is_issuer(order, context):
            return tuple(party for party in order.parties if party.value.role is PartyRole.LEAD)
    return for_addressees(context.addressees)
