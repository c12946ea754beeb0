# SPDX-License-Identifier: Apache-2.0
"""A phone that scans the office's second code lands on the page of a box without a screen, which takes the ticket."""

import threading
import time

import pytest
from playwright.sync_api import expect
from tests.builders.accessibility import serious_findings
from tests.builders.crawling import scrolls_sideways
from tests.builders.visitor import DESK, NARROW

from bluezone.edge.appliance.intake import SetupPage
from bluezone.edge.appliance.ticket import FILE_NAME, SETUP_ADDRESS, Ticket, read_ticket

pytestmark = [pytest.mark.browser, pytest.mark.field]
NAME, AGENCY = "Hộp cổng chính", "UBND phường Sông Cầu"


def ticket(until):
    return Ticket("https://bluezone.example.vn", "ab" * 32, "gate", 7, NAME, AGENCY, "123-456-789-012", until)


@pytest.fixture
def box(tmp_path):
    page = SetupPage(tmp_path, time.time, "127.0.0.1", 0)
    thread = threading.Thread(target=page.serve)
    thread.start()
    yield f"http://127.0.0.1:{page.port}/", tmp_path / FILE_NAME
    page.stop()
    thread.join()


@pytest.mark.parametrize(
    ("language", "size", "taken"), [("vi-VN", NARROW, "đã nhận phiếu"), ("en-GB", DESK, "has its ticket")]
)
def test_the_scanned_code_connects_the_box_and_a_wrong_one_is_explained(chromium, box, language, size, taken):
    address, laid = box
    soon = int(time.time()) + 86_400
    context = chromium.new_context(viewport=size, locale=language)
    page = context.new_page()
    trouble = []
    page.on("console", lambda said: trouble.append(said.text) if "Security Policy" in said.text else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto(address)
    assert serious_findings(page) == []
    assert scrolls_sideways(page) == ""
    for text in ("123-456-789-012", ticket(1).link()):
        page.fill("#ticket", text)
        page.get_by_role("button").click()
        expect(page.locator(".told.wrong")).to_be_visible(timeout=60_000)
        assert not laid.exists()
    page.goto("about:blank")
    page.goto(ticket(soon).link().replace(SETUP_ADDRESS, address))
    expect(page.locator(".told")).to_contain_text(taken, timeout=60_000)
    assert NAME in page.inner_text(".told")
    assert page.url == address, "the code is in no history"
    assert serious_findings(page) == []
    assert read_ticket(laid.read_bytes(), 0) == ticket(soon)
    page.get_by_role("link").click()
    assert trouble == []
    context.close()
