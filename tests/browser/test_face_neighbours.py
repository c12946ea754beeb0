# SPDX-License-Identifier: Apache-2.0
"""The screen of cities nearby: followed by one tap, a warning that says of whose list it is, forgotten by one tap."""

import pytest
from tests.builders.face import assert_fit, assert_readable_at_twice_the_size, open_face
from tests.builders.neighbours import meet_abroad, publish, two_cities

pytestmark = pytest.mark.browser

WORDS = {
    "vi": ("không theo dõi", "Máy đang theo dõi", "trong danh sách của Bình An", "theo dõi thêm đến"),
    "en": ("does not follow", "This phone follows it", "in the lists of Binh An", "It will be followed until"),
}


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_traveller_follows_the_city_they_were_in_is_warned_from_it_and_forgets_it(chromium, tmp_path, language):
    off, on, warned, left = WORDS[language]
    with two_cities(tmp_path) as (here, phones, there, others, world):
        traveller, _ = meet_abroad(phones, others, there, world)
        publish(world, here, there)
        traveller.check()
        with open_face(chromium, traveller, language=language) as face:
            face.go("/more")
            face.page.click("a[href='#/neighbours']")
            face.wait(off)
            assert_fit(face)
            assert there.url not in face.text(), "only where somebody asks for it"
            card = face.page.locator("[data-neighbour]")
            card.locator("summary").click()
            assert there.url in face.text()
            assert there.trust()[:4] in card.inner_text()
            card.locator("button").click()
            face.wait(on)
            assert_fit(face)

            there.down = True
            traveller.check()
            face.go("/more")
            face.go("/neighbours")
            face.page.wait_for_selector("[data-neighbour] .note.warn")
            there.down = False
            assert traveller.check().level == "high"
            (warning,) = traveller.risk.warnings()
            face.go(f"/warning/{warning.id}")
            face.wait(warned)
            assert_fit(face)

            face.go("/neighbours")
            card.locator("button").first.click()
            face.wait(left)
            assert_fit(face)
            assert_readable_at_twice_the_size(face.page)
            card.locator("button").last.click()
            face.wait(off)
            assert face.complaints == []
        assert traveller.neighbours.all()[0].checked_at is None


def test_a_phone_whose_city_names_nobody_is_offered_no_screen_of_them(chromium, tmp_path):
    with two_cities(tmp_path) as (_, _, _, others, _):
        native = others.new("native")
        native.check()
        with open_face(chromium, native, language="en") as face:
            face.go("/more")
            assert face.page.locator("a[href='#/neighbours']").count() == 0
            face.go("/neighbours")
            face.wait("has not listed any yet")
