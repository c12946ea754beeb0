# SPDX-License-Identifier: Apache-2.0
"""Learn from letters with their truth what orders something, and say how well it does on others.

    python -m bench.letters.learning first-sight R   keeps what the rules of now read in a new lot
    python -m bench.letters.learning weigh           writes src/bluezone/letters/body/judgement/weights.json
    python -m bench.letters.learning leave-out       for each lot, with weights learnt without it

Two models learn from sentences: "any" from all, "unread" from those in which the rules read no order. A sentence with
words of an order is one; the other sentences of the same clause are left out, as the truth says of a clause only once
that it orders. Two more learn what to make of it, from the lots alone: "kept" from each order the rules read, "added"
from each sentence in which they read none. For these a lot's sentences are weighed by models learnt without it, and the
rules are those of the day on which the lot was first seen (whole/first_sight.json), before anything was mended for it.
The same letters give the same weights: nothing is drawn by chance.
"""

import dataclasses
import functools
import itertools
import json
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from bench.bench_letters import _said, _says
from bench.letters.corpus import HELD_BACK, Letter, read_letters
from bench.letters.lots import FOLDER, LOTS, read_lot
from bench.letters.rendering import as_text
from bench.letters.taught import read_taught

from bluezone.letters.body.context import Context
from bluezone.letters.body.judgement import likelihood
from bluezone.letters.body.judgement.candidates import (
    Reading,
    Surveyed,
    numbers_of_reading,
    numbers_of_sentence,
    surveyed,
)
from bluezone.letters.body.judgement.decision import judge
from bluezone.letters.body.judgement.facts import Facts
from bluezone.letters.body.judgement.features import features_of
from bluezone.letters.body.judgement.sentences import Sentence, sentences_of
from bluezone.letters.body.orders import NO_ORDERS, by_rules
from bluezone.letters.letter_text import Passage
from bluezone.letters.proposal import Proposed, ProposedTask, Span
from bluezone.letters.reader import opened

FIRST_SIGHT = FOLDER / "first_sight.json"
# Features of fewer sentences are left out; the penalty keeps the weights of rare ones small.
FEWEST: Final = 4
PENALTY: Final = 0.3
STEPS: Final = 200
# Of the numbers of candidates.
PENALTY_OF_NUMBERS: Final = 20.0
# Weights that move no decision are not written.
SMALLEST: Final = 0.03
# Columns of the file of weights, so that a diff can be read.
LINE: Final = 120

Weights = dict[str, float]


@dataclass(frozen=True)
class Case:
    """A letter to learn from, sentence by sentence.

    orders: whether each orders something, None where the truth does not say. readings and unsure: what the rules read
    of its text, and left open; right: whether each reading is an order of the letter. rows: orders of its tables.
    """

    lot: str
    letter: Letter | None
    lines: Sequence[Passage]
    text: str
    context: Context
    sentences: Sequence[Sentence]
    features: Sequence[frozenset[str]]
    facts: Sequence[Facts]
    orders: Sequence[bool | None]
    readings: Sequence[Reading]
    unsure: Sequence[Span]
    rows: Sequence[str]
    right: Sequence[bool]

    def surveyed(self, any_: Sequence[float], unread: Sequence[float]) -> Surveyed:
        return surveyed(self.sentences, self.facts, any_, unread, self.readings, self.unsure, self.context)

    def is_read(self, at: int) -> bool:
        own = self.sentences[at].passage.span()
        return any(one.start < own.end - 3 and own.start + 3 < one.end for its in self.readings for one in its.spans)


def case_of(letter: Letter, lot: str = "", kept: Mapping[str, Any] | None = None) -> Case:
    """The letter as a case. kept: what the rules read in it at first sight; None for what they read now."""
    read = read_now(letter) if kept is None else kept
    _, body, proposal, context = opened(as_text(letter))
    sentences = sentences_of(body.lines)
    found, facts = features_of(sentences, context)
    readings, rows, wholes = list[Reading](), list[str](), list[str]()
    for label, begins, *spans in read["tasks"]:
        whole = " ".join(proposal.text[start:end] for start, end in spans)
        if not whole.startswith(begins):
            raise ValueError(f"{letter.name} was first read in another form: got {whole[:40]!r}, expected {begins!r}")
        if label.startswith("Bảng"):
            rows.append(whole)
        else:
            readings.append(Reading(label, tuple(Span(*span) for span in spans)))
            wholes.append(whole)
    return Case(
        lot=lot,
        letter=letter,
        lines=body.lines,
        text=proposal.text,
        context=context,
        sentences=sentences,
        features=[frozenset(one) for one in found],
        facts=facts,
        orders=_orders(letter, sentences),
        readings=readings,
        unsure=[Span(*span) for span in read["unsure"]],
        rows=rows,
        right=_right(letter, wholes),
    )


