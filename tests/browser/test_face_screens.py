# SPDX-License-Identifier: Apache-2.0
"""Every screen of the face in both languages, at 360 and 1,280 pixels, against a real phone."""

import datetime
import re

import pytest
from tests.builders.accessibility import elements_without_focus_ring, low_contrast_texts, serious_findings
from tests.builders.face import DESK, PHO, PHONE, assert_fit, assert_readable_at_twice_the_size, open_face, plain
from tests.builders.handset import city_with_phones, meet_phone, publish_reports, report_patient
from tests.builders.visitor import four_ways

from bluezone.face.files import static_files

pytestmark = pytest.mark.browser

RUNNING = {"vi": "đang chạy", "en": "running"}
SCREENS = [
    "/", "/about", "/diary", "/inbox", "/scan", "/gate", "/report", "/sent", "/help", "/share", "/more", "/faq",
    "/guides", "/guide/bluetooth", "/guide/place", "/guide/event", "/guide/report", "/guide/warned",
    "/guide/patient", "/guide/family", "/language",
    "/notifications", "/neighbours", "/anew", "/care", "/symptoms", "/journal", "/events", "/event/none",
    "/erase", "/erase-sure", "/nowhere",
]  # fmt: skip


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """A city with a warned phone, a quiet one that is at a place, and one that nobody has agreed on."""
    with city_with_phones(tmp_path_factory.mktemp("face")) as (server, phones, world):
        venue = server.key_server.registrar.register_venue("dk-1", PHO)
        quiet, warned, patient = (phones.new(name) for name in ("quiet", "warned", "patient"))
        for phone in (quiet, warned, patient):
            phone.check()
        patient.encounters.payload()
        visit = warned.stays.check_in(venue.link, remember=True)
        meet_phone(warned, patient, 25, world=world)
        warned.stays.check_out(visit.id)
        report_patient(patient, server)
        publish_reports(server, world)
        for phone in (quiet, warned):
            phone.check()
            boot = phone.clock.boot_seconds()
            phone.encounters.note_radio(boot, boot)
        quiet.stays.check_in(venue.link, remember=True)
        quiet.encounters.payload()
        yield {
            "server": server,
            "world": world,
            "venue": venue,
            "quiet": quiet,
            "warned": warned,
            "new": phones.new("new"),
        }


def test_the_list_of_screens_is_whole():
    routes = static_files()["routes.js"].content.decode()
    names = set(re.findall(r'^  "?([a-z-]*)"?: \(\) => import', routes, re.MULTILINE))
    walked = {path.split("/")[1] for path in SCREENS} | {
        "warning",
        "declare",
        "place",
        "v",
        "r",
        "checked-in",
        "message",
        "welcome",
    }
    assert names - walked == {"report-choose", "report-read", "report-done"}


@four_ways("width", PHONE, DESK)
def test_every_screen_is_fit_to_be_used(chromium, lived, language, width):
    (warning,) = lived["warned"].risk.warnings()
    code = lived["venue"].link.split("#")[1]
    with open_face(chromium, lived["warned"], width=width, language=language) as face:
        for path in [*SCREENS, f"/warning/{warning.id}", f"/declare/{warning.id}", "/warning/gone", "/message/gone"]:
            if path != "/":
                face.go(path)
            assert_fit(face)
            assert face.page.evaluate("document.documentElement.lang") == language
        assert face.complaints == []
    with open_face(chromium, lived["quiet"], width=width, language=language) as face:
        assert_fit(face)
        for path in (f"/v/{code}", "/checked-in", "/diary", "/place"):
            face.go(path)
            assert_fit(face)
        assert face.complaints == []
    with open_face(chromium, lived["new"], width=width, language=language, started=False) as face:
        assert_fit(face)
        assert "welcome" not in face.page.url


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_step_of_a_report_is_fit_to_be_used(chromium, lived, language):
    onset = lived["quiet"].time.today() - datetime.timedelta(days=1)
    code = lived["server"].key_server.codes.issue_code("confirmed", onset).code
    with open_face(chromium, lived["quiet"], language=language) as face:
        face.go("/report")
        face.page.fill("#code", code)
        face.page.click("form button[type=submit]")
        face.page.wait_for_selector("fieldset")
        assert_fit(face)
        face.page.click("form button[type=submit]")
        face.page.click("summary")
        assert_fit(face)
        assert_readable_at_twice_the_size(face.page)
        face.page.click("main .button.quiet")
        face.page.wait_for_selector("[data-state]")
    assert lived["server"].key_server.codes.status(code) == "open"


