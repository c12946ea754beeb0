# SPDX-License-Identifier: Apache-2.0
"""Scenario 19 without multicast: "Loudspeaker operator: simulated HTTP-pull cluster plays at the due second +-1 s from
its cache with the network cut; emergency bulletin preempts within 3 s and the normal one resumes or is marked
preempted; dead cluster flagged in 5 min; as-played log equals plan."

A real `bluezone serve`, loudspeakers as real processes whose sound is really decoded (ffmpeg, no sound card here) and
measured. One machine's own clock is 20 minutes fast, one is killed; the network of both is cut with the server.
"""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import wave
from pathlib import Path

import numpy as np
import pytest
from tests.builders.serving import BLUEZONE, serving

# Two minutes of real time: it plays.
pytestmark = pytest.mark.slow
REPOSITORY = Path(__file__).parents[2]
needs_sound = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
PREPARE = """
import datetime
from django.utils import timezone
from tests.builders.bulletins import approved_bulletin, machine, zone
from tests.builders.devices import agency, device
from bluezone.devices.models import DeviceKind
from bluezone.rollout.bulletins.models import Outlet
from bluezone.rollout.loudspeakers import zone_setup
now = timezone.now()
place = zone()
Outlet.objects.update(quiet_from=datetime.time(0), quiet_to=datetime.time(0))
for name in ("Loa 1", "Loa 2"):
    made, code = device(agency(), DeviceKind.SPEAKER, name, now)
    zone_setup.assign_machine("bien", made, place, now)
    print("CODE", code)
approved_bulletin(seconds=16.0, now=now, title="Thường")
approved_bulletin("emergency", "Khẩn", seconds=3.0, now=now)
"""
PLAN = """
import datetime
from django.utils import timezone
from tests.builders.bulletins import make_people
from bluezone.rollout.bulletins.models import Airing, Bulletin, Outlet, Schedule
from bluezone.rollout.bulletins.air.planner import plan_airings
now, outlet, bulletin = timezone.now(), Outlet.objects.get(), Bulletin.objects.get(title="Thường")
due = (now + datetime.timedelta(seconds={ahead})).replace(microsecond=0)
# To the second: a rule of the pages goes by minutes, and a test does not wait for one.
schedule = Schedule.objects.create(bulletin=bulletin, languages=["vi"], first=timezone.localdate(due),
    last=timezone.localdate(due), times=[timezone.localtime(due).strftime("%H:%M:%S")], made_by=make_people()[0])
schedule.outlets.set([outlet])
plan_airings(now)
print("DUE", due.timestamp(), Airing.objects.get(schedule=schedule).key)
"""
EMERGENCY = """
from django.utils import timezone
from tests.builders.bulletins import make_people
from bluezone.rollout.bulletins.air import timetable
from bluezone.rollout.bulletins.models import Airing, Bulletin, Outlet
made = timetable.air_at_once(
    Bulletin.objects.get(title="Khẩn"), [Outlet.objects.get()], ["vi"], make_people()[0], timezone.now())
print("ORDERED", timezone.now().timestamp(), Airing.objects.get(schedule=made).key)
"""
LOG = """
import json
from bluezone.rollout.loudspeakers.models import Playing, Unit
print("LOG", json.dumps({
    "playings": [[one.airing.key, one.device.name, one.outcome, one.began_at.timestamp() if one.began_at else None,
        one.airing.starts_at.timestamp(), one.heard_seconds, one.interrupted_seconds, one.sink]
        for one in Playing.objects.select_related("airing", "device")],
    "clocks": dict(Unit.objects.values_list("device__name", "clock_off_seconds")),
    "heard": {unit.device.name: unit.heard_at.timestamp() for unit in Unit.objects.select_related("device")
        if unit.heard_at}}))
"""


class Speaker:
    """A running loudspeaker; what it says is kept in a file. ahead: seconds by which its own clock is fast."""

    def __init__(self, served, folder, code=None, ahead=0):
        self.heard = folder / "heard"
        self.said = folder / "said.txt"
        arguments = ["speaker", "run", "--data", folder, "--server", served.public, "--sink", f"file:{self.heard}"]
        if code:
            arguments += ["--code", code]
        program = [BLUEZONE]
        if ahead:
            wrong = f"import time; real = time.time; time.time = lambda: real() + {ahead}\n"
            program = [sys.executable, "-c", wrong + "import sys; sys.argv[0] = 'bluezone'\n"
                       "from bluezone.cli.main import main; main()"]  # fmt: skip
        self.process = subprocess.Popen([*program, *map(str, arguments)], stderr=self.said.open("a"), text=True)

    def until(self, pattern, seconds=120.0):
        """Wait until it says something; what it was."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.said.read_text())):
            assert self.process.poll() is None, self.said.read_text()
            assert time.monotonic() < deadline, self.said.read_text()
            time.sleep(0.05)
        return found

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.wait(timeout=120)


class Pulse:
    """How late the machine wakes who has slept for a moment: what else it does is not the loudspeakers' lateness."""

    def __init__(self):
        self.worst = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._thread.start()

    def _beat(self):
        while not self._ended.is_set():
            begun = time.monotonic()
            self._ended.wait(0.02)
            self.worst = max(self.worst, time.monotonic() - begun - 0.02)

    def allows(self, seconds):
        """So many seconds, and as long as twenty wakings took in vain: hundredths on a quiet machine."""
        return seconds + 20 * self.worst

    def close(self):
        self._ended.set()
        self._thread.join()


