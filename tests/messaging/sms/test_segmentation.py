# SPDX-License-Identifier: Apache-2.0
"""How texts are encoded and cut: nothing lost, nothing split, and the sizes that the city was promised."""

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bluezone.city_settings import City
from bluezone.messaging.sms import segmentation
from bluezone.messaging.sms.segmentation import (
    Encoding,
    NotInAlphabet,
    TextEmpty,
    TextTooLong,
    graphemes,
    segment_text,
    segment_within_limit,
    without_diacritics,
)
from bluezone.messaging.sms.wording import arrival_notice

BAC_KAN = City("thành phố Bắc Kạn", "Bac Kan", "0209 3870 000", public_host="bluezone.gov.vn", office_host="localhost")
GSM = (
    "".join(
        segmentation.decode_default_alphabet(bytes([septet])) for septet in range(128) if septet != segmentation.ESCAPE
    )
    + "\f^{}\\[~]|€"
)
# What people really put into texts, and what breaks segmenters: marks, emoji of several code points, flags, Hangul.
PIECES = st.sampled_from(
    [
        "ệ",
        "Đ",
        "a",
        " ",
        "e\u0302\u0323",
        "👨‍👩‍👧‍👦",
        "👍🏽",
        "🇻🇳",
        "❤️",
        "한",
        "\u1112\u1161\u11ab",
        "\r\n",
        "€",
        "😷",
        "Bắc Kạn",
    ]
)
TEXTS = st.one_of(st.text(max_size=500), st.lists(PIECES, max_size=220).map("".join))
PROMISED = [
    ("vi", 1, True, Encoding.UCS_2, 62, "UBND TP Bắc Kạn: mời quý khách cài Bluezone: bluezone.gov.vn/k"),
    ("vi", 1, False, Encoding.GSM_7, 159, "UBND TP Bac Kan kinh chao quy khach. De nghi cai Bluezone"),
    ("en", 1, True, Encoding.GSM_7, 148, "Bac Kan City: welcome. Please install Bluezone to be warned"),
    ("vi", 2, True, Encoding.UCS_2, 126, "UBND TP Bắc Kạn chào quý khách. Đề nghị cài Bluezone để được"),
    ("vi", 2, False, Encoding.GSM_7, 258, "UBND TP Bac Kan kinh chao quy khach. De nghi cai ung dung"),
    ("en", 2, True, Encoding.GSM_7, 289, "Bac Kan City People's Committee: welcome. Please install"),
]


@pytest.mark.parametrize(("language", "segments", "diacritics", "encoding", "units", "beginning"), PROMISED)
def test_the_notices_have_the_size_that_the_city_was_promised(
    language, segments, diacritics, encoding, units, beginning
):
    notice = arrival_notice(BAC_KAN, language, segments, diacritics)

    assert (notice.measured.encoding, notice.measured.units, notice.measured.segments) == (encoding, units, segments)
    assert notice.measured.text.startswith(beginning)
    assert notice.fits


def test_the_notices_are_the_texts_that_the_project_agreed_on(shared):
    section = (shared / "look" / "texts.md").read_text().split("## 5 ")[1].split("## 6 ")[0]
    cells = [[cell.strip() for cell in line.split("|")] for line in section.splitlines() if line.startswith("| ")]
    agreed = {row[2] for row in cells if row[1][0].isdigit()}

    assert {arrival_notice(BAC_KAN, *row[:3]).measured.text for row in PROMISED} == agreed


def test_a_longer_city_gets_the_variant_without_diacritics_where_that_saves_a_segment():
    long = City("thành phố Phan Rang - Tháp Chàm", "Phan Rang", "0259", public_host="blue.gov.vn", office_host="a")

    two = arrival_notice(long, "vi", 2, True)
    assert (two.measured.encoding, two.measured.segments, two.fits) == (Encoding.GSM_7, 2, True)
    one = arrival_notice(long, "vi", 1, True)
    assert (one.measured.encoding, one.measured.segments, one.fits) == (Encoding.UCS_2, 2, False), "the meter tells so"


@given(TEXTS)
def test_the_parts_together_are_the_text(text):
    measured = segment_text(text)

    assert "".join(measured.parts) == unicodedata.normalize("NFC", text) == measured.text
    most = measured.encoding.alone if measured.segments == 1 else measured.encoding.joined
    for part in measured.parts:
        octets = measured.encoding.octets(part)
        units = len(octets) // (1 if measured.encoding is Encoding.GSM_7 else 2)
        assert 0 < units <= most
        decode = (
            segmentation.decode_default_alphabet
            if measured.encoding is Encoding.GSM_7
            else lambda raw: raw.decode("utf-16-be")
        )
        assert decode(octets) == part, "no surrogate pair and no escape is cut"
    assert measured.cost(300) == measured.segments * 300


