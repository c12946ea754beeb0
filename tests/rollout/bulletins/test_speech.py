# SPDX-License-Identifier: Apache-2.0
"""The Vietnamese normaliser against a table of real phrases, and what espeak-ng makes of them.

spoken_forms.tsv: what stands in letters of 2020 and in announcements, and how a reader says it; checked by hand.
"""

import re
import shutil
import subprocess
import wave
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluezone.rollout.bulletins.speech import spoken
from bluezone.rollout.bulletins.speech.numbers import LARGEST, roman, whole
from bluezone.rollout.bulletins.speech.words import PROTECTED

FORMS = [
    line.split("\t") for line in Path(__file__).with_name("spoken_forms.tsv").read_text(encoding="utf-8").splitlines()
]
needs_voice = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")


def test_the_table_has_at_least_150_phrases():
    assert len({written for written, _said in FORMS}) >= 150


@pytest.mark.parametrize(("written", "said"), FORMS, ids=[written for written, _said in FORMS])
def test_a_phrase_is_said_as_a_reader_says_it(written, said):
    assert spoken(written) == said
    # What is spoken stays as it is: nothing in it needs to be said in another way.
    assert spoken(said) == said


@given(text=st.text(alphabet="0123456789/-.,:h%° đĐUBNDTPabc CcOoVvIiDd19\n()&FQRk", max_size=60))
@settings(max_examples=200, deadline=None)
def test_no_figure_is_ever_left_to_the_voice(text):
    assert not re.search(r"[0-9%/°]", spoken(text))


@given(number=st.integers(0, LARGEST))
def test_a_number_in_words_is_told_apart_from_every_other(number):
    assert value_of(whole(number)) == number


@given(value=st.integers(1, 100))
def test_roman_numerals_are_read_and_nothing_else_is(value):
    signs = ((100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))
    text, left = "", value
    for worth, sign in signs:
        text += sign * (left // worth)
        left %= worth
    assert roman(text) == value
    assert roman("IIII") is roman("VX") is roman("ABC") is None


@needs_voice
def test_the_voice_says_vietnamese_and_takes_as_long_as_a_person(tmp_path):
    """Phonemes: English only for protected words, and the same as of the hand-written form. Duration: per syllable."""
    lines = [spoken(written) for written, _said in FORMS]
    told = phonemes(lines)
    by_hand = phonemes([said for _written, said in FORMS])
    raw = phonemes(["UBND TP Bắc Kạn", "lúc 17h30", "ngày 07/8/2020"])
    for line, sounds, expected in zip(lines, told, by_hand, strict=True):
        protected = any(word.lower() in line.lower() for word in PROTECTED)
        assert ("(en)" in sounds) == protected, f"{line}: {sounds}"
        assert sounds == expected
    assert [spoken_sounds != raw_sounds for spoken_sounds, raw_sounds in zip(
        phonemes([spoken(one) for one in ("UBND TP Bắc Kạn", "lúc 17h30", "ngày 07/8/2020")]), raw, strict=True)
    ] == [True, True, True]  # fmt: skip

    path = tmp_path / "all.wav"
    subprocess.run(
        ["espeak-ng", "-v", "vi", "-s", "150", "--stdin", "-w", path], input="\n".join(lines), text=True, check=True
    )
    with wave.open(str(path)) as sound:
        seconds = sound.getnframes() / sound.getframerate()
    syllables = sum(len(line.split()) for line in lines)
    assert 0.2 <= seconds / syllables <= 0.55


def phonemes(lines):
    """The IPA of each line, by one run of the voice a line apart."""
    said = subprocess.run(
        ["espeak-ng", "-v", "vi", "--ipa", "-q", "--stdin"], input="\n\n".join(one.rstrip(".") + "." for one in lines),
        text=True, capture_output=True, check=True,
    ).stdout  # fmt: skip
    # A clause a line: those of one phrase are put together again by their count.
    clauses = [one.strip() for one in said.splitlines() if one.strip()]
    result, at = [], 0
    for line in lines:
        count = len([part for part in re.split(r"[,.;:!?]+(?:\s|$)", line.rstrip(".")) if part.strip()])
        result.append(" ".join(clauses[at : at + count]))
        at += count
    assert at == len(clauses), "the voice cut the phrases in another way"
    return result


_DIGIT = {"không": 0, "một": 1, "mốt": 1, "hai": 2, "ba": 3, "bốn": 4, "tư": 4, "năm": 5, "lăm": 5, "sáu": 6, "bảy": 7,
          "tám": 8, "chín": 9}  # fmt: skip


def value_of(words):
    """An independent reading of a number in words."""
    total = group = 0
    last = None
    for word in words.split():
        if word in ("nghìn", "triệu", "tỷ"):
            total += (group + (last or 0)) * {"nghìn": 10**3, "triệu": 10**6, "tỷ": 10**9}[word]
            group, last = 0, None
        elif word == "trăm":
            group, last = group + last * 100, None
        elif word == "mươi":
            group, last = group + last * 10, None
        elif word == "mười":
            group, last = group + 10, None
        elif word != "linh":
            last = _DIGIT[word]
    return total + group + (last or 0)
