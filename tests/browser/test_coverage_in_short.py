# SPDX-License-Identifier: Apache-2.0
"""The share running on a leader's telephone: two screens, whatever was counted, in both languages."""

import asyncio
import mimetypes
import os
from contextlib import contextmanager

import pytest
from tests.builders import outlines
from tests.builders.coverage import WEEK, agency, city, registered_only, staff_report
from tests.builders.office import data_folder, furnished_folder, quick_passwords, user

from bluezone.identity.models import Role
from bluezone.rollout.coverage.api import Figure, RunningShare
from bluezone.rollout.staffing.queries import StaffRunning
from bluezone.web.assets import STATIC_FOLDER, static_url

__all__ = ["data_folder", "furnished_folder", "quick_passwords"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db]
SCREEN = {"width": 360, "height": 800}
WARDS = (
    "phường Nguyễn Thị Minh Khai", "phường Sông Cầu", "phường Đức Xuân", "phường Phùng Chí Kiên",
    "phường Huyền Tụng", "xã Dương Quang", "xã Nông Thượng", "phường Xuất Hóa",
)  # fmt: skip
SHOTS = os.environ.get("BLUEZONE_SHOTS")


class Gates(RunningShare):
    """Gate-days of every ward but the last; the week before most shares were others."""

    def __init__(self, below):
        self.below = below

    def figures(self, week):
        shift = 0 if week == WEEK else 60
        return [
            Figure(unit.path, None, 120 + 70 * number + (shift if number % 2 else -shift), 1000, "gates", week.last_day)
            for number, unit in enumerate(self.below[:-1])
            for _day in range(5)
        ]

    def rows_address(self, unit_id, week):
        return f"/gates/?unit={unit_id}"


@contextmanager
def opened(shared_chromium, html, size):
    """A page as the office would answer it, with its style sheets. The store cannot be asked while a browser runs."""
    browser, loop = shared_chromium
    asyncio._set_running_loop(loop)
    context = browser.new_context(viewport=size)
    page = context.new_page()

    def answer(route):
        path = route.request.url.split("/", 3)[3].split("?")[0]
        if path == "page":
            route.fulfill(body=html, content_type="text/html; charset=utf-8")
        elif (found := STATIC_FOLDER / f"/{path}".removeprefix(static_url())).is_file():
            kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
            route.fulfill(body=found.read_bytes(), content_type=kind)
        else:
            route.fulfill(status=404, body="")

    try:
        page.route("**/*", answer)
        page.goto("http://office.test/page")
        yield page
    finally:
        context.close()
        asyncio._set_running_loop(None)


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.parametrize("mapped", [True, False], ids=["outlines", "squares"])
def test_the_share_running_takes_two_screens_of_a_telephone(shared_chromium, client, data_folder, language, mapped):
    top, below = city(*WARDS)
    leader = user("hoa", Role.LEADER)
    for ward in below:
        staff_report(agency(f"UBND {ward.name}", ward), leader, 10, 40)
    if mapped:
        outlines.put(data_folder, outlines.grid(WARDS))
    client.cookies.load({"bluezone-language": language})
    client.force_login(leader)
    with registered_only(Gates(below), StaffRunning()):
        html = client.get(f"/coverage/units/{top.pk}/?week={WEEK}").text
    with opened(shared_chromium, html, SCREEN) as page:
        if SHOTS:
            page.screenshot(path=f"{SHOTS}/coverage-{language}-{mapped}.png", full_page=True)
        sizes = "[document.documentElement.scrollHeight, document.documentElement.scrollWidth]"
        height, width = page.evaluate(sizes)
        assert width <= SCREEN["width"]
        assert height <= 2 * SCREEN["height"], f"{height} px"
        assert page.locator("svg.tiles .shape").count() == len(WARDS)
