# SPDX-License-Identifier: Apache-2.0
"""A whole handset on the Android double beside an ordinary one: what it keeps and what its owner is told.

The double is tests/radio/androiddouble; nothing here has run on a phone.
"""

import asyncio
import random
import re
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.builders.handset import AirWorld, PhoneClock, city_with_phones, pages
from tests.radio.androiddouble import AndroidPhone

import bluezone.radio.android.refusals
from bluezone.handset.agent import Agent
from bluezone.handset.overview import build_overview
from bluezone.handset.page.shapes import state_of
from bluezone.radio.air import Pair, Scene, VirtualAir
from bluezone.radio.frames import DEFAULT_UUID, parse_contact
from bluezone.radio.interface import PROFILES, RadioFailed

pytestmark = pytest.mark.usefixtures("android_double")
FACE = Path(__file__).parents[2] / "src" / "bluezone" / "face" / "static"


class Town:
    """An ordinary phone, an Android phone and the air between them, in simulated time."""

    def __init__(self, phones, world):
        self.phones, self.world = phones, world
        self.owner = phones.new("owner", PhoneClock(world, world.now - 86_400))
        self.other = phones.new("other", PhoneClock(world, world.now - 86_400))
        self.tasks = []
        self.packets = []

    def begin(self):
        """Inside a simulation: put both on the air and start their agents."""
        self.air = VirtualAir(Scene(default=Pair(1.0)), random.Random(1))
        self.android = AndroidPhone(self.air, "owner")
        self.other_comes()
        self.witness = witness = self.air.station("witness")
        witness.on_heard = lambda heard, _rssi: self.packets.append((heard.address, parse_contact(heard.data)))
        witness.start_scanning(0.5, 0.1)
        self.start(self.owner)

    def other_comes(self):
        """The ordinary phone's agent runs."""
        agent = Agent(self.other, self.air.light_radio("other"), PROFILES["default"], random.Random(2), DEFAULT_UUID)
        self.tasks.append(asyncio.create_task(agent.run()))

    def start(self, handset):
        """A new process of the app, as the service starts it."""
        from bluezone.radio.android import AndroidRadio

        radio = AndroidRadio(self.android.start_process())
        self.agent = Agent(handset, radio, PROFILES["default"], random.Random(3), DEFAULT_UUID)
        self.tasks.append(self.android.running.run(self.agent.run()))

    async def end(self):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        assert self.android.crashes == []


@contextmanager
def a_town(tmp_path):
    with city_with_phones(tmp_path, AirWorld()) as (_server, phones, world):
        yield Town(phones, world)


@pytest.fixture
def town(tmp_path):
    with a_town(tmp_path) as made:
        yield made


def live(town, story):
    """Run a simulation with both phones alive."""

    async def lived():
        town.begin()
        try:
            await story()
        finally:
            await town.end()

    town.world.live(lived())


def kept(handset):
    """Every identifier that the log holds with the moments of its bursts, over all pages."""
    found = {}
    for page in pages(handset):
        for frame, heard in page.heard.items():
            found.setdefault(frame, []).extend(burst.boot_seconds for burst in heard.bursts)
    return found


async def told(town, code, seconds=35):
    """The owner's page says B1 with this cause, since a moment of the last minute."""
    await asyncio.sleep(seconds)
    seen = build_overview(town.owner)
    page = state_of(town.owner, "vi", None)
    assert (seen.state, seen.bluetooth_problem) == ("B1", code)
    assert page["bluetooth"]["problem"] == code
    assert page["bluetooth"]["running"] is False
    assert town.owner.time.now() - 70 <= seen.off_since <= town.owner.time.now()


async def well_again(town, seconds=70):
    await asyncio.sleep(seconds)
    seen = build_overview(town.owner)
    assert (seen.state, seen.bluetooth, seen.bluetooth_problem) == ("A", "running", None)


def test_an_android_phone_and_an_ordinary_one_note_each_other_and_say_that_they_run(town):
    async def story():
        await asyncio.sleep(120)
        for handset in (town.owner, town.other):
            assert build_overview(handset).state == "A"
            assert build_overview(handset).bluetooth == "running"
            assert sum(handset.encounters.identifiers_per_day().values()) == 1

    live(town, story)


