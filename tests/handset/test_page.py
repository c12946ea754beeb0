# SPDX-License-Identifier: Apache-2.0
"""The local page as its owner uses it: state, languages, and a report from code to thanks."""

import ast
import datetime
import http.client
import re
from pathlib import Path
from urllib.parse import urlencode

import pytest
from tests.builders.handset import meet, published, reported

from bluezone.handset.page import home, reportpages, words
from bluezone.handset.page.server import LocalPage
from bluezone.handset.page.words import Words
from bluezone.keyserver import codes


@pytest.fixture
def phone(phones):
    return phones.new("phone")


@pytest.fixture
def ask(phone):
    """Ask the phone's page as its owner's browser does; cookies may be added."""
    page = LocalPage(phone)
    page.start()

    def asked(method, path, form=None, cookie=""):
        connection = http.client.HTTPConnection(page.origin.removeprefix("http://"), timeout=10)
        headers = {
            "Cookie": f"bluezone_token={page.token}{cookie}",
            "Origin": page.origin,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        connection.request(method, page.base + path, urlencode(form or {}, doseq=True), headers)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, text

    yield asked
    page.stop()


ENGLISH = "; bluezone_language=en"


def test_the_page_is_vietnamese_first_and_english_on_request(ask):
    assert '<html lang="vi">' in ask("GET", "")[1]
    assert "Bluezone đang dừng" in ask("GET", "")[1]
    assert "Bluezone has stopped" in ask("GET", "", cookie=ENGLISH)[1]


def test_running_is_said_only_if_bluetooth_sent_and_heard_within_15_minutes(phone, ask, world):
    phone.check()
    boot = phone.clock.boot_seconds()
    phone.note_radio(boot, None)
    assert "is running" not in ask("GET", "", cookie=ENGLISH)[1]
    assert "has heard no phone" in ask("GET", "", cookie=ENGLISH)[1]
    phone.note_radio(boot, boot)
    assert "Bluezone is running since" in ask("GET", "", cookie=ENGLISH)[1]
    world.pass_by(16 * 60)
    assert "is running" not in ask("GET", "", cookie=ENGLISH)[1]
    assert "Bluezone has stopped" in ask("GET", "", cookie=ENGLISH)[1]


def test_running_since_starts_anew_after_a_gap_of_over_15_minutes(phone, world):
    def since():
        boot = phone.clock.boot_seconds()
        phone.note_radio(boot, boot)
        return phone.radio_state.running_since

    first = since()
    world.pass_by(14 * 60)
    assert since() == first
    world.pass_by(16 * 60)
    phone.note_radio(None, None)
    assert since() == first + 30 * 60


def test_a_wrong_clock_is_said_with_its_size(phone, ask):
    phone.check()
    phone.clock.wall_error = -3 * 3600
    phone.check()
    assert "This phone&#x27;s clock is 3 hours off" in ask("GET", "", cookie=ENGLISH)[1]


def test_a_warning_shows_day_band_certainty_three_steps_and_the_hotline_to_call(phones, server, world, phone, ask):
    patient = phones.new("patient")
    meet(phone, patient, 25, world=world)
    reported(patient, server)
    published(server, world)
    phone.check()
    text = ask("GET", "")[1]
    assert "Bạn có nguy\u00a0cơ lây\u00a0nhiễm" in text
    assert "Thứ Tư 25/11/2026" in text
    assert text.count("<li>") == 3
    assert 'href="tel:02093870000"' in text


def test_a_report_goes_from_code_to_consent_to_thanks(server, phone, ask, world):
    phone.payload()
    onset = phone.today() - datetime.timedelta(days=1)
    code = codes.issue(server.key_server, "confirmed", onset).code
    text = ask("POST", "report", {"code": code}, ENGLISH)[1]
    assert "Will be sent: this phone&#x27;s random codes for 1 day" in text
    assert "Wednesday 25 November 2026" in text
    day = re.search(r'name="day" value="(\d+)"', text)[1]
    assert codes.status(server.key_server, code) == "open"

    _, refused = ask("POST", "report/send", {"day": day}, ENGLISH)
    assert "you have not agreed" in refused
    _, done = ask("POST", "report/send", {"day": day, "consent": "yes"}, ENGLISH)
    assert "Sent at" in done
    sent = ask("GET", "sent", cookie=ENGLISH)[1]
    assert "Your data was sent 1 time." in sent
    assert "Random packets: 0." in sent


@pytest.mark.parametrize("code", ["", "123", "1234-5678-9012", "<script>alert(1)</script>", "9" * 5000])
def test_a_bad_code_is_refused_in_words_and_never_repeated(ask, code):
    status, text = ask("POST", "report", {"code": code}, ENGLISH)
    assert status == 200
    assert "12 digits" in text
    assert "<script>" not in text


def test_every_text_of_the_page_is_translated():
    vietnamese = Words.of("vi")
    untranslated = []
    for module in (home, reportpages):
        for node in ast.walk(ast.parse(Path(module.__file__).read_text("utf-8"))):
            name = getattr(getattr(node, "func", None), "id", getattr(getattr(node, "func", None), "attr", None))
            if name in ("_", "ngettext") and isinstance(node.args[0], ast.Constant):
                sentence = node.args[0].value
                told = (
                    vietnamese.gettext(sentence)
                    if name == "_"
                    else vietnamese.ngettext(sentence, node.args[1].value, 2)
                )
                if told in (sentence, node.args[-1]):
                    untranslated.append(sentence)
    assert untranslated == []


def test_numbers_and_dates_have_each_language_s_own_form():
    day, at = datetime.date(2020, 8, 8), datetime.datetime(2020, 8, 8, 7, 42, tzinfo=datetime.UTC)
    vietnamese, english = Words.of("vi"), Words.of("en")
    assert (vietnamese.long_date(day), english.long_date(day)) == ("thứ Bảy 8/8/2020", "Saturday 8 August 2020")
    assert (vietnamese.number(1250), english.number(1250)) == ("1.250", "1,250")
    assert english.moment(at, day) == "07:42"
    assert vietnamese.moment(at, datetime.date(2020, 8, 9)) == "07:42 8/8"
    assert words.LANGUAGES == ("vi", "en")
