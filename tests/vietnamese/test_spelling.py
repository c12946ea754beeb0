# SPDX-License-Identifier: Apache-2.0
"""bluezone.vietnamese.spelling."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bluezone.vietnamese.legacy_fonts import VIETNAMESE_LETTERS
from bluezone.vietnamese.spelling import fold, spell_out


@pytest.mark.parametrize("text", ["Đức Xuân", "đức  xuân", "DUC XUAN", " Duc\u00a0Xuan "])
def test_every_way_of_typing_a_name_is_the_same(text):
    assert fold(text) == fold(unicodedata.normalize("NFD", text)) == "duc xuan"
    assert fold("Đức\u200b Xu\ufeffân\u2060") == "duc xuan", "as it is copied from a message"


@pytest.mark.parametrize("letter", sorted(VIETNAMESE_LETTERS))
def test_every_letter_folds_to_one_plain_letter(letter):
    assert fold(letter) in set("adeiouy")


@given(st.text())
def test_folding_twice_is_folding_once_in_any_normal_form(text):
    once = fold(text)

    assert fold(once) == once
    assert fold(unicodedata.normalize("NFD", text)) == once


@pytest.mark.parametrize(
    ("short", "whole"),
    [
        ("UBND P.Suối Bạc", "ủy ban nhân dân phường Suối Bạc"),
        ("TYT x. Na Rì", "trạm y tế xã Na Rì"),
        ("CDC tỉnh", "trung tâm kiểm soát bệnh tật tỉnh"),
        ("BHXH Q. 1", "bảo hiểm xã hội quận 1"),
        ("BCĐ xã", "ban chỉ đạo xã"),
        ("HUBND CÀ MAU", "HUBND CÀ MAU"),
        ("tx. Phú Thọ", "thị xã Phú Thọ"),
        ("TP. Bắc Kạn", "thành phố Bắc Kạn"),
        ("TP.HCM", "thành phố HCM"),
        ("Tổ 1, p. Sông Cầu", "Tổ 1, phường Sông Cầu"),
        ("Lớp. Học", "Lớp. Học"),
        ("K.P. 3", "K.phường 3"),
    ],
)
def test_short_words_for_units_are_spelled_out(short, whole):
    assert spell_out(short) == whole
