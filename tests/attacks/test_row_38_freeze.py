# SPDX-License-Identifier: Apache-2.0
"""Row 38: somebody serves the same old files for ever."""

import pytest
from tests.builders.handset import a_city

from bluezone.handset.overview import overview
from bluezone.handset.page.home import home
from bluezone.handset.page.words import Words


@pytest.mark.parametrize(
    ("language", "sentence"), [("vi", "ngày chưa có danh sách mới"), ("en", "No new list for 2 days")]
)
def test_row_38_after_37_hours_without_a_new_index_the_home_page_says_so(tmp_path, language, sentence):
    with a_city(tmp_path) as (_, phones, world):
        phone = phones.new("phone")
        phone.check()
        world.pass_by(35 * 3600)
        phone.check()
        assert "B2" not in overview(phone).stops
        assert sentence not in home(phone, Words.of(language), "/", None)

        world.pass_by(2 * 3600)
        phone.check()
        assert "B2" in overview(phone).stops
        assert sentence in home(phone, Words.of(language), "/", None)
