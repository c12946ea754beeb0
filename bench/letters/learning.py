# SPDX-License-Identifier: Apache-2.0
"""Learn from letters with their truth how likely a sentence orders something, and say how well it does on others.

    python -m bench.letters.learning weigh       writes src/bluezone/letters/body/weights.json
    python -m bench.letters.learning leave-out   for each lot, with weights learnt without it

A sentence with words of an order is one; the other sentences of the same clause are left out, as the truth says of a
clause only once that it orders. The same letters give the same weights: nothing is drawn by chance.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from bench.bench_letters import _said, judge
from bench.letters.corpus import HELD_BACK, Letter, read_letters
from bench.letters.lots import LOTS, read_lot
from bench.letters.rendering import as_text

from bluezone.letters.body import likelihood
from bluezone.letters.reader import sentences_with_features

# Features of fewer sentences are left out; the penalty keeps the weights of rare ones small.
FEWEST = 2
PENALTY = 0.3
STEPS = 300
# Weights that move no decision are not written.
SMALLEST = 0.01


@dataclass(frozen=True)
class Example:
    """What is known of a sentence, and whether it orders."""

    features: frozenset[str]
    orders: bool


def examples(letter: Letter) -> Iterator[Example]:
    found = sentences_with_features(as_text(letter))
    said = [_said(sentence.passage.text) for sentence, _ in found]
    ordering = set[int]()
    for task in letter.tasks:
        words = _said(task.what)
        at = next((at for at, one in enumerate(said) if words in one), None)
        if at is None:  # a few words of it, where the end of a sentence is within
            at = next((at for at, one in enumerate(said) if words[:15] in one), None)
        if at is not None:
            ordering.add(at)
    clauses = {found[at][0].clause for at in ordering}
    for at, (sentence, names) in enumerate(found):
        if at in ordering or sentence.clause not in clauses:
            yield Example(frozenset(names), at in ordering)


def of_the_corpus() -> list[Example]:
    """The bodies of the corpus, each under one head only."""
    letters = [*read_letters(), *read_letters(HELD_BACK)]
    once = {letter.name.rstrip("0123456789").rstrip("-"): letter for letter in reversed(letters)}
    return [one for _, letter in sorted(once.items()) for one in examples(letter)]


def learn(given: Sequence[Example]) -> tuple[float, dict[str, float]]:
    """Return the bias and the weights of the features that make the examples most likely, under the penalty."""
    seen = Counter(name for one in given for name in one.features)
    names = sorted(name for name, number in seen.items() if number >= FEWEST)
    at = {name: index for index, name in enumerate(names)}
    rows = [[at[name] for name in sorted(one.features) if name in at] for one in given]
    column = np.array([index for row in rows for index in row])
    row = np.repeat(np.arange(len(rows)), [len(one) for one in rows])
    value = np.repeat([likelihood.SCALE / max(len(one), 1) ** 0.5 for one in rows], [len(one) for one in rows])
    truth = np.array([one.orders for one in given], dtype=float)
    weights = np.zeros(len(names) + 1)
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, STEPS + 1):  # Adam (Kingma and Ba 2015), with a rate that falls by a hundredth each step
        sums = np.bincount(row, value * weights[column], minlength=len(rows)) + weights[-1]
        error = 1 / (1 + np.exp(-sums)) - truth
        slope: np.ndarray = np.bincount(column, value * error[row], minlength=len(weights)).astype(float)
        slope[:-1] += PENALTY * weights[:-1]
        slope[-1] = error.sum()
        mean = 0.9 * mean + 0.1 * slope
        square = 0.99 * square + 0.01 * slope**2
        pace = 0.1 * 0.99**step
        weights -= pace * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-9)
    kept = {name: round(float(one), 3) for name, one in zip(names, weights[:-1], strict=True) if abs(one) >= SMALLEST}
    return round(float(weights[-1]), 3), kept


def weigh() -> None:
    """Write the weights learnt from all letters."""
    given = [*of_the_corpus(), *(one for lot in LOTS for letter in read_lot(lot) for one in examples(letter))]
    bias, weights = learn(given)
    written = {"bias": bias, "weights": weights}
    likelihood.WEIGHTS.write_text(json.dumps(written, ensure_ascii=False, indent=0, sort_keys=True) + "\n")
    print(f"{len(given)} sentences, {len(weights)} weights")


def leave_out(lots: Iterable[str] = LOTS) -> None:
    """Judge each lot with weights learnt from all other letters; the rules know the lots, so only the judgement is
    measured.
    """
    by_lot = {lot: [one for letter in read_lot(lot) for one in examples(letter)] for lot in LOTS}
    corpus = of_the_corpus()
    for lot in lots:
        learnt = learn([*corpus, *(one for other, its in by_lot.items() if other != lot for one in its)])
        likelihood._weights = lambda learnt=learnt: learnt  # type: ignore[assignment]
        score: Any = judge(read_lot(lot), "text", lambda _: None)[0]
        print(f"lot {lot}: fields {score.share()} %, orders {score.share('task')} %, invented {score.invented}")


if __name__ == "__main__":
    {"weigh": weigh, "leave-out": leave_out}[sys.argv[1]]()
