# SPDX-License-Identifier: Apache-2.0
"""A venue warning in the web edition, through its screens alone: from poster to three steps, and without a network."""

from io import BytesIO

import pytest
import segno
from tests.browser.test_face_web import RUNNING, agreed, browser_of
from tests.builders.face import assert_fit, plain
from tests.builders.webedition import issue_code, publish_venue, web_city

pytestmark = pytest.mark.browser

MINUTE, HOUR = 60, 3600
IN_CONTROL = """async () => {
    await navigator.serviceWorker.ready;
    while (!navigator.serviceWorker.controller) await new Promise(resolve => setTimeout(resolve, 20));
}"""


@pytest.fixture
def served(tmp_path):
    with web_city(tmp_path) as server:
        yield server


@pytest.fixture
def poster(served):
    return publish_venue(served)


def pass_by(server, seconds, *faces):
    """Time passes for the city and for these browsers."""
    server.world.pass_by(seconds)
    for face in faces:
        face.page.context.clock.set_system_time(server.world.now)


def came_by_the_poster(chromium, server, poster):
    """A browser that the poster's link opened: its owner agrees first, and is then at the place."""
    face = browser_of(chromium, server)
    face.go(f"/v/{poster.link.split('#')[1]}")
    face.page.click("main .button.wide")
    return face


def checked_in(face, poster):
    face.wait("Đây là địa điểm này?")
    assert poster.fingerprint in face.text()
    assert face.page.is_checked("#remember"), "a warning can say where, unless the visitor does not want it"
    face.page.click("text=Ghi tôi đã đến")
    face.wait("Đã ghi bạn đến")


def typed(face, poster):
    face.go("/scan")
    face.page.fill("#typed", poster.link)
    face.page.click("text=Xem địa điểm")


def photographed(face, poster):
    picture = BytesIO()
    segno.make(poster.link, error="m", micro=False).save(picture, kind="png", scale=8, border=4)
    face.go("/scan")
    face.page.set_input_files("#picture", {"name": "poster.png", "mimeType": "image/png", "buffer": picture.getvalue()})


def checked_out(face):
    face.go("/diary")
    face.page.click("text=Rời địa điểm")
    face.wait("Đã ghi giờ rời.")


def reported(face, server):
    """With a code from the health worker, the visit chosen, what is sent read, and consent."""
    face.go("/report")
    face.page.fill("#code", issue_code(server))
    face.page.click("form button[type=submit]")
    face.page.wait_for_selector("fieldset")
    face.page.click("form button[type=submit]")
    face.page.click("summary")
    assert "Một giờ ở một địa điểm" in face.text()
    face.page.click("text=Đồng ý và gửi")
    face.wait("Đã gửi. Cảm ơn bạn")


def assert_warned(face):
    """On the home page, and behind it the three steps with whom to call."""
    assert "Bạn có nguy cơ lây nhiễm COVID-19" in plain(face.heading())
    assert "đã ở Chợ Bắc Kạn cùng lúc với bạn khoảng trên 30 phút" in face.text()
    assert_fit(face)
    face.page.click("text=Xem 3 việc cần làm")
    face.wait("Ba việc cần làm")
    steps = face.page.locator("ol.steps > li").all_inner_texts()
    assert len(steps) == 3
    assert steps[0].startswith("Ở nguyên tại nhà hoặc nơi đang ở.")
    calls = face.page.eval_on_selector_all(".calls a", "links => links.map(link => link.getAttribute('href'))")
    assert calls == ["tel:02093870000", "tel:19009095", "tel:115"]
    assert "Bluezone không biết người đó là ai" in face.text()
    assert RUNNING["vi"] not in face.text().lower()
    assert_fit(face)