def all_screens(lived):
    (warning,) = lived["warned"].risk.warnings()
    return [*SCREENS[1:], f"/warning/{warning.id}", f"/declare/{warning.id}", f"/v/{lived['venue'].link.split('#')[1]}"]


# Every look that the card of home can have (journey.js).
LOOKS = ["ok", "warn", "alert", "care", "calm"]


@pytest.mark.long
@pytest.mark.parametrize(
    "colours", [{"dark": True}, {"forced_colors": "active"}, {"dark": True, "forced_colors": "active"}],
    ids=["dark", "forced", "dark-forced"],
)  # fmt: skip
def test_nothing_is_invisible_in_dark_or_forced_colours_and_what_has_the_focus_shows_it(chromium, lived, colours):
    forced = "forced_colors" in colours
    with open_face(chromium, lived["warned"], **colours) as face:
        for look in LOOKS:
            face.page.evaluate("look => { document.querySelector('[data-state]').className = `state ${look}`; }", look)
            assert low_contrast_texts(face.page) == [], look
            assert forced or serious_findings(face.page) == [], look
        for path in ["/", *all_screens(lived)]:
            if path != "/":
                face.go(path)
            assert low_contrast_texts(face.page) == [], path
            assert elements_without_focus_ring(face.page) == [], path
            # axe reckons with the colours of the page, not with those that are forced on it.
            assert forced or serious_findings(face.page) == [], path
        assert face.complaints == []


def test_a_warned_phone_is_whole_with_letters_of_twice_the_size(chromium, lived):
    with open_face(chromium, lived["warned"]) as face:
        assert_readable_at_twice_the_size(face.page)
        for path in all_screens(lived):
            face.go(path)
            assert_readable_at_twice_the_size(face.page)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_word_running_stands_only_where_bluetooth_sent_and_heard_within_15_minutes(chromium, lived, language):
    quiet = lived["quiet"]
    boot = quiet.clock.boot_seconds()
    quiet.encounters.note_radio(boot, boot)
    with open_face(chromium, quiet, language=language) as face:
        assert RUNNING[language] in face.text()
        lived["world"].pass_by(16 * 60)
        face.page.reload()
        face.page.wait_for_selector("[data-state]")
        assert RUNNING[language] not in face.text()
        assert face.page.get_attribute("[data-state]", "data-state") == "B1"
        assert plain(face.heading()) == {"vi": "Bluezone đang dừng", "en": "Bluezone has stopped"}[language]
        lived["world"].pass_by(-16 * 60)
        for path in SCREENS[1:]:
            face.go(path)
            assert RUNNING[language] not in face.text().lower(), path


def test_each_screen_gives_the_focus_to_its_heading_and_back_returns(chromium, lived):
    with open_face(chromium, lived["quiet"]) as face:
        focused = "document.activeElement.tagName + ' ' + document.activeElement.textContent"
        face.page.click("nav a[href='#/diary']")
        face.page.wait_for_function("() => document.querySelector('main h1')?.textContent === 'Nhật ký'")
        assert face.page.evaluate(focused) == "H1 Nhật ký"
        assert face.page.title() == "Nhật ký · Bluezone"
        face.page.click("nav a[href='#/more']")
        face.page.wait_for_function("() => document.querySelector('main h1')?.textContent === 'Thêm'")
        face.page.go_back()
        face.page.wait_for_function("() => document.querySelector('main h1')?.textContent === 'Nhật ký'")
        assert face.page.evaluate(focused) == "H1 Nhật ký"
        assert face.page.get_attribute("nav a[aria-current=page]", "href") == "#/diary"


