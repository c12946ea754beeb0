# SPDX-License-Identifier: Apache-2.0
"""The text of a letter as it is stored, its columns and its marks."""

import pytest
from tests.letters.letters import lines_of

from bluezone.letters.letter_text import (
    LetterText,
    LetterTooLarge,
    LetterWithoutText,
    Passage,
    bounded,
    clean,
    folded_ocr,
    joined,
)


def pieces(text):
    return [(one.text, one.column) for one in lines_of(text)]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("trái   phải", [("trái", 0), ("phải", 1)]),
        ("trái  phải", [("trái  phải", 0)]),
        ("trái\tphải", [("trái", 0), ("phải", 1)]),
        ("trái\t   phải   nữa", [("trái", 0), ("phải", 1), ("nữa", 2)]),
        ("ngày     tháng 8", [("ngày     tháng 8", 0)]),
        ("Số:     /KH", [("Số:     /KH", 0)]),
        ("   thụt vào", [("thụt vào", 0)]),
        (" " * 23 + "giữa", [("giữa", 0)]),
        (" " * 24 + "phải", [("", 0), ("phải", 1)]),
        (" " * 24 + "p" * 59, [("", 0), ("p" * 59, 1)]),
        (" " * 24 + "p" * 60, [("p" * 60, 0)]),
        ("", [("", 0)]),
        (" " * 30, [("", 0)]),
    ],
)
def test_a_line_is_cut_into_its_columns(line, found):
    assert pieces(line) == found


def test_marks_are_left_out_what_was_struck_is_known_and_every_letter_stands_where_it_was_stored():
    stored = "Số: ~~458~~ **đậm** *nghiêng* * gạch\nhai <https://x/>"
    first, second = lines_of(stored)

    assert (first.text, second.text) == ("Số: 458 đậm nghiêng * gạch", "hai https://x/")
    assert sorted(first.struck) == [4, 5, 6]
    assert first.is_struck(6, 8)
    assert not first.is_struck(7, 9)
    assert [stored[at] for at in second.offsets] == list(second.text)
    assert (first.span(4, 7).start, first.span(4, 7).end) == (6, 9)
    assert (second.span(3, 3).start, second.span(3, 3).end) == (40, 40)


def test_a_piece_is_cut_without_the_blanks_around_it():
    (line,) = lines_of("~~ab~~ cd ef")
    piece = line.cut(1, 6)

    assert (piece.text, piece.offsets, sorted(piece.struck)) == ("b cd", (3, 6, 7, 8), [0])
    assert line.cut(3).text == "cd ef"
    assert joined([]) == Passage("", (), frozenset())
    assert joined([*lines_of("~~a~~\n\nb c")]) == Passage("a b c", (2, 2, 7, 8, 9), frozenset({0}))


def test_a_text_is_stored_with_plain_blanks_and_nothing_unseen():
    assert clean("a\r\nb\rc\fd\ve\u00a0f\u200bg\x07\th\ue000") == "a\nb\nc\nd\ne fg\th"
    assert folded_ocr("N0i nhân 1ại 5ố!") == "noi nhan lai sol"


def test_a_text_of_four_hundred_thousand_characters_is_read_and_one_more_is_too_many():
    assert bounded(LetterText("x" * 400_000, "text"))
    with pytest.raises(LetterTooLarge):
        bounded(LetterText("x" * 400_001, "text"))
    with pytest.raises(LetterWithoutText):
        bounded(LetterText("12 / 7", "pdf"))
