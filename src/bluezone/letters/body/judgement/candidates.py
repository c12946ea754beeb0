# SPDX-License-Identifier: Apache-2.0
"""What may become a duty, in numbers: an order that the rules read, or a sentence in which they read none.

The numbers hold how likely each sentence is by itself, and what stands beside it: an order among orders is likelier.
"""

import bisect
import functools
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bluezone.letters.body.context import Context
from bluezone.letters.body.judgement.facts import Facts
from bluezone.letters.body.judgement.features import features_of
from bluezone.letters.body.judgement.likelihood import likelihood
from bluezone.letters.body.judgement.sentences import Sentence
from bluezone.letters.proposal import DocumentKind, Span

_ONLY_NAMED = frozenset({DocumentKind.DECISION, DocumentKind.INVITATION, DocumentKind.RESOLUTION})
# A sentence is at most so sure by itself, and its neighbours are.
_MOST, _MOST_BESIDE = 5.0, 4.0


@dataclass(frozen=True)
class Reading:
    """An order as the rules read it: its label, and the spans of its text and its points."""

    label: str
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Surveyed:
    """A letter's sentences and what is known of each, in their order.

    any: how likely each orders something; unread: the same, as one in which the rules read nothing. inside: of each
    order the rules read, the sentences in it; owner: of each sentence, that order, None for none; doubted: whether they
    left it open. groups: what stands beside each sentence, itself with it where it begins a paragraph.
    """

    sentences: Sequence[Sentence]
    facts: Sequence[Facts]
    any: Sequence[float]
    unread: Sequence[float]
    readings: Sequence[Reading]
    inside: Sequence[Sequence[int]]
    owner: Sequence[int | None]
    doubted: Sequence[bool]
    groups: Mapping[Hashable, "Group"]
    context: Context

    @functools.cached_property
    def best(self) -> tuple[float, int]:
        """The sum of how likely the best sentence of each order the rules read is, and how many orders that is."""
        sure = [max(self.any[at] for at in its) for its in self.inside if its]
        return sum(_within(one, _MOST_BESIDE) for one in sure), len(sure)


@dataclass
class Group:
    """Sentences beside each other: how many, in how many the rules read an order, and the sum of how likely each is."""

    size: int = 0
    read: int = 0
    any: float = 0.0
    unread: float = 0.0


def survey(
    sentences: Sequence[Sentence], readings: Sequence[Reading], unsure: Sequence[Span], context: Context
) -> Surveyed:
    """Look at all sentences of a letter. readings: without those of tables; unsure: what the rules left open."""
    features, facts = features_of(sentences, context)
    return surveyed(
        sentences,
        facts,
        [likelihood("any", one) for one in features],
        [likelihood("unread", one) for one in features],
        readings,
        unsure,
        context,
    )


def surveyed(
    sentences: Sequence[Sentence],
    facts: Sequence[Facts],
    any_: Sequence[float],
    unread: Sequence[float],
    readings: Sequence[Reading],
    unsure: Sequence[Span],
    context: Context,
) -> Surveyed:
    """The letter as surveyed, with the likelihoods given."""
    spans = [one.passage.span() for one in sentences]
    starts = [span.start for span in spans]
    inside = [sorted({at for part in reading.spans for at in _touched(spans, starts, part, 3)}) for reading in readings]
    owner: list[int | None] = [None] * len(spans)
    for number, its in reversed(list(enumerate(inside))):
        for at in its:
            owner[at] = number
    left = {at for one in unsure for at in _touched(spans, starts, one, 0)}
    doubted = [at in left for at in range(len(spans))]
    groups = defaultdict[Hashable, Group](Group)
    for at, one in enumerate(sentences):
        if not (one.rank and one.order):
            group = groups[_place(one)]
            group.size += 1
            group.read += owner[at] is not None
            group.any += _within(any_[at], _MOST_BESIDE)
            group.unread += _within(unread[at], _MOST_BESIDE)
    return Surveyed(sentences, facts, any_, unread, readings, inside, owner, doubted, groups, context)


