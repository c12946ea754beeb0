# SPDX-License-Identifier: Apache-2.0
"""What an owner does for others and tells by choice, on the screens: a picture, a request, a declaration."""

from io import BytesIO

import pytest
import zxingcpp
from PIL import Image
from tests.browser.test_face_web import agreed, browser_of
from tests.builders.face import assert_fit, open_face
from tests.builders.handset import city_with_phones, meet_phone, publish_reports, report_patient
from tests.builders.webedition import web_city

from bluezone.keyserver import declarations
from bluezone.protocol.declarationkey import new_private_key, open_declaration, public_key_pem

pytestmark = pytest.mark.browser


@pytest.fixture
def browsing(chromium, tmp_path):
    """A browser at a city's web edition, agreed, with the first files; and the city."""
    with web_city(tmp_path) as city:
        face = browser_of(chromium, city)
        agreed(face)
        yield face, city
        face.page.context.close()


def test_the_picture_to_pass_on_and_the_code_on_the_screen_lead_to_the_link(browsing):
    face, _ = browsing
    face.go("/share")
    link = face.page.input_value("#share-link")
    on_screen = Image.open(BytesIO(face.page.locator("main svg.qr").screenshot()))
    with face.page.expect_download() as found:
        face.page.click("text=Tải ảnh có mã QR")
    picture = Image.open(found.value.path())

    assert found.value.suggested_filename == "bluezone.png"
    assert [code.text for code in zxingcpp.read_barcodes(picture)] == [link]
    assert [code.text for code in zxingcpp.read_barcodes(on_screen)] == [link]


def test_a_request_for_help_goes_out_with_its_ticket_and_keeps_its_words_while_it_cannot(browsing):
    face, city = browsing
    face.go("/help")
    face.page.click("main button[type=submit]")
    assert "/v1/help" not in dict(city.requests), "nobody could call back"
    face.page.fill("#contact", "0912 345 678")
    face.page.fill("#note", "Cài giúp bà ngoại")
    face.page.context.set_offline(True)
    face.page.click("main button[type=submit]")
    face.page.wait_for_selector("form [role=alert]")
    assert face.page.input_value("#note") == "Cài giúp bà ngoại"
    assert_fit(face)

    face.page.context.set_offline(False)
    city.more["/v1/help"] = (201, "application/json", b'{"ticket": "K7M-2QX"}')
    face.page.click("main button[type=submit]")
    face.wait("K7M-2QX")
    assert_fit(face)
    face.go("/sent")
    assert "Dữ liệu của bạn đã gửi: 1 lần" in face.text(), "it has a telephone number in it"


def test_a_warned_owner_declares_and_reads_that_it_was_sent(chromium, tmp_path):
    key = new_private_key()
    with city_with_phones(tmp_path) as (server, phones, world):
        declarations.publish_declaration_key(server.key_server.data_dir, public_key_pem(key))
        patient, near = phones.new("patient"), phones.new("near")
        meet_phone(near, patient, 25, world=world)
        report_patient(patient, server)
        publish_reports(server, world)
        near.check()
        (warning,) = near.risk.warnings()
        with open_face(chromium, near) as face:
            face.go(f"/warning/{warning.id}")
            face.page.click("text=Gửi khai báo")
            face.page.fill("#phone", "0912 345 678")
            face.page.fill("#text", "Hôm đó tôi để máy ở cơ quan.")
            face.page.click("main button[type=submit]")
            face.wait("Đã gửi")
            assert_fit(face)
            face.go("/sent")
            assert "Dữ liệu của bạn đã gửi: 1 lần" in face.text()
        ((handle, _),) = server.key_server.declarations.list_declarations()
        told = open_declaration(server.key_server.declarations.read_declaration(handle).message, key)

    assert (told.phone, told.text) == ("0912345678", "Hôm đó tôi để máy ở cơ quan.")
