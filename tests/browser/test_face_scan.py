# SPDX-License-Identifier: Apache-2.0
"""Checking in on the page: by camera, from a picture, by a pasted link; offline; undone; and codes that are refused."""

import io

import pytest
from PIL import Image
from tests.builders.face import PHO, open_face
from tests.builders.handset import city_with_phones
from tests.builders.poster import photograph

pytestmark = pytest.mark.browser


@pytest.fixture
def city(tmp_path):
    with city_with_phones(tmp_path) as (server, phones, world):
        phone = phones.new("phone")
        phone.check()
        yield server, phone, world


@pytest.mark.parametrize("turned", [0, 7, 90])
def test_a_picture_of_the_poster_is_read_offline_and_checked_before_anything_is_noted(chromium, city, turned):
    server, phone, _ = city
    venue = server.key_server.registrar.register_venue("dk-1", PHO)
    server.down = True
    with open_face(chromium, phone) as face:
        face.go("/scan")
        picture = {"name": "poster.png", "mimeType": "image/png", "buffer": photograph(venue.link, turned=turned)}
        face.page.set_input_files("#picture", picture)
        face.wait("Đây là địa điểm này?")
        assert PHO.name in face.text()
        assert PHO.address in face.text()
        assert venue.fingerprint in face.text()
        assert phone.stays.all() == []
        face.page.check("#remember")
        face.page.click("text=Ghi tôi đã đến")
        face.wait("Đã ghi bạn đến")
        assert [visit.label for visit in phone.stays.all()] == [PHO.name]
        face.page.click("text=Hoàn tác")
        face.wait("Đã hoàn tác")
        assert phone.stays.all() == []
        assert face.complaints == []


def test_without_its_name_a_visit_is_kept_as_random_codes_and_ends_by_hand_or_by_itself(chromium, city):
    server, phone, world = city
    venue = server.key_server.registrar.register_venue("dk-1", PHO)
    with open_face(chromium, phone) as face:
        face.go("/scan")
        face.page.fill("#typed", venue.link)
        face.page.click("form button[type=submit]")
        face.wait("Đây là địa điểm này?")
        assert face.page.is_checked("#remember"), "a warning can then say where; the owner may take it out"
        face.page.click("label:has(#remember)")
        assert not face.page.is_checked("#remember")
        face.page.click("text=Ghi tôi đã đến")
        face.wait("Đã ghi bạn đến")
        face.go("/diary")
        assert PHO.name not in face.text()
        assert "Địa điểm không ghi tên" in face.text()
        world.pass_by(20 * 60)
        face.page.click("main >> text=Rời địa điểm")
        face.wait("Đã ghi giờ rời")
        assert phone.stays.all()[0].out_at == world.now
        face.page.click("text=Xóa lần đến này")
        face.wait("không báo tin được nữa")
        face.page.click("main .danger")
        face.wait("Đã xóa lần đến")
        assert phone.stays.all() == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("https://evil.example/pay?x=1", "Máy không mở liên kết lạ này"),
        ("javascript:alert(1)", "Đây không phải mã địa điểm"),
        ("https://bluezone.example/v#AAAA", "Đây không phải mã địa điểm"),
    ],
)
def test_a_foreign_code_is_refused_in_words_and_no_address_is_opened(chromium, city, text, sentence):
    _, phone, _ = city
    with open_face(chromium, phone) as face:
        asked = []
        face.page.on("request", lambda request: asked.append(request.url))
        face.go("/scan")
        face.page.fill("#typed", text)
        face.page.click("form button[type=submit]")
        face.wait(sentence)
        assert face.page.locator("[role=alert]").count() == 1
        assert not [url for url in asked if "example" in url]
        assert phone.stays.all() == []


def test_a_picture_without_a_code_says_what_to_do(chromium, city):
    out = io.BytesIO()
    Image.effect_noise((400, 300), 60).save(out, "PNG")
    with open_face(chromium, city[1]) as face:
        face.go("/scan")
        face.page.set_input_files("#picture", {"name": "x.png", "mimeType": "image/png", "buffer": out.getvalue()})
        face.wait("Không thấy mã QR trong ảnh này")
        face.page.set_input_files("#picture", {"name": "x.png", "mimeType": "image/png", "buffer": b"no picture"})
        face.wait("Không thấy mã QR trong ảnh này")


def test_a_blocked_camera_is_told_with_the_other_ways(chromium, city):
    with open_face(chromium, city[1], permissions=[]) as face:
        face.go("/scan")
        face.page.click("text=Mở máy ảnh")
        face.page.wait_for_selector("[role=alert]")
        assert "cách ở dưới" in face.text() or "dán mã ở dưới" in face.text()