def _touched(spans: Sequence[Span], starts: Sequence[int], part: Span, margin: int) -> Iterator[int]:
    """The sentences that share words with the part, but for a few signs at their ends; they stand in their order."""
    for at in range(max(bisect.bisect_right(starts, part.start) - 1, 0), len(spans)):
        if spans[at].start + margin >= part.end:
            return
        if part.start < spans[at].end - margin:
            yield at


def _place(sentence: Sentence) -> Hashable:
    """The same for the paragraphs marked alike below the same line; in running text, for the sentences of a clause."""
    return (sentence.rank, id(sentence.above)) if sentence.rank else sentence.clause


def numbers_of_reading(letter: Surveyed, number: int) -> dict[str, float] | None:
    """The numbers of an order that the rules read; None where none of the sentences is in it."""
    inside = letter.inside[number]
    if not inside:
        return None
    sure = letter.any
    best = max(inside, key=lambda at: sure[at])
    whole, read = letter.best
    others = read - 1
    facts = [letter.facts[at] for at in inside]
    label = letter.readings[number].label
    past = any(one.tenses & {"done", "doing"} for one in facts)
    given = any(one.given != "none" for one in facts)
    return _numbers(letter, best, sure) | {
        "first": _within(sure[inside[0]], _MOST),
        "weakest": min(sure[at] for at in inside),
        "sentences": len(inside),
        "points": len(letter.readings[number].spans) > 1,
        "no label": label.startswith("Ý"),
        "article": label.startswith("Điều"),
        "part": "." in label,
        "others": (whole - _within(sure[best], _MOST_BESIDE)) / others if others else 0.0,
        "alone": not others,
        "any past": past,
        "any ahead": any(one.due == "ahead" for one in facts),
        "any addressed": any(one.who == "addressed" for one in facts),
        "any given": given,
        "past, not given": past and not given,
    }


def numbers_of_sentence(letter: Surveyed, at: int) -> dict[str, float]:
    """The numbers of a sentence in which the rules read no order."""
    return _numbers(letter, at, letter.unread) | {"any": _within(letter.any[at], _MOST)}


def _numbers(letter: Surveyed, at: int, sure: Sequence[float]) -> dict[str, float]:
    sentences, facts, context = letter.sentences, letter.facts[at], letter.context
    own = sentences[at]
    group = letter.groups.get(_place(own), Group())
    with_it = not (own.rank and own.order)
    beside = group.size - with_it
    around = group.any if sure is letter.any else group.unread
    around -= _within(sure[at], _MOST_BESIDE) if with_it else 0.0
    last = len(sentences) - 1
    text = own.passage.text
    return {
        "own": _within(sure[at], _MOST),
        "beside": around / beside if beside else 0.0,
        "none beside": not beside,
        "before": _within(sure[at - 1], _MOST_BESIDE) if at else 0.0,
        "after": _within(sure[at + 1], _MOST_BESIDE) if at < last else 0.0,
        "beside read": (group.read - (with_it and letter.owner[at] is not None)) / beside if beside else 0.0,
        "before read": at > 0 and letter.owner[at - 1] is not None,
        "after read": at < last and letter.owner[at + 1] is not None,
        "doubted": letter.doubted[at],
        "parsed": facts.who != "none",
        "named": facts.who not in ("none", "bare"),
        "addressed": facts.who == "addressed",
        "issuer": facts.who == "issuer",
        "recipient": any(len(name) > 3 and name in text for name in context.recipients),
        "given": facts.given != "none",
        "every": facts.due == "every",
        "ahead": facts.due == "ahead",
        "over": facts.due == "past",
        "past": bool(facts.tenses & {"done", "doing"}),
        "will": bool(facts.tenses & {"will", "passive", "suffers", "may"}),
        "begins": own.order == 0,
        "marked": bool(own.rank),
        "asked": own.asked,
        "place": own.place,
        "colon": text.endswith(":"),
        "only named": context.kind in _ONLY_NAMED,
        "official letter": context.kind is DocumentKind.OFFICIAL_LETTER,
        "other": context.kind is DocumentKind.OTHER,
        "readings": min(len(letter.readings), 8),
        "short": len(text) < 40,
        "length": len(text) / 100,
        "to somebody": bool(context.addressees),
    }


def _within(value: float, most: float) -> float:
    return max(-most, min(most, value))
