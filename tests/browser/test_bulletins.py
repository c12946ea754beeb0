# SPDX-License-Identifier: Apache-2.0
"""Listening before approving, in a real browser: the page plays the sound, and only its end lets "Duyệt" work."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from tests.builders.accessibility import serious_findings
from tests.builders.crawling import scrolls_sideways
from tests.builders.office import app_code
from tests.builders.serving import BLUEZONE, serving
from tests.builders.visitor import DESK, NARROW, PASSWORD, Visitor

pytestmark = pytest.mark.browser
PLANT = """
from django.utils import timezone
from tests.builders.bulletins import approved, machine, planned, recorded, station, zone
from tests.builders.devices import agency
from tests.builders.office import user
from bluezone.rollout.bulletins import scripts
now = timezone.now()
writer, approver = user("bien", "editor"), user("duyet", "editor")
waiting = scripts.new_bulletin(writer, agency(), "Chờ duyệt", "normal", {}, now)
scripts.add_version(waiting, "vi", "Kính thưa bà con.", writer, now, machine=None, recording=recorded(2.0))
place = zone()
machine(place, now=now)
ready = approved(seconds=2.0, now=now, title="Đã duyệt")
schedule = planned(ready, place.outlet, station(), first=timezone.localdate(now), now=now)
print("PLANTED", waiting.pk, ready.pk, schedule.pk, place.pk)
"""


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("bulletins") / "data") as running:
        said = subprocess.run(
            [BLUEZONE, "manage", "--data", running.data, "shell", "-c", PLANT],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        ).stdout
        running.keys = re.search(r"PLANTED (\d+) (\d+) (\d+) (\d+)", said).groups()
        yield running


def test_a_bulletin_is_heard_to_the_end_and_then_approved_and_no_page_hinders_anybody(chromium, planted):
    waiting, ready, schedule, place = planted.keys
    visitor = Visitor(chromium, planted)
    page = visitor.page
    visitor.open("/sign-in/")
    visitor.send(username="duyet", password=PASSWORD)
    visitor.send(code=app_code())
    visitor.open(f"/bulletins/{waiting}/")
    approve = page.get_by_role("button", name="Duyệt", exact=True)
    assert approve.is_disabled()
    # The end alone, by skipping, is not enough.
    page.evaluate("document.querySelector('audio').dispatchEvent(new Event('ended'))")
    page.get_by_text("tua đi thì không tính").wait_for(timeout=60_000)
    assert approve.is_disabled()

    page.evaluate("document.querySelector('audio').play()")
    page.wait_for_selector("form[data-tell] button:not([disabled])", timeout=120_000)
    approve.click()
    assert "đã duyệt" in page.inner_text("main")

    pages = [
        "/bulletins/", f"/bulletins/{waiting}/", "/bulletins/new/", f"/bulletins/{ready}/schedules/new/",
        f"/schedules/{schedule}/", "/air-plan/", "/air-log/", "/loudspeakers/", f"/loudspeakers/{place}/",
    ]  # fmt: skip
    for language in ("vi", "en"):
        if language == "en":
            visitor.speak("en")
        # The words differ and the layout does not: in English two pages stand for all.
        for path in pages if language == "vi" else (pages[1], "/air-log/"):
            visitor.open(path)
            for size in (NARROW, DESK):
                page.set_viewport_size(size)
                assert scrolls_sideways(page) == "", (path, language, size)
            assert serious_findings(page) == [], (path, language)
    assert visitor.trouble == []
    visitor.context.close()
