# SPDX-License-Identifier: Apache-2.0
"""The Vietnamese normaliser against a table of real phrases, and what espeak-ng makes of them.

spoken_forms.tsv: what stands in letters of 2020 and in announcements, and how a reader says it; checked by hand.
spoken_sentences.tsv: sentences of announcements. 169 phrases, each written with how it is said, stand in 16 frames;
sentences of other announcements follow, whose spoken form was read and corrected by hand.
fresh_sentences.tsv: sentences whose spoken forms were written down before the rules were tried on them.
"""

import io
import re
import shutil
import subprocess
import unicodedata
import wave
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bluezone.speech import spoken
from bluezone.speech.lexicon import PROTECTED
from bluezone.speech.numerals import LARGEST, roman, whole

FORMS = [
    line.split("\t") for line in Path(__file__).with_name("spoken_forms.tsv").read_text(encoding="utf-8").splitlines()
]
SENTENCES = [
    line.split("\t")
    for line in Path(__file__).with_name("spoken_sentences.tsv").read_text(encoding="utf-8").splitlines()
]
FRESH = [
    line.split("\t")
    for line in Path(__file__).with_name("fresh_sentences.tsv").read_text(encoding="utf-8").splitlines()
]
SYLLABLE = re.compile(r"[^\W\d_]+")
# PROTECTED, syllable by syllable.
ENGLISH = {"bluezone", "bluetooth", "android", "wi", "fi"}
ENGLISH_SOUNDS = r"\(en\).*?(?:\(vi\)|$)"
# Grave, acute, hook, tilde and dot below, as espeak's IPA of Vietnamese numbers the tones.
TONES = {"\u0300": "2", "\u0301": "ɜ", "\u0309": "4", "\u0303": "5", "\u0323": "6"}
needs_voice = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")


def test_the_table_has_at_least_150_phrases():
    assert len({written for written, _said in FORMS}) >= 150


@pytest.mark.parametrize(("written", "said"), FORMS, ids=[written for written, _said in FORMS])
def test_a_phrase_is_said_as_a_reader_says_it(written, said):
    assert spoken(written) == said
    # What is spoken stays as it is: nothing in it needs to be said in another way.
    assert spoken(said) == said


@pytest.mark.long
def test_a_thousand_sentences_are_said_as_a_reader_says_them():
    assert len({written for written, _said in SENTENCES}) >= 1000

    sentences = SENTENCES + FRESH
    wrong = [(written, spoken(written), said) for written, said in sentences if spoken(written) != said]
    wrong += [(said, spoken(said), said) for _written, said in sentences if spoken(said) != said]
    assert not wrong, f"{len(wrong)} of {len(sentences)}, such as {wrong[:3]}"


def test_what_goes_wrong_costs_one_word_and_no_error():
    assert spoken("1234567890123456,5 kg; 99/99; T9; ngày 32/13/2020; 25h70; Km99999") is not None


def test_a_word_of_the_city_comes_before_every_rule_and_no_part_of_another_word_is_it():
    words = {"QL3": "đường ba", "pác nặm": "pác nậm", "bluezone.vn": "trang của tỉnh"}

    assert spoken("QL3 qua Pác Nặm; xem bluezone.vn, QL37", words) == (
        "đường ba qua pác nậm; xem trang của tỉnh, quốc lộ ba mươi bảy"
    )


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


@pytest.mark.long
@needs_voice
def test_the_voice_says_each_syllable_of_the_table_in_its_tone():
    """Vietnamese is one tone a syllable: a letter spelled out, a word in English or one left out shows in the row."""
    for (written, said), sounds in zip(FORMS, phonemes([said for _written, said in FORMS]), strict=True):
        plain, english = split_english(sounds)
        syllables = [one for one in SYLLABLE.findall(said) if one.lower() not in ENGLISH]

        assert tones_heard(plain) == [tone(one) for one in syllables], f"{written}: {sounds}"
        assert len(english) == sum(word in said.lower() for word in map(str.lower, PROTECTED)), f"{written}: {sounds}"


@needs_voice
def test_what_is_not_spelled_out_the_voice_says_otherwise():
    written = ["UBND TP Bắc Kạn", "lúc 17h30", "ngày 07/8/2020"]
    pairs = zip(phonemes(written), phonemes([spoken(one) for one in written]), strict=True)
    assert all(raw != said for raw, said in pairs)


@pytest.mark.long
@needs_voice
def test_each_phrase_takes_as_long_as_a_person_takes():
    """A quarter of a second a syllable, half of one in all, and a breath at each stop within."""
    with ThreadPoolExecutor(2) as pool:
        lengths = list(pool.map(seconds_of, [said for _written, said in FORMS]))
    for (_written, said), seconds in zip(FORMS, lengths, strict=True):
        syllables = len(SYLLABLE.findall(said))
        breaths = 0.4 * len(re.findall(r"[,.:] ", said))
        assert 0.22 * syllables <= seconds - breaths <= 0.3 * syllables + 0.7, f"{said}: {seconds:.2f} s"


def split_english(sounds):
    """Vietnamese phonemes, and each stretch that is said in English."""
    return re.sub(ENGLISH_SOUNDS, "", sounds), re.findall(ENGLISH_SOUNDS, sounds)


def tones_heard(sounds):
    """The tone of each syllable of espeak's IPA: level is 1, and 7 where a phrase ends."""
    return [re.search("[1-7ɜ]", one)[0].replace("7", "1") for one in re.split("[ˈˌ]", sounds)[1:]]


def tone(syllable):
    """The tone of a written syllable by its mark, as espeak numbers them."""
    return next((TONES[one] for one in unicodedata.normalize("NFD", syllable) if one in TONES), "1")


def seconds_of(line):
    """How long the voice takes for one phrase."""
    command = ["espeak-ng", "-v", "vi", "-s", "150", "--stdin", "--stdout"]
    sound = subprocess.run(command, input=line.encode(), capture_output=True, check=True).stdout
    # Written to a pipe: the header gives no length.
    with wave.open(io.BytesIO(sound)) as header:
        return (len(sound) - 44) / header.getsampwidth() / header.getframerate()


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