class Office:
    """The office's store in one process of its own, that runs what it is told beside the server."""

    LOOP = "import sys, json\nfor line in sys.stdin:\n    exec(json.loads(line), {}); print('DONE', flush=True)"

    def __init__(self, data):
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        command = [BLUEZONE, "manage", "--data", data, "shell", "-c", self.LOOP]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def run(self, script):
        self.process.stdin.write(json.dumps(script) + "\n")
        self.process.stdin.flush()
        said = ""
        for line in self.process.stdout:
            if line == "DONE\n":
                return said
            said += line
        raise AssertionError(f"the office ended: {said}")

    def logged(self, rows):
        """The log once it has so many reports."""
        deadline = time.monotonic() + 600
        while True:
            log = json.loads(self.run(LOG).split("LOG ", 1)[1])
            if len(log["playings"]) >= rows or time.monotonic() > deadline:
                assert len(log["playings"]) == rows, log
                return log
            time.sleep(0.2)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=120)


def loudness_of(path):
    with wave.open(str(path)) as sound:
        samples = np.frombuffer(sound.readframes(10**7), dtype="<i2") / 32768
    return float(np.sqrt(np.mean(samples**2)))


@needs_sound
@pytest.mark.timeout(400)
def test_played_on_time_from_the_cache_with_the_network_cut_and_told_afterwards(tmp_path):
    one_folder, two_folder = tmp_path / "one", tmp_path / "two"
    one_folder.mkdir()
    two_folder.mkdir()
    data = tmp_path / "data"
    speakers, offices, pulse = [], [], Pulse()
    try:
        with serving(data) as served:
            office = Office(data)
            offices.append(office)
            codes = re.findall(r"CODE (\S+)", office.run(PREPARE))
            speakers = [Speaker(served, one_folder, codes[0]), Speaker(served, two_folder, codes[1], ahead=1200)]
            for speaker in speakers:
                speaker.until("ready")
            speakers[1].until(r"clock is off by -1200 s")
            due, key = re.search(r"DUE (\S+) (\S+)", office.run(PLAN.format(ahead=25))).groups()
            for folder in (one_folder, two_folder):
                until(
                    lambda folder=folder: (
                        key in kept_plan(folder) and len(list(folder.glob("speaker/sounds/*.mp3"))) == 2
                    )
                )

        # The network is cut: there is no server any more. Both play from what they have.
        for speaker in speakers:
            speaker.until(f"played {key}")
            (sound,) = speaker.heard.glob("*.wav")
            assert loudness_of(sound) > 0.05
            assert abs(sound.stat().st_mtime - (float(due) + 16)) < pulse.allows(4)
        speakers[0].stop(signal.SIGKILL)

        with serving(data) as served:
            again = Speaker(served, one_folder)
            other = Speaker(served, two_folder)
            speakers[1].stop()
            speakers = [again, other]
            for speaker in speakers:
                speaker.until("ready")
            log = office.logged(2)
            assert {row[0] for row in log["playings"]} == {key}
            for _key, _name, outcome, began, starts, heard, _cut, sink in log["playings"]:
                assert (outcome, sink) == ("played", "file")
                assert abs(began - starts) <= pulse.allows(1)
                assert starts == float(due)
                assert heard == pytest.approx(16, abs=1)
            assert abs(log["clocks"]["Loa 2"] or 0) < 5

            due, normal = re.search(r"DUE (\S+) (\S+)", office.run(PLAN.format(ahead=15))).groups()
            for speaker in speakers:
                speaker.until(f"playing {normal}")
            ordered, emergency = re.search(r"ORDERED (\S+) (\S+)", office.run(EMERGENCY)).groups()
            for speaker in speakers:
                speaker.until(f"played {normal}")
            log = office.logged(6)
            rows = {(row[0], row[1]): row for row in log["playings"]}
            for name in ("Loa 1", "Loa 2"):
                assert rows[emergency, name][2] == rows[normal, name][2] == "played"
                assert rows[emergency, name][3] - float(ordered) <= pulse.allows(3)
                # As long as the emergency took, and then on from where it was.
                assert 2.5 <= rows[normal, name][6] <= pulse.allows(10)
                assert rows[normal, name][5] == pytest.approx(16, abs=1)
    finally:
        pulse.close()
        for one in offices:
            one.close()
        for speaker in speakers:
            if speaker.process.poll() is None:
                speaker.stop()


def kept_plan(folder):
    with sqlite3.connect(folder / "speaker" / "speaker.sqlite3") as book:
        row = book.execute("SELECT value FROM kept WHERE name = 'plan'").fetchone()
    return row[0] if row else ""


def until(condition, seconds=120.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
