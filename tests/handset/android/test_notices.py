# SPDX-License-Identifier: Apache-2.0
"""The permanent notice in every state a phone can be in."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from tests.builders.keyserver import NOON

from bluezone.handset.android.notices import face_words, news_notice, running_notice, stopped_notice
from bluezone.handset.overview import build_overview
from bluezone.protocol.languages import LANGUAGES

ICT = timezone(timedelta(hours=7))
BLUETOOTH = ("running", "listening", "off")
STOPS = [(), ("B1",), ("B2",), ("B3",), ("B1", "B2", "B3")]


def local(moment: float) -> datetime:
    return datetime.fromtimestamp(moment, UTC).astimezone(ICT)


@pytest.fixture
def seen(phones):
    return build_overview(phones.new("mine"))


def test_it_says_running_only_where_bluetooth_sent_and_heard_within_15_minutes_and_never_says_a_risk(seen):
    for state, level, bluetooth, stops, language in itertools.product(
        "ACD", ("none", "low", "high"), BLUETOOTH, STOPS, LANGUAGES
    ):
        told = running_notice(
            replace(seen, state=state, level=level, bluetooth=bluetooth, stops=stops), NOON, local, language
        )
        said = f"{told.title} {told.text}".lower()
        works = bluetooth == "running" and stops in ((), ("B2",))
        assert ("đang chạy" in said or "is running" in said) == works
        assert not [
            word for word in ("nguy cơ", "covid", "lây", "risk", "infect") if word in said.replace("cảnh báo", "")
        ]


def test_it_tells_the_owner_why_it_stopped_in_the_words_of_the_home_page(seen):
    def text(**changed):
        return running_notice(replace(seen, **changed), NOON, local, "vi").text

    at = NOON - 3 * 3600
    assert text(stops=("B1",), off_since=at) == (
        f"Bluetooth tắt từ {local(at):%H:%M} hôm nay. Từ lúc đó máy không ghi nhận được ai ở gần."
    )
    assert text(stops=("B1",), off_since=None) == "Bluetooth đang tắt. Máy chưa ghi nhận được ai ở gần."
    assert text(stops=("B2",), list_made_at=NOON - 2 * 86_400) == (
        "Đã 2 ngày chưa có danh sách mới. Dữ liệu trên máy vẫn còn đủ."
    )
    assert text(stops=("B3",), clock_error_seconds=3 * 3600.0) == (
        "Giờ trên máy lệch 3 giờ nên cảnh báo có thể sai. Hãy bật giờ tự động."
    )
    assert text(stops=("B3",), clock_error_seconds=-400.0).startswith("Giờ trên máy lệch 7 phút")
    assert text(stops=("B3",), clock_error_seconds=400 * 86_400.0).startswith("Giờ trên máy lệch 400\xa0ngày")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_phone_that_sends_and_hears_does_not_say_that_it_stops_because_the_city_cannot_be_reached(seen, language):
    for bluetooth in ("running", "listening"):
        told = running_notice(
            replace(seen, bluetooth=bluetooth, stops=("B2",), list_made_at=None), NOON, local, language
        )  # fmt: skip
        assert told.title not in ("Bluezone đang dừng", "Bluezone has stopped")
        assert told.text == face_words(language)["home.b2.never"]


def test_news_and_a_stop_say_the_lock_screens_sentence_and_nothing_more():
    assert news_notice("vi").text == "Bluezone có thông báo mới. Mở để xem."
    assert news_notice("en").text == "Bluezone has news for you. Open to read."
    assert stopped_notice("vi").title == "Bluezone đang dừng"
