# SPDX-License-Identifier: Apache-2.0
"""bluezone.vietnamese.legacy_fonts: what it finds, and above all what it leaves alone."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bluezone.vietnamese.legacy_fonts import Change, TextEncoding, detect, first_contradiction, from_unicode, preview

NAMES = """Thành phố Bắc Kạn
phường Đức Xuân
phường Phùng Chí Kiên
phường Sông Cầu
phường Nguyễn Thị Minh Khai
phường Huyền Tụng
phường Xuất Hóa
xã Dương Quang
xã Nông Thượng
Phòng Giáo dục và Đào tạo
Phòng Văn hóa và Thông tin
Trung tâm Văn hóa, Thể thao và Truyền thông
Hội Liên hiệp Phụ nữ thành phố
Thành đoàn
Ban Chỉ huy Quân sự""".splitlines()

# Words of French, German, Spanish, English and Portuguese chosen because one of the readings comes close.
FOREIGN = [
    "Loïc, où es-tu ? Là, chez le naïf laïc thaï du Noël.",
    "L'été, les élèves de l'école française dînent à la crêperie; ça plaît à Zoë, à Raphaël et à Citroën.",
    "« Où êtes-vous ? » « Là-bas, à côté de la forêt, près du château. »",
    "août, goût, coût, voûte, maïs, naïve, héroïne, aérien, Israël, poêle, cœur, œuvre, être, même, où, là, ambiguë",
    "Zürich, Köln, größte, Straße, für, schön, hören, Mädchen, Übung, Öl, Äpfel, süß",
    "El niño y el señor están en España; aún no llegó mañana el año.",
    "São Paulo, coração, não, à, pães, avô, português",
    "café, naïve, résumé, façade, jalapeño, über, piñata, déjà vu",
    "5 µm, 20 °C, 1·2, 10 m², 3 m³, ½ cup, § 12, © 2020, Bluezone®, ±5, £10, «quote»",
]


@pytest.mark.parametrize("encoding", [TextEncoding.TCVN3, TextEncoding.VNI])
@pytest.mark.parametrize("name", [name for name in NAMES if not name.isascii()])
def test_one_name_is_enough_to_tell_a_legacy_font(name, encoding):
    found = detect(from_unicode(name, encoding))

    assert (found.encoding, found.score, found.is_legacy) == (encoding, 1.0, True)


def test_the_citys_name_alone_is_told_in_both():
    assert detect("B¾c K¹n").encoding is TextEncoding.TCVN3
    assert detect("Baéc Kaïn").encoding is TextEncoding.VNI


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("name", [*NAMES, "hoà", "toán loài khoá toàn", "Phè", "bé là cá", "Pác Nặm, Nà Phặc", "Ô"])
def test_proper_vietnamese_is_left_alone(name, form):
    assert detect(unicodedata.normalize(form, name)).encoding in {TextEncoding.UNICODE, TextEncoding.UNKNOWN}
    assert not detect(unicodedata.normalize(form, name.upper())).is_legacy


@pytest.mark.parametrize("text", FOREIGN)
def test_other_languages_and_signs_are_left_alone(text):
    assert not detect(text).is_legacy
    assert not any(detect(word).is_legacy for word in text.split())


def test_all_foreign_sentences_together_are_left_alone():
    assert not detect("\n".join(FOREIGN)).is_legacy


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_is_never_doubted(text):
    assert detect(text).encoding is TextEncoding.ASCII


@given(st.text())
def test_any_text_gets_an_answer(text):
    assert 0 <= detect(text).score <= 1


@given(st.lists(st.sampled_from(" ".join(NAMES).split()), min_size=1))
def test_no_choice_of_vietnamese_words_is_taken_for_legacy_text(words):
    assert not detect(" ".join(words)).is_legacy


@given(
    st.lists(st.sampled_from(" ".join(NAMES).split()), min_size=6, unique=True),
    st.sampled_from([TextEncoding.TCVN3, TextEncoding.VNI]),
)
@example(["phố", "Tụng", "xã", "Sông", "Xuân", "phường"], TextEncoding.TCVN3)
def test_a_handful_of_legacy_words_is_never_taken_for_the_other_legacy_encoding(words, encoding):
    written = [from_unicode(word, encoding) for word in words if word != "Ủy"]

    assert detect(" ".join(written)).encoding in {encoding, TextEncoding.ASCII, TextEncoding.UNKNOWN}


def test_text_of_two_encodings_is_called_mixed():
    assert detect("Thµnh phè B¾c K¹n, phường Đức Xuân, Hu©n").mixed
    assert detect("Soâng Caàu, phường Đức Xuân, Quaûng Ngaõi").mixed
    assert not detect("Thành phố Bắc Kạn, café, Zürich").mixed


def test_unicode_wins_a_tie():
    both_ways, only_unicode, only_tcvn3 = "phè bé né mè", "là cà", "B¾c K¹n"

    assert detect(f"{both_ways} {only_tcvn3}").encoding is TextEncoding.TCVN3
    assert detect(f"{both_ways} {only_tcvn3} {only_unicode}").encoding is TextEncoding.UNICODE


def test_a_preview_shows_what_would_change_once_each():
    texts = ["B¾c K¹n", "abc", "B¾c K¹n", "S«ng CÇu", "Huế"]

    assert preview(texts, TextEncoding.TCVN3) == (Change("B¾c K¹n", "Bắc Kạn"), Change("S«ng CÇu", "Sông Cầu"))
    assert preview(texts, TextEncoding.TCVN3, limit=1) == (Change("B¾c K¹n", "Bắc Kạn"),)
    assert preview(texts, TextEncoding.UNICODE) == ()


def test_the_first_text_that_disagrees_is_named():
    assert first_contradiction(["B¾c K¹n", "", "Đức Xuân"], TextEncoding.TCVN3) == 2
    assert first_contradiction(["B¾c K¹n", "abc"], TextEncoding.TCVN3) is None
    assert first_contradiction(["Đức Xuân"], TextEncoding.UNICODE) is None
