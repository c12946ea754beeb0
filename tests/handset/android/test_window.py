# SPDX-License-Identifier: Apache-2.0
"""From the first opening to the phone's page, button by button, and back when something is withdrawn."""

import pytest
from tests.builders.androidphone import wait_for

from bluezone.handset.android import permissions
from bluezone.handset.android.permissions import PhoneState
from bluezone.handset.android.window import Reader, choose_content, handle_press

GRANTED = frozenset({permissions.SCAN, permissions.ADVERTISE, permissions.CONNECT})


def test_from_agreeing_to_the_page_each_screen_comes_once_and_nothing_starts_before_it_may(phone):
    tracing, _, setup = phone.process()
    state, seen = PhoneState(34), []
    for action, order, then in (
        ("next", "nothing", state), ("allow", "ask", PhoneState(34, GRANTED)), ("later", "nothing", None),
        ("allow", "battery_question", None), ("later", "nothing", None),
    ):  # fmt: skip
        now = choose_content(state, setup, tracing, "samsung")
        seen.append((now.step, now.start))
        assert action in now.screen.actions
        assert handle_press(action, now, setup, tracing) == order
        state = then or state

    assert seen == [
        ("agree", False), ("nearby", False), ("notices", True), ("battery", True), ("maker", True),
    ]  # fmt: skip
    assert setup.answers.requested == (permissions.SCAN, permissions.ADVERTISE, permissions.CONNECT)
    assert choose_content(state, setup, tracing, "samsung").address is None
    tracing.start()
    wait_for(lambda: tracing.url)
    now = choose_content(state, setup, tracing, "samsung")
    assert (now.step, now.start, now.address) == ("go", False, tracing.url)


def test_who_agrees_on_a_full_disk_reads_why_it_did_not_go_on_and_can_press_again(phone, full_disk):
    tracing, _, setup = phone.process()
    with full_disk():
        now = choose_content(PhoneState(34), setup, tracing, "samsung")
        assert handle_press("next", now, setup, tracing) == "nothing"
        now = choose_content(PhoneState(34), setup, tracing, "samsung")
        assert now.step == "agree"
        assert "Máy hết chỗ trống" in now.screen.html
        assert "next" in now.screen.actions

    assert handle_press("next", now, setup, tracing) == "nothing"
    now = choose_content(PhoneState(34), setup, tracing, "samsung")
    assert now.step == "nearby"
    assert "Máy hết chỗ trống" not in now.screen.html


def test_the_settings_that_open_are_those_the_screen_is_about(phone):
    tracing, _, setup = phone.process()
    setup.update(agreed=True)
    refused = PhoneState(34, settled=frozenset({permissions.SCAN}))
    location_off = PhoneState(30, frozenset(permissions.required_permissions(30)), location_on=False)

    for state, step, order in (
        (refused, "blocked", "app_settings"), (location_off, "location_switch", "location_settings"),
    ):  # fmt: skip
        now = choose_content(state, setup, tracing, "samsung")
        assert (now.step, handle_press("settings", now, setup, tracing)) == (step, order)
    assert choose_content(location_off, setup, tracing, "samsung").step != "location_switch", "it is asked for once"


def test_a_withdrawn_permission_hides_the_page_behind_the_question(phone):
    tracing, _, setup = phone.process()
    setup.update(agreed=True, notices_asked=True, battery_asked=True, maker_read=True)
    tracing.start()
    wait_for(lambda: tracing.url)

    now = choose_content(PhoneState(34), setup, tracing, "samsung")
    assert (now.step, now.address) == ("nearby", None)


def test_the_language_of_the_screens_is_one_tap_away_and_stays(phone):
    tracing, _, setup = phone.process()
    first = choose_content(PhoneState(34), setup, tracing, "")
    handle_press("language", first, setup, tracing)
    second = choose_content(PhoneState(34), phone.process()[2], tracing, "")

    assert "Đồng ý và bắt đầu" in first.screen.html
    assert "lang='en'" in second.screen.html
    assert second.step == "agree"


def test_a_setup_file_that_cannot_be_read_asks_everything_again(phone):
    _, _, setup = phone.process()
    setup.update(agreed=True)
    for damaged in ("", "[]", '{"agreed": true, "unknown": 1}', "\0"):
        (phone.folder / "setup.json").write_text(damaged)
        assert not phone.process()[2].answers.agreed


def test_a_screen_of_the_apps_own_is_read_aloud_until_it_is_stopped(phone):
    tracing, device, setup = phone.process()
    device.voice.outcome = None
    reader = Reader(device.voice, lambda: None)
    now = choose_content(PhoneState(34), setup, tracing, "")
    assert "read" in now.screen.actions
    assert ">Đọc to</a>" in reader.with_reading_state(now.screen).html

    reader.toggle(now.screen)
    ((language, pieces),) = wait_for(lambda: device.voice.read or None)
    assert language == "vi"
    assert pieces[0] == "Bluezone báo cho bạn biết sớm"
    assert pieces[-1] == "Đồng ý và bắt đầu"
    assert not [piece for piece in pieces if "<" in piece or "\u2060" in piece]
    assert ">Dừng đọc</a>" in reader.with_reading_state(now.screen).html
    reader.toggle(now.screen)
    wait_for(lambda: not reader.reading)
    heard = reader.with_reading_state(now.screen).html
    assert ">Đọc to</a>" in heard
    assert "role='alert'" not in heard


def test_a_screen_that_gives_way_to_another_is_read_no_further(phone):
    tracing, device, setup = phone.process()
    device.voice.outcome = None
    reader = Reader(device.voice, lambda: None)
    first = choose_content(PhoneState(34), setup, tracing, "")
    reader.toggle(first.screen)
    wait_for(lambda: device.voice.read or None)
    handle_press("next", first, setup, tracing)

    reader.with_reading_state(choose_content(PhoneState(34), setup, tracing, "").screen)
    wait_for(lambda: not reader.reading)


@pytest.mark.parametrize(
    ("outcome", "language", "said"),
    [
        ("engine_missing", "vi", "Máy này chưa có ứng dụng đọc văn bản"),
        ("voice_missing", "en", "This device has no English voice"),
        ("failed", "en", "The phone could not read this aloud"),
    ],
)
def test_a_phone_that_cannot_read_aloud_says_why_on_its_screen(phone, outcome, language, said):
    tracing, device, setup = phone.process()
    setup.update(language=language)
    device.voice.outcome = outcome
    reader = Reader(device.voice, lambda: None)
    now = choose_content(PhoneState(34), setup, tracing, "")
    reader.toggle(now.screen)

    wait_for(lambda: reader.outcome)
    assert said in reader.with_reading_state(now.screen).html
