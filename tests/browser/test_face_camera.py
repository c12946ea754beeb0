# SPDX-License-Identifier: Apache-2.0
"""Checking in by camera: Chromium's own, which films a poster; in a module of its own, since that is a flag."""

import pytest
from tests.builders.chromium import FILMING, launched
from tests.builders.face import PHO, open_face
from tests.builders.handset import city_with_phones
from tests.builders.poster import photograph

pytestmark = pytest.mark.browser

WATCHED = """() => {
  const media = navigator.mediaDevices, open = media.getUserMedia.bind(media);
  media.getUserMedia = async (wanted) => { window.filmed = await open(wanted); return window.filmed; };
}"""


def test_the_camera_finds_the_code_and_is_closed_afterwards(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, _):
        phone = phones.new("phone")
        phone.check()
        venue = server.key_server.registrar.register_venue("dk-1", PHO)
        film = tmp_path / "poster.mjpeg"
        film.write_bytes(photograph(venue.link, kind="JPEG") * 5)
        camera = (*FILMING, f"--use-file-for-fake-video-capture={film}")
        with launched(*camera) as browser, open_face(browser, phone) as face:
            face.go("/scan")
            face.page.evaluate(WATCHED)
            face.page.click("text=Mở máy ảnh")
            face.wait("Đây là địa điểm này?")
            assert PHO.name in face.text()
            assert face.page.evaluate("window.filmed.getTracks().map((track) => track.readyState)") == ["ended"]
