# SPDX-License-Identifier: Apache-2.0
"""The gate's code on the phone's page: shown by a tap, good once, gone when the screen is left."""

import pytest
from playwright.sync_api import expect
from tests.builders.face import assert_fit, open_face
from tests.builders.handset import city_with_phones

from bluezone.protocol.gate.passes import BluetoothState, read_pass

pytestmark = pytest.mark.browser


@pytest.fixture
def phone(tmp_path):
    with city_with_phones(tmp_path) as (_server, phones, _world):
        made = phones.new("phone")
        made.check()
        boot = made.clock.boot_seconds()
        made.encounters.note_radio(boot, boot)
        made.told = []
        made.passes.on_session = made.told.append
        yield made


def test_nothing_is_answered_before_the_tap_and_nothing_after_leaving(chromium, phone):
    with open_face(chromium, phone) as face:
        face.go("/gate")
        assert phone.told == []
        face.page.get_by_role("button", name="Hiện mã").click()
        expect(face.page.locator("svg.qr")).to_be_visible()
        assert len(phone.told) == 1
        assert_fit(face)
        phone.passes.answered = lambda: True
        face.wait("Máy đã trả lời cổng")
        face.go("/")
        expect(face.page.locator("svg.qr")).to_have_count(0)
        face.go("/more")

    assert phone.told[-1] is None


def test_the_third_code_within_a_minute_is_refused_with_a_sentence(chromium, phone):
    with open_face(chromium, phone) as face:
        face.go("/gate")
        for count in (1, 2):
            face.page.get_by_role("button", name="Hiện mã").click()
            face.page.wait_for_function("() => !document.querySelector('main [aria-disabled=true]')")
            assert len([one for one in phone.told if one]) == count
        face.page.get_by_role("button", name="Hiện mã").click()
        face.wait("Vừa tạo hai mã trong một phút")
        assert "{seconds}" not in face.text()


def test_the_code_says_how_bluetooth_is(chromium, phone):
    shown = []
    make = phone.passes.show
    phone.passes.show = lambda: shown.append(make()) or shown[-1]
    with open_face(chromium, phone, language="en") as face:
        face.go("/gate")
        face.page.get_by_role("button", name="Show the code").click()
        expect(face.page.locator("svg.qr")).to_be_visible()

    assert (
        read_pass(shown[0].text).state
        == BluetoothState.BLUETOOTH_ON | BluetoothState.ADVERTISING | BluetoothState.HEARD
    )