def test_from_the_poster_to_the_three_steps_in_two_browsers(chromium, served, poster):
    visitor = came_by_the_poster(chromium, served, poster)
    checked_in(visitor, poster)
    patient = browser_of(chromium, served)
    agreed(patient)
    photographed(patient, poster)
    checked_in(patient, poster)
    pass_by(served, 40 * MINUTE, visitor, patient)
    for face in (visitor, patient):
        checked_out(face)
    pass_by(served, 3 * HOUR, visitor, patient)
    reported(patient, served)
    pass_by(served, HOUR, visitor, patient)
    served.key_server.tick()

    visitor.go("/")
    assert "Chưa so với danh sách của thành phố" in visitor.text()
    visitor.page.click("text=Kiểm tra ngay")
    visitor.page.wait_for_selector("[data-state=D]")

    assert_warned(visitor)
    patient.go("/")
    patient.page.click("text=Kiểm tra ngay")
    # Who reported a stay is not warned of it.
    assert patient.page.get_attribute("[data-state]", "data-state") == "positive"
    assert visitor.complaints == patient.complaints == []
    for face in (visitor, patient):
        face.page.context.close()


COUNTED = """window.taps = 0;
addEventListener("click", (event) => { window.taps += event.isTrusted && event.detail > 0; }, true);"""


def at_hash(face, path):
    face.page.wait_for_function("path => location.hash === path && document.querySelector('main h1')", arg=f"#{path}")


@pytest.mark.long
@pytest.mark.parametrize("language", ["vi", "en"])
def test_consent_is_one_tap_a_check_in_one_and_a_report_four_and_the_code(chromium, served, poster, language):
    """From what the telephone shows when its camera or its link has opened the app."""

    def taps():
        counted = face.page.evaluate("window.taps")
        face.page.evaluate("window.taps = 0")
        return counted

    face = browser_of(chromium, served, language=language)
    face.page.evaluate(COUNTED)
    agreed(face)
    at_hash(face, "/")
    assert taps() == 1

    face.go(f"/v/{poster.link.split('#')[1]}")
    face.page.click("main .button:has(.icon)")
    at_hash(face, "/checked-in")
    assert taps() == 1

    pass_by(served, 3 * HOUR, face)
    face.go("/")
    face.page.click("main a[href='#/report']")
    face.page.fill("#code", issue_code(served))
    face.page.click("form button[type=submit]")
    face.page.wait_for_selector("fieldset")
    face.page.click("form button[type=submit]")
    face.page.wait_for_selector("details code", state="attached")
    face.page.click("main .buttons button")
    at_hash(face, "/report-done")
    assert taps() == 4
    face.page.context.close()


def test_in_airplane_mode_a_stay_is_kept_and_its_warning_comes_with_the_network(chromium, served, poster):
    visitor, patient = (browser_of(chromium, served) for _ in range(2))
    for face in (visitor, patient):
        agreed(face)
        face.wait("Kiểm tra lúc")
    visitor.page.evaluate(IN_CONTROL)
    visitor.page.context.set_offline(True)
    visitor.page.reload()
    visitor.page.wait_for_selector("[data-state]")
    for face, read in ((visitor, photographed), (patient, typed)):
        read(face, poster)
        checked_in(face, poster)
    pass_by(served, 40 * MINUTE, visitor, patient)
    checked_out(visitor)
    visitor.page.reload()
    visitor.page.wait_for_selector("article.visit")
    assert "Chợ Bắc Kạn" in visitor.text()
    assert "19:00 – 19:40" in visitor.text()
    visitor.go("/")
    visitor.page.click("text=Kiểm tra ngay")
    visitor.wait("Chưa liên lạc được với máy chủ. Kết quả cũ vẫn giữ")
    assert visitor.page.get_attribute("[data-state]", "data-state") == "unchecked"

    pass_by(served, 3 * HOUR, patient)
    reported(patient, served)
    pass_by(served, HOUR, visitor, patient)
    served.key_server.tick()
    visitor.page.context.set_offline(False)
    # Chromium's emulation does not always tell a page that was loaded offline that the network is back: either way,
    # its owner looks at it again and presses nothing.
    visitor.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    visitor.page.wait_for_selector("[data-state=D]")

    assert_warned(visitor)
    for face in (visitor, patient):
        face.page.context.close()