def read_now(letter: Letter) -> dict[str, Any]:
    """What the rules alone read: of each order its label, how it begins and where its text and points stand."""
    sheet, body, proposal, context = opened(as_text(letter))
    tasks, rows = ([], []) if context.kind in NO_ORDERS else by_rules(body, sheet.tables, context)
    spans = [
        (one.label, [(part.span.start, part.span.end) for part in (one.text, *one.points)]) for one in (*tasks, *rows)
    ]
    return {
        "tasks": [[label, proposal.text[its[0][0] : its[0][1]][:24], *its] for label, its in spans],
        "unsure": [[one.span().start, one.span().end] for one in context.unsure],
    }


def _orders(letter: Letter, sentences: Sequence[Sentence]) -> list[bool | None]:
    said = [_said(sentence.passage.text) for sentence in sentences]
    ordering = set[int]()
    for task in letter.tasks:
        words = _said(task.what)
        at = next((at for at, one in enumerate(said) if words in one), None)
        if at is None:  # a few words of it, where the end of a sentence is within
            at = next((at for at, one in enumerate(said) if words[:15] in one), None)
        if at is not None:
            ordering.add(at)
    clauses = {sentences[at].clause for at in ordering}
    return [True if at in ordering else None if one.clause in clauses else False for at, one in enumerate(sentences)]


def _right(letter: Letter, wholes: Sequence[str]) -> list[bool]:
    """Which of the readings are orders of the letter, each order at most once."""
    right = [False] * len(wholes)
    for task in letter.tasks:
        at = next((at for at, one in enumerate(wholes) if not right[at] and _says(one, task.what, by_ear=False)), None)
        if at is not None:
            right[at] = True
    return right


def of_the_lots() -> list[Case]:
    kept = json.loads(FIRST_SIGHT.read_text())
    return [case_of(letter, lot, kept[lot][letter.name]) for lot in LOTS for letter in read_lot(lot)]


def of_the_bodies() -> list[Case]:
    """The bodies of the corpus, each under one head only, and those that only the judgement learns from."""
    letters = [*read_letters(), *read_letters(HELD_BACK)]
    once = {letter.name.rstrip("0123456789").rstrip("-"): letter for letter in reversed(letters)}
    return [*(case_of(letter) for _, letter in sorted(once.items())), *map(_taught, read_taught())]


def _taught(body: Any) -> Case:
    sentences = sentences_of(body.lines)
    found, facts = features_of(sentences, body.context)
    ordering = [
        any(one.passage.span().start - 3 <= at < one.passage.span().end for at in body.ordering) for one in sentences
    ]
    clauses = {one.clause for one, orders in zip(sentences, ordering, strict=True) if orders}
    tasks = [] if body.context.kind in NO_ORDERS else by_rules(body.body, (), body.context)[0]
    return Case(
        lot="",
        letter=None,
        lines=body.lines,
        text="",
        context=body.context,
        sentences=sentences,
        features=[frozenset(one) for one in found],
        facts=facts,
        orders=[
            True if orders else None if one.clause in clauses else False
            for one, orders in zip(sentences, ordering, strict=True)
        ],
        readings=[Reading(one.label, tuple(part.span for part in (one.text, *one.points))) for one in tasks],
        unsure=[],
        rows=[],
        right=[],
    )


Example = tuple[frozenset[str], bool]


def examples(cases: Iterable[Case], model: str) -> list[Example]:
    return [
        (names, orders)
        for case in cases
        for at, (names, orders) in enumerate(zip(case.features, case.orders, strict=True))
        if orders is not None and not (model == "unread" and case.is_read(at))
    ]


def learn(given: Sequence[Example]) -> Weights:
    """Return the weights, "" for the bias, of the features that make the examples most likely, under the penalty."""
    seen = Counter(name for names, _ in given for name in names)
    names = sorted(name for name, number in seen.items() if number >= FEWEST)
    index = {name: at for at, name in enumerate(names)}
    rows = [[index[name] for name in sorted(one) if name in index] for one, _ in given]
    lengths = np.array([max(len(one), 1) for one in rows])
    column = np.array([at for row in rows for at in row])
    row = np.repeat(np.arange(len(rows)), [len(one) for one in rows])
    scale = likelihood.SCALE / np.sqrt(lengths)
    starts = np.searchsorted(row, np.arange(len(rows)))  # each sentence has some, as each name has some sentences
    by_name = np.argsort(column, kind="stable")
    row, name_starts = row[by_name], np.searchsorted(column[by_name], np.arange(len(names)))
    truth = np.array([orders for _, orders in given], dtype=float)
    weights = np.zeros(len(names) + 1)
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, STEPS + 1):  # Adam (Kingma and Ba 2015), with a rate that falls with each step
        sums = scale * np.add.reduceat(weights[column], starts) + weights[-1]
        error = 1 / (1 + np.exp(-sums)) - truth
        slope = np.append(np.add.reduceat((scale * error)[row], name_starts) + PENALTY * weights[:-1], error.sum())
        mean = 0.9 * mean + 0.1 * slope
        square = 0.99 * square + 0.01 * slope**2
        weights -= 0.1 * 0.985**step * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-9)
    learnt = zip(names, weights[:-1], strict=True)
    return {"": round(float(weights[-1]), 3)} | {
        name: round(float(one), 3) for name, one in learnt if abs(one) >= SMALLEST
    }


