# SPDX-License-Identifier: Apache-2.0
"""A loudspeaker whose sounds a power cut spoilt, and an emergency that was sent by mistake: its words are heard, and it
falls silent within seconds when somebody presses "stop here" on the zone's page.
"""

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.browser.test_emergency_cut_off import PLANT, Ear, Loudspeaker
from tests.builders.canvassing import ask
from tests.builders.crawling import scrolls_sideways
from tests.builders.office import app_code
from tests.builders.serving import BLUEZONE, serving
from tests.builders.visitor import NARROW, PASSWORD, Visitor

pytestmark = [
    pytest.mark.browser,
    pytest.mark.field,
    pytest.mark.timeout(900),
    pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg"),
]
# Long enough that it would still sound on a slow machine.
SPOKEN_SECONDS, BEFORE_SECONDS = 120.0, 3.0


def test_a_spoilt_sound_is_heard_all_the_same_and_stopped_within_seconds(chromium, tmp_path):
    ear = Ear()
    with serving(tmp_path / "data") as served:
        said = subprocess.run(
            [BLUEZONE, "manage", "--data", served.data, "shell", "-c", PLANT.replace("SECONDS", str(SPOKEN_SECONDS))],
            capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        ).stdout  # fmt: skip
        alarm, _device, code = re.search(r"PLANTED vi (\d+) (\d+) (\S+)", said).groups()
        speaker = Loudspeaker(tmp_path / "speaker", ear, served.public)
        try:
            speaker.switch_on("--code", code)
            spoil(tmp_path / "speaker" / "speaker" / "sounds", speaker)
            speaker.switch_on()
            editor = Visitor(chromium, served)
            page = editor.page
            page.set_viewport_size(NARROW)
            page.goto(f"{served.office}/language/vi/?next=/sign-in/")
            editor.send(username="truc.vi", password=PASSWORD)
            editor.send(code=app_code())
            expect(page.locator("html[lang=vi] main")).to_be_visible()
            spoken = threading.Event()
            # The words are the second run, after the tone.
            ear.when(2, BEFORE_SECONDS, spoken.set)
            editor.open(f"/bulletins/{alarm}/")
            page.get_by_role("link", name="Phát ngay").click()
            page.get_by_label("Tổ 5 vi").check()
            page.get_by_role("button", name="Phát ngay").click()
            page.wait_for_url("**/air-log/**")
            assert speaker.hears("playing")
            assert spoken.wait(300), ear.heard

            ((zone,),) = ask(served.data, "select id from bulletins_outlet where name = ?", "Tổ 5 vi")
            editor.open(f"/loudspeakers/{zone}/")
            assert scrolls_sideways(page) == ""
            expect(page.locator("main")).to_contain_text("Đang phát hoặc sắp phát")
            if folder := os.environ.get("BLUEZONE_LOOK"):
                page.screenshot(path=f"{folder}/zone-360.png", full_page=True)
            page.get_by_role("button", name="Dừng phát tại đây").click()
            expect(page.locator("main")).to_contain_text("Đã dừng tại đây")
            pressed, heard = time.time(), ear.heard[1][2]
            for line in speaker.process.stdout:
                if line.startswith("missed"):
                    break
            silent = time.time()
            expect(page.locator("main")).not_to_contain_text("Đang phát hoặc sắp phát")
            assert line.rstrip().endswith("stopped")
            assert editor.trouble == []
            editor.context.close()
        finally:
            speaker.close()
            ear.close()

    assert ear.heard[1][2] < SPOKEN_SECONDS / 2
    assert len(ear.heard) == 2
    print(  # noqa: T201 - a stopwatch
        f"\nsilent {silent - pressed:.1f} s after the page said so, {ear.heard[1][2] - heard:.1f} s of sound later"
    )


def spoil(sounds, speaker):
    """Stop it once its sounds are there, and leave of them what a power cut soon after a rename leaves."""
    deadline = time.time() + 300
    while not (found := list(sounds.glob("*.mp3"))):
        assert time.time() < deadline
        assert speaker.process.poll() is None
    speaker.process.send_signal(signal.SIGTERM)
    speaker.process.wait()
    speaker.close()
    for path in found:
        path.write_bytes(b"")