def test_the_language_changes_at_once_on_every_screen_and_stays(chromium, lived):
    with open_face(chromium, lived["quiet"]) as face:
        face.go("/faq")
        face.page.click("#language")
        face.page.wait_for_function("() => document.title === 'Questions and answers · Bluezone'")
        assert face.page.evaluate("document.documentElement.lang") == "en"
        assert face.page.evaluate("document.activeElement.id") == "language"
        face.page.reload()
        face.page.wait_for_function("() => document.title === 'Questions and answers · Bluezone'")
        face.page.click("#language")
        face.page.wait_for_function("() => document.documentElement.lang === 'vi'")


def test_the_first_run_asks_before_it_shows_anything_and_goes_where_its_owner_wanted(chromium, lived):
    code = lived["venue"].link.split("#")[1]
    with open_face(chromium, lived["new"], started=False) as face:
        lived["new"].check()
        face.go(f"/v/{code}")
        assert face.heading() == "Bluezone báo cho bạn biết sớm"
        assert not face.page.locator("nav").count()
        face.page.click("text=Đồng ý và bắt đầu")
        face.wait("Đây là địa điểm này?")
        assert PHO.name in face.text()


def test_what_was_scanned_is_text_and_never_markup(chromium, lived):
    bad = PHO.__class__(name="<img src=x onerror=alert(1)>", address="<b>x</b>", type=4, stay_minutes=60)
    link = lived["server"].key_server.registrar.register_venue("dk-9", bad).link
    with open_face(chromium, lived["quiet"]) as face:
        face.go(f"/v/{link.split('#')[1]}")
        assert bad.name in face.text()
        assert not face.page.locator("main img, main b").count()
        assert face.complaints == []


def test_erasing_takes_two_steps_and_leaves_nothing(chromium, tmp_path):
    with city_with_phones(tmp_path) as (_, phones, _):
        phone = phones.new("phone")
        phone.check()
        with open_face(chromium, phone) as face:
            face.go("/erase")
            assert "không được cảnh báo" in face.text()
            face.page.click("text=Tôi hiểu, tiếp tục")
            face.wait("Chắc chắn xóa hết?")
            assert (phones.folder / "phone" / "handset.key").exists()
            face.page.click("text=Xóa hết ngay")
            face.wait("Đã xóa hết")
            assert list((phones.folder / "phone").glob("handset.*")) == []


def test_a_program_that_has_stopped_is_told_in_words(chromium, lived):
    with open_face(chromium, lived["quiet"]) as face:
        face.page.route("**/api/**", lambda route: route.abort())
        face.page.evaluate("location.hash = '/diary'")
        face.wait("Mất liên lạc với Bluezone trên máy")
        assert "Dữ liệu vẫn còn" in face.text()


def test_a_clock_that_is_years_off_is_told_in_days(chromium, tmp_path):
    with city_with_phones(tmp_path) as (_, phones, _):
        phone = phones.new("phone")
        phone.check()
        phone.clock.wall_error = -400 * 86_400
        phone.check()
        boot = phone.clock.boot_seconds()
        phone.encounters.note_radio(boot, boot)
        with open_face(chromium, phone) as face:
            assert face.page.get_attribute("[data-state]", "data-state") == "B3"
            assert "lệch 400 ngày" in face.text()


CAUSES = {
    "bluetooth_off": ("Bluetooth tắt từ", "Bluetooth has been off since"),
    "bluetooth_permission_missing": ("chưa được phép dùng Bluetooth từ", "has not been allowed to use Bluetooth since"),
    "location_off": ("chỉ cho nghe Bluetooth khi bật Vị trí", "only if Location is turned on and allowed"),
    "advertising_unsupported": ("máy không phát được Bluetooth", "has not been able to send over Bluetooth"),
    "scan_refused": ("Bluetooth của máy bị lỗi từ", "Bluetooth on this phone has not worked since"),
}


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_owner_reads_why_bluetooth_does_not_work(chromium, lived, language):
    quiet = lived["quiet"]
    boot = quiet.clock.boot_seconds()
    with open_face(chromium, quiet, language=language) as face:
        for code, words in CAUSES.items():
            quiet.encounters.note_radio(boot, boot, code, boot - 60)
            face.page.reload()
            face.wait(words[language == "en"])
            assert RUNNING[language] not in face.text()
            assert_fit(face)
    quiet.encounters.note_radio(boot, boot)