def fit(given: Sequence[tuple[Mapping[str, float], bool]]) -> Weights:
    """Return the weights of numbers, "" for the bias, by Newton's method on the penalised likelihood."""
    names = sorted({name for numbers, _ in given for name in numbers})
    raw = np.array([[float(numbers[name]) for name in names] for numbers, _ in given])
    middle, spread = raw.mean(axis=0), raw.std(axis=0)
    spread[spread == 0] = 1
    table = np.hstack([(raw - middle) / spread, np.ones((len(raw), 1))])
    truth = np.array([orders for _, orders in given], dtype=float)
    penalty = np.full(table.shape[1], PENALTY_OF_NUMBERS)
    penalty[-1] = 0
    weights = np.zeros(table.shape[1])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-table @ weights))
        slope = table.T @ (chance - truth) + penalty * weights
        bend = (table.T * (chance * (1 - chance))) @ table + np.diag(penalty + 1e-9)
        weights -= np.linalg.solve(bend, slope)
    plain = weights[:-1] / spread
    return {"": round(float(weights[-1] - plain @ middle), 4)} | {
        name: round(float(one), 4) for name, one in zip(names, plain, strict=True)
    }


@dataclass(frozen=True)
class Lessons:
    """All cases, and the weights of sentences learnt without some lots, each learnt once."""

    lots: Sequence[Case]
    bodies: Sequence[Case]

    def weights(self, model: str, without: frozenset[str]) -> Weights:
        return _weights_without(self, model, without)

    def __hash__(self) -> int:
        return id(self)

    def weighed(self, case: Case) -> Surveyed:
        """The letter with its sentences weighed by models that were learnt without its lot."""
        any_, unread = (
            [_logit(self.weights(model, frozenset({case.lot})), names) for names in case.features]
            for model in ("any", "unread")
        )
        return case.surveyed(any_, unread)

    def all_weights(self, without: frozenset[str] = frozenset()) -> dict[str, Weights]:
        """The weights of all four models, learnt without some lots."""
        kept, added = list[tuple[Mapping[str, float], bool]](), list[tuple[Mapping[str, float], bool]]()
        for case in self.lots:
            if case.lot in without or case.context.kind in NO_ORDERS:
                continue
            letter = self.weighed(case)
            for number, right in enumerate(case.right):
                if (numbers := numbers_of_reading(letter, number)) is not None:
                    kept.append((numbers, right))
            added += [
                (numbers_of_sentence(letter, at), orders)
                for at, orders in enumerate(case.orders)
                if orders is not None and letter.owner[at] is None and not case.sentences[at].heading
            ]
        return {
            "any": self.weights("any", without),
            "unread": self.weights("unread", without),
            "kept": fit(kept),
            "added": fit(added),
        }


@functools.cache
def _weights_without(lessons: Lessons, model: str, without: frozenset[str]) -> Weights:
    chosen = [case for case in lessons.lots if case.lot not in without]
    return learn(examples([*lessons.bodies, *chosen], model))


def _logit(weights: Weights, names: Iterable[str]) -> float:
    known = [weights[name] for name in names if name in weights]
    return weights[""] + likelihood.SCALE * sum(known) / math.sqrt(max(len(known), 1))


def weigh() -> None:
    """Write the weights learnt from all letters."""
    lessons = Lessons(of_the_lots(), of_the_bodies())
    learnt = lessons.all_weights()
    likelihood.WEIGHTS.write_text(written(learnt))
    sentences = len(examples([*lessons.lots, *lessons.bodies], "any"))
    print(f"{sentences} sentences, {sum(map(len, learnt.values()))} weights")


def written(learnt: Mapping[str, Weights]) -> str:
    """Return the weights as JSON, sorted; each kind of feature ("b" of "b=hồ_sơ") begins a line, for LINE columns."""
    return "{\n" + ",\n".join(f'"{model}": {{\n{_lines(its)}\n}}' for model, its in sorted(learnt.items())) + "\n}\n"


