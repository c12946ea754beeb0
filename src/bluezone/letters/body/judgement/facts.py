# SPDX-License-Identifier: Apache-2.0
"""What the rules' own tests say of each sentence: whom it names, who asks in it, when it is due, whether it tells."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bluezone.letters.agency_names import heads_as_agency
from bluezone.letters.body.assignments import charged_in_brackets
from bluezone.letters.body.clauses import ASIDE_SECTIONS, TASK_SECTIONS
from bluezone.letters.body.context import Context, are_addressed, are_peers, capital, is_above, is_issuer
from bluezone.letters.body.judgement.sentences import Sentence
from bluezone.letters.body.parties import Order, given_at, read_order
from bluezone.letters.body.prose import ASKS
from bluezone.letters.body.telling import Asker, answers, is_past, only_informs, who_asks
from bluezone.letters.due_dates import read_due
from bluezone.letters.proposal import PartyRole
from bluezone.vietnamese.spelling import fold

TENSES: Final = {
    "done": re.compile(r"\b(?:đã|từng|vừa qua)\b"),
    "doing": re.compile(r"\bđang\b"),
    "will": re.compile(r"\b(?:sẽ|dự kiến)\b"),
    "passive": re.compile(r"\bđược\b"),
    "suffers": re.compile(r"\bbị\b"),
    "must": re.compile(r"\bphải\b"),
    "may": re.compile(r"\bcó thể\b"),
    "should": re.compile(r"\bnên\b"),
    "if": re.compile(r"^(?:Nếu|Khi|Trường hợp|Trong trường hợp|(?:\S+ ){1,3}nào\b.* thì )", re.IGNORECASE),
}


@dataclass(frozen=True)
class Facts:
    """What is known of a sentence.

    order: what the rules read in it, as one of a list; deed: the words of it, or what follows who is named. who: "none"
    where they read no order, "bare" where it names nobody, else what who leads is to the letter: "issuer", "above" it,
    "addressed", "executing" (it gets the letter to carry it out), "recipient", "peer" of the issuer, or only "named".
    given: in whose mouth it gives somebody an order in so many words ("none" for no such words), asks: the same of any
    word that asks. above_asks: of the line above; above_names: whom that names, as `who`. due: "no", "every", "ahead"
    of the letter's day or "past". quoted: it stands within quotation marks that another sentence opened. past_before: a
    word for the past stands before the deed. tenses: of `TENSES`. section: whether its section gives tasks ("task"),
    none ("aside"), is headed by whom it is for ("agency"), or is another or none.
    """

    order: Order | None
    deed: str
    who: str
    given: str
    asks: str
    above_asks: str
    above_names: str
    due: str
    quoted: bool
    past_before: bool
    tenses: frozenset[str]
    section: str


@dataclass(frozen=True)
class LetterFacts:
    """What is known of the whole letter: whether it says that it reports or answers, or that it informs."""

    reports: bool
    informs: bool


def letter_facts(sentences: Sequence[Sentence], context: Context) -> LetterFacts:
    paragraphs = list[str]()
    for sentence in sentences:
        if sentence.order:
            paragraphs[-1] += f" {sentence.passage.text}"
        else:
            paragraphs.append(sentence.passage.text)
    introduction = next((one for one in paragraphs if one.endswith(":")), "")
    first = re.split(r"(?<=[^\W\d_A-ZĐ]{2}\.)\s+", paragraphs[0]) if paragraphs else []
    openings = (introduction, *(one for one in first if not is_past(one)))
    return LetterFacts(
        any(answers(one, context.issuer, context.superior) for one in openings),
        only_informs(introduction, addressed=bool(context.addressees)),
    )


def facts_of(sentences: Sequence[Sentence], context: Context) -> list[Facts]:
    """The facts of a letter's sentences, in their order."""
    found = list[Facts]()
    open_quotes = 0
    for sentence in sentences:
        text = sentence.passage.text
        order, at = _ordered(sentence, context)
        above = sentence.above.text if sentence.above is not None and sentence.rank else ""
        heads = read_order(sentence.above, heads=True) if sentence.above is not None and sentence.rank else None
        found.append(
            Facts(
                order=order,
                deed=text[at:],
                who=_who(order, context),
                given=_asker(text, [one.start("how") for one in given_at(text)], context, best=True),
                asks=_asker(text, [one.start() for one in ASKS.finditer(text)], context),
                above_asks=_asker(above, [one.start() for one in ASKS.finditer(above)], context),
                above_names=_who(heads, context) if heads is not None and heads.named else "none",
                due=_due(sentence, context),
                quoted=open_quotes > 0,
                past_before=order is not None and order.named and is_past(text[:at]),
                tenses=frozenset(name for name, form in TENSES.items() if form.search(text)),
                section=_section(sentence.section),
            )
        )
        open_quotes = max(0, open_quotes + text.count("“") - text.count("”"))
    return found


def _ordered(sentence: Sentence, context: Context) -> tuple[Order | None, int]:
    """The order that a sentence holds, and where in it the deed is named; whom the writer asks by name comes before the
    writer: "Sở Y tế đề nghị Trung tâm Y tế lập danh sách".
    """
    order = read_order(capital(sentence.passage), clause=bool(sentence.rank), given=True)
    if sentence.rank and not (order and order.named):
        order = charged_in_brackets(capital(sentence.passage)) or order
    if order is None or _who(order, context) in ("issuer", "above"):
        text = sentence.passage.text
        for start in (one.start("how") for one in given_at(text)):
            if who_asks(text[:start], context.issuer, context.superior) is Asker.WRITER:
                asked = read_order(capital(sentence.passage.cut(start)), given=True)
                if asked is not None and asked.named:
                    return asked, start + asked.at
    return order, order.at if order is not None else 0


def _who(order: Order | None, context: Context) -> str:
    if order is None:
        return "none"
    if not order.named:
        return "bare"
    if is_issuer(order, context):
        return "issuer"
    if is_above(order, context):
        return "above"
    if context.addressees and are_addressed(order.parties, context):
        return "addressed"
    leads = [party.value.name for party in order.parties if party.value.role is PartyRole.LEAD]
    for names, sign in ((context.executing, "executing"), (context.recipients, "recipient")):
        if any(lead in name or name in lead for lead in leads for name in names):
            return sign
    return "peer" if are_peers(order.parties, context) else "named"


def _asker(text: str, starts: Sequence[int], context: Context, *, best: bool = False) -> str:
    """In whose mouth the last of the words that ask is put; `best`: whether one of them is the writer's."""
    askers = [who_asks(text[:start], context.issuer, context.superior) for start in starts]
    if not askers:
        return "none"
    if best:
        return next(one.name.lower() for one in (Asker.WRITER, Asker.UNCLEAR, Asker.OTHER) if one in askers)
    return askers[-1].name.lower()


def _due(sentence: Sentence, context: Context) -> str:
    due = read_due(sentence.passage, context.date)
    if due is None:
        return "no"
    if due.value.date is None:
        return "every"
    return "ahead" if context.date and due.value.date >= context.date else "past"


def _section(heading: str) -> str:
    heading = re.sub(r"^[IVX]+\W+", "", heading)
    if heads_as_agency(heading.rstrip(":. ")):
        return "agency"
    title = fold(heading).removeprefix("ve ")
    if title.startswith(TASK_SECTIONS):
        return "task"
    if title.startswith(ASIDE_SECTIONS):
        return "aside"
    return "other" if title else "none"
