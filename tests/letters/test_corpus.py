# SPDX-License-Identifier: Apache-2.0
"""The bench's letters, read; `bluezone bench letters` prints the same figures."""

import itertools

import pytest
from bench import bench_letters
from bench.letters.corpus import read_letters

# Every kind of letter is in the first two variants of every fourth body.
SLICE = list(itertools.islice(read_letters(), 0, None, 8))


def silent(_line: str) -> None:
    pass


@pytest.mark.long
@pytest.mark.parametrize("form", ["text", "docx"])
def test_a_slice_of_the_letters_is_read_as_well_as_is_asked(form):
    score, _ = bench_letters.judge(SLICE, form, silent)

    assert score.share() >= bench_letters.ASKED[form]
    assert score.share("task") >= 95
    assert score.invented == 0


@pytest.mark.long
def test_letters_drawn_as_pdf_are_read_as_well_as_is_asked():
    score, _ = bench_letters.judge(SLICE[::4], "pdf", silent)

    assert score.share() >= bench_letters.ASKED["pdf"]
    assert score.invented == 0


def test_a_letter_that_is_read_wrongly_counts_as_wrong():
    letter = SLICE[0]
    score, wrong = bench_letters.compare(letter, bench_letters.propose(bench_letters.as_text(SLICE[1])))

    assert score.share() < 80
    assert wrong


@pytest.mark.slow
@pytest.mark.parametrize("form", ["text", "docx", "pdf"])
def test_all_letters_are_read_as_well_as_is_asked(form):
    score, by_kind = bench_letters.judge(read_letters(), form, silent)

    assert score.share() >= bench_letters.ASKED[form]
    assert score.share("task") >= 95
    assert score.invented == 0
    assert {kind: one.share() for kind, one in by_kind.items() if one.share() < 90} == {}