@pytest.mark.long
@given(st.lists(PIECES, min_size=40, max_size=220).map("".join))
def test_no_part_begins_within_a_character(text):
    for part in segment_text(text).parts[1:]:
        first = part[0]
        assert not unicodedata.category(first).startswith("M"), "a mark belongs to the letter before it"
        assert first not in "\u200d\ufe0f"
        assert not 0x1F3FB <= ord(first) <= 0x1F3FF
        assert not 0x1160 <= ord(first) <= 0x11FF
    for before, after in zip(segment_text(text).parts, segment_text(text).parts[1:], strict=False):
        assert before[-1] != "\u200d"
        assert not (before.endswith("\r") and after.startswith("\n"))
        ends = len(before) - len(before.rstrip("".join(map(chr, range(0x1F1E6, 0x1F200)))))
        assert ends % 2 == 0, "a flag is two letters"


@given(st.text())
def test_graphemes_joined_are_the_text(text):
    assert "".join(graphemes(text)) == text


def test_an_emoji_at_the_boundary_goes_whole_into_the_next_part():
    measured = segment_text("ă" * 66 + "😷" + "ă" * 10)

    assert [len(part) for part in measured.parts] == [66, 11]
    assert measured.parts[1].startswith("😷")


def test_a_mark_that_has_no_composed_letter_stays_with_its_letter():
    assert segment_text("ă" * 66 + "x\u0323" + "ă" * 9).parts[1].startswith("x\u0323")


def test_an_escape_is_not_parted_from_its_character():
    measured = segment_text("a" * 152 + "€" + "a" * 10)

    assert measured.parts[0] == "a" * 152
    assert measured.units == 164


@given(st.text(alphabet=GSM, max_size=300))
def test_the_default_alphabet_comes_back_as_it_was(text):
    assert segmentation.decode_default_alphabet(segmentation.encode_default_alphabet(text)) == text
    assert segment_text(text).encoding is Encoding.GSM_7


def test_the_default_alphabet_is_that_of_the_standard():
    known = {
        "@": "00",
        "$": "02",
        "_": "11",
        "é": "05",
        "¡": "40",
        "Ä": "5b",
        "§": "5f",
        "ü": "7e",
        "à": "7f",
        "€": "1b65",
    }
    known |= {"[": "1b3c", "]": "1b3e", "{": "1b28", "}": "1b29", "\\": "1b2f", "~": "1b3d", "^": "1b14", "|": "1b40"}

    assert {character: segmentation.encode_default_alphabet(character).hex() for character in known} == known
    assert segmentation.encode_default_alphabet("Azaz09 ?\n").hex() == "417a617a3039203f0a"


@example(b"\x80")
@given(st.binary(max_size=40))
def test_any_octets_are_text_or_refused(octets):
    try:
        text = segmentation.decode_default_alphabet(octets)
    except NotInAlphabet:
        return
    assert segmentation.encode_default_alphabet(text) == octets


@given(st.text(max_size=200))
def test_without_diacritics_is_in_the_default_alphabet(text):
    assert segment_text(without_diacritics(text)).encoding is Encoding.GSM_7


def test_without_diacritics_keeps_what_people_read():
    assert (
        without_diacritics("Đề nghị quý khách cài “Bluezone” – miễn phí…")
        == 'De nghi quy khach cai "Bluezone" - mien phi...'
    )
    assert without_diacritics("Đề nghị") == "De nghi", "also where the text is decomposed"


def test_empty_and_endless_texts_are_refused():
    with pytest.raises(TextEmpty):
        segment_within_limit("  \n")
    assert segment_within_limit("a" * 918).segments == 6
    with pytest.raises(TextTooLong):
        segment_within_limit("a" * 919)


def test_a_city_written_with_diacritics_in_english_costs_no_more_segments():
    city = replace(BAC_KAN, name_en="Bắc Kạn")
    notice = arrival_notice(city, "en", segments=1)

    assert notice.measured.text.startswith("Bac Kan City: welcome.")
    assert notice.measured.encoding is Encoding.GSM_7


@pytest.mark.parametrize(
    "pieces",
    [
        ["🇻🇳", "🇱🇦", "x"],
        ["🇻🇳", "🇱", "x", "🇦"],
        ["\r\n", "\n", "\r", "a"],
        ["👩🏽", "👩‍👧", "a"],
        ["e\u0301", "\u200c".join("ab")[:2], "b"],
        ["\x07", "e"],
        ["\u1112\u1161\u11ab", "\u1100\u1100\u1161", "가\u11a8", "각\u11a8", "\u1161", "가"],
        ["각", "\u1161"],
        ["🏴\U000e0067\U000e0062\U000e007f", "x"],
    ],
)
def test_what_looks_like_one_character_is_one_piece(pieces):
    assert list(graphemes("".join(pieces))) == pieces
