# SPDX-License-Identifier: Apache-2.0
"""The home that a person lands on after a long screen: at its top, with the focus on its heading."""

import pytest
from tests.browser.test_face_patient import consented
from tests.browser.test_face_venue_warning import HOUR, checked_in, pass_by, typed
from tests.browser.test_face_web import agreed, browser_of
from tests.builders.face import PHONE, assert_fit, open_face
from tests.builders.handset import city_with_phones
from tests.builders.webedition import issue_code, publish_venue, web_city

pytestmark = pytest.mark.browser

WHERE = """() => ({
    down: scrollY, focus: document.activeElement.tagName, top: document.querySelector('h1').getBoundingClientRect().top,
})"""


@pytest.fixture
def served(tmp_path):
    with web_city(tmp_path) as server:
        yield server


def assert_at_its_top(face, height):
    """Nothing was scrolled away, the heading is on the first screen and has the focus."""
    where = face.page.evaluate(WHERE)
    assert where["down"] == 0, where
    assert where["focus"] == "H1", where
    assert 0 <= where["top"] < height, where


@pytest.mark.parametrize("height", [640, 740, 900])
def test_the_home_after_consent_is_at_its_top(chromium, served, height):
    face = browser_of(chromium, served)
    face.page.set_viewport_size({"width": PHONE, "height": height})
    agreed(face)

    assert_at_its_top(face, height)
    face.wait("Kiểm tra lúc")
    assert_at_its_top(face, height)
    assert_fit(face)
    face.page.context.close()


def test_the_home_after_sending_is_at_its_top(chromium, served):
    poster = publish_venue(served)
    face = browser_of(chromium, served)
    agreed(face)
    face.page.wait_for_selector("[data-state=nothing]")
    typed(face, poster)
    checked_in(face, poster)
    pass_by(served, 3 * HOUR, face)
    consented(face, issue_code(served), "Đã gửi. Cảm ơn bạn")
    face.page.click("text=Về trang chủ")
    face.page.wait_for_selector("[data-state=positive]")

    assert_at_its_top(face, 740)
    face.page.context.close()


def test_the_home_of_a_handset_after_consent_is_at_its_top(chromium, tmp_path):
    with city_with_phones(tmp_path) as (_, phones, _), open_face(chromium, phones.new("new"), started=False) as face:
        agreed(face)

        assert_at_its_top(face, 740)
        assert_fit(face)
