# SPDX-License-Identifier: Apache-2.0
"""The whole main job through Chromium: two people meet, one reports on the page, the other is warned on the page.

Real: the server process, its stores and files, the Bluetooth host stack, both phones, their pages. Simulated: the air
between the phones and the hours that pass, as in `bluezone demo`.
"""

import random
import threading
import time
from datetime import timedelta

import pytest
from tests.builders.face import assert_fit, open_face, plain

from bluezone.cli.demo import (
    EPISODE_SECONDS_AGO,
    STARTED_SECONDS_AGO,
    DemoClock,
    DemoServer,
    prepare_city,
    run_episodes,
)
from bluezone.handset import Handset

pytestmark = pytest.mark.browser

NAMES = ("patient", "near", "far", "earlier")
SEED = 7


def live_beside(handsets, clock):
    """Run the meetings in a thread of their own, because the browser's driver keeps this one's event loop."""
    failed = []

    def live():
        try:
            run_episodes(handsets, clock, SEED, lambda line: None)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=live)
    thread.start()
    thread.join()
    assert failed == []


@pytest.fixture(scope="module")
def met(tmp_path_factory):
    """(server, phones by name) after the demo's two meetings."""
    folder = tmp_path_factory.mktemp("job")
    server = DemoServer(folder / "server", fixed_ports=False)
    prepare_city(server)
    with server:
        clock = DemoClock(time.time() - STARTED_SECONDS_AGO)
        phones = {
            name: Handset.open(
                folder / name, server.public_url, clock, random.Random(f"{SEED}/{name}"), trust=server.public_key()
            )
            for name in NAMES
        }
        live_beside(phones, clock)
        yield server, phones
        for phone in phones.values():
            phone.close()


def test_a_person_who_tests_positive_warns_the_one_who_was_near_and_nobody_else(chromium, met):
    server, phones = met
    patient, near, far = phones["patient"], phones["near"], phones["far"]
    met_on = near.time.local(time.time() - EPISODE_SECONDS_AGO).date()
    patient.encounters.payload()
    code = server.issue_code("confirmed", patient.time.local(time.time()).date() - timedelta(days=2))

    with open_face(chromium, patient, started=False) as face:
        face.page.click("text=Đồng ý và bắt đầu")
        face.page.wait_for_selector("[data-state]")
        face.page.click("text=Tôi có kết quả dương tính")
        face.wait("Mã báo tin do cán bộ")
        # As it is read out over the telephone, without the hyphens; the field puts them in.
        face.page.type("#code", code.replace("-", ""))
        assert face.page.input_value("#code") == code
        face.page.click("form button[type=submit]")
        face.wait("Chọn ngày và nơi muốn báo")
        boxes = face.page.locator("fieldset input[type=checkbox]")
        days = boxes.count()
        assert days >= 2
        # The owner leaves today out; the day of the meeting goes.
        boxes.nth(days - 1).uncheck()
        face.page.click("text=Xem đúng những gì sẽ gửi")
        face.wait("Đọc trước khi đồng ý")
        face.page.click("summary")
        assert f"mã ngẫu nhiên của máy trong {days - 1} ngày bạn chọn" in face.text()
        hexes = face.page.locator("details code").all_inner_texts()
        assert [len(text) for text in hexes] == [2 * 23] * (days - 1)
        assert_fit(face)
        face.page.click("text=Đồng ý và gửi")
        face.wait("Đã gửi. Cảm ơn bạn")
        assert_fit(face)
        face.go("/sent")
        assert "Dữ liệu của bạn đã gửi: 1 lần" in face.text()
        assert face.complaints == []

    server.wait_for_export(after=patient.downloads.position.number, seconds=300)
    with open_face(chromium, near) as face:
        face.page.click("text=Kiểm tra ngay")
        face.page.wait_for_function("() => !document.querySelector('[aria-disabled=true]')")
        if near.risk.level() == "none":
            # That file was made between the patient's last look and the report, which is in the next one.
            server.wait_for_export(after=near.downloads.position.number, seconds=300)
            face.page.click("text=Kiểm tra ngay")
        face.page.wait_for_selector("[data-state=D]")
        assert plain(face.heading()) == "Bạn có nguy cơ lây nhiễm COVID-19"
        assert f"{met_on.day}/{met_on.month}/{met_on.year}" in face.text()
        assert "1 chưa đọc" in face.page.inner_text("nav")
        face.page.click("text=Xem 3 việc cần làm")
        face.wait("Ba việc cần làm")
        assert face.page.locator("main .steps > li").count() == 3
        assert face.page.get_attribute("main .calls a", "href") == "tel:02093870943"
        assert "15–30 phút" in face.text()
        assert_fit(face)
        face.page.click("text=Đọc lại sau")
        face.page.wait_for_selector("[data-state=D]")
        assert "chưa đọc" not in face.page.inner_text("nav")
        assert face.complaints == []

    far.check()
    with open_face(chromium, far) as face:
        assert face.page.get_attribute("[data-state]", "data-state") not in ("C", "D")
        face.go("/inbox")
        assert "Chưa có thông báo nào" in face.text()
    for phone in (near, far):
        assert phone.sent_log.all() == []
