# SPDX-License-Identifier: Apache-2.0
"""What the attack rows say of the page itself: 11 (nothing of a contact but the day), 38 (stale), 47 (no recall)."""

import datetime
import re

import pytest
from tests.builders.drawn import remove_random_words
from tests.builders.face import open_face, plain
from tests.builders.handset import city_with_phones, meet_phone, publish_reports, report_patient

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("language", ["vi", "en"])
def test_row_11_the_page_holds_no_time_of_day_strength_or_identifier_of_a_contact(chromium, tmp_path, language):
    with city_with_phones(tmp_path) as (server, phones, world):
        patient, near = phones.new("patient"), phones.new("near")
        near.check()
        world.pass_by(3 * 3600)
        met_at, frame = near.time.local(world.now), patient.encounters.payload()
        meet_phone(near, patient, 23, world=world, rssi_dbm=-77)
        report_patient(patient, server)
        publish_reports(server, world)
        world.pass_by(3 * 3600)
        near.check()
        with open_face(chromium, near, language=language) as face:
            page = face.page
            shown = [
                plain(page.inner_text(".state h1")),
                *(plain(p) for p in page.locator(".state > p").all_inner_texts()),
            ]
            # The last line of the card is what this phone itself did: when it checked.
            shown = shown[:-1]
            markup = page.content()
            page.click("main .button")
            page.wait_for_selector(".steps")
            shown.append(plain(page.inner_text("main")))
            markup += page.content()
            for path in ("/inbox", "/diary"):
                face.go(path)
                markup += page.content()
                shown.append(plain(page.inner_text("main")))
        told = "\n".join(shown)
        assert "15–30" in told
        assert not re.search(r"\b\d{1,2}:\d{2}\b", told)
        for secret in ("-77", f"{met_at:%H:%M}", frame[:16].hex()):
            # The identifier is itself a long word.
            assert secret not in (markup if len(secret) > 5 else remove_random_words(plain(markup)).replace(" ", ""))
        # Minutes heard in a band, minutes near in fives: never those that were counted.
        assert re.search(r"\b25 (phút|minutes)", told)
        assert not re.search(r"\b2[1-4] (phút|minutes)", told)


@pytest.mark.parametrize(
    ("language", "sentence"), [("vi", "Đã 2 ngày chưa có danh sách mới"), ("en", "No new list for 2 days")]
)
def test_row_38_after_37_hours_without_a_new_index_the_home_page_says_so(chromium, tmp_path, language, sentence):
    with city_with_phones(tmp_path) as (_, phones, world):
        phone = phones.new("phone")
        phone.check()
        world.pass_by(37 * 3600)
        phone.check()
        boot = phone.clock.boot_seconds()
        phone.encounters.note_radio(boot, boot)
        with open_face(chromium, phone, language=language) as face:
            assert face.page.get_attribute("[data-state]", "data-state") == "B2"
            assert sentence in face.text()


@pytest.mark.parametrize(
    ("language", "sentence", "button"),
    [
        ("vi", "Gửi rồi không thu hồi được", "Đồng ý và gửi"),
        ("en", "Once sent, a report cannot be withdrawn", "Agree and send"),
    ],
)
def test_row_47_the_page_says_that_a_report_cannot_be_recalled_before_the_button(
    chromium, tmp_path, language, sentence, button
):
    with city_with_phones(tmp_path) as (server, phones, _):
        phone = phones.new("patient")
        phone.encounters.payload()
        code = server.key_server.codes.issue_code("confirmed", phone.time.today() - datetime.timedelta(days=1)).code
        with open_face(chromium, phone, language=language) as face:
            face.go("/report")
            face.page.fill("#code", code)
            face.page.click("form button[type=submit]")
            face.page.wait_for_selector("fieldset")
            face.page.click("form button[type=submit]")
            face.page.wait_for_selector("details")
            text = face.text()
            assert 0 <= text.find(sentence) < text.find(button)
        assert "keys_sent" not in {entry.kind for entry in phone.sent_log.all()}


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("1234-5678-9012", "Đây chưa phải mã báo tin"),
        ("<script>alert(1)</script>", "Đây chưa phải mã báo tin"),
        ("right but unknown", "Mã không đúng"),
        ("offline", "Mọi thứ trên máy vẫn giữ"),
    ],
)
def test_a_code_that_is_refused_says_why_keeps_what_was_typed_and_sends_nothing(chromium, tmp_path, typed, sentence):
    with city_with_phones(tmp_path) as (server, phones, _):
        phone = phones.new("patient")
        phone.check()
        phone.encounters.payload()
        onset = phone.time.today() - datetime.timedelta(days=1)
        issued = server.key_server.codes.issue_code("confirmed", onset).code
        if typed == "right but unknown":
            server.key_server.codes.revoke_code(issued)
            typed = issued
        elif typed == "offline":
            server.down = True
            typed = issued
        with open_face(chromium, phone) as face:
            face.go("/report")
            face.page.fill("#code", typed)
            face.page.click("form button[type=submit]")
            face.page.wait_for_selector("[role=alert].refusal")
            if server.down:
                assert "chưa ghi được" in face.text() or sentence in face.text()
            else:
                assert sentence in face.text()
            assert face.page.input_value("#code") == typed
        assert "keys_sent" not in {entry.kind for entry in phone.sent_log.all()}


def test_a_code_that_somebody_else_used_first_is_told_when_it_is_to_be_sent(chromium, tmp_path):
    with city_with_phones(tmp_path) as (server, phones, _):
        phone, other = phones.new("patient"), phones.new("other")
        for one in (phone, other):
            one.encounters.payload()
        code = server.key_server.codes.issue_code("confirmed", phone.time.today() - datetime.timedelta(days=1)).code
        with open_face(chromium, phone) as face:
            face.go("/report")
            face.page.fill("#code", code)
            face.page.click("form button[type=submit]")
            face.page.wait_for_selector("fieldset")
            other.report.prepare_and_submit(code, consent=True)
            face.page.click("form button[type=submit]")
            face.page.wait_for_selector("details")
            face.page.click("text=Đồng ý và gửi")
            face.wait("Mã không dùng được nữa")
            assert "0209 3870 000" in face.text()
            assert face.page.locator("#code").count() == 1
        assert "keys_sent" not in {entry.kind for entry in phone.sent_log.all()}


def test_a_report_that_the_network_cuts_off_is_kept_and_goes_on_by_itself(chromium, tmp_path):
    with city_with_phones(tmp_path) as (server, phones, _):
        phone = phones.new("patient")
        phone.encounters.payload()
        code = server.key_server.codes.issue_code("confirmed", phone.time.today() - datetime.timedelta(days=1)).code
        with open_face(chromium, phone) as face:
            face.go("/report")
            face.page.fill("#code", code)
            face.page.click("form button[type=submit]")
            face.page.wait_for_selector("fieldset")
            face.page.click("form button[type=submit]")
            face.page.wait_for_selector("details")
            server.down = True
            face.page.click("text=Đồng ý và gửi")
            face.wait("Chưa gửi xong")
            assert "không cần mã mới" in face.text()
            server.down = False
            phone.make_due_calls()
            face.wait("Đã gửi. Cảm ơn bạn")
        assert [entry.outcome for entry in phone.sent_log.all() if entry.kind == "keys_sent"] == ["accepted"]
