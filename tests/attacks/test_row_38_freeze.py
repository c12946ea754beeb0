# SPDX-License-Identifier: Apache-2.0
"""Row 38: somebody serves the same old files for ever. The sentence on the page: tests/browser/test_face_rows.py."""

from tests.builders.handset import city_with_phones

from bluezone.handset.page.api import LocalPage


def test_row_38_after_37_hours_without_a_new_index_the_phone_tells_its_owner(tmp_path):
    with city_with_phones(tmp_path) as (_, phones, world):
        phone = phones.new("phone")
        state = LocalPage(phone).api.reading["state"]
        phone.check()
        world.pass_by(35 * 3600)
        phone.check()
        assert "B2" not in state()["stops"]
        assert state()["stale"] is False

        world.pass_by(2 * 3600)
        phone.check()
        assert "B2" in state()["stops"]
        assert state()["stale"] is True
        assert world.now - state()["listMadeAt"] > 36 * 3600
