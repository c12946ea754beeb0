# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: E501 (lines of JavaScript)
"""Fill a folder with what the programs of one checkout write: an office, phones, a gate, a loudspeaker, browsers.

Run by make.py with the checkout's interpreter in the checkout's folder, so that `tests.builders` and `bluezone` are
those of the checkout.
"""

import http.client
import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import browserstorage
from tests.builders import gatephone, peopling
from tests.builders.androidphone import AndroidPhone, Keystore, wait_for
from tests.builders.canvassing import canvassing
from tests.builders.chromium import launched
from tests.builders.handset import PhoneClock, World, meet_phone
from tests.builders.serving import BLUEZONE, serving

from bluezone.handset import Handset
from bluezone.handset.android.cityfile import CityFile
from bluezone.handset.android.device import KeystoreSealing

HOUR = 3600
# Yesterday, whatever the hour is now: keys of a day are published after its end.
MET_SECONDS_AGO = 26 * HOUR
SPEAKER = """
import datetime
from django.utils import timezone
from tests.builders.bulletins import approved_bulletin, machine, make_people, zone
from tests.builders.devices import device
from bluezone.devices.models import DeviceKind
from bluezone.directory.models import Agency
from bluezone.rollout.bulletins.air.planner import plan_airings
from bluezone.rollout.bulletins.models import Airing, Outlet, Schedule
from bluezone.rollout.loudspeakers import zone_setup
now, centre = timezone.now(), Agency.objects.get(key="trung-tam-vhtttt")
place = zone("Tổ 11", centre)
Outlet.objects.filter(pk=place.outlet.pk).update(quiet_from=datetime.time(0), quiet_to=datetime.time(0))
made, code = device(centre, DeviceKind.SPEAKER, "Loa 11", now)
zone_setup.assign_machine("bien", made, place, now)
bulletin = approved_bulletin(seconds=2.0, now=now, title="Phát ở tổ 11", keeper=centre)
due = (now + datetime.timedelta(seconds={ahead})).replace(microsecond=0)
schedule = Schedule.objects.create(bulletin=bulletin, languages=["vi"], first=timezone.localdate(due),
    last=timezone.localdate(due), times=[timezone.localtime(due).strftime("%H:%M:%S")], made_by=make_people()[0])
schedule.outlets.set([place.outlet])
plan_airings(now)
print("SPEAKER", code, Airing.objects.get(schedule=schedule).key)
"""
SPEAKER_AHEAD_SECONDS = 90
CHECK_IN = """async ([link, cityKey, seconds]) => {
  const { open } = await (await import('/app/opening.js')).$load('engine/web/engine.js');
  const engine = await open({ cityKey, base: null });
  const { visits } = engine.parts, clock = visits.clock;
  visits.clock = { now: () => clock.now() - seconds, get floor() { return clock.floor; } };
  await visits.checkIn(link, true);
}"""
PENDING = """async (cityKey) => {
  const { open } = await (await import('/app/opening.js')).$load('engine/web/engine.js');
  return (await open({ cityKey, base: null })).reportState();
}"""


def run(*command: object) -> str:
    """Run a command; what it printed."""
    ran = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


