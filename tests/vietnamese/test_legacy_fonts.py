# SPDX-License-Identifier: Apache-2.0
"""bluezone.vietnamese.legacy_fonts, letter by letter and against the C library's own table."""

import shutil
import subprocess
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.vietnamese.legacy_fonts import (
    LEGACY_ENCODINGS,
    VIETNAMESE_LETTERS,
    NotInLegacyEncoding,
    TextEncoding,
    encoding_of_font,
    from_unicode,
    is_written_in,
    to_unicode,
)

TCVN3, CAPITALS, VNI = TextEncoding.TCVN3, TextEncoding.TCVN3_CAPITALS, TextEncoding.VNI
TONES = ["", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"]
SMALL = sorted({unicodedata.normalize("NFC", vowel + tone) for vowel in "aăâeêioôơuưy" for tone in TONES} | {"đ"})
ADDED = [letter for letter in SMALL if not letter.isascii()]
PLAIN_CAPITALS = "ĂÂÊÔƠƯĐ"


def test_the_alphabet_under_test_is_the_whole_alphabet():
    assert len(SMALL) == 12 * 6 + 1
    assert {*ADDED, *(letter.upper() for letter in ADDED)} == VIETNAMESE_LETTERS


@pytest.mark.parametrize("letter", ADDED + [letter.upper() for letter in ADDED])
def test_every_letter_survives_vni_and_back(letter):
    for text in (letter, f"t{letter}n", f"T{letter.upper()}N", f"h{letter} {letter}o"):
        legacy = from_unicode(text, VNI)

        assert legacy.encode("cp1252")
        assert to_unicode(legacy, VNI) == text


@pytest.mark.parametrize("letter", [*ADDED, *PLAIN_CAPITALS])
def test_every_letter_tcvn3_has_survives_it_and_back(letter):
    for text in (letter, f"t{letter}n", f"x {letter}o"):
        legacy = from_unicode(text, TCVN3)

        assert len(legacy) == len(text)
        assert to_unicode(legacy, TCVN3) == text


@pytest.mark.parametrize("letter", [letter.upper() for letter in ADDED])
def test_every_capital_survives_a_tcvn3_capital_font(letter):
    assert to_unicode(from_unicode(f"T{letter}N", CAPITALS), CAPITALS) == f"T{letter}N"


def test_a_toned_capital_has_no_place_in_plain_tcvn3():
    toned = [letter.upper() for letter in ADDED if letter.upper() not in PLAIN_CAPITALS]

    assert len(toned) == 60
    for letter in toned:
        with pytest.raises(NotInLegacyEncoding) as refusal:
            from_unicode(letter, TCVN3)
        assert refusal.value.code == "text_not_in_encoding"


@pytest.mark.skipif(shutil.which("iconv") is None, reason="needs iconv")
@pytest.mark.parametrize("letter", [*ADDED, *PLAIN_CAPITALS])
def test_tcvn3_agrees_with_the_c_librarys_tcvn_5712(letter):
    legacy = from_unicode(letter, TCVN3).encode("cp1252")
    run = subprocess.run(["iconv", "-f", "TCVN5712-1", "-t", "UTF-8"], input=legacy, capture_output=True)
    if run.returncode:
        pytest.skip("this iconv does not know TCVN5712-1")

    assert unicodedata.normalize("NFC", run.stdout.decode()) == letter


@pytest.mark.parametrize(
    ("legacy", "encoding", "text"),
    [
        ("hép møt tÕt", TCVN3, "hộp mứt tết"),
        ("Thµnh phè B¾c K¹n", TCVN3, "Thành phố Bắc Kạn"),
        ("ph\xadêng §øc Xu©n", TCVN3, "phường Đức Xuân"),
        ("PHßNG GI¸O DôC Vµ §µO T¹O", TCVN3, "PHÒNG GIÁO DỤC VÀ ĐÀO TẠO"),
        ("phßng gi¸o dôc", CAPITALS, "PHÒNG GIÁO DỤC"),
        ("Tõ S¬n", TCVN3, "Từ Sơn"),
        ("Xin chaøo caùc baïn", VNI, "Xin chào các bạn"),
        ("Phöôøng Phuøng Chí Kieân", VNI, "Phường Phùng Chí Kiên"),
        ("UÛY BAN NHAÂN DAÂN", VNI, "ỦY BAN NHÂN DÂN"),
        ("Thò traán Myõ Tuù, xaõ Kyø Thöôïng, Aùi", VNI, "Thị trấn Mỹ Tú, xã Kỳ Thượng, Ái"),
        ("kyû luaät, giaûi quyeát, nguyeãn, Huyø, tî, chöõ", VNI, "kỷ luật, giải quyết, nguyễn, Huỳ, tỵ, chữ"),
    ],
)
def test_text_as_it_is_met_is_read(legacy, encoding, text):
    assert to_unicode(legacy, encoding) == text


def test_legacy_text_that_a_mac_decomposed_is_read_too():
    assert to_unicode(unicodedata.normalize("NFD", "Phöôøng Soâng Caàu"), VNI) == "Phường Sông Cầu"


@pytest.mark.parametrize("encoding", [TextEncoding.ASCII, TextEncoding.UNICODE, TextEncoding.UNKNOWN])
def test_what_is_not_legacy_is_only_composed(encoding):
    decomposed = unicodedata.normalize("NFD", "Nguyễn Thị Minh Khai")

    assert to_unicode(decomposed, encoding) == "Nguyễn Thị Minh Khai"
    assert to_unicode("B¾c", encoding) == "B¾c"


def test_what_a_legacy_encoding_cannot_have_written_is_told():
    assert is_written_in("B¾c K¹n 2020", TCVN3)
    assert is_written_in("Baéc Kaïn", VNI)
    assert not is_written_in("là", TCVN3)
    assert not is_written_in("cùng", VNI)
    assert not is_written_in("Đức", VNI)


@given(st.text(st.sampled_from([*SMALL, "b", "n", " ", "1", "."])), st.sampled_from([TCVN3, VNI]))
def test_any_small_text_survives_there_and_back(text, encoding):
    assert to_unicode(from_unicode(text, encoding), encoding) == text


@given(st.text(st.sampled_from([letter.upper() for letter in SMALL] + ["B", " ", "1", "."])))
def test_any_capital_text_survives_there_and_back(text):
    for encoding in (VNI, CAPITALS):
        assert to_unicode(from_unicode(text, encoding), encoding) == text


@given(st.text(), st.sampled_from(sorted(LEGACY_ENCODINGS)))
def test_any_text_at_all_becomes_composed_unicode(text, encoding):
    converted = to_unicode(text, encoding)

    assert converted == unicodedata.normalize("NFC", converted)


@given(st.text(st.characters(max_codepoint=127)), st.sampled_from([TCVN3, VNI]))
def test_ascii_means_the_same_everywhere(text, encoding):
    assert to_unicode(text, encoding) == text
    assert from_unicode(text, encoding) == text


@pytest.mark.parametrize(
    ("font", "encoding"),
    [
        (".VnTime", TCVN3),
        (".VnTimeH", CAPITALS),
        (".vnarial", TCVN3),
        ("VNI-Times", VNI),
        ("VNI Times", VNI),
        ("Times New Roman", TextEncoding.UNKNOWN),
        ("Vni", TextEncoding.UNKNOWN),
    ],
)
def test_a_fonts_name_tells_its_encoding(font, encoding):
    assert encoding_of_font(font) is encoding
