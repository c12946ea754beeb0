# SPDX-License-Identifier: Apache-2.0
"""The web edition's screens: honest about Bluetooth, fit to be used, small, and out of other apps' browsers."""

import pytest
from tests.browser.test_face_screens import SCREENS
from tests.builders.face import DESK, PHONE, Face, assert_fit
from tests.builders.visitor import four_ways
from tests.builders.webedition import issue_code, publish_venue, web_city

pytestmark = pytest.mark.browser

RUNNING = {"vi": "đang chạy", "en": "running"}
ONLY_PLACES = {
    "vi": "Bản web chỉ kiểm tra các địa điểm bạn đã quét mã",
    "en": "The web version checks only the places where you scanned the code",
}
ZALO = (
    "Mozilla/5.0 (Linux; Android 10; SM-A107F) AppleWebKit/537.36 Chrome/104.0 Mobile Safari/537.36 Zalo android/121006"
)
FACEBOOK = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 13_6 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 [FBAN/FBIOS;FBAV/280.0]"
)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with web_city(tmp_path_factory.mktemp("web")) as server:
        yield server


def browser_of(chromium, server, *, language="vi", width=PHONE, **options):
    """A profile whose clock stands at the city's time."""
    context = chromium.new_context(viewport={"width": width, "height": 740}, **options)
    context.clock.set_system_time(server.world.now)
    page = context.new_page()
    told = []
    page.on("pageerror", lambda error: told.append(str(error)))
    page.goto(f"{server.url}/app/")
    page.wait_for_selector("#status", state="attached")
    face = Face(page, None, told)
    if language == "en" and page.evaluate("document.documentElement.lang") == "vi":
        page.click("#language")
        page.wait_for_function("() => document.querySelector('main h1')?.textContent.startsWith('Bluezone warns')")
    return face


def agreed(face):
    face.page.click("main .button.wide")
    face.page.wait_for_selector("[data-state]")


@four_ways("width", PHONE, DESK)
def test_every_screen_is_fit_to_be_used_and_never_says_that_it_runs(chromium, served, language, width):
    poster = publish_venue(served, f"{language}{width}")
    face = browser_of(chromium, served, language=language, width=width)
    assert_fit(face)
    assert RUNNING[language] not in face.text().lower()
    agreed(face)
    face.wait(ONLY_PLACES[language])
    code = poster.link.split("#")[1]
    for path in [*SCREENS[1:], f"/v/{code}", "/guide/open", "/checked-in"]:
        face.go(path)
        if path.startswith("/v/"):
            face.wait("Chợ Bắc Kạn")
            assert_fit(face)
            face.page.click("main .button:has(.icon)")
            face.page.wait_for_function("() => location.hash === '#/checked-in'")
        assert_fit(face)
        assert RUNNING[language] not in face.text().lower(), path
    face.go("/")
    assert RUNNING[language] not in face.text().lower()
    assert face.complaints == []
    face.page.context.close()


def test_a_report_of_visits_goes_from_code_to_thanks(chromium, served):
    poster = publish_venue(served, "report")
    face = browser_of(chromium, served)
    agreed(face)
    face.wait(ONLY_PLACES["vi"])
    face.go(f"/v/{poster.link.split('#')[1]}")
    face.page.click("text=Ghi tôi đã đến")
    face.wait("Đã ghi bạn đến")
    served.world.pass_by(3 * 3600)
    face.page.context.clock.set_system_time(served.world.now)
    face.go("/report")
    assert "Bản này không có mã Bluetooth để gửi" in face.text()
    face.page.fill("#code", issue_code(served))
    face.page.click("form button[type=submit]")
    face.page.wait_for_selector("fieldset")
    assert_fit(face)
    face.page.click("form button[type=submit]")
    face.page.wait_for_selector("details")
    face.page.click("summary")
    assert "giờ đến và rời 1 địa điểm bạn chọn" in face.text()
    assert "Một giờ ở một địa điểm" in face.text()
    assert_fit(face)
    face.page.click("text=Đồng ý và gửi")
    face.wait("Đã gửi. Cảm ơn bạn")
    assert_fit(face)
    face.go("/sent")
    assert "Dữ liệu của bạn đã gửi: 1 lần" in face.text()
    face.page.context.close()


@pytest.mark.parametrize(("agent", "name"), [(ZALO, "Zalo"), (FACEBOOK, "Facebook")])
def test_inside_another_apps_browser_the_way_out_comes_first(chromium, served, agent, name):
    face = browser_of(chromium, served, user_agent=agent)
    assert face.heading() == "Hãy mở bằng trình duyệt"
    assert f"Bạn đang mở trong {name}" in face.text()
    assert "Mở bằng trình duyệt" in face.text()
    assert face.page.input_value("#inapp-link") == f"{served.url}/app/"
    assert face.page.locator("a[href^='intent://localhost']").count() == ("Android" in agent)
    assert_fit(face)
    face.page.click("text=Chép liên kết")
    face.wait("liên kết")
    face.page.click("text=Chỉ xem ở đây")
    face.wait("Bluezone báo cho bạn biết sớm")
    face.page.context.close()


def test_a_browser_that_is_too_old_is_told_so_in_both_languages(chromium, served):
    context = chromium.new_context(viewport={"width": PHONE, "height": 740})
    context.add_init_script("delete Promise.any")
    page = context.new_page()
    page.goto(f"{served.url}/app/")
    page.wait_for_selector("#old:not([hidden])")
    text = page.inner_text("body")
    assert "Trình duyệt này quá cũ (Chrome " in text
    assert "This browser is too old (Chrome " in text
    assert not page.is_visible("#opening")
    context.close()
