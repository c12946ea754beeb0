# SPDX-License-Identifier: Apache-2.0
"""A leader asks on a telephone what would help a city of 45,000, and reads the answer, in Vietnamese and in English."""

import logging
import re
import time

import pytest
from tests.builders import peopling, planned
from tests.builders.accessibility import serious_findings
from tests.builders.crawling import scrolls_sideways
from tests.builders.visitor import NARROW, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(3600)]
MOST_SECONDS = 1800


def test_a_leader_gets_an_answer_for_45_000_residents_on_a_telephone(chromium, peopled):
    planned.plant(peopled.data, 45_000)
    leader = peopling.Person("leader", 360)
    visitor = Visitor(chromium, peopled)
    page = visitor.page
    page.set_viewport_size(NARROW)
    visitor.open("/sign-in/")
    page.get_by_label("Tên đăng nhập").fill(leader.username)
    page.get_by_label("Mật khẩu").fill(peopling.PASSWORD)
    page.get_by_role("button", name="Đăng nhập").click()
    if "/second/" in page.url:
        page.get_by_label("Mã", exact=True).fill(peopling.app_code())
        page.get_by_role("button", name="Đăng nhập").click()
    visitor.open("/plans/")
    page.locator("[name=infected]").fill("40")
    page.locator("form button[type=submit]").last.click()
    began = time.monotonic()
    assert page.locator("progress").count() == 1
    assert scrolls_sideways(page) == ""
    address = page.url
    while page.locator("progress").count():
        page.wait_for_timeout(1000)
        page.goto(address)
        assert time.monotonic() - began < MOST_SECONDS
    logging.getLogger(__name__).info("answered after %.0f s", time.monotonic() - began)
    for language in ("vi", "en"):
        page.context.add_cookies([{"name": "bluezone-language", "value": language, "url": page.url}])
        page.goto(address)
        assert page.locator("html").get_attribute("lang") == language
        assert serious_findings(page) == []
        assert scrolls_sideways(page) == ""
        lead = page.locator(".lead").first.inner_text()
        assert re.search(r"\d.*\(", lead, re.DOTALL)
        cells = page.locator("table").first.locator("tbody td:not(.none)").all_inner_texts()
        assert len(cells) >= 30
        # No number without the bounds in which nine of ten rounds lie.
        assert all(re.search(r"[–-]|đến|to", cell) for cell in cells), cells
    assert visitor.trouble == []
