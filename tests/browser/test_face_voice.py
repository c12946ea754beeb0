# SPDX-License-Identifier: Apache-2.0
"""Screens read aloud: by a recording of the city where there is one, else by a voice of the device, else it says so."""

import json

import pytest
from tests.browser.test_face_web import agreed, browser_of
from tests.builders.face import assert_fit
from tests.builders.webedition import web_city

pytestmark = pytest.mark.browser

# Chromium without windows has no engine for it: which texts are spoken, and what is played, is written down.
VOICE = """
window.spoken = [];
window.voices = [];
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
speechSynthesis.getVoices = () => window.voices;
speechSynthesis.speak = (said) => { window.spoken.push([said.lang, said.text]); };
window.played = [];
HTMLMediaElement.prototype.play = async function () { window.played.push(this.src.slice(0, 5)); };
null;
"""


@pytest.fixture
def face(chromium, tmp_path):
    with web_city(tmp_path) as server:
        server.more["/voice/list.json"] = (200, "application/json", json.dumps({"tay": ["home-nothing"]}).encode())
        server.more["/voice/tay/home-nothing.mp3"] = (200, "audio/mpeg", b"ID3")
        face = browser_of(chromium, server)
        agreed(face)
        face.page.wait_for_selector("[data-state=nothing]")
        face.page.evaluate(VOICE)
        yield face
        assert face.complaints == []
        face.page.context.close()


def test_a_screen_is_read_from_its_heading_on_in_its_language_and_stops(face):
    face.page.evaluate("window.voices = [{lang: 'en-US', localService: true}, {lang: 'vi-VN', localService: true}]")
    face.page.click("#voice")
    face.page.wait_for_function("() => window.spoken.length > 2")
    spoken = face.page.evaluate("window.spoken")
    assert spoken[0] == ["vi-VN", "Chưa có gì để kiểm tra"]
    assert all(len(text) <= 200 for _, text in spoken)
    assert {lang for lang, _ in spoken} == {"vi-VN"}
    assert face.page.get_attribute("#voice", "aria-pressed") == "true"
    face.page.click("#voice")
    assert face.page.get_attribute("#voice", "aria-pressed") == "false"


def test_a_device_without_the_voice_says_where_to_get_one_and_asks_no_service(face):
    face.page.evaluate("window.voices = [{lang: 'vi-VN', localService: false}]")
    face.page.click("#voice")
    face.wait("Chuyển văn bản thành giọng nói")
    assert face.page.evaluate("window.spoken") == []
    assert_fit(face)


def test_a_recording_of_the_city_is_played_in_the_language_that_was_chosen(face):
    face.go("/language")
    face.page.click("text=Tiếng Tày")
    face.page.wait_for_selector("button[aria-pressed=true]:has-text('Tiếng Tày')")
    assert_fit(face)
    face.go("/")
    face.page.click("#voice")
    face.page.wait_for_function("() => window.played.length === 1")
    assert face.page.evaluate("[window.played, window.spoken]") == [["blob:"], []]
