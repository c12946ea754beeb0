# SPDX-License-Identifier: Apache-2.0
"""The home that a person lands on after a long screen: at its top, with the focus on its heading."""

import pytest
from tests.browser.test_face_patient import consented
from tests.browser.test_face_venue_warning import HOUR, checked_in, pass_by, typed
from tests.browser.test_face_web import agreed, browser_of
from tests.builders.face import PHONE, assert_fit, opened
from tests.builders.handset import a_city
from tests.builders.webedition import a_code, a_poster, web_city

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
    poster = a_poster(served)
    face = browser_of(chromium, served)
    agreed(face)
    face.page.wait_for_selector("[data-state=nothing]")
    typed(face, poster)
    checked_in(face, poster)
    pass_by(served, 3 * HOUR, face)
    consented(face, a_code(served), "Đã gửi. Cảm ơn bạn")
    face.page.click("text=Về trang chủ")
    face.page.wait_for_selector("[data-state=positive]")

    assert_at_its_top(face, 740)
    face.page.context.close()


def test_the_home_of_a_handset_after_consent_is_at_its_top(chromium, tmp_path):
    with a_city(tmp_path) as (_, phones, _), opened(chromium, phones.new("new"), started=False) as face:
        agreed(face)

        assert_at_its_top(face, 740)
        assert_fit(face)
