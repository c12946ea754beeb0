# SPDX-License-Identifier: Apache-2.0
"""Letters of 200 % on a screen of 360 pixels: every public page and every screen stays whole."""

import pytest
from tests.browser.test_face_journey import checked_in, typed
from tests.browser.test_face_screens import SCREENS
from tests.browser.test_face_web import agreed, browser_of
from tests.builders.face import PHONE, assert_readable_at_twice_the_size
from tests.builders.webedition import publish_venue, web_city

pytestmark = pytest.mark.browser

PAGES = [
    "/", "/install/", "/faq/", "/guides/", "/protection/", "/help/", "/materials/", "/news/", "/transparency/",
    "/venues/register/",
]  # fmt: skip


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_screen_of_the_web_edition_is_whole(chromium, tmp_path, language):
    with web_city(tmp_path) as server:
        poster = publish_venue(server)
        face = browser_of(chromium, server, language=language)
        assert_readable_at_twice_the_size(face.page)
        agreed(face)
        for path in [*SCREENS[1:], "/guide/open", "/warning/gone", f"/v/{poster.link.split('#')[1]}"]:
            face.go(path)
            assert_readable_at_twice_the_size(face.page)
        # The bar of parts does not lie over what is read.
        assert face.page.evaluate("getComputedStyle(document.getElementById('nav')).position") == "static"
        if language == "vi":
            typed(face, poster)
            checked_in(face, poster)
            assert_readable_at_twice_the_size(face.page)
            face.go("/")
            assert_readable_at_twice_the_size(face.page)
        assert face.complaints == []
        face.page.context.close()


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_public_page_is_whole_with_its_menu_and_its_language(chromium, standing, language):
    context = chromium.new_context(viewport={"width": PHONE, "height": 740})
    page = context.new_page()
    page.goto(f"{standing.public}/language/{language}/?next=/")
    for path in PAGES:
        answer = page.goto(standing.public + path)
        assert answer.status == 200, path
        assert_readable_at_twice_the_size(page)
        for name in (".top .to-menu", ".top [hreflang]"):
            box = page.locator(name).first.bounding_box()
            assert box is not None, (path, name)
            assert box["x"] + box["width"] <= PHONE + 1, (path, name)
    context.close()