def _lines(weights: Weights) -> str:
    lines, kind = [""], ""
    for name, weight in sorted(weights.items()):
        pair = f"{json.dumps(name, ensure_ascii=False)}: {weight}"
        before, kind = kind, name.partition("=")[0] if "=" in name else ""
        if lines[-1] and (kind != before or len(lines[-1]) + len(pair) + 3 > LINE):
            lines[-1] += ","
            lines.append(pair)
        else:
            lines[-1] += f", {pair}" if lines[-1] else pair
    return "\n".join(lines)


@dataclass
class Count:
    """Orders of a lot, those found, what was invented and in how many letters, and what was left open."""

    orders: int = 0
    found: int = 0
    invented: int = 0
    letters: int = 0
    open: int = 0

    def __str__(self) -> str:
        share = round(100 * self.found / max(self.orders, 1), 1)
        return (
            f"{self.found} of {self.orders} ({share} %), {self.invented} invented in {self.letters}, {self.open} open"
        )

    def __add__(self, other: "Count") -> "Count":
        pairs = zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)
        return Count(*(one + another for one, another in pairs))


def decided(case: Case, tell: Callable[[str], None]) -> tuple[Count, Count]:
    """What the rules read at first sight, and what is made of it by the weights in use; rows of tables stand."""
    tasks = [
        ProposedTask(
            one.label,
            _proposed(case.text, one.spans[0]),
            tuple(_proposed(case.text, span) for span in one.spans[1:]),
            (),
            None,
        )
        for one in case.readings
    ]
    context = dataclasses.replace(
        case.context,
        unsure=[Passage(case.text[one.start : one.end], tuple(range(one.start, one.end))) for one in case.unsure],
    )
    judged = () if context.kind in NO_ORDERS else judge(tasks, case.lines, context)
    rules = _count(case, tasks, len(case.unsure), lambda _: None)
    return rules, _count(case, judged, len({one.span() for one in context.unsure}), tell)


def _proposed(text: str, span: Span) -> Proposed[str]:
    return Proposed(text[span.start : span.end], span)


def _count(case: Case, tasks: Iterable[ProposedTask], left_open: int, tell: Callable[[str], None]) -> Count:
    assert case.letter is not None
    left = [*(" ".join(part.value for part in (one.text, *one.points)) for one in tasks), *case.rows]
    found = 0
    for task in case.letter.tasks:
        if (one := next((one for one in left if _says(one, task.what, by_ear=False)), None)) is None:
            tell(f"  {case.letter.name} missed: {task.what}")
            continue
        left.remove(one)
        found += 1
    for one in left:
        tell(f"  {case.letter.name} invented: {one[:140]}")
    return Count(len(case.letter.tasks), found, len(left), bool(left), left_open)


def leave_out(tell: Callable[[str], None] = print) -> None:
    """Judge each lot with weights learnt from all others, and with the rules that had not seen it."""
    lessons = Lessons(of_the_lots(), of_the_bodies())
    rules, both = Count(), Count()
    for lot in LOTS:
        learnt = lessons.all_weights(frozenset({lot}))
        likelihood._all_weights = lambda learnt=learnt: learnt  # type: ignore[assignment]
        counts = [decided(case, tell) for case in lessons.lots if case.lot == lot]
        alone, now = (functools.reduce(Count.__add__, its) for its in zip(*counts, strict=True))
        tell(f"lot {lot}: rules {alone}; both {now}")
        rules, both = rules + alone, both + now
    tell(f"all: rules {rules}; both {both}")


def first_sight(lot: str) -> None:
    """Keep what the rules of now read in a lot that nothing was mended for yet."""
    kept = json.loads(FIRST_SIGHT.read_text())
    if lot in kept:
        raise SystemExit(f"lot {lot} was seen before")
    kept[lot] = {letter.name: read_now(letter) for letter in read_lot(lot)}
    write_first_sight(kept)


def write_first_sight(kept: Mapping[str, Any]) -> None:
    lines = itertools.chain.from_iterable(
        [f'"{lot}": {{', *(f'"{name}": {json.dumps(read, ensure_ascii=False)},' for name, read in its.items()), "},"]
        for lot, its in kept.items()
    )
    text = "\n".join(lines).replace(",\n}", "\n}").rstrip(",")
    FIRST_SIGHT.write_text(f"{{\n{text}\n}}\n")


if __name__ == "__main__":
    acts: dict[str, Callable[..., None]] = {"weigh": weigh, "leave-out": leave_out, "first-sight": first_sight}
    acts[sys.argv[1]](*sys.argv[2:])