class Maker:
    """One folder that is being filled. facts: what a test can count on to find in it."""

    def __init__(self, out: Path) -> None:
        self.out, self.data = out, out / "office" / "data"
        self.facts: dict[str, object] = {}

    def make(self) -> None:
        """Fill it."""
        (self.out / "office").mkdir()
        peopling.peopled_office(self.data)
        doors = canvassing(self.data, phones=["Máy đi từng nhà số 3"], doors=12)
        tablet = gatephone.plant(self.data, 1, "Cổng chính")
        box = gatephone.plant(self.data, 1, "Cổng sau")
        poster = json.loads(
            run(BLUEZONE, "venues", "code", "--data", self.data, "--registration", "kho-1", "--name", "Chợ Bắc Kạn",
                "--from", f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%d}", "--json")
        )  # fmt: skip
        assert len(doors["doors"]) == 12
        with serving(self.data) as served:
            self.served = served
            # Earlier checkouts call it `said`.
            output = served.output if hasattr(served, "output") else served.said
            found = re.search(r"city key\D*([0-9a-f]{64})", output, re.IGNORECASE)
            assert found, output
            self.trust = found[1]
            self.facts["city_key"] = self.trust
            self.facts["open_code"] = self.code()
            self.phones()
            gate, speaker = self.gate(box), self.speaker()
            with launched() as chromium:
                self.web_edition(chromium, poster["link"])
                phone = self.gate_tablet(chromium, tablet)
                self.until_sound(speaker)
                served.process.terminate()
                served.process.communicate(timeout=300)
                self.without_office(phone, gate)
        self.end_speaker(speaker)
        self.facts["moment"] = int(time.time())

    def code(self) -> str:
        onset = (datetime.now(UTC) - timedelta(days=2)).date()
        told = run(BLUEZONE, "codes", "issue", "--data", self.data, "--class", "confirmed", "--onset", onset, "--json")
        return str(json.loads(told)["code"])

    def phones(self) -> None:
        """Three handsets and an app. Ben meets two of them and reports; Cara's report waits for its hour."""
        world = World(time.time() - MET_SECONDS_AGO)
        clock = PhoneClock(world, world.now - 86_400)
        android = AndroidPhone(
            self.out / "android" / "app", Keystore(self.out / "android" / "keystore"), clock,
            CityFile(self.served.public, self.trust),
        )  # fmt: skip
        (self.out / "android").mkdir()

        def opened(folder: Path, **more: object) -> Handset:
            rng = random.Random(str(folder.relative_to(self.out.parent)))
            more = {"radio_model": "virtual", "trust": self.trust, **more}
            return Handset.open(folder, self.served.public, clock, rng, **more)

        near, patient = (opened(self.out / "handset" / name / "handset") for name in ("near", "patient"))
        ben = opened(self.out.parent / "ben")
        app = opened(
            android.folder / "handset", radio_model="android:double", sealing=KeystoreSealing(android.keystore)
        )
        patient.encounters.payload()
        meet_phone(near, ben, 30, world=world)
        meet_phone(app, ben, 30, world=world)
        world.now = time.time()
        for phone in (near, patient, ben, app):
            phone.check()
        ben.report.prepare_and_submit(self.code(), consent=True)
        patient.report.prepare_and_submit(self.code(), consent=True)
        world.pass_by(2 * HOUR)
        ben.go_on()
        assert ben.report.pending is None
        world.now = time.time()
        assert patient.report.pending is not None
        self.facts["heard"] = sum(near.encounters.identifiers_per_day().values())
        heard = ben.encounters.payload()
        for phone in (near, patient, ben, app):
            phone.close()
        tracing, device, _setup = android.process()
        tracing.start()
        wait_for(lambda: tracing.url)
        device.fed.hear(heard)
        wait_for(lambda: device.running and device.running[-1].title == "Bluezone đang chạy")
        tracing.stop()

    def gate(self, planted: gatephone.Planted) -> "subprocess.Popen[str]":
        """A gate program that has sent three passages."""
        program = subprocess.Popen(
            [BLUEZONE, "gate", "run", "--data", self.out / "gate", "--server", self.served.public, "--radio", "none",
             "--trust", self.trust, "--code", planted.codes[0]], stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert program.stderr is not None
        self.page = ""
        for line in program.stderr:
            if line.startswith("ready"):
                self.page = line.split()[1]
                break
        assert self.page, program.wait()
        self.ask("signIn", badge=planted.badge, pin=planted.pin)
        for verdict in ("told", "told", "no_smartphone"):
            self.ask("enter", direction="in", verdict=verdict)
        self.settled(3)
        assert self.ask("send") == {"unsent": 0}
        return program

    def ask(self, name: str, **arguments: str) -> dict[str, object]:
        parts = urlsplit(self.page)
        connection = http.client.HTTPConnection(parts.netloc, timeout=120)
        headers = {"Authorization": f"Bearer {parse_qs(parts.query)['token'][0]}", "Content-Type": "application/json"}
        method = "GET" if name == "state" else "POST"
        connection.request(
            method, f"{parts.path}api/{name}", None if name == "state" else json.dumps(arguments), headers
        )
        answer = connection.getresponse()
        told: dict[str, object] = json.loads(answer.read())
        return told

    def settled(self, passages: int) -> None:
        deadline = time.monotonic() + 600
        while self.ask("state")["unsent"] < passages:  # counters of passages that can no longer be undone
            assert time.monotonic() < deadline
            time.sleep(0.5)

    def speaker(self) -> "subprocess.Popen[str]":
        """A loudspeaker with a bulletin that is due when the office is gone."""
        told = subprocess.run(
            [BLUEZONE, "manage", "--data", self.data, "shell", "-c", SPEAKER.replace("{ahead}", str(SPEAKER_AHEAD_SECONDS))],
            capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )  # fmt: skip
        assert told.returncode == 0, told.stderr
        found = re.search(r"SPEAKER (\S+) (\S+)", told.stdout)
        assert found, told.stdout
        self.facts["airing"] = found[2]
        folder = self.out.parent / "speaker-out"
        folder.mkdir()
        return subprocess.Popen(
            [BLUEZONE, "speaker", "run", "--data", self.out / "speaker", "--server", self.served.public,
             "--sink", f"file:{folder}", "--code", found[1]], stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def until_sound(self, program: "subprocess.Popen[str]") -> None:
        wait_for(lambda: list((self.out / "speaker").rglob("*.mp3")))
        assert program.poll() is None

    def end_speaker(self, program: "subprocess.Popen[str]") -> None:
        """Wait until the bulletin has been played, which nobody has been told."""
        store = next((self.out / "speaker").rglob("speaker.sqlite3"))

        def unsent() -> object:
            with sqlite3.connect(store) as opened:
                return opened.execute("SELECT airing FROM report WHERE sent = 0").fetchall() or None

        wait_for(unsent)
        program.terminate()
        program.wait(120)

    def gate_tablet(self, chromium: object, planted: gatephone.Planted) -> gatephone.GatePhone:
        """A tablet in a browser that has sent two passages."""
        phone = gatephone.GatePhone(chromium, self.served.public)
        phone.context.add_init_script(browserstorage.READABLE_KEYS)
        phone.connect(planted.codes[0])
        phone.scan(planted.badge, "idle")
        phone.page.fill("#pin", planted.pin)
        phone.page.get_by_role("button", name="Nhận ca", exact=True).click()
        for _ in range(2):
            phone.tap("Không có điện thoại thông minh", "no_smartphone")
        time.sleep(11)
        phone.send()
        self.facts["tablet_gate"] = planted.gate
        return phone

    def without_office(self, phone: gatephone.GatePhone, gate: "subprocess.Popen[str]") -> None:
        """What is entered at both gates while there is no network."""
        for _ in range(3):
            phone.tap("Không có điện thoại thông minh", "no_smartphone")
        phone.tap("RA", "out")
        for verdict in ("told", "helped"):
            self.ask("enter", direction="in", verdict=verdict)
        self.ask("enter", direction="out", verdict="out")
        time.sleep(11)
        phone.desk("await desk.book.settle();")
        self.keep("gate-tablet", phone.page)
        phone.context.close()
        self.settled(1)
        gate.terminate()
        gate.wait(120)

    def web_edition(self, chromium: object, link: str) -> None:
        """A web edition with a stay, whose owner has agreed to a report that waits for its hour."""
        context = chromium.new_context(viewport=gatephone.PHONE, service_workers="block")
        context.add_init_script(browserstorage.READABLE_KEYS)
        page = context.new_page()
        page.goto(f"{self.served.public}/app/")
        page.click("main .button.wide")
        page.wait_for_selector("[data-state]")
        page.evaluate(CHECK_IN, [link, self.trust, 3 * HOUR])
        page.reload()
        page.wait_for_selector("[data-state]")
        page.evaluate("location.hash = '/report'")
        page.fill("#code", self.code())
        page.click("form button[type=submit]")
        page.wait_for_selector("fieldset")
        page.click("form button[type=submit]")
        cut: list[str] = []

        def cut_off(route: object) -> None:
            cut.append(route.request.url)
            route.abort()

        context.route("**/v1/upload", cut_off)
        page.click("text=Đồng ý và gửi")
        deadline = time.monotonic() + 300
        while not cut:
            assert time.monotonic() < deadline
            page.wait_for_timeout(200)
        context.set_offline(True)
        assert page.evaluate(PENDING, self.trust)["state"] in ("begun", "waiting")
        self.keep("web-edition", page)
        context.close()

    def keep(self, name: str, page: object) -> None:
        folder = self.out / "browsers"
        folder.mkdir(exist_ok=True)
        stored = browserstorage.exported(page)
        (folder / f"{name}.json").write_text(json.dumps(stored, ensure_ascii=False, sort_keys=True))


if __name__ == "__main__":
    out = Path(sys.argv[1])
    maker = Maker(out)
    maker.make()
    (out / "facts.json").write_text(json.dumps(maker.facts, indent=2, sort_keys=True) + "\n")
