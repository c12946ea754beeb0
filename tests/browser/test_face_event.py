# SPDX-License-Identifier: Apache-2.0
"""A wedding with a code of its own: the host makes it, a guest who falls ill reports, the other guest is warned."""

from io import BytesIO

import pytest
import zxingcpp
from PIL import Image
from tests.browser.test_face_venue_warning import HOUR, MINUTE, checked_out, pass_by, reported
from tests.browser.test_face_web import agreed, browser_of
from tests.builders.face import assert_fit, assert_readable_at_twice_the_size
from tests.builders.webedition import issue_code, web_city

pytestmark = pytest.mark.browser


@pytest.fixture
def served(tmp_path):
    with web_city(tmp_path) as server:
        yield server


def made(face, name, fit=assert_fit):
    """The host makes a code in the form: its link and what to compare."""
    face.go("/more")
    face.page.click("a[href='#/events']")
    face.page.wait_for_selector("#lasts")
    fit(face)
    face.page.fill("#name", name)
    face.page.select_option("#lasts", "4")
    face.page.click("form button[type=submit]")
    face.page.wait_for_selector("svg.qr")
    fit(face)
    return face.page.input_value("#message").split()[-1], face.page.inner_text(".fingerprint")


def came(face, fingerprint):
    face.wait("Bạn đang ở sự kiện này?")
    assert fingerprint in face.text()
    assert "thành phố không ký" in face.text()
    assert_fit(face)
    face.page.click("text=Ghi tôi đã đến")
    face.wait("Đã ghi bạn đến")


def test_a_wedding_warns_its_guests_through_a_health_workers_code(chromium, served):
    host, guest, patient = (browser_of(chromium, served) for _ in range(3))
    agreed(host)
    host.wait("Kiểm tra lúc")
    link, fingerprint = made(host, "Đám cưới Hà & Minh")
    before = len(served.requests)
    for face in (guest, patient):
        face.go(f"/v/{link.split('#')[1]}")
        face.page.click("main .button.wide")
        came(face, fingerprint)
    assert not any(link.split("#")[1][:20] in path for path, *_ in served.requests[before:])
    pass_by(served, 40 * MINUTE, guest, patient, host)
    for face in (guest, patient):
        checked_out(face)
    pass_by(served, 3 * HOUR, guest, patient, host)
    reported(patient, served)
    pass_by(served, HOUR, guest, patient, host)
    served.key_server.tick()

    guest.go("/")
    guest.page.click("text=Kiểm tra ngay")
    guest.page.wait_for_selector("[data-state=D]")

    assert "đã ở Đám cưới Hà & Minh cùng lúc với bạn khoảng trên 30 phút" in guest.text()
    host.go("/")
    host.page.click("text=Kiểm tra ngay")
    host.wait("Kiểm tra lúc")
    assert host.page.get_attribute("[data-state]", "data-state") == "nothing", "who made the code was not there"
    for face in (host, guest, patient):
        assert face.complaints == []
        face.page.context.close()


def test_a_code_made_here_is_found_again_printed_and_removed(chromium, served):
    host = browser_of(chromium, served, language="en")
    agreed(host)
    _, fingerprint = made(host, "Class 12A1")
    assert_readable_at_twice_the_size(host.page)
    host.page.evaluate("document.documentElement.style.fontSize = ''")
    host.page.emulate_media(media="print")
    assert host.page.is_visible("svg.qr")
    assert host.page.is_visible(".fingerprint")
    assert not host.page.is_visible("text=Send it to guests")
    host.page.emulate_media(media="screen")
    host.go("/events")
    host.page.click("text=Class 12A1")
    host.page.wait_for_selector("svg.qr")
    assert fingerprint in host.text()
    host.page.click("text=Remove the code from this device")
    host.page.click(".button.danger")
    host.wait("The code has been removed from this device.")
    assert "Class 12A1" not in host.text()
    assert host.complaints == []
    host.page.context.close()


@pytest.mark.parametrize("colours", [{"color_scheme": "dark"}, {"color_scheme": "dark", "forced_colors": "active"}])
def test_the_code_is_read_from_the_screen_whatever_its_colours(chromium, served, colours):
    host = browser_of(chromium, served, **colours)
    agreed(host)
    host.wait("Kiểm tra lúc")
    # axe reckons with the colours of the page, not with those that are forced on it.
    link, _ = made(host, "Lớp 12A1", fit=lambda face: None)
    picture = Image.open(BytesIO(host.page.locator("svg.qr").screenshot()))

    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [link]
    host.page.context.close()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Gọi 0912 345 678", "Chưa tạo mã. Tên dài quá 80 byte hoặc có số điện thoại"),
        (" ", "Còn thiếu tên, ngày hoặc giờ."),
    ],
)
def test_a_name_that_cannot_be_is_told_and_what_was_written_stays(chromium, served, name, told):
    host = browser_of(chromium, served)
    agreed(host)
    host.wait("Kiểm tra lúc")
    host.go("/events")
    host.page.fill("#name", name)
    host.page.click("form button[type=submit]")

    host.wait(told)
    assert host.page.input_value("#name") == name
    assert_fit(host)
    host.page.context.close()


def test_who_is_at_an_event_is_told_what_a_report_shows_the_host(chromium, served):
    host = browser_of(chromium, served)
    agreed(host)
    host.wait("Kiểm tra lúc")
    made(host, "Lớp 12A1")
    host.page.click("text=Tôi cũng có mặt")
    host.wait("Bạn đang ở sự kiện này?")
    host.page.click("text=Ghi tôi đã đến")
    host.wait("Đã ghi bạn đến")
    pass_by(served, 30 * MINUTE, host)
    host.go("/report")
    host.page.fill("#code", issue_code(served))
    host.page.click("form button[type=submit]")
    host.page.wait_for_selector("fieldset")
    assert "ai giữ mã của sự kiện có thể nhận ra có khách báo tin" in host.text()
    assert_fit(host)
    host.page.context.close()
