# SPDX-License-Identifier: Apache-2.0
"""What a phone fetches before a person can agree: few requests, little weight, and how long that takes on 2G."""

import sys
import time

import pytest

pytestmark = pytest.mark.browser

MOST_REQUESTS, MOST_BYTES = 10, 250_000
# 250 kbit/s and 300 ms there and back, on a processor six times slower than this one.
NETWORK = {"offline": False, "latency": 300, "downloadThroughput": 250_000 / 8, "uploadThroughput": 250_000 / 8}
SLOWER = 6
USABLE_SECONDS = 5


def load(chromium, standing, *, sources=False, slow=False):
    """(seconds until one can agree, addresses asked for until then, their bytes on the way).

    sources: the page loads its modules one by one, as it did before there were bundles.
    """
    context = chromium.new_context(viewport={"width": 360, "height": 740}, locale="vi-VN")
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    asked, weights = [], []
    session.on("Network.requestWillBeSent", lambda event: asked.append(event["request"]["url"]))
    session.on("Network.loadingFinished", lambda event: weights.append(event["encodedDataLength"]))
    if sources:
        page.route(
            "**/app/",
            lambda route: route.fulfill(
                body=route.fetch().text().replace("opening.js", "main.js"), content_type="text/html"
            ),
        )
    if slow:
        session.send("Network.emulateNetworkConditions", NETWORK)
        session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    begun = time.monotonic()
    page.goto(f"{standing.public}/app/", wait_until="commit")
    page.wait_for_selector("main button:has-text('Đồng ý và bắt đầu')", timeout=120_000)
    seconds = time.monotonic() - begun
    found = seconds, list(asked), sum(weights)
    context.close()
    return found


def test_one_can_agree_after_ten_requests_and_250_kilobytes_at_most(chromium, standing):
    _, asked, weight = load(chromium, standing)
    assert len(asked) <= MOST_REQUESTS, asked
    assert weight <= MOST_BYTES


def test_what_one_agrees_to_is_read_before_any_script_is_there(chromium, standing):
    context = chromium.new_context(viewport={"width": 360, "height": 740}, locale="vi-VN")
    page = context.new_page()
    page.route("**/app/opening.js", lambda route: None)
    page.goto(f"{standing.public}/app/", wait_until="commit")
    page.wait_for_selector("text=Những gì ở lại trên máy")
    assert page.is_visible("text=Đang mở Bluezone")
    assert not page.is_visible("text=What stays on your phone")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    context.close()


def test_a_page_without_its_scripts_says_what_the_first_screen_says(chromium, standing):
    said = []
    for scripts in (False, True):
        for locale in ("vi-VN", "en-GB"):
            context = chromium.new_context(locale=locale)
            page = context.new_page()
            if not scripts:
                page.route("**/app/opening.js", lambda route: route.abort())
            page.goto(f"{standing.public}/app/")
            if scripts:
                page.wait_for_selector("main button")
            else:
                page.wait_for_selector(".consent:visible")
            said.append([text.strip() for text in page.locator("main :is(h1, h2, li):visible").all_inner_texts()])
            context.close()
    assert said[0] == said[2]
    assert len(said[0]) > 6
    assert said[1][0] != said[0][0], "English for who reads English"


@pytest.mark.slow
def test_on_2g_with_a_slow_processor_one_can_agree_within_five_seconds(chromium, standing):
    """On a quiet machine; the modules one by one, as before, are loaded in the same run."""
    found = {
        name: min(load(chromium, standing, sources=sources, slow=True) for _ in range(3))
        for name, sources in (("bundled", False), ("one by one", True))
    }
    for name, (seconds, asked, weight) in found.items():
        sys.stdout.write(f"{name}: {seconds:.1f} s, {len(asked)} requests, {weight / 1000:.0f} kB\n")
    assert found["bundled"][0] < found["one by one"][0]
    assert found["bundled"][0] < USABLE_SECONDS
