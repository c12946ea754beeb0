# SPDX-License-Identifier: Apache-2.0
"""Bulletins in a real browser: only the end of the sound lets "Duyệt" work; and speaking live at a loudspeaker."""

import contextlib
import os
import re
import shutil
import subprocess
import time
import wave
from pathlib import Path

import pytest
from tests.builders.accessibility import serious_findings
from tests.builders.chromium import FILMING, FLAGS, needed
from tests.builders.crawling import scrolls_sideways
from tests.builders.office import app_code
from tests.builders.serving import BLUEZONE, serving
from tests.builders.visitor import DESK, NARROW, PASSWORD, Visitor

pytestmark = pytest.mark.browser
PLANT = """
from django.utils import timezone
from tests.builders.bulletins import approved_bulletin, machine, schedule_bulletin, station, stored_recording, zone
from tests.builders.devices import agency, device
from tests.builders.office import user
from bluezone.devices.models import DeviceKind
from bluezone.rollout.bulletins.texts import scripts
from bluezone.rollout.loudspeakers import zone_setup
now = timezone.now()
writer, approver = user("bien", "editor"), user("duyet", "editor")
waiting = scripts.create_bulletin(writer, agency(), "Chờ duyệt", "normal", {}, now)
scripts.add_version(waiting, "vi", "Kính thưa bà con.", writer, now, machine=None, recording=stored_recording(2.0))
place = zone()
machine(place, now=now)
ready = approved_bulletin(seconds=2.0, now=now, title="Đã duyệt")
schedule = schedule_bulletin(ready, place.outlet, station(), first=timezone.localdate(now), now=now)
print("PLANTED", waiting.pk, ready.pk, schedule.pk, place.pk)
user("truongthon", "speaker_operator", within=agency())
village = zone("Tổ 9")
made, code = device(agency(), DeviceKind.SPEAKER, "Loa 9", now)
zone_setup.assign_machine("bien", made, village, now)
print("VILLAGE", village.pk, code)
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
        running.village = re.search(r"VILLAGE (\d+) (\S+)", said).groups()
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


@pytest.mark.field
@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
def test_a_village_head_speaks_into_a_browser_and_is_heard_at_the_loudspeaker(tmp_path, chromium, planted):
    place, code = planted.village
    command = ["speaker", "run", "--data", tmp_path, "--server", planted.public, "--code", code]
    said = tmp_path / "said.txt"
    with said.open("w") as told:
        speaker = subprocess.Popen([BLUEZONE, *command, "--sink", f"file:{tmp_path / 'out'}"], stderr=told)
    try:
        until(lambda: "ready" in said.read_text())
        # Its microphone beeps once a second.
        with contextlib.closing(
            chromium.browser_type.launch(executable_path=needed(), args=[*FLAGS, *FILMING])
        ) as browser:
            visitor = Visitor(browser, planted)
            page = visitor.page
            visitor.open("/sign-in/")
            visitor.send(username="truongthon", password=PASSWORD)
            visitor.send(code=app_code())
            visitor.open(f"/loudspeakers/{place}/")
            page.get_by_role("link", name="Nói trực tiếp", exact=True).click()
            for size in (NARROW, DESK):
                page.set_viewport_size(size)
                assert scrolls_sideways(page) == "", size
            assert serious_findings(page) == []
            page.get_by_role("button", name="Bắt đầu nói").click()
            page.get_by_text("Loa đang phát lời ông/bà").wait_for(timeout=60_000)
            until(lambda: [path for path in (tmp_path / "out").glob("*-live.wav") if path.stat().st_size > 300_000])
            page.get_by_role("button", name="Kết thúc", exact=True).click()
            page.get_by_text("Lượt nói của ông/bà đã kết thúc.").wait_for(timeout=60_000)
            until(lambda: "played live-" in said.read_text())
            visitor.open(f"/loudspeakers/{place}/")
            page.get_by_role("cell", name=re.compile(r"nói \d+ giây")).wait_for(timeout=60_000)
            assert visitor.trouble == []
            visitor.context.close()
    finally:
        speaker.terminate()
        speaker.wait()
    (recorded,) = (tmp_path / "out").glob("*-live.wav")
    with wave.open(str(recorded)) as sound:
        loud = max(map(abs, memoryview(sound.readframes(10**7)).cast("h")))
    assert loud > 1000


def until(condition, seconds=120.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
