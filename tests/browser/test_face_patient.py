# SPDX-License-Identifier: Apache-2.0
"""A patient's screens from the tap on "agree and send", with the waits of a real city: none of them is green."""

import datetime

import pytest
from tests.browser.test_face_screens import SCREENS
from tests.browser.test_face_venue_warning import HOUR, MINUTE, checked_in, checked_out, pass_by, typed
from tests.browser.test_face_web import agreed, browser_of
from tests.builders.face import assert_fit, open_face, plain
from tests.builders.handset import city_with_phones
from tests.builders.webedition import issue_code, publish_venue, web_city

from bluezone.city_settings import City

pytestmark = pytest.mark.browser

DAY = 86_400
REAL_WAIT = City.verify_to_upload_seconds
# Nobody is a patient before they have agreed, or after they have erased everything.
OF_A_PATIENT = [path for path in SCREENS if path not in ("/erase-sure", "/nowhere")]
UNREACHABLE = (503, "text/plain", b"")


@pytest.fixture
def served(tmp_path):
    with web_city(tmp_path, verify_to_upload_seconds=REAL_WAIT) as server:
        yield server


@pytest.fixture
def visitor(chromium, served):
    """A browser whose stay ended three hours ago and was compared since: it is green."""
    poster = publish_venue(served)
    face = browser_of(chromium, served)
    agreed(face)
    face.page.wait_for_selector("[data-state=nothing]")
    typed(face, poster)
    checked_in(face, poster)
    pass_by(served, 40 * MINUTE, face)
    checked_out(face)
    pass_by(served, 3 * HOUR, face)
    served.key_server.tick()
    face.go("/")
    press(face, "text=Kiểm tra ngay")
    face.page.wait_for_selector("[data-state=A]")
    yield face
    assert face.complaints == []
    face.page.context.close()


def press(face, selector):
    face.page.locator(selector).first.dispatch_event("click")


def consented(face, code, ends, before=lambda: None):
    """Enter a code and agree to everything that is offered. before: what happens before the last tap.

    ends: what the screen after it says.
    """
    face.go("/report")
    face.page.fill("#code", code)
    press(face, "form button[type=submit]")
    face.page.wait_for_selector("fieldset")
    press(face, "form button[type=submit]")
    face.page.wait_for_selector("main details")
    before()
    press(face, "text=Đồng ý và gửi")
    face.wait(ends)


def assert_a_patient(face):
    """No screen is green, and home says what a patient does, and not to ask for a code again."""
    for path in OF_A_PATIENT:
        if face.page.evaluate("location.hash.slice(1) || '/'") != path:
            face.go(path)
        assert face.page.locator(".state.ok").count() == 0, path
        assert "Chưa phát hiện nguy cơ" not in face.text(), path
    face.go("/")
    assert face.page.get_attribute("[data-state]", "data-state") == "positive"
    assert plain(face.heading()).startswith("Nghỉ ngơi và ở riêng đến hết ")
    assert_fit(face)


def test_no_screen_of_a_patient_is_green_while_the_report_waits(served, visitor):
    consented(visitor, issue_code(served), "Tin báo đã sẵn sàng")

    assert_a_patient(visitor)
    assert "Bạn đã đồng ý báo tin ngày 25/11/2026" in visitor.text()
    assert "Nhập mã báo tin" not in visitor.text(), "a report is on its way, and needs no code"
    pass_by(served, REAL_WAIT, visitor)
    visitor.page.reload()
    visitor.wait("Bạn đã báo tin ngày 25/11/2026")
    assert_a_patient(visitor)


def test_no_screen_of_a_patient_is_green_while_the_network_is_cut(served, visitor):
    consented(visitor, issue_code(served), "Chưa gửi xong", lambda: served.more.update({"/v1/verify": UNREACHABLE}))

    assert_a_patient(visitor)


def test_a_code_that_expired_before_the_last_tap_leaves_a_patient_all_the_same(served, visitor):
    consented(visitor, issue_code(served), "Mã không dùng được nữa", lambda: pass_by(served, 2 * DAY, visitor))

    assert_a_patient(visitor)
    assert "Nhập mã báo tin" in visitor.text(), "the report was not sent, and a new code sends it"


def test_a_patient_who_checks_in_is_not_green(served, visitor):
    consented(visitor, issue_code(served), "Tin báo đã sẵn sàng")
    poster = publish_venue(served, "2", name="Nhà thuốc")
    typed(visitor, poster)
    checked_in(visitor, poster)

    assert visitor.page.locator(".state.ok").count() == 0
    assert_fit(visitor)


def test_no_screen_of_a_handsets_patient_is_green_while_the_report_waits(chromium, tmp_path):
    with city_with_phones(tmp_path, verify_to_upload_seconds=REAL_WAIT) as (server, phones, world):
        phone = phones.new("patient")
        phone.check()
        phone.encounters.payload()
        world.pass_by(DAY)
        phone.check()
        phone.encounters.payload()
        onset = phone.time.today() - datetime.timedelta(days=1)
        with open_face(chromium, phone) as face:
            consented(face, server.key_server.codes.issue_code("confirmed", onset).code, "Tin báo đã sẵn sàng")
            assert phone.report.pending is not None
            assert phone.report.pending.is_certified

            assert_a_patient(face)
            assert "Nhập mã báo tin" not in face.text()
            world.pass_by(REAL_WAIT)
            phone.make_due_calls()
            assert phone.report.pending is None
            face.go("/diary")
            assert_a_patient(face)
            assert "Bạn đã báo tin ngày" in face.text()
            assert face.complaints == []
