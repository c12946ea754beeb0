# SPDX-License-Identifier: Apache-2.0
"""A gate in a browser beside a box that hears Bluetooth, against a real office."""

import pytest
from playwright.sync_api import expect
from tests.builders.boxes import real_box
from tests.builders.gatephone import GatePhone, plant, sums

from bluezone.protocol.gate.passes import BluetoothState, read_pass

pytestmark = [pytest.mark.browser, pytest.mark.field, pytest.mark.timeout(600)]
CODE_IN_SIGHT = """document.querySelector(".gate-code svg").getBoundingClientRect().bottom
    <= document.querySelector("footer").getBoundingClientRect().top"""
AWAY, NONE = "Không hỏi được hộp Bluetooth", "Cổng này không có Bluetooth"


def test_tablets_that_read_the_box_s_code_prove_phones_that_run_and_know_each_other_s(chromium, standing):
    planted = plant(standing.data, 2, "Cổng có hộp")
    one, two = (GatePhone(chromium, standing.public).connect(code) for code in planted.codes)
    asked = []
    one.page.on("request", lambda request: asked.append((request.url, request.post_data or "")))
    expect(one.page.locator(".troubles")).to_contain_text(NONE)
    with real_box(one.desk("return await desk.gate()")) as box:
        one.scan(box.text, "box_joined")
        expect(one.page.locator(".troubles")).to_have_text("")
        shown = box.phone()
        one.scan(shown, "running")
        one.scan(shown, "pass_used")
        one.inside(1)
        two.scan(shown, "not_checked")
        two.scan(box.text, "box_joined")
        two.scan(shown, "pass_used")
        two.scan(box.phone(heard=False), "not_heard")
        two.scan(box.phone(heard=False, state=BluetoothState(0)), "installed_off")
        two.reload()
        two.scan(box.phone(), "running")
        box.off = "the adapter is gone"
        expect(one.page.locator(".troubles")).to_contain_text("Cổng không phát Bluetooth")
        one.scan(box.phone(), "not_checked")
    expect(two.page.locator(".troubles")).to_contain_text(AWAY)
    two.scan(shown, "not_checked")
    two.page.get_by_role("button", name="Khác").click()
    two.page.get_by_role("button", name="Thôi dùng hộp Bluetooth").click()
    expect(two.page.locator(".troubles")).to_contain_text(NONE)
    for tablet in (one, two):
        tablet.live(11)
        tablet.send()
    assert sums(standing.data, planted.gate) == {"running": 2}
    # What a phone shows never leaves the tablet.
    to_box = [body for url, body in asked if url.endswith("/box")]
    assert any(read_pass(shown).session.hex() not in body and "answers" in body for body in to_box)
    assert not any(read_pass(shown).session.hex() in body or shown in body for _, body in asked)
    for tablet in (one, two):
        # The browser itself complains of a box that is gone.
        tablet.trouble = [said for said in tablet.trouble if "Security Policy" in said]
        tablet.close()


def test_a_page_that_came_over_tls_says_what_to_allow_and_proves_once_it_is_allowed(chromium, standing):
    phone = GatePhone(chromium, standing.public, "en", tls=True).connect(
        plant(standing.data, 1, "Cổng có TLS").codes[0]
    )
    with real_box(phone.desk("return await desk.gate()")) as box:
        # Nobody is there who could answer the browser's question.
        phone.scan(box.text, "box_joined")
        expect(phone.page.locator(".troubles")).to_contain_text("Tap Allow", timeout=120_000)
        phone.scan(box.phone(), "not_checked")
        expect(phone.page.locator(".verdict")).to_have_attribute("data-verdict", "idle", timeout=60_000)
        assert phone.page.evaluate(CODE_IN_SIGHT), "a trouble hides no code that guests read"
        phone.context.grant_permissions(["local-network-access"])
        expect(phone.page.locator(".troubles")).to_have_text("", timeout=180_000)
        phone.scan(box.phone(), "running")
    phone.context.close()


def test_another_gate_s_box_is_not_joined(chromium, standing):
    ours, theirs = plant(standing.data, 1, "Cổng của ta"), plant(standing.data, 1, "Cổng của họ")
    one, other = (GatePhone(chromium, standing.public).connect(planted.codes[0]) for planted in (ours, theirs))
    with real_box(other.desk("return await desk.gate()")) as box:
        one.scan(box.text, "box_foreign")
        one.scan(box.text[:-1] + ("0" if box.text[-1] != "0" else "1"), "box_foreign")
        one.scan(box.phone(), "not_checked")
    expect(one.page.locator(".troubles")).to_contain_text(NONE)
    for tablet in (one, other):
        tablet.close()


def test_help_at_the_gate_shows_the_city_s_address(chromium, standing):
    phone = GatePhone(chromium, standing.public).connect(plant(standing.data, 1, "Cổng giúp cài").codes[0])
    phone.page.get_by_role("button", name="Giúp cài đặt").click()
    expect(phone.page.locator(".panel li").first).to_contain_text(standing.public.partition("//")[2])
    phone.close()