@pytest.mark.long
def test_each_fault_is_told_to_the_owner_and_takes_nothing_from_the_log(town):
    permission = "android.permission.BLUETOOTH_SCAN"

    async def story():
        await asyncio.sleep(100)
        failures = town.android.scanning.failures
        for begin, end, code in (
            (town.android.switch_off, town.android.switch_on, "bluetooth_off"),
            (lambda: town.android.revoke(permission), lambda: town.android.granted.add(permission),
             "bluetooth_permission_missing"),
            (lambda: failures.extend([2] * 6), failures.clear, "scan_refused"),
        ):  # fmt: skip
            before = kept(town.owner)
            assert before
            begin()
            await told(town, code)
            end()
            await well_again(town)
            after = kept(town.owner)
            assert all(after[frame][: len(moments)] == moments for frame, moments in before.items())
        town.android.advertising.statuses = [2] * 2
        town.agent.beacon.rotate_soon()
        await told(town, "advertising_refused")
        heard = town.agent.beacon.last_heard_boot_seconds
        assert town.owner.clock.boot_seconds() - heard < 31, "it listens while it cannot speak"
        await well_again(town, 130)

    live(town, story)


@pytest.mark.long
def test_a_killed_service_that_starts_again_finds_every_encounter_it_had_flushed(town, tmp_path):
    async def story():
        await asyncio.sleep(400)
        flushed = kept(town.owner)
        assert flushed
        town.android.kill()
        # The dead process holds its folder as long as this one lives: what it left on the disk is opened elsewhere.
        shutil.copytree(tmp_path / "phones" / "owner", tmp_path / "phones" / "again")
        again = town.phones.new("again", town.owner.clock)
        assert kept(again) == flushed
        await asyncio.sleep(1800)
        assert build_overview(again).state == "B1"
        sent = len(town.packets)
        town.start(again)
        await asyncio.sleep(100)
        assert build_overview(again).bluetooth == "running"
        assert again.clock.boot_seconds() - again.encounters.radio_state.running_since < 110
        assert {frame: kept(again)[frame][: len(flushed[frame])] for frame in flushed} == flushed
        carried = {}
        for address, contact in town.packets[sent:]:
            carried.setdefault(address, set()).add(contact)
        old = {contact for _, contact in town.packets[:sent]} - {other for _, other in other_frames(town)}
        assert not old & {contact for contacts in carried.values() for contact in contacts if contacts}, (
            "half an hour later nothing of before the kill is sent"
        )

    live(town, story)


def other_frames(town):
    """What the ordinary phone sent: its addresses are non-resolvable, the double's are resolvable."""
    return [(address, contact) for address, contact in town.packets if address[0] >> 6 == 0]


def test_a_clock_that_is_changed_is_told_and_moves_no_encounter(town):
    async def story():
        await asyncio.sleep(100)
        town.owner.check()
        before = kept(town.owner)
        town.owner.clock.wall_error = 3 * 3600.0
        await asyncio.sleep(60)
        seen = build_overview(town.owner)
        assert seen.state == "B3"
        assert seen.bluetooth == "running", "the radio goes by the boot clock"
        town.owner.clock.wall_error = 0.0
        await well_again(town)
        after = kept(town.owner)
        assert all(after[frame][: len(moments)] == moments for frame, moments in before.items())

    live(town, story)


@pytest.mark.long
def test_twelve_hours_of_doze_cost_no_encounter_and_running_since_says_that_there_was_a_gap(town):
    async def story():
        await asyncio.sleep(100)
        before = kept(town.owner)
        town.android.sleep()
        await asyncio.sleep(3600)
        town.witness.stop_scanning()
        town.tasks[0].cancel()
        await asyncio.sleep(11 * 3600)
        town.other_comes()
        assert build_overview(town.owner).state == "B1"
        town.android.wake()
        await well_again(town)
        assert town.owner.clock.boot_seconds() - town.owner.encounters.radio_state.running_since < 80
        after = kept(town.owner)
        assert all(after[frame][: len(moments)] == moments for frame, moments in before.items())

    live(town, story)


def test_each_cause_an_android_radio_can_have_has_words_in_both_languages():
    causes = dict(re.findall(r"(\w+): \"(home\.b1\.\w+)\"", (FACE / "telling.js").read_text()))
    raised = {
        kind.code
        for kind in vars(bluezone.radio.android.refusals).values()
        if isinstance(kind, type) and issubclass(kind, RadioFailed)
    }

    assert raised - set(causes) == {"bluetooth_off"}, "which has the words of state B1 itself"
    for language in ("vi", "en"):
        words = (FACE / "words" / f"{language}.js").read_text()
        assert all(f'"{key}": "' in words for key in causes.values())
