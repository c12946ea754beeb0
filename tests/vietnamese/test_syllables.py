# SPDX-License-Identifier: Apache-2.0
"""bluezone.vietnamese.spelling."""

import unicodedata

import pytest

from bluezone.vietnamese.spelling import is_syllable

# The letter of the directive's own vocabulary, and the hard cases of Vietnamese spelling.
SYLLABLES = """ủy ban nhân dân thành phố bắc kạn triển khai tuyên truyền cài đặt ứng dụng theo khuyến cáo của bộ y tế gì
giếng quyết quý quốc quên huỳnh nguyễn nghiêng khuya thuở ngoằn xoong ướt rượu yêu yến loét oanh huệch huơ giữ gìn khuổi
pác nặm phặc ý ở ạ Đức ĐỨC"""
OTHER = "cafộ été cạt kếx naive ạe kÕ đb qan nghx phòNg hồồ ầ ơc ăb"


@pytest.mark.parametrize("word", SYLLABLES.split())
def test_a_vietnamese_word_is_one(word):
    assert is_syllable(word)
    assert is_syllable(unicodedata.normalize("NFD", word))


@pytest.mark.parametrize("word", OTHER.replace("cạt", "cãt").split())
def test_another_word_is_none(word):
    assert not is_syllable(word)
