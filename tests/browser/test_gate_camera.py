# SPDX-License-Identifier: Apache-2.0
"""Passes that are filmed by Chromium's own camera at the gate page; a module of its own, since the film is a flag."""

import pytest
from playwright.sync_api import expect
from tests.builders.chromium import FILMING, launched
from tests.builders.gatepage import paged_gate
from tests.builders.poster import photograph

pytestmark = [pytest.mark.browser, pytest.mark.field]
# Which side's camera the page asks for.
ASKED = """
    window.asked = [];
    const open = MediaDevices.prototype.getUserMedia;
    MediaDevices.prototype.getUserMedia = function (wanted) { asked.push(wanted.video.facingMode); return open.call(this, wanted); };
"""  # noqa: E501 (a line of JavaScript)


@pytest.mark.parametrize(("shown", "verdict"), [("phone", "running"), ("browser", "valid_code")])
def test_a_filmed_pass_is_judged_and_counted_once_however_long_it_is_held_there(tmp_path, shown, verdict):
    film = tmp_path / "pass.mjpeg"
    camera = (*FILMING, f"--use-file-for-fake-video-capture={film}")
    with paged_gate(tmp_path) as gate, launched(*camera) as browser:
        film.write_bytes(photograph(getattr(gate, shown)(), kind="JPEG") * 5)
        page = browser.new_context(viewport={"width": 360, "height": 740}, permissions=["camera"]).new_page()
        page.add_init_script(ASKED)
        page.goto(gate.page.url)
        expect(page.locator(f".verdict[data-verdict={verdict}]")).to_be_visible(timeout=120_000)
        # The page is ready for the next person, the code still before the camera.
        expect(page.locator(".verdict[data-verdict=idle]")).to_be_visible(timeout=120_000)
        page.get_by_role("button", name="Khác").click()
        page.get_by_role("button", name="Đổi máy ảnh trước, sau").click()
        page.wait_for_function("() => asked.length === 2")
        assert page.evaluate("asked") == ["user", "environment"]
        page.reload()
        page.wait_for_function("() => asked.length === 1 && asked[0] === 'environment'")

        assert gate.totals() == {verdict: 1}
