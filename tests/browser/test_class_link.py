# SPDX-License-Identifier: Apache-2.0
"""A class's numbers typed where there is no network: they stay on the phone, go by themselves, or come back."""

import pytest
from playwright.sync_api import expect
from tests.builders import schooling
from tests.builders.accessibility import serious_findings
from tests.builders.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.field]
NUMBERS = {"pupils": 40, "with_smartphone": 3, "running": 2, "relatives": 9}
TOLD = "[data-later-told]"


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("classes") / "data") as running:
        schooling.plant(running.data)
        yield running, schooling.links(running.data)


@pytest.fixture
def phone(chromium, school):
    served, links = school
    context = chromium.new_context(viewport={"width": 360, "height": 740}, locale="vi-VN")
    page = context.new_page()
    page.trouble = []
    page.on("pageerror", lambda error: page.trouble.append(str(error)))
    # The slip says the whole address; only its path is of this server.
    page.of_class = lambda name: (served.public + links[name][0][links[name][0].index("/c/") :], links[name][1])
    yield page
    assert page.trouble == []
    context.close()


def fill(page, pin, **more):
    for name, number in {**NUMBERS, **more, "pin": pin}.items():
        page.fill(f"input[name={name}]", str(number))


def test_what_was_typed_without_a_network_is_kept_and_goes_by_itself(phone, school):
    address, pin = phone.of_class("6A")
    phone.goto(address)
    phone.wait_for_load_state("networkidle")
    phone.context.set_offline(True)
    fill(phone, pin, running=1)
    phone.click("main button[type=submit]")
    expect(phone.locator(TOLD)).to_contain_text("không có mạng", ignore_case=True)
    # Corrected before it could go: the last word counts.
    fill(phone, pin)
    phone.click("main button[type=submit]")
    expect(phone.locator(TOLD)).to_be_visible()
    assert serious_findings(phone) == []
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # The page is closed; it would send by itself as soon as there is a network.
    phone.goto("about:blank")
    phone.context.set_offline(False)
    phone.goto(address)
    expect(phone.locator(TOLD)).to_contain_text("đã gửi", ignore_case=True)

    assert schooling.reports(school[0].data) == [list(NUMBERS.values())]


def test_what_the_city_does_not_take_comes_back_into_the_form(phone):
    address, pin = phone.of_class("6B")
    phone.goto(address)
    phone.wait_for_load_state("networkidle")
    phone.context.set_offline(True)
    fill(phone, pin, running=39)
    phone.click("main button[type=submit]")
    expect(phone.locator(TOLD)).to_be_visible()
    phone.goto("about:blank")
    phone.context.set_offline(False)
    # Whoever closes the page before it is put right finds it again.
    for _ in range(2):
        phone.goto(address)
        expect(phone.locator(TOLD)).to_contain_text("chưa được nhận", ignore_case=True)
        assert phone.input_value("input[name=running]") == "39"
    fill(phone, pin)
    phone.click("main button[type=submit]")
    phone.wait_for_selector("text=Đã ghi")
    phone.goto(address)
    phone.wait_for_load_state("networkidle")
    assert phone.locator(TOLD).is_hidden()
